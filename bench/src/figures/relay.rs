//! How many OFFER messages a second one server core relays, and what they
//! cost: every sender has some on their way, and sends the next when one has
//! arrived.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Reading, Unit};
use crate::crowd::{Pair, joined, open_pairs};
use crate::error::BenchError;
use crate::offer::Numbers;
use crate::options::Options;
use crate::process::Process;
use crate::servers::Running;
use crate::wire::{Link, Socket};

/// What the rows that the aim is about begin with.
pub const CPU_PER_100_000: &str = "server CPU per 100,000 messages";

/// How long the server may take to notice that the last window's sockets are
/// gone.
const REST: Duration = Duration::from_millis(500);

/// What was used up to a moment.
struct Mark {
    at: Instant,
    relayed: u64,
    server: f64,
    generator: f64,
}

/// Takes it once.
pub async fn take(running: &Running, options: &Options) -> Result<Vec<Reading>, BenchError> {
    let mut readings = Vec::new();
    for window in &options.windows {
        readings.extend(with_window(running, options, *window).await?);
    }
    Ok(readings)
}

async fn with_window(
    running: &Running,
    options: &Options,
    window: u32,
) -> Result<Vec<Reading>, BenchError> {
    let relayed = Rc::new(Cell::new(0));
    // Ends the pumps, and with them their sockets, when this ends.
    let mut pumps = JoinSet::new();
    for pair in open_pairs(running.address, options.pairs, window).await? {
        pumps.spawn_local(pump(pair, window, Rc::clone(&relayed)));
    }
    let measure = async {
        sleep(options.warm_up()).await;
        let before = Mark::set(running, &relayed)?;
        sleep(options.measured()).await;
        Ok::<_, BenchError>((before, Mark::set(running, &relayed)?))
    };
    let (before, after) = tokio::select! {
        marks = measure => marks?,
        Some(ended) = pumps.join_next() => return Err(joined(ended)),
    };
    pumps.shutdown().await;
    sleep(REST).await;
    Ok(readings(&before, &after, window))
}

impl Mark {
    fn set(running: &Running, relayed: &Cell<u64>) -> Result<Self, BenchError> {
        Ok(Self {
            at: Instant::now(),
            relayed: relayed.get(),
            server: running.process().cpu_seconds()?,
            generator: Process(std::process::id()).cpu_seconds()?,
        })
    }
}

fn readings(before: &Mark, after: &Mark, window: u32) -> Vec<Reading> {
    let seconds = (after.at - before.at).as_secs_f64();
    let relayed = (after.relayed - before.relayed) as f64;
    let server = after.server - before.server;
    let generator = after.generator - before.generator;
    let values = [
        ("messages relayed a second", Unit::Count, relayed / seconds),
        (CPU_PER_100_000, Unit::Seconds, server / relayed * 100_000.0),
        (
            "server's core in use",
            Unit::Percent,
            server / seconds * 100.0,
        ),
        (
            "generator's core in use",
            Unit::Percent,
            generator / seconds * 100.0,
        ),
    ];
    values
        .map(|(name, unit, value)| {
            Reading::new(format!("{name}, {window} on the way"), unit, value)
        })
        .into()
}

/// Keeps a pair's window full until something goes wrong.
async fn pump(pair: Pair, window: u32, relayed: Rc<Cell<u64>>) -> BenchError {
    let mut pump = Pump {
        link: Rc::clone(pair.sender.link()),
        pair,
        sent: 0,
        arrived: 0,
        numbers: Numbers::default(),
    };
    let mut credit = u64::from(window);
    loop {
        match pump.step(credit).await {
            Ok(arrived) => credit = arrived,
            Err(error) => return error,
        }
        relayed.set(relayed.get() + credit);
    }
}

/// One pair at work.
struct Pump {
    link: Rc<Link>,
    pair: Pair,
    sent: u64,
    arrived: u64,
    numbers: Numbers,
}

impl Pump {
    /// Sends so many messages and waits for something to happen; how many
    /// messages have arrived.
    async fn step(&mut self, credit: u64) -> Result<u64, BenchError> {
        for _ in 0..credit {
            self.sent += 1;
            self.link.send(self.pair.offer.numbered(self.sent))?;
        }
        tokio::select! {
            filled = self.pair.receiver.fill() => {
                filled?;
                self.take_in()
            }
            filled = self.pair.sender.fill() => {
                filled?;
                only_pings(&mut self.pair.sender)
            }
            ready = self.link.writable(), if self.link.waiting() > 0 => {
                ready?;
                self.link.push().map(|()| 0)
            }
        }
    }

    fn take_in(&mut self) -> Result<u64, BenchError> {
        let before = self.arrived;
        while let Some(place) = self.pair.receiver.next_text()? {
            let number = self.numbers.read(self.pair.receiver.bytes(place))?;
            self.arrived += 1;
            if number != self.arrived {
                let words = format!("{number} came instead of {}", self.arrived);
                return Err(BenchError::Unfaithful(words));
            }
        }
        Ok(self.arrived - before)
    }
}

/// Takes in what came to a sender, to whom nobody has anything to say.
fn only_pings(sender: &mut Socket) -> Result<u64, BenchError> {
    match sender.next_text()? {
        None => Ok(0),
        Some(place) => {
            let text = String::from_utf8_lossy(sender.bytes(place)).into_owned();
            Err(BenchError::Unfaithful(text))
        }
    }
}
