use std::time::Duration;

use clock::Moment;
use protocol::signaling::{MAX_CANDIDATES, Signal};

use super::{MediaCommand, MediaConnectionOutput, SdpKind, voice};
use crate::{
    backoff::Backoff,
    negotiation::{MAX_CANDIDATE_SIZE, MAX_WAITING_CANDIDATES, Negotiation, NegotiationOutput},
};

/// Time in which a connection or an ICE restart has to succeed.
const NEGOTIATION_TIMEOUT: Duration = Duration::from_secs(15);
/// Time that a connection without a network path has to find one by itself.
const RESTART_DELAY: Duration = Duration::from_secs(2);
/// Time between two ICE restarts, doubled up to the limit.
const RESTART_INTERVAL: Duration = Duration::from_secs(4);
const RESTART_INTERVAL_LIMIT: Duration = Duration::from_secs(8);
/// Number of ICE restarts before a connection without a network path is given up.
const MAX_RESTARTS: u32 = 3;

/// Largest session description that is accepted, in bytes. A browser's offer with three media
/// sections has about 8 KiB.
const MAX_SDP_SIZE: usize = 32 * 1024;
/// Number of media sections of a connection: sound, camera and screen.
const MAX_MEDIA_SECTIONS: usize = 3;
/// Number of candidates that are accepted after each description of the peer.
const MAX_CANDIDATES_PER_DESCRIPTION: usize = MAX_WAITING_CANDIDATES;

/// One `RTCPeerConnection` for media: its negotiation, and whether it has a network path.
#[derive(Debug)]
pub(super) struct PeerConnection {
    pub(super) id: u32,
    is_polite: bool,
    negotiation: Negotiation,
    opened_at: Moment,
    /// Number of local descriptions that the driver makes now.
    awaited_descriptions: u32,
    /// Moment at which the negotiation that is in progress began.
    unsettled_since: Moment,
    /// True if a description was not sent, or may not have arrived, because the peer was not reachable.
    has_lost_signals: bool,
    connected_at: Option<Moment>,
    /// Moment of the next ICE restart, while the network path is lost.
    restart_at: Option<Moment>,
    restarts: Backoff,
    /// Number of candidates of the peer that are still accepted.
    candidates_left: usize,
}

impl PeerConnection {
    pub(super) fn new(now: Moment, id: u32, attempt: u32, is_polite: bool, seed: u64) -> Self {
        Self {
            id,
            is_polite,
            negotiation: Negotiation::new(attempt, is_polite),
            opened_at: now,
            awaited_descriptions: 0,
            unsettled_since: now,
            has_lost_signals: false,
            connected_at: None,
            restart_at: None,
            restarts: Backoff::new(RESTART_INTERVAL, RESTART_INTERVAL_LIMIT, seed),
            candidates_left: MAX_CANDIDATES_PER_DESCRIPTION,
        }
    }

    /// Number of the connection in signals, see [`Signal`].
    pub(super) fn attempt(&self) -> u32 {
        self.negotiation.attempt()
    }

    pub(super) fn opened_at(&self) -> Moment {
        self.opened_at
    }

    /// Moment since which sound and pictures flow, or flowed until the network path was lost.
    pub(super) fn connected_at(&self) -> Option<Moment> {
        self.connected_at
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.restart_at.is_some()
    }

    /// Returns true if the negotiation does not end because a signal was lost.
    pub(super) fn has_lost_signals(&self) -> bool {
        self.has_lost_signals
    }

    /// Handles that the peer is reachable again: signals of a connection that is being made may be lost,
    /// and the network may be another one.
    pub(super) fn handle_reachable(&mut self, now: Moment) {
        self.has_lost_signals |= self.connected_at.is_none() || self.negotiation.has_own_offer();
        if self.restart_at.is_some() {
            self.restarts.reset();
            self.restart_at = Some(now + polite_delay(self.is_polite));
        }
    }

    pub(super) fn create_offer(&mut self, now: Moment, ice_restart: bool) -> MediaConnectionOutput {
        self.description_awaited(now, self.is_settled());
        self.negotiation.offer_requested();
        self.command(MediaCommand::CreateOffer { ice_restart })
    }

    /// Plans the ICE restart after this one. Returns false if there were too many.
    pub(super) fn begin_restart(&mut self, now: Moment) -> bool {
        let is_allowed = self.restarts.attempt() < MAX_RESTARTS;
        self.restart_at = Some(now + self.restarts.next_delay());
        is_allowed
    }

    /// Handles a signal for this attempt, which [`is_acceptable`]. Returns `None` if it exceeds the
    /// limit of candidates.
    pub(super) fn handle_signal(
        &mut self,
        now: Moment,
        signal: Signal,
    ) -> Option<Vec<MediaConnectionOutput>> {
        if let Signal::Candidates { candidates, .. } = &signal {
            self.candidates_left = self.candidates_left.checked_sub(candidates.len())?;
        }
        let was_settled = self.is_settled();
        let outputs = self.negotiation.handle_signal(signal);
        if let Some(NegotiationOutput::SetRemote { kind, .. }) = outputs.first() {
            self.candidates_left = MAX_CANDIDATES_PER_DESCRIPTION;
            if *kind == SdpKind::Offer {
                self.description_awaited(now, was_settled);
                // The peer restarts ICE.
                self.restart_at = self.restart_at.map(|at| at.max(now + RESTART_INTERVAL));
            }
        }
        Some(self.outputs(outputs))
    }

    /// Handles a local description. It is not sent while the peer is not reachable.
    pub(super) fn handle_description(
        &mut self,
        now: Moment,
        kind: SdpKind,
        sdp: String,
        is_reachable: bool,
    ) -> Vec<MediaConnectionOutput> {
        self.awaited_descriptions = self.awaited_descriptions.saturating_sub(1);
        let outputs = self.negotiation.send_description(now, kind, sdp);
        if !is_reachable {
            self.has_lost_signals |= !outputs.is_empty();
            return Vec::new();
        }
        self.outputs(outputs)
    }

    pub(super) fn handle_candidate(&mut self, now: Moment, candidate: String) {
        self.negotiation.add_local_candidate(now, candidate);
    }

    pub(super) fn handle_connected(&mut self, now: Moment) {
        if self.connected_at.is_none() || self.is_interrupted() {
            self.connected_at = Some(now);
        }
        self.restart_at = None;
        self.restarts.reset();
    }

    pub(super) fn handle_disconnected(&mut self, now: Moment) {
        if self.connected_at.is_some() && self.restart_at.is_none() {
            self.restart_at = Some(now + RESTART_DELAY + polite_delay(self.is_polite));
        }
    }

    /// Moment of the next ICE restart, unless a negotiation is in progress.
    pub(super) fn restart_at(&self) -> Option<Moment> {
        self.restart_at.filter(|_| self.is_settled())
    }

    /// Moment at which the connection is given up. One that works is kept while the peer is not
    /// reachable, since the negotiation may be waiting for that.
    pub(super) fn deadline(&self, is_reachable: bool) -> Option<Moment> {
        match self.connected_at {
            None => Some(self.opened_at + NEGOTIATION_TIMEOUT),
            Some(_) if self.is_settled() || !is_reachable => None,
            Some(_) => Some(self.unsettled_since + NEGOTIATION_TIMEOUT),
        }
    }

    pub(super) fn candidates_due_at(&self) -> Option<Moment> {
        self.negotiation.candidates_due_at()
    }

    pub(super) fn send_due_candidates(&mut self, now: Moment) -> Vec<MediaConnectionOutput> {
        let outputs = self.negotiation.send_due_candidates(now);
        self.outputs(outputs)
    }

    /// Returns true if it has lasted for so long without success that it counts as an attempt, although
    /// the peer replaces it before its deadline.
    pub(super) fn has_failed(&self, now: Moment) -> bool {
        self.connected_at.is_none() && now >= self.opened_at + NEGOTIATION_TIMEOUT / 2
    }

    pub(super) fn command(&self, command: MediaCommand) -> MediaConnectionOutput {
        MediaConnectionOutput::Command {
            connection: self.id,
            command,
        }
    }

    fn is_settled(&self) -> bool {
        self.awaited_descriptions == 0 && !self.negotiation.has_own_offer()
    }

    fn description_awaited(&mut self, now: Moment, was_settled: bool) {
        if was_settled {
            self.unsettled_since = now;
        }
        self.awaited_descriptions = self.awaited_descriptions.saturating_add(1);
    }

    fn outputs(&self, outputs: Vec<NegotiationOutput>) -> Vec<MediaConnectionOutput> {
        let output = |output| match output {
            NegotiationOutput::Signal(signal) => MediaConnectionOutput::Signal(signal),
            NegotiationOutput::SetRemote { kind, sdp } => {
                let sdp = voice::with_few_packets(&sdp);
                self.command(MediaCommand::SetRemote { kind, sdp })
            }
            NegotiationOutput::AddCandidate(candidate) => {
                self.command(MediaCommand::AddCandidate(candidate))
            }
        };
        outputs.into_iter().map(output).collect()
    }
}

/// Time that the polite side leaves to the other for an offer, so that usually only one side sends
/// one.
pub(super) fn polite_delay(is_polite: bool) -> Duration {
    Duration::from_secs(u64::from(is_polite))
}

/// Returns true if a signal is within the limits of an honest page.
pub(super) fn is_acceptable(signal: &Signal) -> bool {
    match signal {
        Signal::Offer { sdp, .. } | Signal::Answer { sdp, .. } => {
            let sections = sdp.lines().filter(|line| line.starts_with("m=")).count();
            !sdp.is_empty() && sdp.len() <= MAX_SDP_SIZE && sections <= MAX_MEDIA_SECTIONS
        }
        Signal::Candidates { candidates, .. } => {
            candidates.len() <= MAX_CANDIDATES
                && candidates.iter().all(|one| one.len() <= MAX_CANDIDATE_SIZE)
        }
    }
}
