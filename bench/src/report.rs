//! The Markdown page with the results.

mod targets;

use std::fmt::Write as _;
use std::fs;

use crate::benchmarks::{Row, ServerRuns, Table, Unit};
use crate::error::BenchError;
use crate::machine::Machine;
use crate::offer::Offer;
use crate::options::{Benchmark, Options};

/// Hand-written explanation of the results, added at the end of the page.
const REMARKS: &str = "bench/remarks.md";

/// Writes the results to the output file, or prints them.
///
/// # Errors
/// The file cannot be written.
pub fn write(options: &Options, machine: &Machine, tables: &[Table]) -> Result<(), BenchError> {
    output(options, &page(options, machine, tables))
}

/// Writes a page to the output file, or prints it.
///
/// # Errors
/// The file cannot be written.
pub fn output(options: &Options, page: &str) -> Result<(), BenchError> {
    match &options.output {
        Some(path) => Ok(fs::write(path, page)?),
        None => {
            print!("{page}");
            Ok(())
        }
    }
}

fn page(options: &Options, machine: &Machine, tables: &[Table]) -> String {
    let mut page = String::from("# Benchmarks\n\n");
    page += &introduction(options, machine);
    if options.compares() {
        page += &targets::section(tables);
    }
    for table in tables {
        page += &section(table, options);
    }
    // Without the file (another working directory) the section is left out.
    if let Ok(remarks) = fs::read_to_string(REMARKS) {
        let _ = write!(page, "\n## Remarks\n\n{}\n", remarks.trim());
    }
    page
}

fn introduction(options: &Options, machine: &Machine) -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut text = format!(
        "Measured on {} by `make bench`, which writes this page (`bench {}`).\n",
        machine.date,
        arguments.join(" ")
    );
    if options.quick {
        text += "\n**A quick run that only checks that the benchmark works: the results are meaningless.**\n";
    }
    text += "
The PeerJS dialect of this server beside npm's `peer`, measured in the same run,
taking turns. For every measurement a server is started anew, alone on one core;
one load generator on another core talks to both over the same wire (`/peerjs`)
with the same messages. Both servers log with their default settings. Limits on
connections and messages are raised in both, silent clients are kept, and
`GRUPPETTO_PEERJS_ROOMS=off` lets any peer reach any other, as `peer` does.

";
    if options.runs > 1 {
        let runs = options.runs;
        let _ = writeln!(
            text,
            "Each value is the median of {runs} runs, with minimum and maximum.\n"
        );
    }
    text += &machine.table();
    text
}

fn section(table: &Table, options: &Options) -> String {
    let (title, description) = describe(table.benchmark, options);
    let mut text =
        format!("\n## {title}\n\n{description}\n\n| | peer | gruppetto |\n|---|---|---|\n");
    for row in &table.rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            row.name,
            cell(row, &row.peer),
            cell(row, &row.gruppetto)
        );
    }
    text
}

fn describe(benchmark: Benchmark, options: &Options) -> (&'static str, String) {
    let (pairs, seconds) = (options.pairs, options.seconds);
    match benchmark {
        Benchmark::Relay => (
            "Relaying",
            format!(
                "{pairs} senders, each with a receiver of its own, send OFFERs of {} bytes for\n{seconds} s. Each sender keeps a fixed number of messages in flight: it sends the\nnext when one has arrived.",
                Offer::new("receiver1-1", 0).len()
            ),
        ),
        Benchmark::Latency => (
            "Latency",
            format!(
                "The same pairs at a fixed rate that does not depend on the server, {seconds} s per\nrate: the delay of a message counts from the time at which it was due. A rate is\nnot sustained when a message is missing 1 s after the last one was due, or when\nthe p99 is over 200 ms; the server is then not measured at higher rates."
            ),
        ),
        Benchmark::IdleMemory => (
            "Memory of idle connections",
            format!(
                "Resident memory (`VmRSS`) of the server process 10 s after {} connections\nwere opened. It does not include the socket buffers of the kernel.",
                options.connections
            ),
        ),
        Benchmark::Opening => (
            "Opening connections",
            format!(
                "{} connections, 200 at a time, each from the TCP handshake to OPEN.",
                options.openings
            ),
        ),
        Benchmark::StalledReceiver => (
            "A receiver that does not read",
            format!(
                "One sender sends {} MiB in OFFERs of 16 KiB, as fast as the server reads them,\nto one receiver that never reads.",
                options.stalled_megabytes
            ),
        ),
        Benchmark::Reconnect => (
            "All clients reconnect at once",
            format!(
                "{} connections are reset at the same moment. Every client reconnects at once\nwith its own id and token, and retries 0.5 to 1.5 s after a failure, or when it\nis not connected after 5 s.",
                options.connections
            ),
        ),
    }
}

fn cell(row: &Row, runs: &ServerRuns) -> String {
    let samples = &runs.samples;
    let (Some(median), Some(min), Some(max)) = (samples.median(), samples.min(), samples.max())
    else {
        return if runs.failed > 0 {
            "no"
        } else {
            "not measured"
        }
        .into();
    };
    let mut text = quantity(median, row.unit);
    if samples.len() > 1 {
        let _ = write!(text, " ({} to {})", number(min), number(max));
    }
    if runs.failed > 0 {
        let _ = write!(
            text,
            ", no in {} of {}",
            runs.failed,
            runs.failed as usize + samples.len()
        );
    }
    text
}

fn quantity(value: f64, unit: Unit) -> String {
    let unit = match unit {
        Unit::Count => "",
        Unit::Seconds => " s",
        Unit::Milliseconds => " ms",
        Unit::Kibibytes => " KiB",
        Unit::Mebibytes => " MiB",
        Unit::Percent => " %",
    };
    format!("{}{unit}", number(value))
}

/// Formats a value with three significant digits, or all digits before the
/// decimal point if there are more.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        0.0 => 0,
        small @ ..1.0 => (2.0 - small.log10().floor()).min(4.0) as usize,
        1.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    let plain = format!("{value:.decimals$}");
    match plain.contains('.') {
        true => plain,
        false => grouped(&plain),
    }
}

/// Separates thousands with commas.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits_or_all_integer_digits() {
        let pairs = [
            (0.0, "0"),
            (0.004_56, "0.0046"),
            (0.1234, "0.123"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1_234_567.8, "1,234,568"),
        ];
        for (value, text) in pairs {
            assert_eq!(number(value), text);
        }
    }
}
