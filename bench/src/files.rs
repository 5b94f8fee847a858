//! How long workout files that mean harm take to be refused.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use ride::workout::zwo::{self, MAX_BYTES};

use crate::machine::Machine;

/// What a rider does not notice.
const AIM: Duration = Duration::from_millis(100);
const RUNS: usize = 21;

/// Reads each of the files, and tells on a page how long that took.
pub fn page(machine: &Machine) -> String {
    let mut page = format!(
        "# Files that mean harm\n\nTaken on {} by `make bench-files`, which writes this page. How long the reader\nof workout files takes to refuse those that are made to be slow or large: the\nmedian of {RUNS} times, natively and optimised, with the least and the most. To be\nreached: {} ms.\n\n",
        machine.date,
        AIM.as_millis()
    );
    page += &machine.table();
    page += "\n| file | bytes | refused after | |\n|---|---|---|---|\n";
    for (what, file) in files() {
        let mut times: Vec<_> = (0..RUNS).map(|_| refusal(what, file.as_bytes())).collect();
        times.sort();
        let (least, median, most) = (times[0], times[RUNS / 2], times[RUNS - 1]);
        let verdict = match median <= AIM {
            true => "reached",
            false => "**falls short**",
        };
        let [least, median, most] = [least, median, most].map(millis);
        let bytes = file.len();
        let _ = writeln!(
            page,
            "| {what} | {bytes} | {median} ms ({least} to {most}) | {verdict} |"
        );
    }
    page
}

fn refusal(what: &str, file: &[u8]) -> Duration {
    let start = Instant::now();
    let read = zwo::parse(file);
    let took = start.elapsed();
    assert!(read.is_err(), "{what} was read");
    took
}

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1_000.0)
}

fn files() -> [(&'static str, String); 8] {
    let attributes: String = (0..80_000).map(|n| format!("a{n}='' ")).collect();
    let namespaces = (0..20_000).map(|n| format!("<a xmlns:n{n}='u{n}'>"));
    let good = "<SteadyState Duration='1' Power='0.5' Cadence='90'/>".repeat(1_999);
    let padding = "x\n".repeat(200_000);
    let bomb = "<!DOCTYPE b [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">]>";
    [
        ("a byte too many", " ".repeat(MAX_BYTES + 1)),
        (
            "an entity bomb",
            format!("{bomb}<workout_file><name>&b;</name></workout_file>"),
        ),
        ("80,000 attributes", format!("<workout_file {attributes}/>")),
        ("250,000 elements", workout(&"<a/>".repeat(250_000))),
        (
            "350,000 elements in each other",
            "<a>".repeat(MAX_BYTES / 3),
        ),
        ("20,000 namespaces", namespaces.collect()),
        (
            "10,000 intervals",
            workout(&"<FreeRide Duration='1'/>\n".repeat(10_000)),
        ),
        (
            "a full file whose last number is wrong",
            workout(&format!(
                "<!-- {padding} -->{good}<SteadyState Duration='1' Power='x'/>"
            )),
        ),
    ]
}

fn workout(elements: &str) -> String {
    format!("<workout_file><name>Test</name><workout>{elements}</workout></workout_file>")
}
