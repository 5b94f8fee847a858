//! Questions to other riders for entries that are missing here.
//!
//! One rider is asked at a time, the one who has been in the ride for the longest first, so that a
//! history is not sent by all riders at once; the others are asked afterwards, when little or nothing
//! is missing.

use clock::{Duration, Moment};
use protocol::peer::PeerId;

/// Time from the wish to ask until the first question, so that links that come up together are known.
const DELAY: Duration = Duration::from_millis(300);
/// Time between the answer of one rider and the question to the next.
const PAUSE: Duration = Duration::from_millis(500);
/// Time without an answer after which the next rider is asked.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Interval at which one rider, each in turn, is asked when nothing else gives a reason.
const INTERVAL: Duration = Duration::from_secs(30);
/// Largest number of times that one rider is asked before the next has its turn. A whole history takes
/// fourteen.
const MAX_PAGES: u32 = 16;

/// Riders to be asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    wanted: Vec<PeerId>,
    /// Rider who is being asked, and the moment at which the answer is late.
    asked: Option<(PeerId, Moment)>,
    /// Rider who has more to answer, and is asked next.
    again: Option<PeerId>,
    /// Earliest moment of the next question.
    next: Option<Moment>,
    /// Number of times that the rider has been asked without a break.
    pages: u32,
    periodic: Option<Moment>,
    turn: usize,
}

impl Requests {
    /// Has a rider asked.
    pub(super) fn want(&mut self, now: Moment, peer: &PeerId) {
        if !self.wanted.contains(peer) {
            self.wanted.push(peer.clone());
            if self.asked.is_none() {
                self.next.get_or_insert(now + DELAY);
            }
        }
    }

    /// Forgets riders who cannot be asked. `reachable` are all who can, those who have been in the
    /// ride for the longest first.
    pub(super) fn set_reachable(&mut self, now: Moment, seed: u64, reachable: &[PeerId]) {
        self.wanted.retain(|peer| reachable.contains(peer));
        if let Some((peer, _)) = &self.asked
            && !reachable.contains(peer)
        {
            self.asked = None;
            self.next = Some(now + PAUSE);
        }
        if reachable.is_empty() {
            self.periodic = None;
        } else if self.periodic.is_none() {
            // Riders who joined together do not ask at the same time.
            let jitter = Duration::from_millis(seed % 10_000);
            self.turn = seed as usize % 64;
            self.periodic = Some(now + INTERVAL + jitter);
        }
    }

    /// Rider to be asked now, if it is time.
    pub(super) fn poll(&mut self, now: Moment, reachable: &[PeerId]) -> Option<PeerId> {
        if self.asked.as_ref().is_some_and(|(_, late)| *late <= now) {
            self.asked = None;
            self.next = Some(now);
        }
        if self.periodic.is_some_and(|at| at <= now) {
            self.periodic = Some(now + INTERVAL);
            self.turn = self.turn.wrapping_add(1);
            if let Some(peer) = reachable.get(self.turn % reachable.len().max(1)) {
                self.want(now, peer);
            }
        }
        if self.asked.is_some() || self.next.is_none_or(|next| now < next) {
            return None;
        }
        self.next = None;
        let again = self.again.take().filter(|peer| reachable.contains(peer));
        if again.is_none() {
            self.pages = 0;
        }
        let mut in_order = reachable.iter();
        let first = again.or_else(|| {
            let first = in_order.find(|peer| self.wanted.contains(peer));
            first.cloned()
        })?;
        self.wanted.retain(|peer| *peer != first);
        self.asked = Some((first.clone(), now + TIMEOUT));
        Some(first)
    }

    /// A rider has answered. With `more`, it is asked again at once for the rest.
    pub(super) fn answered(&mut self, now: Moment, peer: &PeerId, more: bool) {
        if self.asked.as_ref().is_none_or(|(asked, _)| asked != peer) {
            return;
        }
        self.pages += 1;
        if more && self.pages < MAX_PAGES {
            self.again = Some(peer.clone());
            self.next = Some(now);
        } else {
            self.pages = 0;
            self.next = (!self.wanted.is_empty()).then_some(now + PAUSE);
        }
        self.asked = None;
    }

    pub(super) fn timeout(&self) -> Option<Moment> {
        let late = self.asked.as_ref().map(|(_, late)| *late);
        [late, self.next.filter(|_| late.is_none()), self.periodic]
            .into_iter()
            .flatten()
            .min()
    }
}
