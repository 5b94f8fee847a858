//! Links as riders report them.
//!
//! The reports cannot be verified, so each is bounded, and they are used for
//! these metrics only.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use protocol::peer::LinkState;
use protocol::signaling::{AttemptOutcome, CandidateType, LinkReport, OutcomeCount, Report};

use super::{Histogram, Labels};

/// Maximum number of links of one rider: a ride has 64 riders at most.
const MAX_LINKS: u32 = 64;
/// Maximum that one report may add to a counter.
const MAX_EVENTS: u32 = 256;
/// Bucket bounds of the connect time: from tens of milliseconds to the timeout of
/// ICE.
const CONNECT_SECONDS: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0,
];

/// Bucket bounds of the round trip between two riders: from one network to satellite links.
const ROUND_TRIP_SECONDS: &[f64] = &[0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
/// Longest plausible round trip: pages ignore longer ones.
const MAX_ROUND_TRIP: Duration = Duration::from_secs(10);
/// Types of candidates, and none.
const CANDIDATES: usize = CandidateType::ALL.len() + 1;

#[derive(Debug, Clone)]
pub(super) struct LinkMetrics {
    pub(super) direct: Gauge,
    pub(super) relayed: Gauge,
    pub(super) attempts: Counter,
    pub(super) successes: Counter,
    pub(super) fallbacks: Counter,
    pub(super) connect_time: Histogram,
    outcomes: [[Counter; CANDIDATES]; AttemptOutcome::ALL.len()],
    direct_round_trip: Histogram,
    relayed_round_trip: Histogram,
}

/// Links of one rider according to its latest report. Dropped together with the
/// rider's socket, which removes the links from the gauges.
#[derive(Debug)]
pub struct ReportedLinks {
    metrics: LinkMetrics,
    direct: u32,
    relayed: u32,
}

impl LinkMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let links = Family::<Labels, Gauge>::default();
        let help = "Links as riders report them; both riders of a link report it";
        registry.register("links", help, links.clone());
        let mut counter = |name, help| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let attempts = counter("p2p_attempts", "Attempts to open a direct connection");
        let successes = counter("p2p_successes", "Links that became direct");
        let fallbacks = counter("p2p_fallbacks", "Direct links that fell back to the relay");
        let connect_time = Histogram::new(CONNECT_SECONDS);
        registry.register(
            "p2p_connect_seconds",
            "Time from the start of an attempt to the open direct connection",
            connect_time.clone(),
        );
        let round_trips: Family<Labels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(ROUND_TRIP_SECONDS));
        registry.register(
            "link_round_trip_seconds",
            "Round trip between two riders as they report it once a minute, by the path of their link",
            round_trips.clone(),
        );
        let round_trip = |path| round_trips.get_or_create_owned(&vec![("path", path)]);
        let state = |name| links.get_or_create_owned(&vec![("state", name)]);
        Self {
            direct: state("direct"),
            relayed: state("relayed"),
            attempts,
            successes,
            fallbacks,
            connect_time,
            outcomes: outcome_counters(registry),
            direct_round_trip: round_trip("direct"),
            relayed_round_trip: round_trip("relayed"),
        }
    }

    /// Number of attempts with an outcome and a type of candidate.
    pub(super) fn attempts_with(
        &self,
        outcome: AttemptOutcome,
        candidate: Option<CandidateType>,
    ) -> u64 {
        self.outcome(outcome, candidate).get()
    }

    /// Histogram of the round trips over a path.
    pub(super) fn round_trip(&self, state: LinkState) -> Option<&Histogram> {
        match state {
            LinkState::Direct => Some(&self.direct_round_trip),
            LinkState::Relayed => Some(&self.relayed_round_trip),
            LinkState::Connecting | LinkState::Away => None,
        }
    }

    fn outcome(&self, outcome: AttemptOutcome, candidate: Option<CandidateType>) -> &Counter {
        &self.outcomes[outcome as usize][candidate.map_or(0, |it| it as usize + 1)]
    }
}

/// Labels `result` and `reason` of an outcome.
pub(super) fn outcome_labels(outcome: AttemptOutcome) -> (&'static str, &'static str) {
    match outcome {
        AttemptOutcome::Direct => ("success", "none"),
        AttemptOutcome::NoCandidates => ("failure", "no-candidates"),
        AttemptOutcome::ChecksFailed => ("failure", "checks-failed"),
        AttemptOutcome::TimedOut => ("failure", "timed-out"),
        AttemptOutcome::ClosedByPeer => ("failure", "closed-by-peer"),
    }
}

/// Label of a type of candidate.
pub(super) fn candidate_label(candidate: Option<CandidateType>) -> &'static str {
    candidate.map_or("unknown", CandidateType::as_str)
}

/// All types of candidates, and none.
pub(super) fn candidates() -> [Option<CandidateType>; CANDIDATES] {
    let [host, peer_reflexive, server_reflexive, relay] = CandidateType::ALL.map(Some);
    [None, host, peer_reflexive, server_reflexive, relay]
}

fn outcome_counters(registry: &mut Registry) -> [[Counter; CANDIDATES]; AttemptOutcome::ALL.len()] {
    let family = Family::<Labels, Counter>::default();
    registry.register(
        "link_attempts",
        "Attempts to open a direct connection that have ended, as each of the two riders saw it",
        family.clone(),
    );
    AttemptOutcome::ALL.map(|outcome| {
        let (result, reason) = outcome_labels(outcome);
        candidates().map(|candidate| {
            let labels = vec![
                ("result", result),
                ("reason", reason),
                ("candidate", candidate_label(candidate)),
            ];
            family.get_or_create_owned(&labels)
        })
    })
}

impl ReportedLinks {
    pub(super) fn new(metrics: &LinkMetrics) -> Self {
        Self {
            metrics: metrics.clone(),
            direct: 0,
            relayed: 0,
        }
    }

    /// Replaces the link counts and adds the events of a report.
    pub fn record(&mut self, report: &Report) {
        let in_state = |state| {
            let links = report.links.iter().filter(|link| link.state == state);
            u32::try_from(links.count()).unwrap_or(MAX_LINKS)
        };
        self.set_links(in_state(LinkState::Direct), in_state(LinkState::Relayed));
        let metrics = &self.metrics;
        let events = |count: u32| u64::from(count.min(MAX_EVENTS));
        metrics.attempts.inc_by(events(report.attempts));
        metrics.successes.inc_by(events(report.successes));
        metrics.fallbacks.inc_by(events(report.fallbacks));
        for counted in report.outcomes.iter().take(OutcomeCount::MAX) {
            let counter = metrics.outcome(counted.outcome, counted.candidate);
            counter.inc_by(events(counted.count));
        }
        for link in report.links.iter().take(MAX_LINKS as usize) {
            self.record_round_trip(link);
        }
        let times = report.links.iter().filter_map(|link| link.connect_ms);
        for time in times.take(MAX_LINKS as usize) {
            metrics
                .connect_time
                .observe(Duration::from_millis(time.into()));
        }
    }

    fn record_round_trip(&self, link: &LinkReport) {
        let time = link.round_trip_ms.map(u64::from).map(Duration::from_millis);
        if let Some(time) = time.filter(|time| *time <= MAX_ROUND_TRIP)
            && let Some(histogram) = self.metrics.round_trip(link.state)
        {
            histogram.observe(time);
        }
    }

    fn set_links(&mut self, direct: u32, relayed: u32) {
        let (direct, relayed) = (direct.min(MAX_LINKS), relayed.min(MAX_LINKS));
        let change = |from: u32, to: u32| i64::from(to) - i64::from(from);
        self.metrics.direct.inc_by(change(self.direct, direct));
        self.metrics.relayed.inc_by(change(self.relayed, relayed));
        (self.direct, self.relayed) = (direct, relayed);
    }
}

impl Drop for ReportedLinks {
    fn drop(&mut self) {
        self.set_links(0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report_of(direct: usize, relayed: usize, events: u32) -> Report {
        let link = |state| LinkReport {
            peer: "ana".parse().expect("a peer id"),
            state,
            connect_ms: Some(u32::MAX),
            round_trip_ms: Some(30),
        };
        let mut links = vec![link(LinkState::Direct); direct];
        links.extend(vec![link(LinkState::Relayed); relayed]);
        Report {
            links,
            attempts: events,
            successes: events,
            fallbacks: events,
            outcomes: vec![
                OutcomeCount {
                    outcome: AttemptOutcome::TimedOut,
                    candidate: Some(CandidateType::ServerReflexive),
                    count: events,
                };
                100
            ],
        }
    }

    #[test]
    fn links_count_as_last_reported_until_their_rider_disconnects() {
        let metrics = LinkMetrics::new(&mut Registry::default());
        let mut ana = ReportedLinks::new(&metrics);
        let mut ben = ReportedLinks::new(&metrics);
        let report = |direct, relayed| report_of(direct, relayed, 0);
        ana.record(&report(0, 3));
        ben.record(&report(1, 0));
        ana.record(&report(2, 1));
        assert_eq!((metrics.direct.get(), metrics.relayed.get()), (3, 1));
        drop(ana);
        assert_eq!((metrics.direct.get(), metrics.relayed.get()), (1, 0));
    }

    #[test]
    fn an_implausible_round_trip_is_not_counted() {
        let metrics = LinkMetrics::new(&mut Registry::default());
        let mut links = ReportedLinks::new(&metrics);
        let mut report = report_of(1, 1, 0);
        report.links[0].round_trip_ms = Some(10_001);
        links.record(&report);
        assert_eq!(metrics.direct_round_trip.count(), 0);
        assert_eq!(metrics.relayed_round_trip.count(), 1);
    }

    #[test]
    fn a_report_counts_no_more_than_the_maximum_of_one_rider() {
        let metrics = LinkMetrics::new(&mut Registry::default());
        let mut links = ReportedLinks::new(&metrics);
        links.record(&report_of(1_000, 1_000, u32::MAX));
        assert_eq!(metrics.direct.get(), i64::from(MAX_LINKS));
        assert_eq!(metrics.attempts.get(), u64::from(MAX_EVENTS));
        assert_eq!(metrics.successes.get(), u64::from(MAX_EVENTS));
        let srflx = Some(CandidateType::ServerReflexive);
        let timed_out = metrics.attempts_with(AttemptOutcome::TimedOut, srflx);
        assert_eq!(timed_out, u64::from(MAX_EVENTS) * OutcomeCount::MAX as u64);
        let round_trips = metrics.direct_round_trip.count() + metrics.relayed_round_trip.count();
        assert_eq!(round_trips, u64::from(MAX_LINKS));
    }
}
