//! Counters, gauges and histograms of the server, as `/metrics` shows them.
//!
//! - [`Metrics`]: all of them, part of the server's state.
//! - [`labels`]: label values of the counters.
//! - [`links`]: direct and relayed links, as riders report them.
//! - [`tunnels`]: tunnels, their visitors, and what is passed on for them.
//! - [`export`]: OpenMetrics text, Prometheus text and JSON.
//!
//! Contract: counting is an atomic addition on a handle that was looked up at
//! the start; no message takes a lock here. No label contains the name of a room
//! or a peer.

pub mod export;
mod histogram;
pub mod labels;
pub mod links;
mod recent_totals;
pub mod tunnels;

pub use histogram::Histogram;
pub use labels::{DialectName, Traffic};
pub use links::ReportedLinks;
pub use recent_totals::Rates;

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::error::RefusalReason;
use crate::sync::lock;
use links::LinkMetrics;
use recent_totals::{RecentTotals, Totals};
use tunnels::TunnelMetrics;

/// Bucket bounds of the relay time: from 100 µs, a relay within one machine, to
/// a reader that hardly reads.
const RELAY_SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];

type Labels = Vec<(&'static str, &'static str)>;

/// All metrics of the server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    dialects: [DialectMetrics; DialectName::ALL.len()],
    refusals: [Counter; RefusalReason::ALL.len()],
    queues: QueueMetrics,
    ignored: Family<Labels, Counter>,
    links: LinkMetrics,
    tunnels: TunnelMetrics,
    relay_time: Histogram,
    panics: Counter,
    recent: Mutex<RecentTotals>,
}

/// Metrics of one dialect.
#[derive(Debug)]
pub struct DialectMetrics {
    rooms: Gauge,
    peers: Gauge,
    sockets: Gauge,
    joins: Counter,
    received: Counter,
    relayed: [Relayed; Traffic::ALL.len()],
}

/// Counts that the rooms of a third-party dialect keep themselves, see
/// [`Metrics::update_rooms`].
#[derive(Debug, Clone, Default)]
pub struct RoomStatistics {
    /// Rooms at this moment.
    pub rooms: usize,
    /// Connected peers in all rooms.
    pub peers: usize,
    /// Messages relayed since the start.
    pub relayed: u64,
    /// Bytes of these messages.
    pub relayed_bytes: u64,
    /// Messages since the start that were neither relayed nor refused, by
    /// reason.
    pub ignored: Vec<(&'static str, u64)>,
}

#[derive(Debug)]
struct Relayed {
    messages: Counter,
    bytes: Counter,
}

/// Losses of send queues that grew too long; cheap to clone.
#[derive(Debug, Clone)]
pub struct QueueMetrics {
    telemetry: Counter,
    sockets: Counter,
}

/// Counts one item in a gauge until it is dropped.
#[derive(Debug)]
pub struct GaugeGuard(Gauge);

impl Metrics {
    /// Metrics with all values at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("gruppetto");
        let dialects = dialect_metrics(&mut registry);
        let refusals = counters(
            &mut registry,
            "refusals",
            "Refused requests, sockets and messages, by reason",
        );
        let refusals = RefusalReason::ALL
            .map(|reason| refusals.get_or_create_owned(&vec![("reason", reason.name())]));
        let [telemetry, sockets] = queue_counters(&mut registry);
        let ignored = counters(
            &mut registry,
            "ignored",
            "Messages of third-party clients that were neither relayed nor refused, by reason",
        );
        let links = LinkMetrics::new(&mut registry);
        let tunnels = TunnelMetrics::new(&mut registry);
        let relay_time = Histogram::new(RELAY_SECONDS);
        registry.register(
            "relay_seconds",
            "Time from receiving a relayed message to writing it to the receiver's socket",
            relay_time.clone(),
        );
        let panics = Counter::default();
        registry.register(
            "panics",
            "Requests that ended in a mistake of the server, answered with status 500",
            panics.clone(),
        );
        Self {
            registry,
            dialects,
            refusals,
            queues: QueueMetrics { telemetry, sockets },
            ignored,
            links,
            tunnels,
            relay_time,
            panics,
            recent: Mutex::default(),
        }
    }

    /// Counts a request whose handler panicked.
    pub fn count_panic(&self) {
        self.panics.inc();
    }

    /// Number of requests whose handler panicked.
    pub fn panics(&self) -> u64 {
        self.panics.get()
    }

    /// Metrics of a dialect.
    pub fn dialect(&self, name: DialectName) -> &DialectMetrics {
        &self.dialects[name as usize]
    }

    /// Counts a refusal.
    pub fn count_refusal(&self, reason: RefusalReason) {
        self.refusals[reason as usize].inc();
    }

    /// Number of refusals for a reason.
    pub fn refusals(&self, reason: RefusalReason) -> u64 {
        self.refusals[reason as usize].get()
    }

    /// Takes over the counts of a third-party dialect's rooms.
    pub fn update_rooms(&self, name: DialectName, statistics: &RoomStatistics) {
        let dialect = self.dialect(name);
        dialect.rooms.set(statistics.rooms as i64);
        dialect.peers.set(statistics.peers as i64);
        let relayed = &dialect.relayed[Traffic::Signal as usize];
        raise_to(&relayed.messages, statistics.relayed);
        raise_to(&relayed.bytes, statistics.relayed_bytes);
        for (reason, count) in &statistics.ignored {
            let labels = vec![("dialect", name.name()), ("why", *reason)];
            raise_to(&self.ignored.get_or_create_owned(&labels), *count);
        }
    }

    /// Metrics of tunnels.
    pub fn tunnels(&self) -> &TunnelMetrics {
        &self.tunnels
    }

    /// Counters for the send queues of sockets.
    pub fn queues(&self) -> &QueueMetrics {
        &self.queues
    }

    /// Records the time that a relayed message took from socket to socket.
    pub fn record_relay_time(&self, time: Duration) {
        self.relay_time.observe(time);
    }

    /// Link counts of a new rider, to be kept with its socket and updated with
    /// its reports.
    pub fn new_links(&self) -> ReportedLinks {
        ReportedLinks::new(&self.links)
    }

    /// Stores the totals of this moment, from which rates are computed. Called
    /// once per second.
    pub fn sample(&self, now: Duration) {
        lock(&self.recent).sample(now, self.totals());
    }

    /// Rates over the last ten seconds.
    pub fn rates(&self, now: Duration) -> Rates {
        lock(&self.recent).rates(now, self.totals())
    }

    fn totals(&self) -> Totals {
        let received = self.dialects.iter().map(|dialect| dialect.received.get());
        let refused = self.refusals.iter().map(Counter::get);
        Totals {
            received: received.sum(),
            refused: refused.sum(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl DialectMetrics {
    /// Counts an open room.
    pub fn count_room(&self) -> GaugeGuard {
        GaugeGuard::new(&self.rooms)
    }

    /// Counts a connected peer.
    pub fn count_peer(&self) -> GaugeGuard {
        GaugeGuard::new(&self.peers)
    }

    /// Counts an open socket.
    pub fn count_socket(&self) -> GaugeGuard {
        GaugeGuard::new(&self.sockets)
    }

    /// Number of peers that are connected and in a room.
    pub fn peers(&self) -> usize {
        usize::try_from(self.peers.get()).unwrap_or(0)
    }

    /// Counts a join, also when a peer joins again.
    pub fn count_join(&self) {
        self.joins.inc();
    }

    /// Counts a message or frame that was received within the limits.
    pub fn count_received(&self) {
        self.received.inc();
    }

    /// Counts a relayed message of this many bytes, once for all receivers.
    pub fn count_relayed(&self, traffic: Traffic, bytes: usize) {
        let relayed = &self.relayed[traffic as usize];
        relayed.messages.inc();
        relayed.bytes.inc_by(bytes as u64);
    }

    /// Number of relayed messages of a kind.
    pub fn relayed_messages(&self, traffic: Traffic) -> u64 {
        self.relayed[traffic as usize].messages.get()
    }

    /// Number of relayed bytes of a kind.
    pub fn relayed_bytes(&self, traffic: Traffic) -> u64 {
        self.relayed[traffic as usize].bytes.get()
    }
}

impl QueueMetrics {
    /// Counts a telemetry frame that was dropped in favour of a newer one.
    pub fn count_dropped_telemetry(&self) {
        self.telemetry.inc();
    }

    /// Counts a socket that was closed because its queue exceeded the limit.
    pub fn count_closed_socket(&self) {
        self.sockets.inc();
    }
}

impl Default for QueueMetrics {
    /// Counters that are not registered anywhere, for tests.
    fn default() -> Self {
        Self {
            telemetry: Counter::default(),
            sockets: Counter::default(),
        }
    }
}

impl GaugeGuard {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Raises a counter to a total that was counted elsewhere.
fn raise_to(counter: &Counter, total: u64) {
    counter.inner().fetch_max(total, Ordering::Relaxed);
}

fn dialect_metrics(registry: &mut Registry) -> [DialectMetrics; DialectName::ALL.len()] {
    let rooms = gauges(registry, "rooms", "Open rides and rooms");
    let peers = gauges(registry, "peers", "Connected peers in a ride or room");
    let sockets = gauges(registry, "sockets", "Open WebSockets");
    let joins = counters(
        registry,
        "joins",
        "Joins, including those of returning peers",
    );
    let received = counters(
        registry,
        "messages",
        "Messages and frames received within the limits",
    );
    let messages = counters(
        registry,
        "relayed_messages",
        "Relayed messages, each counted once for all receivers",
    );
    let bytes = counters(
        registry,
        "relayed_bytes",
        "Bytes of relayed messages, each counted once for all receivers",
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
            received: received.get_or_create_owned(&labels),
            relayed,
        }
    })
}

fn queue_counters(registry: &mut Registry) -> [Counter; 2] {
    let drops = counters(
        registry,
        "queue_drops",
        "Losses of receivers that read too slowly: dropped telemetry frames, or closed sockets",
    );
    ["telemetry", "socket"].map(|lost| drops.get_or_create_owned(&vec![("what", lost)]))
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
