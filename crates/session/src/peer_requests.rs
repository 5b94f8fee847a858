//! Limits for what other riders can make this session send.

use std::collections::BTreeMap;

use clock::{Duration, Moment};
use protocol::peer::PeerId;

/// Kind of request that is limited for each rider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RequestKind {
    /// Answer to a request for timeline events.
    AnswerTimeline,
    /// Own request for a whole timeline, made after events with a gap.
    AskWholeTimeline,
    /// Answer to a request for the history.
    AnswerHistory,
}

impl RequestKind {
    /// Largest number of requests within an interval. A correct rider requests newer events, then
    /// the whole timeline, and both again when the host changes.
    const fn limit(self) -> (u32, Duration) {
        match self {
            Self::AnswerTimeline => (4, Duration::from_secs(2)),
            Self::AskWholeTimeline => (1, Duration::from_secs(2)),
            Self::AnswerHistory => (1, Duration::from_secs(5)),
        }
    }
}

/// Counters per rider and kind of request.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerRequests(BTreeMap<(PeerId, RequestKind), (Moment, u32)>);

impl PeerRequests {
    /// Counts a request, and tells whether it is within the limit.
    pub(crate) fn allow(&mut self, now: Moment, peer: &PeerId, kind: RequestKind) -> bool {
        let (limit, interval) = kind.limit();
        let counter = self.0.entry((peer.clone(), kind)).or_insert((now, 0));
        if now >= counter.0 + interval {
            *counter = (now, 0);
        }
        counter.1 = counter.1.saturating_add(1);
        counter.1 <= limit
    }

    /// Forgets a rider who has left.
    pub(crate) fn remove_peer(&mut self, peer: &PeerId) {
        self.0.retain(|(other, _), _| other != peer);
    }
}
