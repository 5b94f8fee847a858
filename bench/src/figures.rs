//! The figures, and the turns in which they are taken.

mod idle;
mod latency;
mod opening;
mod relay;
mod stalled;
mod storm;

use crate::error::BenchError;
use crate::options::{Figure, Options};
use crate::samples::Samples;
use crate::servers::Server;

pub use idle::PER_CONNECTION;
pub use latency::P99;
pub use relay::CPU_PER_100_000;
pub use storm::{BACK_IN_TIME, PATIENCE_SECONDS};

/// One value of one run.
#[derive(Debug, Clone)]
pub struct Reading {
    /// What was measured.
    pub name: String,
    /// In what.
    pub unit: Unit,
    /// How much; `None` where the server could not do it at all.
    pub value: Option<f64>,
}

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Kibibytes.
    Kibibytes,
    /// Mebibytes.
    Mebibytes,
    /// Of a hundred.
    Percent,
}

/// All runs of one value.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// In what.
    pub unit: Unit,
    /// npm's peer.
    pub peer: Cell,
    /// This project's server.
    pub gruppetto: Cell,
}

/// The runs of one server.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Values of the runs that had one.
    pub samples: Samples,
    /// Runs in which the server could not do it.
    pub failed: u32,
}

/// One figure of both servers.
#[derive(Debug, Clone)]
pub struct Table {
    /// Which figure.
    pub figure: Figure,
    /// Its rows, in the order of the first run.
    pub rows: Vec<Row>,
}

impl Reading {
    /// A value.
    pub fn new(name: impl Into<String>, unit: Unit, value: f64) -> Self {
        Self {
            name: name.into(),
            unit,
            value: Some(value),
        }
    }

    /// What the server could not do.
    pub fn failed(name: impl Into<String>, unit: Unit) -> Self {
        Self {
            name: name.into(),
            unit,
            value: None,
        }
    }
}

impl Cell {
    /// Whether the server did it in most of its runs.
    pub fn is_held(&self) -> bool {
        self.samples.len() > self.failed as usize
    }

    fn add(&mut self, value: Option<f64>) {
        match value {
            Some(value) => self.samples.add(value),
            None => self.failed += 1,
        }
    }
}

/// Takes every figure that was asked for.
///
/// # Errors
/// The first failure: a report with a hole in it would be read as a result.
pub async fn take(options: &Options) -> Result<Vec<Table>, BenchError> {
    let mut tables = Vec::new();
    for figure in &options.figures {
        let mut table = Table {
            figure: *figure,
            rows: Vec::new(),
        };
        for run in 0..options.runs {
            for server in turns(&options.servers, run) {
                eprintln!(
                    "bench: {figure:?}, run {} of {}: {}",
                    run + 1,
                    options.runs,
                    server.name()
                );
                let readings = take_once(*figure, server, options).await?;
                readings.into_iter().for_each(|one| table.add(server, one));
            }
        }
        tables.push(table);
    }
    Ok(tables)
}

async fn take_once(
    figure: Figure,
    server: Server,
    options: &Options,
) -> Result<Vec<Reading>, BenchError> {
    let running = server.start(options).await?;
    match figure {
        Figure::Relay => relay::take(&running, options).await,
        Figure::Latency => latency::take(&running, options).await,
        Figure::Idle => idle::take(&running, options).await,
        Figure::Opening => opening::take(&running, options).await,
        Figure::Stalled => stalled::take(&running, options).await,
        Figure::Storm => storm::take(&running, options).await,
    }
}

/// Who goes first changes with each run, so that neither always has the
/// machine as the other left it.
fn turns(servers: &[Server], run: u32) -> Vec<Server> {
    let mut turns = servers.to_vec();
    if run % 2 == 1 {
        turns.reverse();
    }
    turns
}

impl Table {
    fn add(&mut self, server: Server, reading: Reading) {
        let known = self.rows.iter().position(|row| row.name == reading.name);
        let place = known.unwrap_or_else(|| {
            self.rows.push(Row {
                name: reading.name,
                unit: reading.unit,
                peer: Cell::default(),
                gruppetto: Cell::default(),
            });
            self.rows.len() - 1
        });
        let row = &mut self.rows[place];
        match server {
            Server::Peer => row.peer.add(reading.value),
            Server::Gruppetto => row.gruppetto.add(reading.value),
        }
    }
}

/// Bytes as mebibytes.
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}
