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
    next_at: Moment,
    has_news: bool,
}

impl LinkReporter {
    /// Moment of the next report, if there is something to report.
    pub(super) fn timeout(&self) -> Option<Moment> {
        self.has_news.then_some(self.next_at)
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
        };
        let has_changed = links != self.reported_links || counts != Report::default();
        self.has_news = has_changed && is_socket_open;
        if !self.has_news || now < self.next_at {
            return None;
        }
        let connect_times = std::mem::take(&mut self.connect_times);
        let report = |(peer, state): &(PeerId, LinkState)| LinkReport {
            peer: peer.clone(),
            state: *state,
            connect_ms: connect_times
                .get(peer)
                .and_then(|time| time.as_millis().try_into().ok()),
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
        assert_eq!(reporter.timeout(), None);
        make_direct(&mut members.peers_mut().next().unwrap().link, at(2_000));
        assert!(reporter.tick(at(2_000), &members, stats, true).is_some());
        let stats = Stats {
            connection_attempts: 2,
            direct_connections: 1,
            ..stats
        };
        assert_eq!(reporter.tick(at(2_999), &members, stats, true), None);
        assert_eq!(reporter.timeout(), Some(at(3_000)));
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
    fn everything_is_reported_again_on_a_new_socket() {
        let (mut reporter, members) = (LinkReporter::default(), members(&[Rider; 3]));
        let stats = Stats::default();
        let first = reporter.tick(at(0), &members, stats, true);
        reporter.socket_opened();
        assert_eq!(reporter.tick(at(1_000), &members, stats, true), first);
    }
}
