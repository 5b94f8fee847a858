//! What the connection panel shows of the links: read from the node and the
//! browser, and only while somebody looks.

use std::time::Duration;

use clock::Moment;
use protocol::peer::PeerId;

use super::{Session, put};
use crate::{
    browser::rtc,
    state::{CandidatePair, CandidateType, LinkStats, NetworkStats},
};

/// How often the facts are brought up to date.
const EVERY: Duration = Duration::from_secs(1);

/// When the facts are next wanted; never while the panel is closed.
#[derive(Debug, Default)]
pub(super) struct LinkWatch {
    next: Option<Duration>,
}

impl Session {
    /// The panel was opened or closed.
    pub(super) fn watch_links(&mut self, now: Duration, watch: bool) {
        self.watch.next = watch.then_some(now);
        self.show_links(now);
    }

    /// Brings the panel up to date if it is time for that.
    pub(super) fn show_links(&mut self, now: Duration) {
        if self.watch.next.is_none_or(|next| now < next) {
            return;
        }
        self.watch.next = Some(now + EVERY);
        let Some(group) = &self.group else { return };
        let node = &group.node;
        self.roster.show_facts(now, |peer, known| LinkStats {
            round_trip: node.round_trip(peer),
            clock_error: node.peer_clock_error(peer),
            ..known
        });
        let stats = node.stats();
        let facts = NetworkStats {
            clock_error: node.clock_error(Moment::from_origin(now)),
            attempts: stats.connection_attempts,
            direct_connections: stats.direct_connections,
            connect_time: stats.connect_time,
            fallbacks: stats.fallbacks,
            bytes_sent: stats.bytes_sent,
            bytes_received: stats.bytes_received,
            ignored: stats.ignored + self.ignored,
        };
        put(self.state.network, facts);
        group.query_candidate_pairs();
    }

    /// The browser says between which candidates a connection runs.
    pub(super) fn found_candidate_pair(
        &self,
        peer: &PeerId,
        connection: u32,
        pair: Option<rtc::CandidatePair>,
    ) {
        let current = |group: &super::Group| group.is_current(peer, connection);
        if self.group.as_ref().is_some_and(current) {
            let pair = pair.and_then(|pair| candidate_pair(&pair));
            self.roster.show_candidate_pair(peer, pair);
        }
    }
}

fn candidate_pair(pair: &rtc::CandidatePair) -> Option<CandidatePair> {
    Some(CandidatePair {
        local: CandidateType::parse(&pair.local)?,
        remote: CandidateType::parse(&pair.remote)?,
    })
}
