//! Throughput of relaying OFFERs on one server core, and the processor time per
//! message (a closed loop): every sender keeps a fixed number of messages in
//! flight and sends the next when one has arrived.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Measurement, Unit};
use crate::clients::{Pair, joined, open_pairs};
use crate::error::BenchError;
use crate::offer::SequenceReader;
use crate::options::Options;
use crate::process::Process;
use crate::servers::RunningServer;
use crate::websocket::{WebSocket, WriteHalf};

/// Prefix of the measurements that have a target.
pub const CPU_PER_100_000: &str = "server CPU per 100,000 messages";

/// Pause after a window size, in which the server cleans up its connections.
const PAUSE: Duration = Duration::from_millis(500);

/// Counters at one moment.
struct Checkpoint {
    at: Instant,
    /// Messages relayed so far.
    relayed: u64,
    /// Processor seconds of the server.
    server_cpu: f64,
    /// Processor seconds of this program.
    generator_cpu: f64,
}

/// Runs the benchmark once, for every window size.
pub async fn run(
    server: &RunningServer,
    options: &Options,
) -> Result<Vec<Measurement>, BenchError> {
    let mut all = Vec::new();
    for window in &options.windows {
        all.extend(run_window(server, options, *window).await?);
    }
    Ok(all)
}

async fn run_window(
    server: &RunningServer,
    options: &Options,
    window: u32,
) -> Result<Vec<Measurement>, BenchError> {
    let relayed = Rc::new(Cell::new(0));
    // Dropping the set ends its tasks and closes their connections.
    let mut pairs = JoinSet::new();
    for pair in open_pairs(server.address, options.pairs, window).await? {
        pairs.spawn_local(keep_window_full(pair, window, Rc::clone(&relayed)));
    }
    let measure = async {
        sleep(options.warm_up()).await;
        let before = Checkpoint::take(server, &relayed)?;
        sleep(options.measured()).await;
        Ok::<_, BenchError>((before, Checkpoint::take(server, &relayed)?))
    };
    let (before, after) = tokio::select! {
        checkpoints = measure => checkpoints?,
        Some(ended) = pairs.join_next() => return Err(joined(ended)),
    };
    pairs.shutdown().await;
    sleep(PAUSE).await;
    Ok(measurements(&before, &after, window))
}

impl Checkpoint {
    fn take(server: &RunningServer, relayed: &Cell<u64>) -> Result<Self, BenchError> {
        Ok(Self {
            at: Instant::now(),
            relayed: relayed.get(),
            server_cpu: server.process().cpu_seconds()?,
            generator_cpu: Process(std::process::id()).cpu_seconds()?,
        })
    }
}

fn measurements(before: &Checkpoint, after: &Checkpoint, window: u32) -> Vec<Measurement> {
    let seconds = (after.at - before.at).as_secs_f64();
    let relayed = (after.relayed - before.relayed) as f64;
    let server = after.server_cpu - before.server_cpu;
    let generator = after.generator_cpu - before.generator_cpu;
    let values = [
        (
            "messages relayed per second",
            Unit::Count,
            relayed / seconds,
        ),
        (CPU_PER_100_000, Unit::Seconds, server / relayed * 100_000.0),
        (
            "load of the server's core",
            Unit::Percent,
            server / seconds * 100.0,
        ),
        (
            "load of the generator's core",
            Unit::Percent,
            generator / seconds * 100.0,
        ),
    ];
    values
        .map(|(name, unit, value)| {
            Measurement::new(format!("{name}, {window} in flight"), unit, value)
        })
        .into()
}

/// Keeps the window of a pair full until an error occurs.
async fn keep_window_full(pair: Pair, window: u32, relayed: Rc<Cell<u64>>) -> BenchError {
    let mut exchange = Exchange {
        write_half: Rc::clone(pair.sender.write_half()),
        pair,
        sent: 0,
        arrived: 0,
        sequence: SequenceReader::default(),
    };
    let mut credit = u64::from(window);
    loop {
        match exchange.step(credit).await {
            Ok(arrived) => credit = arrived,
            Err(error) => return error,
        }
        relayed.set(relayed.get() + credit);
    }
}

/// Message exchange of one pair.
struct Exchange {
    write_half: Rc<WriteHalf>,
    pair: Pair,
    sent: u64,
    arrived: u64,
    sequence: SequenceReader,
}

impl Exchange {
    /// Sends `credit` messages and waits for the next event of the connections.
    /// Returns the number of messages that arrived.
    async fn step(&mut self, credit: u64) -> Result<u64, BenchError> {
        for _ in 0..credit {
            self.sent += 1;
            self.write_half
                .send(self.pair.offer.with_sequence(self.sent))?;
        }
        tokio::select! {
            filled = self.pair.receiver.fill() => {
                filled?;
                self.count_received()
            }
            filled = self.pair.sender.fill() => {
                filled?;
                expect_no_message(&mut self.pair.sender)
            }
            ready = self.write_half.writable(), if self.write_half.pending() > 0 => {
                ready?;
                self.write_half.flush().map(|()| 0)
            }
        }
    }

    fn count_received(&mut self) -> Result<u64, BenchError> {
        let before = self.arrived;
        while let Some(text) = self.pair.receiver.next_text()? {
            let number = self.sequence.read(self.pair.receiver.bytes(text))?;
            self.arrived += 1;
            if number != self.arrived {
                let message = format!("message {number} arrived instead of {}", self.arrived);
                return Err(BenchError::IncorrectRelay(message));
            }
        }
        Ok(self.arrived - before)
    }
}

/// Answers the pings that a sender received. A text message is an error, because
/// no client sends one to a sender.
fn expect_no_message(sender: &mut WebSocket) -> Result<u64, BenchError> {
    match sender.next_text()? {
        None => Ok(0),
        Some(text) => {
            let text = String::from_utf8_lossy(sender.bytes(text)).into_owned();
            Err(BenchError::IncorrectRelay(text))
        }
    }
}
