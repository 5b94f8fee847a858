use std::{collections::BTreeMap, time::Duration};

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
    reported_links: BTreeMap<PeerId, LinkState>,
    reported_stats: Stats,
    /// Start of the newest attempt to each member that is not direct yet.
    attempts: BTreeMap<PeerId, Moment>,
    /// Times that links took to become direct, not yet reported.
    connect_times: BTreeMap<PeerId, Duration>,
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
        let links: BTreeMap<_, _> = links.collect();
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
        let report = |(peer, state): (&PeerId, &LinkState)| LinkReport {
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
