//! Command line of the benchmark.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::servers::Server;

/// Measures Gruppetto's PeerJS dialect beside npm's peer.
#[derive(Debug, Clone, Parser)]
#[command(name = "bench")]
pub struct Options {
    /// Servers to measure; they take turns
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Server::Peer, Server::Gruppetto])]
    pub servers: Vec<Server>,

    /// Measure only the time to reject malicious workout files
    #[arg(long)]
    pub files: bool,

    /// Attack the server instead, and measure what honest riders notice
    #[arg(long)]
    pub abuse: bool,

    /// Attacks to run, by name [default: all]
    #[arg(long, value_delimiter = ',')]
    pub attacks: Vec<String>,

    /// Seconds of a long attack; others take a third of it
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(3..=600))]
    pub attack_seconds: u64,

    /// Another release binary that is attacked as well, for comparison
    #[arg(long)]
    pub before: Option<PathBuf>,

    /// Benchmarks to run
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Benchmark::value_variants().to_vec())]
    pub benchmarks: Vec<Benchmark>,

    /// Runs of each benchmark per server
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub runs: u32,

    /// Measured seconds per load, after a warm-up of a third of it
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,

    /// Pairs of sender and receiver in the relay and latency benchmarks
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub pairs: u32,

    /// Messages in flight per sender in the relay benchmark; with one, a server
    /// cannot combine reads or writes
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8], value_parser = clap::value_parser!(u32).range(1..=64))]
    pub windows: Vec<u32>,

    /// Rates of the latency benchmark in messages per second, ascending; a
    /// server is measured up to the first rate that it does not sustain
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000, 75_000])]
    pub rates: Vec<u32>,

    /// Connections in the idle-memory and reconnect benchmarks
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub connections: u32,

    /// Connections in the opening benchmark
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub openings: u32,

    /// MiB sent to a receiver that does not read
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=4_096))]
    pub stalled_megabytes: u32,

    /// Processor core of the server
    #[arg(long, default_value_t = 0)]
    pub server_core: u32,

    /// Processor core of this program
    #[arg(long, default_value_t = 1)]
    pub generator_core: u32,

    /// Gruppetto's release binary
    #[arg(long, default_value = "target/release/gruppetto")]
    pub gruppetto: PathBuf,

    /// Folder of npm's peer
    #[arg(long, default_value = "bench/node_modules/peer")]
    pub peer: PathBuf,

    /// Run every benchmark for a few seconds, as a check that it works; the
    /// results are meaningless
    #[arg(long)]
    pub quick: bool,

    /// File to write; without it the page is printed
    #[arg(long)]
    pub output: Option<PathBuf>,
}

/// A benchmark of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Benchmark {
    /// Messages relayed per second, and their cost in processor time.
    Relay,
    /// Delay of messages at fixed rates.
    Latency,
    /// Memory of idle connections.
    IdleMemory,
    /// Time to open many connections.
    Opening,
    /// Memory while a receiver does not read.
    StalledReceiver,
    /// Recovery after all connections drop at once.
    Reconnect,
}

impl Options {
    /// The options with smaller amounts for `--quick`, without servers for `--files`,
    /// and with one for `--abuse`.
    pub fn shortened(mut self) -> Self {
        if self.files {
            self.servers.clear();
        }
        if self.abuse {
            self.servers = vec![Server::Gruppetto];
        }
        if self.quick {
            self.runs = 1;
            self.seconds = 2;
            self.pairs = self.pairs.min(20);
            self.rates = vec![500, 2_000];
            self.connections = self.connections.min(500);
            self.openings = self.openings.min(300);
            self.stalled_megabytes = self.stalled_megabytes.min(16);
        }
        self
    }

    /// Measured duration of one load.
    pub fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Duration of one load before the measurement starts.
    pub fn warm_up(&self) -> Duration {
        self.measured() / 3
    }

    /// True when both servers are measured, so that the targets can be checked.
    pub fn compares(&self) -> bool {
        self.servers.contains(&Server::Peer) && self.servers.contains(&Server::Gruppetto)
    }
}
