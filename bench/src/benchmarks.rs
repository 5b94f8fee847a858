//! The benchmarks, and the order in which they run.

mod idle_memory;
mod latency;
mod opening;
mod reconnect;
mod relay;
mod stalled_receiver;

use crate::error::BenchError;
use crate::options::{Benchmark, Options};
use crate::samples::Samples;
use crate::servers::Server;

pub use idle_memory::MEMORY_PER_CONNECTION;
pub use latency::P99_PREFIX;
pub use reconnect::{DEADLINE_SECONDS, RECONNECTED_IN_TIME};
pub use relay::CPU_PER_100_000;

/// One measured value of one run.
#[derive(Debug, Clone)]
pub struct Measurement {
    /// Measured quantity.
    pub name: String,
    /// Unit of the value.
    pub unit: Unit,
    /// Value; `None` when the server could not do the task at all.
    pub value: Option<f64>,
}

/// Unit of a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number without unit.
    Count,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// KiB.
    Kibibytes,
    /// MiB.
    Mebibytes,
    /// Percent.
    Percent,
}

/// All runs of one measurement.
#[derive(Debug, Clone)]
pub struct Row {
    /// Measured quantity.
    pub name: String,
    /// Unit of the values.
    pub unit: Unit,
    /// Runs of npm's `peer`.
    pub peer: ServerRuns,
    /// Runs of Gruppetto.
    pub gruppetto: ServerRuns,
}

/// Values that one server reached in all runs.
#[derive(Debug, Clone, Default)]
pub struct ServerRuns {
    /// Values of the successful runs.
    pub samples: Samples,
    /// Number of runs in which the server could not do the task.
    pub failed: u32,
}

/// Results of one benchmark.
#[derive(Debug, Clone)]
pub struct Table {
    /// The benchmark.
    pub benchmark: Benchmark,
    /// Measurements, in the order of the first run.
    pub rows: Vec<Row>,
}

impl Measurement {
    /// A successful measurement.
    pub fn new(name: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self {
            name: name.into(),
            unit,
            value: Some(value),
        }
    }

    /// A measurement of a task that the server could not do.
    pub fn failed(name: impl Into<String>, unit: Unit) -> Self {
        Self {
            name: name.into(),
            unit,
            value: None,
        }
    }
}

impl ServerRuns {
    /// True when more runs succeeded than failed.
    pub fn mostly_succeeded(&self) -> bool {
        self.samples.len() > self.failed as usize
    }

    fn add(&mut self, value: Option<f64>) {
        match value {
            Some(value) => self.samples.add(value),
            None => self.failed += 1,
        }
    }
}

/// Runs every requested benchmark.
///
/// # Errors
/// The first failure; an incomplete report would be mistaken for a result.
pub async fn run_all(options: &Options) -> Result<Vec<Table>, BenchError> {
    let mut tables = Vec::new();
    for benchmark in &options.benchmarks {
        let mut table = Table {
            benchmark: *benchmark,
            rows: Vec::new(),
        };
        for run in 0..options.runs {
            for server in order(&options.servers, run) {
                eprintln!(
                    "bench: {benchmark:?}, run {} of {}: {}",
                    run + 1,
                    options.runs,
                    server.name()
                );
                let measurements = run_once(*benchmark, server, options).await?;
                for measurement in measurements {
                    table.add(server, measurement);
                }
            }
        }
        tables.push(table);
    }
    Ok(tables)
}

async fn run_once(
    benchmark: Benchmark,
    server: Server,
    options: &Options,
) -> Result<Vec<Measurement>, BenchError> {
    let server = server.start(options).await?;
    match benchmark {
        Benchmark::Relay => relay::run(&server, options).await,
        Benchmark::Latency => latency::run(&server, options).await,
        Benchmark::IdleMemory => idle_memory::run(&server, options).await,
        Benchmark::Opening => opening::run(&server, options).await,
        Benchmark::StalledReceiver => stalled_receiver::run(&server, options).await,
        Benchmark::Reconnect => reconnect::run(&server, options).await,
    }
}

/// Servers in the order of this run. It is reversed in every other run, so that
/// no server always inherits the machine state that the other left.
fn order(servers: &[Server], run: u32) -> Vec<Server> {
    let mut order = servers.to_vec();
    if run % 2 == 1 {
        order.reverse();
    }
    order
}

impl Table {
    fn add(&mut self, server: Server, measurement: Measurement) {
        let known = self
            .rows
            .iter()
            .position(|row| row.name == measurement.name);
        let place = known.unwrap_or_else(|| {
            self.rows.push(Row {
                name: measurement.name,
                unit: measurement.unit,
                peer: ServerRuns::default(),
                gruppetto: ServerRuns::default(),
            });
            self.rows.len() - 1
        });
        let row = &mut self.rows[place];
        match server {
            Server::Peer => row.peer.add(measurement.value),
            Server::Gruppetto => row.gruppetto.add(measurement.value),
        }
    }
}

/// Converts bytes to MiB.
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
