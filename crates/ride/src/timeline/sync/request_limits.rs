//! Limits per rider for requests of timelines and for answers to such requests.

use std::collections::BTreeMap;

use clock::Moment;
use protocol::peer::PeerId;

use super::REQUEST_TIMEOUT;

/// Answers to one rider within [`REQUEST_TIMEOUT`]. A correct rider requests newer events, then
/// the whole timeline, and both again when the host changes.
const MAX_ANSWERS: u32 = 4;

/// Counters for all riders.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestLimits(BTreeMap<PeerId, PeerCounters>);

#[derive(Clone, Copy, Debug, Default)]
struct PeerCounters {
    /// Earliest time of the next request for the whole timeline.
    whole_allowed_at: Moment,
    answers_since: Moment,
    answers: u32,
}

impl RequestLimits {
    pub(super) fn may_ask_whole(&mut self, now: Moment, peer: &PeerId) -> bool {
        let counters = self.0.entry(peer.clone()).or_default();
        let allowed = counters.whole_allowed_at <= now;
        if allowed {
            counters.whole_allowed_at = now + REQUEST_TIMEOUT;
        }
        allowed
    }

    pub(super) fn may_answer(&mut self, now: Moment, peer: &PeerId) -> bool {
        let counters = self.0.entry(peer.clone()).or_default();
        if now >= counters.answers_since + REQUEST_TIMEOUT {
            (counters.answers_since, counters.answers) = (now, 0);
        }
        counters.answers += 1;
        counters.answers <= MAX_ANSWERS
    }

    pub(super) fn remove_peer(&mut self, peer: &PeerId) {
        self.0.remove(peer);
    }
}
