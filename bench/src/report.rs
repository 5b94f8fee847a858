//! The page that the figures end on.

mod aims;

use std::fmt::Write as _;
use std::fs;

use crate::error::BenchError;
use crate::figures::{Cell, Row, Table, Unit};
use crate::machine::Machine;
use crate::offer::Offer;
use crate::options::{Figure, Options};

/// Written by hand, put at the page's end: why a figure is what it is.
const REMARKS: &str = "bench/remarks.md";

/// Writes the page, or prints it.
///
/// # Errors
/// When the file cannot be written.
pub fn write(options: &Options, machine: &Machine, tables: &[Table]) -> Result<(), BenchError> {
    put(options, &page(options, machine, tables))
}

/// Writes a page, or prints it.
///
/// # Errors
/// When the file cannot be written.
pub fn put(options: &Options, page: &str) -> Result<(), BenchError> {
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
    page += &opening(options, machine);
    if options.compares() {
        page += &aims::section(tables);
    }
    for table in tables {
        page += &section(table, options);
    }
    // A project without remarks has nothing to add.
    if let Ok(remarks) = fs::read_to_string(REMARKS) {
        let _ = write!(page, "\n## Remarks\n\n{}\n", remarks.trim());
    }
    page
}

fn opening(options: &Options, machine: &Machine) -> String {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut text = format!(
        "Taken on {} by `make bench`, which writes this page (`bench {}`).\n",
        machine.date,
        arguments.join(" ")
    );
    if options.quick {
        text += "\n**A quick run, to see that it works: the figures mean nothing.**\n";
    }
    text += "\nThe PeerJS dialect of this server beside npm's `peer`, both measured in the\nsame run and in turns: started anew for every figure and every run, alone on\none core, spoken to by one load generator on another core, over the same wire\n(`/peerjs`), with the same messages. Both log as they do by default. Limits on\nconnections and messages are raised in both, silent clients are kept, and\n`GRUPPETTO_PEERJS_ROOMS=off` lets any peer reach any, as `peer` does.\n\n";
    if options.runs > 1 {
        let runs = options.runs;
        let _ = writeln!(
            text,
            "Each value is the median of {runs} runs, with the least and the most.\n"
        );
    }
    text += &machine.table();
    text
}

fn section(table: &Table, options: &Options) -> String {
    let (title, words) = explained(table.figure, options);
    let mut text = format!("\n## {title}\n\n{words}\n\n| | peer | gruppetto |\n|---|---|---|\n");
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

fn explained(figure: Figure, options: &Options) -> (&'static str, String) {
    let (pairs, seconds) = (options.pairs, options.seconds);
    match figure {
        Figure::Relay => (
            "Relaying",
            format!(
                "{pairs} senders, each with a receiver of its own, and OFFERs of {} bytes, for\n{seconds} s. A sender has a fixed number of them on the way: it sends the next when\none has arrived.",
                Offer::new("receiver1-1", 0).len()
            ),
        ),
        Figure::Latency => (
            "Latency",
            format!(
                "The same pairs at a fixed rate that does not wait for the server, {seconds} s each:\na message's time counts from the moment at which it was due. A rate is not held\nwhen a message is missing 1 s after the last was due, or p99 is over 200 ms; a\nserver is not asked for more then."
            ),
        ),
        Figure::Idle => (
            "Memory of idle connections",
            format!(
                "Resident memory (`VmRSS`) of the server's process 10 s after {} connections\nwere open. What the kernel keeps for a socket is not in it.",
                options.connections
            ),
        ),
        Figure::Opening => (
            "Opening connections",
            format!(
                "{} connections, 200 at a time, each from the TCP handshake to OPEN.",
                options.openings
            ),
        ),
        Figure::Stalled => (
            "A receiver that does not read",
            format!(
                "One sender offers {} MiB in OFFERs of 16 KiB, as fast as the server takes\nthem, to one receiver that never reads.",
                options.stalled_megabytes
            ),
        ),
        Figure::Storm => (
            "Everybody drops at once",
            format!(
                "{} connections are reset at the same moment. Every client comes back at once\nunder its own id and token, and tries again 0.5 to 1.5 s after a failure, or\nwhen it was not let in for 5 s.",
                options.connections
            ),
        ),
    }
}

fn cell(row: &Row, cell: &Cell) -> String {
    let samples = &cell.samples;
    let (Some(median), Some(min), Some(max)) = (samples.median(), samples.min(), samples.max())
    else {
        return if cell.failed > 0 { "no" } else { "not tried" }.into();
    };
    let mut text = quantity(median, row.unit);
    if samples.len() > 1 {
        let _ = write!(text, " ({} to {})", number(min), number(max));
    }
    if cell.failed > 0 {
        let _ = write!(
            text,
            ", no in {} of {}",
            cell.failed,
            cell.failed as usize + samples.len()
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

/// With three digits, or all of those before the point.
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

/// Thousands apart.
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
    fn numbers_have_three_digits_or_all_before_the_point() {
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
