//! Targets of the benchmarks, checked against the results.

use std::fmt::Write as _;

use crate::benchmarks::{
    CPU_PER_100_000, DEADLINE_SECONDS, MEMORY_PER_CONNECTION, P99_PREFIX, RECONNECTED_IN_TIME, Row,
    ServerRuns, Table,
};

/// Messages relayed per processor second, as a multiple of `peer`'s.
const MIN_RELAY_RATIO: f64 = 4.0;
/// Memory per connection, as a share of `peer`'s.
const MAX_MEMORY_RATIO: f64 = 0.5;
/// Share of dropped clients that reconnect in time, in percent.
const MIN_RECONNECTED: f64 = 99.0;

/// One target and its result.
struct Verdict {
    target: String,
    measured: String,
    reached: bool,
}

/// Section of the page that lists the targets.
pub fn section(tables: &[Table]) -> String {
    let relaying = rows(tables).filter(|row| row.name.starts_with(CPU_PER_100_000));
    let others = [memory(tables), latency(tables), reconnect(tables)];
    let verdicts = relaying.map(relay).chain(others);
    let mut text = String::from("\n## Targets\n\n| target | measured | |\n|---|---|---|\n");
    for verdict in verdicts.flatten() {
        let word = match verdict.reached {
            true => "reached",
            false => "**missed**",
        };
        let _ = writeln!(
            text,
            "| {} | {} | {word} |",
            verdict.target, verdict.measured
        );
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
        target: format!(
            "at least {MIN_RELAY_RATIO} times the messages per CPU second of `peer`{load}"
        ),
        measured: format!("{times:.1} times"),
        reached: times >= MIN_RELAY_RATIO,
    })
}

fn memory(tables: &[Table]) -> Option<Verdict> {
    let row = row(tables, MEMORY_PER_CONNECTION)?;
    let share = row.gruppetto.samples.median()? / row.peer.samples.median()?;
    Some(Verdict {
        target: "at most half the memory per connection".into(),
        measured: format!("{share:.2} times"),
        reached: share <= MAX_MEMORY_RATIO,
    })
}

/// Compares the p99 at every rate that `peer` sustains in most of its runs.
fn latency(tables: &[Table]) -> Option<Verdict> {
    let rates: Vec<&Row> = rows(tables)
        .filter(|row| row.name.starts_with(P99_PREFIX) && row.peer.mostly_succeeded())
        .collect();
    if rates.is_empty() {
        return None;
    }
    let worse: Vec<&str> = rates
        .iter()
        .filter(|row| !no_worse(&row.gruppetto, &row.peer))
        .map(|row| row.name.trim_start_matches(P99_PREFIX))
        .collect();
    let measured = match worse.is_empty() {
        true => format!("better or equal at all {} rates", rates.len()),
        false => format!(
            "worse at {} of {} rates: {}",
            worse.len(),
            rates.len(),
            worse.join(", ")
        ),
    };
    Some(Verdict {
        target: "p99 no worse at any rate that `peer` sustains".into(),
        measured,
        reached: worse.is_empty(),
    })
}

fn no_worse(ours: &ServerRuns, theirs: &ServerRuns) -> bool {
    match (ours.samples.median(), theirs.samples.median()) {
        (Some(ours_median), Some(theirs_median)) => {
            ours.mostly_succeeded() && ours_median <= theirs_median
        }
        _ => false,
    }
}

fn reconnect(tables: &[Table]) -> Option<Verdict> {
    let row = row(tables, RECONNECTED_IN_TIME)?;
    let least = row.gruppetto.samples.min()?;
    Some(Verdict {
        target: format!(
            "{MIN_RECONNECTED} % of dropped clients reconnected within {DEADLINE_SECONDS} s"
        ),
        measured: format!("{least:.2} % in the worst run"),
        reached: least >= MIN_RECONNECTED,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmarks::Unit;
    use crate::options::Benchmark;

    fn table(benchmark: Benchmark, name: &str, peer: &[f64], gruppetto: &[f64]) -> Table {
        let runs = |values: &[f64]| ServerRuns {
            samples: values.iter().copied().collect(),
            failed: 0,
        };
        let row = Row {
            name: name.into(),
            unit: Unit::Seconds,
            peer: runs(peer),
            gruppetto: runs(gruppetto),
        };
        Table {
            benchmark,
            rows: vec![row],
        }
    }

    #[test]
    fn a_missed_target_is_marked() {
        let short = [table(
            Benchmark::Relay,
            CPU_PER_100_000,
            &[3.0, 4.0, 5.0],
            &[1.5],
        )];
        assert!(section(&short).contains("| 2.7 times | **missed** |"));
        let enough = [table(Benchmark::Relay, CPU_PER_100_000, &[4.0], &[1.0])];
        assert!(section(&enough).contains("| 4.0 times | reached |"));
    }

    #[test]
    fn latency_is_compared_only_at_rates_that_peer_sustains() {
        let mut tables = [table(Benchmark::Latency, "p99 at 1000/s", &[2.0], &[3.0])];
        assert!(section(&tables).contains("worse at 1 of 1 rates: 1000/s"));
        tables[0].rows[0].peer.failed = 1;
        assert!(!section(&tables).contains("p99"));
    }
}
