//! What the server counts, for `/metrics`.
//!
//! - [`Metrics`]: all counters, in the server's state; [`names`]: what they are
//!   told apart by; [`links`]: what riders report of their links.
//! - [`page`]: the answer to `GET /metrics`.
//!
//! Law: counting is an atomic addition on a handle that was looked up at the
//! start; nothing here locks for a message. No label names a room or a peer.

mod histogram;
pub mod links;
mod names;
pub mod page;
mod recent;

pub use histogram::Histogram;
pub use links::ReportedLinks;
pub use names::{DialectName, Reason, Traffic};
pub use recent::Rates;

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use links::LinkMetrics;
use recent::{Recent, Totals};

/// From 100 µs, a relay within one machine, to a reader who hardly reads.
const RELAY_SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

type Labels = Vec<(&'static str, &'static str)>;

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    dialects: [DialectMetrics; DialectName::ALL.len()],
    refusals: [Counter; Reason::ALL.len()],
    queues: QueueMetrics,
    ignored: Family<Labels, Counter>,
    links: LinkMetrics,
    relay_time: Histogram,
    recent: Mutex<Recent>,
}

/// What is counted for each dialect.
#[derive(Debug)]
pub struct DialectMetrics {
    rooms: Gauge,
    peers: Gauge,
    sockets: Gauge,
    joins: Counter,
    heard: Counter,
    relayed: [Relayed; Traffic::ALL.len()],
}

/// What the rooms of one dialect count themselves, see
/// [`Metrics::count_rooms`].
#[derive(Debug, Clone, Default)]
pub struct RoomCounts {
    /// Rooms that live.
    pub rooms: usize,
    /// Peers who are connected and in one.
    pub peers: usize,
    /// Messages handed on since the start.
    pub relayed: u64,
    /// Their bytes.
    pub relayed_bytes: u64,
    /// Messages since the start that went nowhere, by why.
    pub ignored: Vec<(&'static str, u64)>,
}

#[derive(Debug)]
struct Relayed {
    messages: Counter,
    bytes: Counter,
}

/// What queues that are too long cost; cheap to clone.
#[derive(Debug, Clone)]
pub struct QueueMetrics {
    telemetry: Counter,
    sockets: Counter,
}

/// One of something that is there now, until it is dropped.
#[derive(Debug)]
pub struct Present(Gauge);

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("gruppetto");
        let dialects = dialect_metrics(&mut registry);
        let refusals = counters(&mut registry, "refusals", "What was refused, by reason");
        let refusals = Reason::ALL
            .map(|reason| refusals.get_or_create_owned(&vec![("reason", reason.name())]));
        let [telemetry, sockets] = queue_counters(&mut registry);
        let ignored = counters(
            &mut registry,
            "ignored",
            "Messages that went nowhere, without being refused, by why",
        );
        let links = LinkMetrics::new(&mut registry);
        let relay_time = Histogram::new(RELAY_SECONDS);
        registry.register(
            "relay_seconds",
            "From a relayed message's receipt to its handing to the other's socket",
            relay_time.clone(),
        );
        Self {
            registry,
            dialects,
            refusals,
            queues: QueueMetrics { telemetry, sockets },
            ignored,
            links,
            relay_time,
            recent: Mutex::default(),
        }
    }

    /// The counters of a dialect.
    pub fn dialect(&self, name: DialectName) -> &DialectMetrics {
        &self.dialects[name as usize]
    }

    /// Something was refused.
    pub fn refused(&self, reason: Reason) {
        self.refusals[reason as usize].inc();
    }

    /// How often something was refused for this reason.
    pub fn refusals(&self, reason: Reason) -> u64 {
        self.refusals[reason as usize].get()
    }

    /// Takes over what the rooms of a dialect count themselves.
    pub fn count_rooms(&self, name: DialectName, counts: &RoomCounts) {
        let dialect = self.dialect(name);
        dialect.rooms.set(counts.rooms as i64);
        dialect.peers.set(counts.peers as i64);
        let relayed = &dialect.relayed[Traffic::Signal as usize];
        stand_at(&relayed.messages, counts.relayed);
        stand_at(&relayed.bytes, counts.relayed_bytes);
        for (why, count) in &counts.ignored {
            let labels = vec![("dialect", name.name()), ("why", *why)];
            stand_at(&self.ignored.get_or_create_owned(&labels), *count);
        }
    }

    /// For the queues of sockets.
    pub fn queues(&self) -> &QueueMetrics {
        &self.queues
    }

    /// A relayed message took so long from socket to socket.
    pub fn relay_took(&self, time: Duration) {
        self.relay_time.observe(time);
    }

    /// A new rider's links, to be kept with its socket and fed with its reports.
    pub fn new_links(&self) -> ReportedLinks {
        ReportedLinks::new(&self.links)
    }

    /// Remembers the counts of this moment, for rates. Called every second.
    pub fn sample(&self, now: Duration) {
        self.recent().sample(now, self.totals());
    }

    /// What the last ten seconds were like.
    pub fn rates(&self, now: Duration) -> Rates {
        self.recent().rates(now, self.totals())
    }

    fn totals(&self) -> Totals {
        let heard = self.dialects.iter().map(|dialect| dialect.heard.get());
        let refused = self.refusals.iter().map(Counter::get);
        Totals {
            heard: heard.sum(),
            refused: refused.sum(),
        }
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        // Nothing panics while it holds the lock.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl DialectMetrics {
    /// Counts a room as open.
    pub fn room(&self) -> Present {
        Present::new(&self.rooms)
    }

    /// Counts a peer as connected.
    pub fn peer(&self) -> Present {
        Present::new(&self.peers)
    }

    /// Counts a socket as open.
    pub fn socket(&self) -> Present {
        Present::new(&self.sockets)
    }

    /// How many peers are connected and in a room.
    pub fn peers_now(&self) -> usize {
        usize::try_from(self.peers.get()).unwrap_or(0)
    }

    /// A peer came into a room, for the first time or again.
    pub fn joined(&self) {
        self.joins.inc();
    }

    /// A message or a frame came and was within the limits.
    pub fn heard(&self) {
        self.heard.inc();
    }

    /// A message of so many bytes is handed on, to however many.
    pub fn relayed(&self, traffic: Traffic, bytes: usize) {
        let relayed = &self.relayed[traffic as usize];
        relayed.messages.inc();
        relayed.bytes.inc_by(bytes as u64);
    }

    /// How many messages of this kind were handed on.
    pub fn relayed_messages(&self, traffic: Traffic) -> u64 {
        self.relayed[traffic as usize].messages.get()
    }

    /// How many bytes of this kind were handed on.
    pub fn relayed_bytes(&self, traffic: Traffic) -> u64 {
        self.relayed[traffic as usize].bytes.get()
    }
}

impl QueueMetrics {
    /// A frame of telemetry gave way to newer ones.
    pub fn dropped_telemetry(&self) {
        self.telemetry.inc();
    }

    /// A reader was too slow even without telemetry and is cut off.
    pub fn cut_off(&self) {
        self.sockets.inc();
    }
}

impl Default for QueueMetrics {
    /// Counters that nobody reads.
    fn default() -> Self {
        Self {
            telemetry: Counter::default(),
            sockets: Counter::default(),
        }
    }
}

impl Present {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Brings a counter up to what was counted elsewhere.
fn stand_at(counter: &Counter, count: u64) {
    counter.inner().fetch_max(count, Ordering::Relaxed);
}

fn dialect_metrics(registry: &mut Registry) -> [DialectMetrics; DialectName::ALL.len()] {
    let rooms = gauges(registry, "rooms", "Rooms that live");
    let peers = gauges(registry, "peers", "Peers who are connected and in a room");
    let sockets = gauges(registry, "sockets", "Open sockets");
    let joins = counters(registry, "joins", "Peers who came in, each time they did");
    let heard = counters(registry, "messages", "Messages that came within the limits");
    let messages = counters(
        registry,
        "relayed_messages",
        "Messages handed on, each once however many got it",
    );
    let bytes = counters(
        registry,
        "relayed_bytes",
        "Bytes of messages handed on, each once however many got it",
    );
    DialectName::ALL.map(|name| {
        let labels = vec![("dialect", name.name())];
        let relayed = Traffic::ALL.map(|traffic| {
            let labels = vec![("dialect", name.name()), ("class", traffic.name())];
            Relayed {
                messages: messages.get_or_create_owned(&labels),
                bytes: bytes.get_or_create_owned(&labels),
            }
        });
        DialectMetrics {
            rooms: rooms.get_or_create_owned(&labels),
            peers: peers.get_or_create_owned(&labels),
            sockets: sockets.get_or_create_owned(&labels),
            joins: joins.get_or_create_owned(&labels),
            heard: heard.get_or_create_owned(&labels),
            relayed,
        }
    })
}

fn queue_counters(registry: &mut Registry) -> [Counter; 2] {
    let drops = counters(
        registry,
        "queue_drops",
        "What readers too slow lost: frames of telemetry, or their socket",
    );
    ["telemetry", "socket"].map(|what| drops.get_or_create_owned(&vec![("what", what)]))
}

fn counters(registry: &mut Registry, name: &str, help: &str) -> Family<Labels, Counter> {
    let family = Family::default();
    registry.register(name, help, family.clone());
    family
}

fn gauges(registry: &mut Registry, name: &str, help: &str) -> Family<Labels, Gauge> {
    let family = Family::default();
    registry.register(name, help, family.clone());
    family
}
