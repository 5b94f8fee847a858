//! What to measure, and how much of it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::servers::Server;

/// Measures Gruppetto's PeerJS dialect beside npm's peer.
#[derive(Debug, Clone, Parser)]
#[command(name = "bench")]
pub struct Options {
    /// The servers to measure, in turns
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Server::Peer, Server::Gruppetto])]
    pub servers: Vec<Server>,

    /// Time how long workout files that mean harm take to be refused, and
    /// nothing else
    #[arg(long)]
    pub files: bool,

    /// The figures to take
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Figure::value_variants().to_vec())]
    pub figures: Vec<Figure>,

    /// How often each figure is taken of each server
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub runs: u32,

    /// Seconds that a load is measured for, after a warm-up of a third of it
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,

    /// Pairs of sender and receiver in the relay figures
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    pub pairs: u32,

    /// Messages that each sender has on their way when relaying is measured:
    /// with one, a server can put nothing together
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8], value_parser = clap::value_parser!(u32).range(1..=64))]
    pub windows: Vec<u32>,

    /// Messages a second at which latency is measured, rising; it ends with
    /// the first that the first server does not hold
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000, 75_000])]
    pub rates: Vec<u32>,

    /// Idle connections whose memory is measured, and that drop at once
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub connections: u32,

    /// Connections whose opening is timed
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub openings: u32,

    /// Megabytes offered to a receiver that does not read
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=4_096))]
    pub stalled_megabytes: u32,

    /// The core of the server
    #[arg(long, default_value_t = 0)]
    pub server_core: u32,

    /// The core of this program
    #[arg(long, default_value_t = 1)]
    pub generator_core: u32,

    /// Gruppetto's release binary
    #[arg(long, default_value = "target/release/gruppetto")]
    pub gruppetto: PathBuf,

    /// The folder of npm's peer
    #[arg(long, default_value = "bench/node_modules/peer")]
    pub peer: PathBuf,

    /// A few seconds of everything, to see that it works: the figures mean
    /// nothing
    #[arg(long)]
    pub quick: bool,

    /// The file to write; unset, the page is printed
    #[arg(long)]
    pub output: Option<PathBuf>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Figure {
    /// Messages relayed a second, and the processor time they cost.
    Relay,
    /// How long messages take at fixed rates.
    Latency,
    /// Memory of idle connections.
    Idle,
    /// How long many connections take to open.
    Opening,
    /// Memory while a receiver does not read.
    Stalled,
    /// All connections drop at once and come back.
    Storm,
}

impl Options {
    /// The same with little of everything, when that was asked for.
    pub fn shortened(mut self) -> Self {
        if self.files {
            self.servers.clear();
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

    /// How long a load is measured.
    pub fn measured(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// How long a load runs before it is measured.
    pub fn warm_up(&self) -> Duration {
        self.measured() / 3
    }

    /// Whether this run compares the two servers.
    pub fn compares(&self) -> bool {
        self.servers.contains(&Server::Peer) && self.servers.contains(&Server::Gruppetto)
    }
}
