use std::time::Duration;

use clock::Moment;

use super::{LinkOutput, RtcCommand, RtcEvent, channel_buffers::ChannelBuffers};
use crate::negotiation::{Negotiation, NegotiationOutput};
use protocol::{
    peer::DeliveryClass,
    signaling::{AttemptOutcome, CandidateType, Signal},
};

/// Silence after which the relay takes over.
const SILENCE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Time for which frames arrive again after a silence before the connection carries frames again.
const RECOVERY: Duration = Duration::from_secs(1);
/// Silence after which ICE is restarted.
const RESTART_TIMEOUT: Duration = Duration::from_secs(3);
/// Silence after which the connection is given up.
const LOSS_TIMEOUT: Duration = Duration::from_secs(10);

/// One `RTCPeerConnection`: its negotiation, its channels, and whether it carries frames.
#[derive(Debug)]
pub(super) struct PeerConnection {
    pub(super) id: u32,
    negotiation: Negotiation,
    /// Farthest own candidate.
    farthest_candidate: Option<CandidateType>,
    has_remote_candidate: bool,
    /// Moment at which the newest offer was requested or received.
    attempt_started_at: Moment,
    /// True if it has carried frames.
    was_direct: bool,
    /// True once the success of the attempt was counted.
    is_counted: bool,
    open_channels: [bool; 3],
    buffers: ChannelBuffers,
    received_at: Option<Moment>,
    recovered_from: Moment,
    peer_receives: bool,
    has_restarted: bool,
}

impl PeerConnection {
    pub(super) fn new(id: u32, attempt: u32, is_polite: bool, now: Moment) -> Self {
        Self {
            id,
            negotiation: Negotiation::new(attempt, is_polite),
            farthest_candidate: None,
            has_remote_candidate: false,
            attempt_started_at: now,
            was_direct: false,
            is_counted: false,
            open_channels: [false; 3],
            buffers: ChannelBuffers::default(),
            received_at: None,
            recovered_from: now,
            peer_receives: false,
            has_restarted: false,
        }
    }

    /// Number of the connection in signals, see [`Signal`].
    pub(super) fn attempt(&self) -> u32 {
        self.negotiation.attempt()
    }

    pub(super) fn create_offer(&mut self, ice_restart: bool) -> LinkOutput {
        self.negotiation.offer_requested();
        self.command(RtcCommand::CreateOffer { ice_restart })
    }

    /// Handles a signal for this attempt.
    pub(super) fn handle_signal(&mut self, signal: Signal) -> Vec<LinkOutput> {
        let is_candidate = |text: &String| CandidateType::of_candidate(text).is_some();
        self.has_remote_candidate |= match &signal {
            Signal::Offer { sdp, .. } | Signal::Answer { sdp, .. } => is_candidate(sdp),
            Signal::Candidates { candidates, .. } => candidates.iter().any(is_candidate),
        };
        let outputs = self.negotiation.handle_signal(signal);
        self.outputs(outputs)
    }

    /// Handles an event other than frames and the end of the connection.
    pub(super) fn handle_event(&mut self, now: Moment, event: RtcEvent) -> Vec<LinkOutput> {
        match event {
            RtcEvent::LocalDescription { kind, sdp } => {
                self.candidate_found(&sdp);
                let outputs = self.negotiation.send_description(now, kind, sdp);
                return self.outputs(outputs);
            }
            RtcEvent::Candidate(candidate) => {
                self.candidate_found(&candidate);
                self.negotiation.add_local_candidate(now, candidate);
            }
            RtcEvent::Opened(class) => self.open_channels[class as usize] = true,
            RtcEvent::Buffered { class, bytes } => self.buffers.update(class, bytes),
            RtcEvent::Closed(_) | RtcEvent::Failed | RtcEvent::Frame { .. } => {}
        }
        Vec::new()
    }

    /// Records that a frame arrived. Returns whether this ends a silence.
    pub(super) fn frame_received(&mut self, now: Moment) -> bool {
        let was_silent = !self.is_receiving(now);
        if was_silent {
            let is_first = self.received_at.is_none();
            self.recovered_from = if is_first { now } else { now + RECOVERY };
        }
        self.received_at = Some(now);
        self.has_restarted = false;
        was_silent
    }

    /// Records the peer's report of whether own frames arrive there over the channels.
    pub(super) fn set_peer_receives(&mut self, receives: bool) {
        self.peer_receives = receives;
    }

    pub(super) fn is_receiving(&self, now: Moment) -> bool {
        self.received_at
            .is_some_and(|at| now < at + SILENCE_TIMEOUT)
    }

    pub(super) fn is_open(&self) -> bool {
        self.open_channels == [true; 3]
    }

    /// Returns true if frames arrive in both directions, so that it can replace the relay.
    pub(super) fn is_direct(&self, now: Moment) -> bool {
        let is_recovered = now >= self.recovered_from;
        self.is_open() && self.peer_receives && self.is_receiving(now) && is_recovered
    }

    /// Returns true if frames of a class have to wait or, for telemetry, are dropped.
    pub(super) fn is_full(&self, class: DeliveryClass) -> bool {
        self.buffers.is_full(class)
    }

    /// Returns true if it has been silent for [`LOSS_TIMEOUT`] and is to be given up.
    pub(super) fn is_lost(&self, now: Moment) -> bool {
        self.received_at.is_some_and(|at| now >= at + LOSS_TIMEOUT)
    }

    /// Returns true if it did not become direct within the timeout.
    pub(super) fn has_timed_out(&self, now: Moment, timeout: Duration) -> bool {
        !self.was_direct && now >= self.attempt_started_at + timeout
    }

    /// Starts the timeout again.
    pub(super) fn restart_attempt(&mut self, now: Moment) {
        self.attempt_started_at = now;
    }

    /// Records that it is direct. Returns the time that this took, the first time.
    pub(super) fn became_direct(&mut self, now: Moment) -> Option<Duration> {
        let is_first = !std::mem::replace(&mut self.was_direct, true);
        is_first.then(|| now.since(self.attempt_started_at))
    }

    /// Returns true once it is direct, and has been counted as such never before.
    pub(super) fn count_success(&mut self) -> bool {
        self.was_direct && !std::mem::replace(&mut self.is_counted, true)
    }

    /// Failure of the attempt, if it has not succeeded. Without candidates of one side, this is the
    /// reason, whatever the browser says.
    pub(super) fn failure(&self, reason: AttemptOutcome) -> Option<LinkOutput> {
        let has_answer = self.negotiation.has_remote_description();
        let lacks_remote = has_answer && !self.has_remote_candidate;
        let reason = match reason {
            AttemptOutcome::ClosedByPeer => reason,
            _ if self.farthest_candidate.is_none() || lacks_remote => AttemptOutcome::NoCandidates,
            _ => reason,
        };
        let failure = LinkOutput::AttemptFailed(reason, self.farthest_candidate);
        (!self.was_direct).then_some(failure)
    }

    /// Sends candidates and restarts ICE when they are due.
    pub(super) fn tick(&mut self, now: Moment, can_signal: bool) -> Vec<LinkOutput> {
        let outputs = self.negotiation.send_due_candidates(now);
        let mut outputs = self.outputs(outputs);
        if can_signal && self.wants_restart(now) {
            self.has_restarted = true;
            outputs.push(self.create_offer(true));
        }
        outputs
    }

    /// Next moment after `now` at which the state changes by itself.
    pub(super) fn timeout(&self, now: Moment, attempt_timeout: Duration) -> Option<Moment> {
        let candidates = self.negotiation.candidates_due_at();
        let silent_since = self.received_at.unwrap_or(self.attempt_started_at);
        let changes = [
            silent_since + SILENCE_TIMEOUT,
            silent_since + RESTART_TIMEOUT,
            silent_since + LOSS_TIMEOUT,
            self.recovered_from,
            self.attempt_started_at + attempt_timeout,
        ];
        let changes = changes.into_iter().filter(|at| *at > now);
        changes.chain(candidates).min()
    }

    pub(super) fn command(&self, command: RtcCommand) -> LinkOutput {
        LinkOutput::Rtc {
            connection: self.id,
            command,
        }
    }

    fn candidate_found(&mut self, candidate: &str) {
        let found = CandidateType::of_candidate(candidate);
        self.farthest_candidate = self.farthest_candidate.max(found);
    }

    fn wants_restart(&self, now: Moment) -> bool {
        let is_silent = self
            .received_at
            .is_some_and(|at| now >= at + RESTART_TIMEOUT);
        is_silent && !self.has_restarted && !self.negotiation.has_own_offer()
    }

    fn outputs(&self, outputs: Vec<NegotiationOutput>) -> Vec<LinkOutput> {
        let output = |output| match output {
            NegotiationOutput::Signal(signal) => LinkOutput::Signal(signal),
            NegotiationOutput::SetRemote { kind, sdp } => {
                self.command(RtcCommand::SetRemote { kind, sdp })
            }
            NegotiationOutput::AddCandidate(candidate) => {
                self.command(RtcCommand::AddCandidate(candidate))
            }
        };
        outputs.into_iter().map(output).collect()
    }
}

#[cfg(test)]
mod tests;
