use std::time::Duration;

use litemap::LiteMap;

use clock::Moment;

use super::{Stats, members::Members};
use protocol::{
    peer::{LinkState, PeerId},
    signaling::{LinkReport, MAX_RIDERS, Report},
};

/// Shortest interval between two reports.
const INTERVAL: Duration = Duration::from_secs(1);
/// Interval between two reports of the round trips.
const ROUND_TRIP_INTERVAL: Duration = Duration::from_secs(60);

/// Reports the state of the links to the server, which keeps a host that any rider still reaches,
/// and counts.
#[derive(Debug, Default)]
pub(super) struct LinkReporter {
    reported_links: Vec<(PeerId, LinkState)>,
    reported_stats: Stats,
    /// Start of the newest attempt to each member that is not direct yet.
    attempts: LiteMap<PeerId, Moment>,
    /// Times that links took to become direct, not yet reported.
    connect_times: LiteMap<PeerId, Duration>,
    /// Round trips that are not yet reported.
    round_trips: LiteMap<PeerId, Duration>,
    /// Moment at which the round trips are due.
    round_trips_at: Moment,
    /// Links when the round trips were last due.
    settled_links: Vec<(PeerId, LinkState)>,
    next_at: Moment,
    has_news: bool,
}

impl LinkReporter {
    /// Moment of the next report, or of the next look at the round trips.
    pub(super) fn timeout(&self) -> Moment {
        match self.has_news {
            true => self.next_at.min(self.round_trips_at),
            false => self.round_trips_at,
        }
    }

    /// Reports all links again: the server behind a new socket may know nothing.
    pub(super) fn socket_opened(&mut self) {
        self.reported_links.clear();
    }

    pub(super) fn attempt_started(&mut self, now: Moment, peer: &PeerId) {
        self.attempts.insert(peer.clone(), now);
    }

    pub(super) fn became_direct(&mut self, now: Moment, peer: &PeerId) {
        if let Some(started) = self.attempts.remove(peer) {
            self.connect_times.insert(peer.clone(), now.since(started));
        }
    }

    pub(super) fn remove_peer(&mut self, peer: &PeerId) {
        self.attempts.remove(peer);
    }

    /// Report to send now, if something changed and one is due.
    pub(super) fn tick(
        &mut self,
        now: Moment,
        members: &Members,
        stats: Stats,
        is_socket_open: bool,
    ) -> Option<Report> {
        let peers = members.peers().take(MAX_RIDERS);
        let links = peers.map(|peer| (peer.member.peer.clone(), peer.link.state()));
        let links: Vec<_> = links.collect();
        let before = &self.reported_stats;
        let counts = Report {
            links: Vec::new(),
            attempts: increase(stats.connection_attempts, before.connection_attempts),
            successes: increase(stats.direct_connections, before.direct_connections),
            fallbacks: increase(stats.fallbacks, before.fallbacks),
            outcomes: stats.outcomes.since(&before.outcomes),
        };
        if now >= self.round_trips_at {
            self.collect_round_trips(now, members, &links);
        }
        let has_counts = counts != Report::default() || !self.round_trips.is_empty();
        let has_changed = links != self.reported_links || has_counts;
        self.has_news = has_changed && is_socket_open;
        if !self.has_news || now < self.next_at {
            return None;
        }
        let connect_times = std::mem::take(&mut self.connect_times);
        let round_trips = std::mem::take(&mut self.round_trips);
        let report = |(peer, state): &(PeerId, LinkState)| LinkReport {
            peer: peer.clone(),
            state: *state,
            connect_ms: millis(connect_times.get(peer)),
            round_trip_ms: millis(round_trips.get(peer)),
        };
        let reports = links.iter().map(report).collect();
        self.reported_links = links;
        self.reported_stats = stats;
        self.next_at = now + INTERVAL;
        self.has_news = false;
        Some(Report {
            links: reports,
            ..counts
        })
    }

    /// Takes the round trips of links whose state was the same a minute ago: they are those of one
    /// path.
    fn collect_round_trips(
        &mut self,
        now: Moment,
        members: &Members,
        links: &[(PeerId, LinkState)],
    ) {
        self.round_trips_at = now + ROUND_TRIP_INTERVAL;
        let before = std::mem::replace(&mut self.settled_links, links.to_vec());
        for (peer, link) in members.peers().zip(links) {
            if before.contains(link)
                && let Some(round_trip) = peer.link.round_trip()
            {
                self.round_trips.insert(link.0.clone(), round_trip);
            }
        }
    }
}

fn millis(time: Option<&Duration>) -> Option<u32> {
    time.and_then(|time| time.as_millis().try_into().ok())
}

fn increase(now: u64, before: u64) -> u32 {
    u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        link::testing::make_direct,
        node::members::tests::{id, members},
    };
    use protocol::peer::MemberRole::Rider;

    fn at(ms: u64) -> Moment {
        Moment::from_origin(Duration::from_millis(ms))
    }

    #[test]
    fn changes_are_reported_at_most_once_a_second_and_only_on_an_open_socket() {
        let (mut reporter, mut members) = (LinkReporter::default(), members(&[Rider; 3]));
        let stats = Stats::default();
        assert_eq!(reporter.tick(at(0), &members, stats, false), None);
        let report = reporter.tick(at(10), &members, stats, true).unwrap();
        assert_eq!(report.links.len(), 2);
        assert_eq!(reporter.tick(at(2_000), &members, stats, true), None);
        assert_eq!(reporter.timeout(), at(60_000));
        make_direct(&mut members.peers_mut().next().unwrap().link, at(2_000));
        assert!(reporter.tick(at(2_000), &members, stats, true).is_some());
        let stats = Stats {
            connection_attempts: 2,
            direct_connections: 1,
            ..stats
        };
        assert_eq!(reporter.tick(at(2_999), &members, stats, true), None);
        assert_eq!(reporter.timeout(), at(3_000));
        let report = reporter.tick(at(3_000), &members, stats, true).unwrap();
        assert_eq!((report.attempts, report.successes), (2, 1));
    }

    #[test]
    fn the_connect_time_is_reported_once() {
        let (mut reporter, mut members) = (LinkReporter::default(), members(&[Rider; 2]));
        let stats = Stats::default();
        reporter.attempt_started(at(100), &id(2));
        make_direct(&mut members.peers_mut().next().unwrap().link, at(700));
        reporter.became_direct(at(700), &id(2));
        reporter.became_direct(at(900), &id(2));
        let report = reporter.tick(at(1_000), &members, stats, true).unwrap();
        assert_eq!(report.links[0].connect_ms, Some(600));
        reporter.socket_opened();
        let report = reporter.tick(at(2_000), &members, stats, true).unwrap();
        assert_eq!(report.links[0].connect_ms, None);
    }

    #[test]
    fn the_round_trip_is_reported_once_a_minute_if_the_state_of_the_link_is_the_same() {
        let (mut reporter, mut members) = (LinkReporter::default(), members(&[Rider; 2]));
        let stats = Stats::default();
        let tick = |reporter: &mut LinkReporter, members: &Members, ms| {
            let report = reporter.tick(at(ms), members, stats, true);
            report.and_then(|report| report.links[0].round_trip_ms)
        };
        assert_eq!(tick(&mut reporter, &members, 0), None);
        for ms in [55_000, 55_500] {
            make_direct(&mut members.peers_mut().next().unwrap().link, at(ms));
        }
        assert_eq!(tick(&mut reporter, &members, 56_000), None);
        assert_eq!(tick(&mut reporter, &members, 60_000), None, "was relayed");
        assert_eq!(tick(&mut reporter, &members, 119_999), None);
        assert!(tick(&mut reporter, &members, 120_000).is_some());
        assert_eq!(tick(&mut reporter, &members, 121_000), None);
        assert!(tick(&mut reporter, &members, 180_000).is_some());
    }

    #[test]
    fn everything_is_reported_again_on_a_new_socket() {
        let (mut reporter, members) = (LinkReporter::default(), members(&[Rider; 3]));
        let stats = Stats::default();
        let first = reporter.tick(at(0), &members, stats, true);
        reporter.socket_opened();
        assert_eq!(reporter.tick(at(1_000), &members, stats, true), first);
    }
}
