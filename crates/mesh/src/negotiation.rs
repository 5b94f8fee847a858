//! Negotiation of one `RTCPeerConnection`, of data channels or of media.

use std::time::Duration;

use clock::Moment;
use protocol::signaling::{MAX_CANDIDATES, Signal};

use crate::link::SdpKind;

/// Time in which local candidates are collected into one signal.
const CANDIDATE_BATCH: Duration = Duration::from_millis(50);
/// Largest number of candidates that wait, in each direction.
pub(crate) const MAX_WAITING_CANDIDATES: usize = 256;
/// Largest size of a candidate, in bytes.
pub(crate) const MAX_CANDIDATE_SIZE: usize = 2_048;

/// Offers, answers and candidates of one `RTCPeerConnection`.
///
/// The negotiation is "perfect negotiation" (WebRTC, section 10.7): when both sides send an offer
/// at once, the impolite side ignores the other's offer and the polite side withdraws its own.
#[derive(Debug)]
pub(crate) struct Negotiation {
    /// Number of the connection in signals, see [`Signal`].
    attempt: u32,
    is_polite: bool,
    has_own_offer: bool,
    ignores_offer: bool,
    has_remote_description: bool,
    has_local_description: bool,
    /// Remote candidates that arrived before the remote description.
    early_candidates: Vec<String>,
    local_candidates: Vec<String>,
    candidates_due_at: Option<Moment>,
}

/// Output of a [`Negotiation`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NegotiationOutput {
    /// Send a signal to the peer's page.
    Signal(Signal),
    /// Set the peer's description.
    SetRemote { kind: SdpKind, sdp: String },
    /// Add a candidate of the peer.
    AddCandidate(String),
}

impl Negotiation {
    pub(crate) fn new(attempt: u32, is_polite: bool) -> Self {
        Self {
            attempt,
            is_polite,
            has_own_offer: false,
            ignores_offer: false,
            has_remote_description: false,
            has_local_description: false,
            early_candidates: Vec::new(),
            local_candidates: Vec::new(),
            candidates_due_at: None,
        }
    }

    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns true while an own offer is being made or waits for its answer.
    pub(crate) fn has_own_offer(&self) -> bool {
        self.has_own_offer
    }

    /// Returns true once the peer's description was set.
    pub(crate) fn has_remote_description(&self) -> bool {
        self.has_remote_description
    }

    /// Records that the driver is told to create an offer.
    pub(crate) fn offer_requested(&mut self) {
        self.has_own_offer = true;
    }

    /// Handles a signal for this attempt.
    pub(crate) fn handle_signal(&mut self, signal: Signal) -> Vec<NegotiationOutput> {
        match signal {
            Signal::Offer { .. } if self.has_own_offer && !self.is_polite => {
                self.ignores_offer = true;
                Vec::new()
            }
            Signal::Offer { sdp, .. } => self.set_remote(SdpKind::Offer, sdp),
            Signal::Answer { sdp, .. } if self.has_own_offer => {
                self.set_remote(SdpKind::Answer, sdp)
            }
            Signal::Candidates { candidates, .. } if !self.ignores_offer => {
                self.add_remote_candidates(candidates)
            }
            Signal::Answer { .. } | Signal::Candidates { .. } => Vec::new(),
        }
    }

    /// Keeps a local candidate until its batch is sent.
    pub(crate) fn add_local_candidate(&mut self, now: Moment, candidate: String) {
        if self.local_candidates.len() < MAX_WAITING_CANDIDATES
            && candidate.len() <= MAX_CANDIDATE_SIZE
        {
            self.local_candidates.push(candidate);
            self.candidates_due_at.get_or_insert(now + CANDIDATE_BATCH);
        }
    }

    /// Sends a local description, unless it is an offer that was withdrawn in the meantime.
    pub(crate) fn send_description(
        &mut self,
        now: Moment,
        kind: SdpKind,
        sdp: String,
    ) -> Vec<NegotiationOutput> {
        let attempt = self.attempt;
        let signal = match kind {
            SdpKind::Offer if self.has_own_offer => Signal::Offer { attempt, sdp },
            SdpKind::Answer if !self.has_own_offer => Signal::Answer { attempt, sdp },
            SdpKind::Offer | SdpKind::Answer => return Vec::new(),
        };
        self.has_local_description = true;
        let mut outputs = vec![NegotiationOutput::Signal(signal)];
        outputs.extend(self.send_due_candidates(now));
        outputs
    }

    /// Moment at which candidates are sent, if some wait for it.
    pub(crate) fn candidates_due_at(&self) -> Option<Moment> {
        self.candidates_due_at
            .filter(|_| self.has_local_description)
    }

    /// Sends candidates that are due.
    pub(crate) fn send_due_candidates(&mut self, now: Moment) -> Vec<NegotiationOutput> {
        if self.candidates_due_at().is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.candidates_due_at = None;
        let attempt = self.attempt;
        let candidates = std::mem::take(&mut self.local_candidates);
        let signal = |batch: &[String]| {
            NegotiationOutput::Signal(Signal::Candidates {
                attempt,
                candidates: batch.to_vec(),
            })
        };
        candidates.chunks(MAX_CANDIDATES).map(signal).collect()
    }

    fn set_remote(&mut self, kind: SdpKind, sdp: String) -> Vec<NegotiationOutput> {
        self.has_own_offer = false;
        self.ignores_offer = false;
        self.has_remote_description = true;
        let early = std::mem::take(&mut self.early_candidates);
        let candidates = early.into_iter().map(NegotiationOutput::AddCandidate);
        let remote = NegotiationOutput::SetRemote { kind, sdp };
        std::iter::once(remote).chain(candidates).collect()
    }

    fn add_remote_candidates(&mut self, candidates: Vec<String>) -> Vec<NegotiationOutput> {
        if self.has_remote_description {
            let add = NegotiationOutput::AddCandidate;
            return candidates.into_iter().map(add).collect();
        }
        let room = MAX_WAITING_CANDIDATES - self.early_candidates.len();
        self.early_candidates
            .extend(candidates.into_iter().take(room));
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
