//! What riders report of their direct links. It is their word: bounded, and
//! good for nothing but these counts.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Histogram, Labels};

/// More links than this nobody has: rides take 64 riders at most.
const MAX_LINKS: u32 = 64;
/// What one report may add to a counter.
const MAX_EVENTS: u32 = 256;
/// Connecting takes from some tens of milliseconds to the patience of ICE.
const CONNECT_SECONDS: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0,
];

/// What one rider says of its links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkReport {
    /// Its links that are direct now.
    pub direct: u32,
    /// Its links that are relayed now.
    pub relayed: u32,
    /// Direct connections tried since the last report.
    pub attempts: u32,
    /// How long those took that became direct since the last report: each is a
    /// success.
    pub connected: Vec<Duration>,
    /// Direct links that went back to the relay since the last report.
    pub fallbacks: u32,
}

#[derive(Debug, Clone)]
pub(super) struct LinkMetrics {
    pub(super) direct: Gauge,
    pub(super) relayed: Gauge,
    pub(super) attempts: Counter,
    pub(super) successes: Counter,
    pub(super) fallbacks: Counter,
    pub(super) connect_time: Histogram,
}

/// One rider's links as it reported them last. Dropped with its socket, so that
/// links of riders who are gone do not count.
#[derive(Debug)]
pub struct ReportedLinks {
    metrics: LinkMetrics,
    direct: u32,
    relayed: u32,
}

impl LinkMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let links = Family::<Labels, Gauge>::default();
        let help = "Links as riders report them, each by both of its riders";
        registry.register("links", help, links.clone());
        let mut counter = |name, help| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let attempts = counter("p2p_attempts", "Direct connections that riders tried");
        let successes = counter("p2p_successes", "Links that became direct");
        let fallbacks = counter("p2p_fallbacks", "Direct links that went back to the relay");
        let connect_time = Histogram::new(CONNECT_SECONDS);
        registry.register(
            "p2p_connect_seconds",
            "From trying a direct connection to having it",
            connect_time.clone(),
        );
        let state = |name| links.get_or_create_owned(&vec![("state", name)]);
        Self {
            direct: state("direct"),
            relayed: state("relayed"),
            attempts,
            successes,
            fallbacks,
            connect_time,
        }
    }
}

impl ReportedLinks {
    pub(super) fn new(metrics: &LinkMetrics) -> Self {
        Self {
            metrics: metrics.clone(),
            direct: 0,
            relayed: 0,
        }
    }

    /// Takes a report in.
    pub fn record(&mut self, report: &LinkReport) {
        self.stand_at(report.direct, report.relayed);
        let metrics = &self.metrics;
        let events = |count: u32| u64::from(count.min(MAX_EVENTS));
        metrics.attempts.inc_by(events(report.attempts));
        metrics.fallbacks.inc_by(events(report.fallbacks));
        for time in report.connected.iter().take(MAX_EVENTS as usize) {
            metrics.successes.inc();
            metrics.connect_time.observe(*time);
        }
    }

    fn stand_at(&mut self, direct: u32, relayed: u32) {
        let (direct, relayed) = (direct.min(MAX_LINKS), relayed.min(MAX_LINKS));
        let change = |from: u32, to: u32| i64::from(to) - i64::from(from);
        self.metrics.direct.inc_by(change(self.direct, direct));
        self.metrics.relayed.inc_by(change(self.relayed, relayed));
        (self.direct, self.relayed) = (direct, relayed);
    }
}

impl Drop for ReportedLinks {
    fn drop(&mut self) {
        self.stand_at(0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_count_as_last_reported_and_not_after_their_rider_is_gone() {
        let metrics = LinkMetrics::new(&mut Registry::default());
        let mut ana = ReportedLinks::new(&metrics);
        let mut ben = ReportedLinks::new(&metrics);
        let report = |direct, relayed| LinkReport {
            direct,
            relayed,
            ..LinkReport::default()
        };
        ana.record(&report(0, 3));
        ben.record(&report(1, 0));
        ana.record(&report(2, 1));
        assert_eq!((metrics.direct.get(), metrics.relayed.get()), (3, 1));
        drop(ana);
        assert_eq!((metrics.direct.get(), metrics.relayed.get()), (1, 0));
    }

    #[test]
    fn an_absurd_report_counts_no_more_than_a_rider_can_do() {
        let metrics = LinkMetrics::new(&mut Registry::default());
        let mut liar = ReportedLinks::new(&metrics);
        liar.record(&LinkReport {
            direct: u32::MAX,
            relayed: u32::MAX,
            attempts: u32::MAX,
            connected: vec![Duration::MAX; 1_000],
            fallbacks: u32::MAX,
        });
        assert_eq!(metrics.direct.get(), i64::from(MAX_LINKS));
        assert_eq!(metrics.attempts.get(), u64::from(MAX_EVENTS));
        assert_eq!(metrics.successes.get(), u64::from(MAX_EVENTS));
    }
}
