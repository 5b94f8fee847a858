//! What was to be reached, and whether it was.

use std::fmt::Write as _;

use crate::figures::{
    BACK_IN_TIME, CPU_PER_100_000, Cell, P99, PATIENCE_SECONDS, PER_CONNECTION, Row, Table,
};

/// Messages relayed per processor second, of `peer`'s.
const WANTED_RELAY: f64 = 4.0;
/// Memory of a connection, of `peer`'s.
const WANTED_MEMORY: f64 = 0.5;
/// Share of dropped clients that are back in time, in percent.
const WANTED_BACK: f64 = 99.0;

/// One aim, as it came out.
struct Verdict {
    aim: String,
    measured: String,
    reached: bool,
}

/// The section of the page.
pub fn section(tables: &[Table]) -> String {
    let relaying = rows(tables).filter(|row| row.name.starts_with(CPU_PER_100_000));
    let others = [memory(tables), latency(tables), storm(tables)];
    let verdicts = relaying.map(relay).chain(others);
    let mut text =
        String::from("\n## What was to be reached\n\n| aim | measured | |\n|---|---|---|\n");
    for verdict in verdicts.flatten() {
        let word = match verdict.reached {
            true => "reached",
            false => "**falls short**",
        };
        let _ = writeln!(text, "| {} | {} | {word} |", verdict.aim, verdict.measured);
    }
    text
}

fn rows(tables: &[Table]) -> impl Iterator<Item = &Row> {
    tables.iter().flat_map(|table| &table.rows)
}

fn row<'a>(tables: &'a [Table], name: &str) -> Option<&'a Row> {
    rows(tables).find(|row| row.name == name)
}

fn relay(row: &Row) -> Option<Verdict> {
    let times = row.peer.samples.median()? / row.gruppetto.samples.median()?;
    let load = row.name.trim_start_matches(CPU_PER_100_000);
    Some(Verdict {
        aim: format!("at least {WANTED_RELAY} times the messages per CPU second of `peer`{load}"),
        measured: format!("{times:.1} times"),
        reached: times >= WANTED_RELAY,
    })
}

fn memory(tables: &[Table]) -> Option<Verdict> {
    let row = row(tables, PER_CONNECTION)?;
    let share = row.gruppetto.samples.median()? / row.peer.samples.median()?;
    Some(Verdict {
        aim: "at most half the memory a connection".into(),
        measured: format!("{share:.2} of it"),
        reached: share <= WANTED_MEMORY,
    })
}

/// At every rate that `peer` holds in most of its runs.
fn latency(tables: &[Table]) -> Option<Verdict> {
    let rates: Vec<&Row> = rows(tables)
        .filter(|row| row.name.starts_with(P99) && row.peer.is_held())
        .collect();
    if rates.is_empty() {
        return None;
    }
    let worse: Vec<&str> = rates
        .iter()
        .filter(|row| !no_worse(&row.gruppetto, &row.peer))
        .map(|row| row.name.trim_start_matches(P99))
        .collect();
    let measured = match worse.is_empty() {
        true => format!("better or equal at all {}", rates.len()),
        false => format!(
            "worse at {} of {}: {}",
            worse.len(),
            rates.len(),
            worse.join(", ")
        ),
    };
    Some(Verdict {
        aim: "p99 no worse at any rate that `peer` holds".into(),
        measured,
        reached: worse.is_empty(),
    })
}

fn no_worse(ours: &Cell, theirs: &Cell) -> bool {
    match (ours.samples.median(), theirs.samples.median()) {
        (Some(ours_median), Some(theirs_median)) => ours.is_held() && ours_median <= theirs_median,
        _ => false,
    }
}

fn storm(tables: &[Table]) -> Option<Verdict> {
    let row = row(tables, BACK_IN_TIME)?;
    let least = row.gruppetto.samples.min()?;
    Some(Verdict {
        aim: format!("{WANTED_BACK} % of dropped clients back within {PATIENCE_SECONDS} s"),
        measured: format!("{least:.2} % in the worst run"),
        reached: least >= WANTED_BACK,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Unit;
    use crate::options::Figure;

    fn table(figure: Figure, name: &str, peer: &[f64], gruppetto: &[f64]) -> Table {
        let cell = |values: &[f64]| Cell {
            samples: values.iter().copied().collect(),
            failed: 0,
        };
        let row = Row {
            name: name.into(),
            unit: Unit::Seconds,
            peer: cell(peer),
            gruppetto: cell(gruppetto),
        };
        Table {
            figure,
            rows: vec![row],
        }
    }

    #[test]
    fn a_figure_that_falls_short_is_said_plainly() {
        let short = [table(
            Figure::Relay,
            CPU_PER_100_000,
            &[3.0, 4.0, 5.0],
            &[1.5],
        )];
        assert!(section(&short).contains("| 2.7 times | **falls short** |"));
        let enough = [table(Figure::Relay, CPU_PER_100_000, &[4.0], &[1.0])];
        assert!(section(&enough).contains("| 4.0 times | reached |"));
    }

    #[test]
    fn latency_is_compared_only_where_peer_holds_the_rate() {
        let mut tables = [table(Figure::Latency, "p99 at 1000/s", &[2.0], &[3.0])];
        assert!(section(&tables).contains("worse at 1 of 1: 1000/s"));
        tables[0].rows[0].peer.failed = 1;
        assert!(!section(&tables).contains("p99"));
    }
}
