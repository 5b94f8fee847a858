//! Catching up with the timeline: choosing the rider to request missing events from.

use litemap::LiteMap;

use core::time::Duration;

use clock::Moment;
use protocol::peer::PeerId;

use super::Head;

/// Wait between the announcement of a newer head and a request for its event. The host sends each
/// event to all riders anyway, so most requests never become necessary.
pub const EVENT_GRACE: Duration = Duration::from_millis(300);
/// Time for the answer to a request, after which another rider is asked.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// Number of requests without effect after which a rider is asked at the interval of
/// [`SLOW_RETRY`] only.
const MAX_UNANSWERED: u32 = 8;
const SLOW_RETRY: Duration = Duration::from_secs(30);
/// Time after which a new host without a command of its own appends a
/// [`Change::NoOp`](super::Change::NoOp).
pub const NO_OP_AFTER: Duration = Duration::from_secs(3);
/// The same time while some rider announces a higher head whose events do not arrive or are
/// rejected.
pub const NO_OP_AFTER_GAP: Duration = Duration::from_secs(10);

/// Tracks the heads that other riders announce, and requests missing events from riders that are
/// ahead, one after the other, until nothing is missing. Requests are repeated: the rider that was
/// asked may have left, and events may have arrived before the host's key was known.
///
/// Contract: false announcements of one rider delay requests to the others by no more than one
/// [`REQUEST_TIMEOUT`], and no rider can cause an unbounded number of requests or answers.
#[derive(Clone, Debug, Default)]
pub struct TimelineSync {
    peers: LiteMap<PeerId, PeerHead>,
    /// Own head at the time of the last request.
    requested_at_head: Head,
    last_asked: Option<PeerId>,
    /// Time of the next request; `None` while no events are known to be missing.
    next_request_at: Option<Moment>,
    /// Epoch that this rider is host of and that the timeline has no event of, and the moment at
    /// which it was first seen.
    empty_epoch: Option<(u32, Moment)>,
}

/// Head that a rider announced, and the requests made to that rider.
#[derive(Clone, Copy, Debug, Default)]
struct PeerHead {
    head: Head,
    /// Requests since this head or the own one changed.
    unanswered: u32,
    /// Earliest time of the next request.
    retry_at: Moment,
}

impl PeerHead {
    const fn reset_retries(&mut self) {
        (self.unanswered, self.retry_at) = (0, Moment::ZERO);
    }
}

impl TimelineSync {
    /// Takes the head that a rider announces.
    pub fn update_head(&mut self, now: Moment, peer: &PeerId, head: Head) {
        let known = self.peers.entry(peer.clone()).or_default();
        let before = std::mem::replace(&mut known.head, head);
        if before == head {
            return;
        }
        known.reset_retries();
        if before < head {
            let due = now + EVENT_GRACE;
            self.next_request_at = Some(self.next_request_at.map_or(due, |next| next.min(due)));
        }
    }

    /// Forgets a rider that has left.
    pub fn remove_peer(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// Makes the next request due at once: events that were rejected may be valid under the new
    /// host.
    pub fn host_changed(&mut self, now: Moment) {
        self.next_request_at = Some(now);
        self.reset_retries();
    }

    fn reset_retries(&mut self) {
        for (_, peer) in self.peers.iter_mut() {
            peer.reset_retries();
        }
    }

    fn is_complete(&self, own: Head) -> bool {
        self.peers.values().all(|peer| peer.head <= own)
    }

    /// Reports whether a rider that is host of `host_epoch` has to append a
    /// [`Change::NoOp`](super::Change::NoOp) now. Without an event of the new epoch, riders that
    /// hold another branch of the timeline, by hosts that did not know of each other, would keep
    /// it.
    pub fn needs_no_op(&mut self, now: Moment, own: Head, host_epoch: Option<u32>) -> bool {
        let is_empty = |epoch: &u32| own != Head::NONE && own.epoch < *epoch;
        let Some(epoch) = host_epoch.filter(is_empty) else {
            self.empty_epoch = None;
            return false;
        };
        let seen = self.empty_epoch.filter(|(known, _)| *known == epoch);
        let (_, since) = *self.empty_epoch.insert(seen.unwrap_or((epoch, now)));
        let wait = if self.is_complete(own) {
            NO_OP_AFTER
        } else {
            NO_OP_AFTER_GAP
        };
        now >= since + wait
    }

    /// Chooses the reachable rider to request everything newer than the own head from, if a request
    /// is due.
    pub fn next_request<'a>(
        &mut self,
        now: Moment,
        own: Head,
        reachable: impl IntoIterator<Item = &'a PeerId>,
    ) -> Option<&'a PeerId> {
        if self.is_complete(own) {
            self.next_request_at = None;
            return None;
        }
        if self.requested_at_head != own {
            self.requested_at_head = own;
            self.reset_retries();
        }
        if self.next_request_at.is_some_and(|next| now < next) {
            return None;
        }
        let is_candidate = |peer: &&PeerId| {
            let known = self.peers.get(*peer);
            known.is_some_and(|known| known.head > own && known.retry_at <= now)
        };
        let ahead: Vec<_> = reachable.into_iter().filter(is_candidate).collect();
        let last = self.last_asked.as_ref();
        let last = ahead.iter().position(|peer| Some(*peer) == last);
        let next = last.map_or(0, |last| (last + 1) % ahead.len());
        let peer = ahead.get(next).copied()?;
        if let Some(known) = self.peers.get_mut(peer) {
            known.unanswered += 1;
            if known.unanswered >= MAX_UNANSWERED {
                known.retry_at = now + SLOW_RETRY;
            }
        }
        self.last_asked = Some(peer.clone());
        self.next_request_at = Some(now + REQUEST_TIMEOUT);
        Some(peer)
    }
}

#[cfg(test)]
mod tests;
