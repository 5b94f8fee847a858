//! Delay of messages at fixed rates (an open loop): every message has a due time
//! that does not depend on the server, and its delay counts from the due time,
//! even when a slow server let it be sent only later.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;

use super::{Measurement, Unit};
use crate::clients::{Pair, joined, open_pairs};
use crate::error::BenchError;
use crate::offer::{Offer, SequenceReader};
use crate::options::Options;
use crate::servers::RunningServer;
use crate::websocket::{WebSocket, WriteHalf};

/// Prefix of the measurements that have a target.
pub const P99_PREFIX: &str = "p99 at ";

/// A rate is sustained when every message has arrived within this time after the
/// last one was due, and the 99th percentile is below [`SUSTAINED_P99`].
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(1);
const SUSTAINED_P99: Duration = Duration::from_millis(200);
/// Queued bytes of one sender at which the rate counts as not sustained, which
/// bounds the generator's memory.
const MAX_PENDING: usize = 4 * 1024 * 1024;
/// Upper bound of the histograms, in microseconds.
const MAX_DELAY_MICROS: u64 = 60_000_000;
/// Number of overdue messages sent in a row before the receivers run.
const BURST: u64 = 32;
/// Pause after a rate, in which the server cleans up its connections.
const PAUSE: Duration = Duration::from_millis(500);

/// Delays in microseconds.
type Delays = Histogram<u32>;

/// Result of one rate.
struct RateResult {
    delays: Delays,
    /// Lateness of the generator itself.
    lag: Delays,
    sustained: bool,
}

/// State shared by the senders and receivers of one rate.
struct Load {
    start: Instant,
    rate: u32,
    /// Sequence numbers of the messages after the warm-up.
    measured: std::ops::Range<u64>,
    delays: RefCell<Delays>,
    arrived: Cell<u64>,
}

/// Runs the benchmark once, at every rate up to the first that the server does
/// not sustain.
pub async fn run(
    server: &RunningServer,
    options: &Options,
) -> Result<Vec<Measurement>, BenchError> {
    let mut measurements = Vec::new();
    for rate in &options.rates {
        let result = run_rate(server, options, *rate).await?;
        let names = [format!("p50 at {rate}/s"), format!("{P99_PREFIX}{rate}/s")];
        if !result.sustained {
            measurements.extend(names.map(|name| Measurement::failed(name, Unit::Milliseconds)));
            break;
        }
        let [p50, p99] = names;
        measurements.push(at_quantile(p50, &result.delays, 0.5));
        measurements.push(at_quantile(p99, &result.delays, 0.99));
        let lag = format!("lag of the generator, p99 at {rate}/s");
        measurements.push(at_quantile(lag, &result.lag, 0.99));
        sleep(PAUSE).await;
    }
    Ok(measurements)
}

fn at_quantile(name: String, delays: &Delays, quantile: f64) -> Measurement {
    let micros = delays.value_at_quantile(quantile);
    Measurement::new(name, Unit::Milliseconds, micros as f64 / 1_000.0)
}

async fn run_rate(
    server: &RunningServer,
    options: &Options,
    rate: u32,
) -> Result<RateResult, BenchError> {
    let pairs = open_pairs(server.address, options.pairs, rate).await?;
    let warm = (options.warm_up().as_secs_f64() * f64::from(rate)) as u64;
    let total = warm + options.seconds * u64::from(rate);
    let load = Rc::new(Load {
        start: Instant::now() + Duration::from_millis(50),
        rate,
        measured: warm..total,
        delays: RefCell::new(empty_histogram()),
        arrived: Cell::new(0),
    });
    // Dropping the set ends its tasks.
    let mut readers = JoinSet::new();
    let mut senders = Vec::with_capacity(pairs.len());
    for Pair {
        sender,
        receiver,
        offer,
    } in pairs
    {
        senders.push((Rc::clone(sender.write_half()), offer));
        readers.spawn_local(sender.keep_open());
        readers.spawn_local(receive(receiver, Rc::clone(&load)));
    }
    let (all_arrived, lag) = tokio::select! {
        sent = send(&mut senders, &load) => sent?,
        Some(ended) = readers.join_next() => return Err(joined(ended)),
    };
    readers.shutdown().await;
    let delays = load.delays.borrow().clone();
    let p99 = Duration::from_micros(delays.value_at_quantile(0.99));
    Ok(RateResult {
        sustained: all_arrived && p99 < SUSTAINED_P99,
        lag,
        delays,
    })
}

impl Load {
    fn due(&self, number: u64) -> Instant {
        // Whole seconds first: a rate rarely divides a second evenly, and a
        // rounded interval per message would add up.
        let rate = u64::from(self.rate);
        let seconds = Duration::from_secs(number / rate);
        self.start + seconds + Duration::from_nanos(number % rate * 1_000_000_000 / rate)
    }

    fn record(&self, number: u64, now: Instant) {
        self.arrived.set(self.arrived.get() + 1);
        if self.measured.contains(&number) {
            add(&mut self.delays.borrow_mut(), now - self.due(number));
        }
    }
}

fn empty_histogram() -> Delays {
    // The library accepts up to five significant digits and a high bound of at
    // least twice the low one; both hold for these constants.
    Delays::new_with_bounds(1, MAX_DELAY_MICROS, 3).expect("bounds in order and three digits")
}

fn add(delays: &mut Delays, delay: Duration) {
    delays.saturating_record(delay.as_micros() as u64);
}

/// Sends every message when it is due. Returns true if all of them arrived, and
/// the lateness of the sending itself.
///
/// It polls the clock instead of sleeping: timers are coarser than the measured
/// delays, and the generator has the core to itself.
async fn send(
    senders: &mut [(Rc<WriteHalf>, Offer)],
    load: &Load,
) -> Result<(bool, Delays), BenchError> {
    let mut lag = empty_histogram();
    let mut count = 0;
    for number in 0..load.measured.end {
        let due = load.due(number);
        let mut now = Instant::now();
        while now < due || count == BURST {
            count = 0;
            yield_now().await;
            now = Instant::now();
        }
        count += 1;
        if load.measured.contains(&number) {
            add(&mut lag, now - due);
        }
        let place = (number % senders.len() as u64) as usize;
        let (write_half, offer) = &mut senders[place];
        write_half.send(offer.with_sequence(number))?;
        if write_half.pending() > MAX_PENDING {
            return Ok((false, lag));
        }
    }
    let deadline = Instant::now() + ARRIVAL_TIMEOUT;
    while load.arrived.get() < load.measured.end && Instant::now() < deadline {
        senders
            .iter()
            .try_for_each(|(write_half, _)| write_half.flush())?;
        yield_now().await;
    }
    Ok((load.arrived.get() == load.measured.end, lag))
}

async fn receive(mut receiver: WebSocket, load: Rc<Load>) -> BenchError {
    let mut sequence = SequenceReader::default();
    loop {
        if let Err(error) = receiver.fill().await {
            return error;
        }
        let now = Instant::now();
        if let Err(error) = record_received(&mut receiver, &mut sequence, &load, now) {
            return error;
        }
    }
}

fn record_received(
    receiver: &mut WebSocket,
    sequence: &mut SequenceReader,
    load: &Load,
    now: Instant,
) -> Result<(), BenchError> {
    while let Some(text) = receiver.next_text()? {
        load.record(sequence.read(receiver.bytes(text))?, now);
    }
    Ok(())
}
