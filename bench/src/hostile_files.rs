//! Time that the reader of workout files takes to reject malicious files, and to read the largest.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use ride::formats::{self, MAX_FILE_BYTES};
use ride::rider::Ftp;

use crate::machine::Machine;

/// Target: a delay that a rider does not notice.
const TARGET: Duration = Duration::from_millis(100);
const RUNS: usize = 21;

/// Measures every file and returns the page with the results.
pub fn page(machine: &Machine) -> String {
    let mut page = format!(
        "# Malicious workout files\n\nMeasured on {} by `make bench-files`, which writes this page: the time that the\nreader of workout files takes to reject files made to be slow or large, and to read\nthe largest files that it accepts. Each value\nis the median of {RUNS} runs of an optimised native build, with minimum and maximum.\nTarget: {} ms.\n\n",
        machine.date,
        TARGET.as_millis()
    );
    page += &machine.table();
    page += "\n| file | bytes | read or rejected after | |\n|---|---|---|---|\n";
    let rejected = files().map(|(name, file)| (name, file, false));
    let accepted = largest_files().map(|(name, file)| (name, file, true));
    for (name, file, is_accepted) in rejected.into_iter().chain(accepted) {
        let mut times: Vec<_> = (0..RUNS)
            .map(|_| time_to_read(name, file.as_bytes(), is_accepted))
            .collect();
        times.sort();
        let (min, median, max) = (times[0], times[RUNS / 2], times[RUNS - 1]);
        let verdict = match median <= TARGET {
            true => "reached",
            false => "**missed**",
        };
        let [min, median, max] = [min, median, max].map(millis);
        let bytes = file.len();
        let _ = writeln!(
            page,
            "| {name} | {bytes} | {median} ms ({min} to {max}) | {verdict} |"
        );
    }
    page
}

fn time_to_read(name: &str, file: &[u8], is_accepted: bool) -> Duration {
    let start = Instant::now();
    let result = formats::read(file, name, Ftp::default());
    let elapsed = start.elapsed();
    assert_eq!(result.is_ok(), is_accepted, "{name}: {:?}", result.err());
    elapsed
}

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1_000.0)
}

fn files() -> [(&'static str, String); 8] {
    let attributes: String = (0..80_000).map(|n| format!("a{n}='' ")).collect();
    let namespaces = (0..20_000).map(|n| format!("<a xmlns:n{n}='u{n}'>"));
    let good = "<SteadyState Duration='1' Power='0.5' Cadence='90'/>".repeat(5_000);
    let padding = "x\n".repeat(200_000);
    let bomb = "<!DOCTYPE b [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">]>";
    [
        ("one byte over the limit", " ".repeat(MAX_FILE_BYTES + 1)),
        (
            "entity expansion",
            format!("{bomb}<workout_file><name>&b;</name></workout_file>"),
        ),
        ("80,000 attributes", format!("<workout_file {attributes}/>")),
        ("250,000 elements", workout(&"<a/>".repeat(250_000))),
        ("350,000 nested elements", "<a>".repeat(MAX_FILE_BYTES / 3)),
        ("20,000 namespaces", namespaces.collect()),
        (
            "10,000 intervals",
            workout(&"<FreeRide Duration='1'/>\n".repeat(10_000)),
        ),
        (
            "a full file with an interval too many at its end",
            workout(&format!(
                "<!-- {padding} -->{good}<SteadyState Duration='1' Power='x'/>"
            )),
        ),
    ]
}

/// Files with as many intervals, and as much around them, as are accepted.
fn largest_files() -> [(&'static str, String); 3] {
    let zwo = "<SteadyState Duration='1' Power='0.5' Cadence='90'/>".repeat(5_000);
    let padding = "x\n".repeat(350_000);
    let point = |n: u32| {
        let (from, to) = (f64::from(n) / 60.0, f64::from(n + 1) / 60.0);
        let power = 50 + n % 2;
        format!("{from:.5} {power}\n{to:.5} {power}\n")
    };
    let points: String = (0..5_000).map(point).collect();
    let intervals = vec![r#"{"duration": 1, "percentage": 50, "cadence": 90}"#; 5_000];
    [
        (
            "5,000 intervals as ZWO, and 700 KB of a comment",
            workout(&format!("<!-- {padding} -->{zwo}")),
        ),
        (
            "5,000 intervals as a course",
            format!(
                "[COURSE HEADER]\nMINUTES PERCENT\n[END COURSE HEADER]\n[COURSE DATA]\n{points}"
            ),
        ),
        (
            "5,000 intervals as JSON",
            format!("{{\"intervals\": [{}]}}", intervals.join(",")),
        ),
    ]
}

fn workout(elements: &str) -> String {
    format!("<workout_file><name>Test</name><workout>{elements}</workout></workout_file>")
}
