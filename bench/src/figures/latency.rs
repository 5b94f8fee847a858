//! How long a message is on its way at a fixed rate that does not wait for the
//! server: every message has a moment at which it is due, and its time counts
//! from then, however late the server let it be sent.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;

use super::{Reading, Unit};
use crate::crowd::{Pair, joined, open_pairs};
use crate::error::BenchError;
use crate::offer::{Numbers, Offer};
use crate::options::Options;
use crate::servers::Running;
use crate::wire::{Link, Socket};

/// What the rows that the aim is about begin with.
pub const P99: &str = "p99 at ";

/// A rate is held when every message has come this long after the last was
/// due, and the slowest hundredth took less than [`HELD_P99`].
const LAST: Duration = Duration::from_secs(1);
const HELD_P99: Duration = Duration::from_millis(200);
/// The rate has not been held either when so many bytes wait for one socket:
/// it would only cost memory to go on.
const MAX_WAITING: usize = 4 * 1024 * 1024;
/// The longest time told apart from longer ones, in microseconds.
const LONGEST: u64 = 60_000_000;
/// Messages sent in one go when the generator is behind, before it looks at
/// what has come.
const BURST: u64 = 32;
/// How long the server may take to notice that the last rate's sockets are
/// gone.
const REST: Duration = Duration::from_millis(500);

type Times = Histogram<u32>;

/// What one rate came to.
struct Outcome {
    times: Times,
    /// How late the generator itself was.
    lag: Times,
    held: bool,
}

/// What the senders and receivers of one rate share.
struct Load {
    start: Instant,
    rate: u32,
    /// The first message that counts, and the one after the last.
    counted: std::ops::Range<u64>,
    times: RefCell<Times>,
    arrived: Cell<u64>,
}

/// Takes it once, at every rate up to the first that the server does not hold.
pub async fn take(running: &Running, options: &Options) -> Result<Vec<Reading>, BenchError> {
    let mut readings = Vec::new();
    for rate in &options.rates {
        let outcome = at_rate(running, options, *rate).await?;
        let names = [format!("p50 at {rate}/s"), format!("{P99}{rate}/s")];
        if !outcome.held {
            readings.extend(names.map(|name| Reading::failed(name, Unit::Milliseconds)));
            break;
        }
        let [p50, p99] = names;
        readings.push(at_quantile(p50, &outcome.times, 0.5));
        readings.push(at_quantile(p99, &outcome.times, 0.99));
        let lag = format!("generator's own lag, p99 at {rate}/s");
        readings.push(at_quantile(lag, &outcome.lag, 0.99));
        sleep(REST).await;
    }
    Ok(readings)
}

fn at_quantile(name: String, times: &Times, quantile: f64) -> Reading {
    let micros = times.value_at_quantile(quantile);
    Reading::new(name, Unit::Milliseconds, micros as f64 / 1_000.0)
}

async fn at_rate(running: &Running, options: &Options, rate: u32) -> Result<Outcome, BenchError> {
    let pairs = open_pairs(running.address, options.pairs, rate).await?;
    let warm = (options.warm_up().as_secs_f64() * f64::from(rate)) as u64;
    let total = warm + options.seconds * u64::from(rate);
    let load = Rc::new(Load {
        start: Instant::now() + Duration::from_millis(50),
        rate,
        counted: warm..total,
        times: RefCell::new(empty()),
        arrived: Cell::new(0),
    });
    // Ends the readers when this ends.
    let mut readers = JoinSet::new();
    let mut senders = Vec::with_capacity(pairs.len());
    for Pair {
        sender,
        receiver,
        offer,
    } in pairs
    {
        senders.push((Rc::clone(sender.link()), offer));
        readers.spawn_local(sender.stay());
        readers.spawn_local(receive(receiver, Rc::clone(&load)));
    }
    let (all_came, lag) = tokio::select! {
        sent = send(&mut senders, &load) => sent?,
        Some(ended) = readers.join_next() => return Err(joined(ended)),
    };
    readers.shutdown().await;
    let times = load.times.borrow().clone();
    let slowest = Duration::from_micros(times.value_at_quantile(0.99));
    Ok(Outcome {
        held: all_came && slowest < HELD_P99,
        lag,
        times,
    })
}

impl Load {
    fn due(&self, number: u64) -> Instant {
        // In two steps, since a rate seldom divides a second evenly.
        let rate = u64::from(self.rate);
        let seconds = Duration::from_secs(number / rate);
        self.start + seconds + Duration::from_nanos(number % rate * 1_000_000_000 / rate)
    }

    fn record(&self, number: u64, now: Instant) {
        self.arrived.set(self.arrived.get() + 1);
        if self.counted.contains(&number) {
            add(&mut self.times.borrow_mut(), now - self.due(number));
        }
    }
}

fn empty() -> Times {
    // Three digits of up to a minute: constants that the library takes.
    Times::new_with_bounds(1, LONGEST, 3).expect("bounds in order and three digits")
}

fn add(times: &mut Times, time: Duration) {
    times.saturating_record(time.as_micros() as u64);
}

/// Sends every message when it is due; whether all were taken and came, and
/// how late they were sent.
///
/// It never sleeps: timers are coarser than the times measured, and the core
/// is the generator's own.
async fn send(senders: &mut [(Rc<Link>, Offer)], load: &Load) -> Result<(bool, Times), BenchError> {
    let mut lag = empty();
    let mut count = 0;
    for number in 0..load.counted.end {
        let due = load.due(number);
        let mut now = Instant::now();
        while now < due || count == BURST {
            count = 0;
            yield_now().await;
            now = Instant::now();
        }
        count += 1;
        if load.counted.contains(&number) {
            add(&mut lag, now - due);
        }
        let place = (number % senders.len() as u64) as usize;
        let (link, offer) = &mut senders[place];
        link.send(offer.numbered(number))?;
        if link.waiting() > MAX_WAITING {
            return Ok((false, lag));
        }
    }
    let deadline = Instant::now() + LAST;
    while load.arrived.get() < load.counted.end && Instant::now() < deadline {
        senders.iter().try_for_each(|(link, _)| link.push())?;
        yield_now().await;
    }
    Ok((load.arrived.get() == load.counted.end, lag))
}

async fn receive(mut receiver: Socket, load: Rc<Load>) -> BenchError {
    let mut numbers = Numbers::default();
    loop {
        if let Err(error) = receiver.fill().await {
            return error;
        }
        let now = Instant::now();
        if let Err(error) = take_in(&mut receiver, &mut numbers, &load, now) {
            return error;
        }
    }
}

fn take_in(
    receiver: &mut Socket,
    numbers: &mut Numbers,
    load: &Load,
    now: Instant,
) -> Result<(), BenchError> {
    while let Some(place) = receiver.next_text()? {
        load.record(numbers.read(receiver.bytes(place))?, now);
    }
    Ok(())
}
