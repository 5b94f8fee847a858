use std::time::Duration;

use clock::Moment;

use super::{LinkOutput, RtcCommand, RtcEvent, SdpKind, channel_buffers::ChannelBuffers};
use protocol::{
    peer::DeliveryClass,
    signaling::{MAX_CANDIDATES, Signal},
};

/// Silence after which the relay takes over.
const SILENCE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Time for which frames arrive again after a silence before the connection carries frames again.
const RECOVERY: Duration = Duration::from_secs(1);
/// Silence after which ICE is restarted.
const RESTART_TIMEOUT: Duration = Duration::from_secs(3);
/// Silence after which the connection is given up.
const LOSS_TIMEOUT: Duration = Duration::from_secs(10);

/// Time in which local candidates are collected into one signal.
const CANDIDATE_BATCH: Duration = Duration::from_millis(50);
/// Largest number of candidates that wait, in each direction.
const MAX_WAITING_CANDIDATES: usize = 256;
/// Largest size of a local candidate, in bytes.
const MAX_CANDIDATE_SIZE: usize = 2_048;

/// One `RTCPeerConnection`: its negotiation, its candidates, its channels, and whether it carries
/// frames.
///
/// The negotiation is "perfect negotiation" (WebRTC, section 10.7): when both sides send an offer
/// at once, the impolite side ignores the other's offer and the polite side withdraws its own.
#[derive(Debug)]
pub(super) struct PeerConnection {
    pub(super) id: u32,
    /// Number of the connection in signals, see [`Signal`].
    pub(super) attempt: u32,
    is_polite: bool,
    /// Moment at which the newest offer was requested or received.
    attempt_started_at: Moment,
    /// True if it has carried frames.
    was_direct: bool,
    has_own_offer: bool,
    ignores_offer: bool,
    has_remote_description: bool,
    has_local_description: bool,
    /// Remote candidates that arrived before the remote description.
    early_candidates: Vec<String>,
    local_candidates: Vec<String>,
    candidates_due_at: Option<Moment>,
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
            attempt,
            is_polite,
            attempt_started_at: now,
            was_direct: false,
            has_own_offer: false,
            ignores_offer: false,
            has_remote_description: false,
            has_local_description: false,
            early_candidates: Vec::new(),
            local_candidates: Vec::new(),
            candidates_due_at: None,
            open_channels: [false; 3],
            buffers: ChannelBuffers::default(),
            received_at: None,
            recovered_from: now,
            peer_receives: false,
            has_restarted: false,
        }
    }

    pub(super) fn create_offer(&mut self, ice_restart: bool) -> LinkOutput {
        self.has_own_offer = true;
        self.command(RtcCommand::CreateOffer { ice_restart })
    }

    /// Handles a signal for this attempt.
    pub(super) fn handle_signal(&mut self, signal: Signal) -> Vec<LinkOutput> {
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

    /// Handles an event other than frames and the end of the connection.
    pub(super) fn handle_event(&mut self, now: Moment, event: RtcEvent) -> Vec<LinkOutput> {
        match event {
            RtcEvent::LocalDescription { kind, sdp } => {
                return self.send_description(now, kind, sdp);
            }
            RtcEvent::Candidate(candidate) => {
                if self.local_candidates.len() < MAX_WAITING_CANDIDATES
                    && candidate.len() <= MAX_CANDIDATE_SIZE
                {
                    self.local_candidates.push(candidate);
                    self.candidates_due_at.get_or_insert(now + CANDIDATE_BATCH);
                }
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

    /// Sends candidates and restarts ICE when they are due.
    pub(super) fn tick(&mut self, now: Moment, can_signal: bool) -> Vec<LinkOutput> {
        let mut outputs = Vec::new();
        if self.has_local_description && self.candidates_due_at.is_some_and(|at| at <= now) {
            outputs.extend(self.send_candidates());
        }
        if can_signal && self.wants_restart(now) {
            self.has_restarted = true;
            outputs.push(self.create_offer(true));
        }
        outputs
    }

    /// Next moment after `now` at which the state changes by itself.
    pub(super) fn timeout(&self, now: Moment, attempt_timeout: Duration) -> Option<Moment> {
        let candidates = self
            .candidates_due_at
            .filter(|_| self.has_local_description);
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

    fn wants_restart(&self, now: Moment) -> bool {
        let is_silent = self
            .received_at
            .is_some_and(|at| now >= at + RESTART_TIMEOUT);
        is_silent && !self.has_restarted && !self.has_own_offer
    }

    fn set_remote(&mut self, kind: SdpKind, sdp: String) -> Vec<LinkOutput> {
        self.has_own_offer = false;
        self.ignores_offer = false;
        self.has_remote_description = true;
        let early = std::mem::take(&mut self.early_candidates);
        let candidates = early.into_iter().map(RtcCommand::AddCandidate);
        let commands = std::iter::once(RtcCommand::SetRemote { kind, sdp }).chain(candidates);
        commands.map(|command| self.command(command)).collect()
    }

    fn add_remote_candidates(&mut self, candidates: Vec<String>) -> Vec<LinkOutput> {
        if self.has_remote_description {
            let add = |candidate| self.command(RtcCommand::AddCandidate(candidate));
            return candidates.into_iter().map(add).collect();
        }
        let room = MAX_WAITING_CANDIDATES - self.early_candidates.len();
        self.early_candidates
            .extend(candidates.into_iter().take(room));
        Vec::new()
    }

    /// Sends a local description, unless it is an offer that was withdrawn in the meantime.
    fn send_description(&mut self, now: Moment, kind: SdpKind, sdp: String) -> Vec<LinkOutput> {
        let attempt = self.attempt;
        let signal = match kind {
            SdpKind::Offer if self.has_own_offer => Signal::Offer { attempt, sdp },
            SdpKind::Answer if !self.has_own_offer => Signal::Answer { attempt, sdp },
            SdpKind::Offer | SdpKind::Answer => return Vec::new(),
        };
        self.has_local_description = true;
        let mut outputs = vec![LinkOutput::Signal(signal)];
        if self.candidates_due_at.is_some_and(|at| at <= now) {
            outputs.extend(self.send_candidates());
        }
        outputs
    }

    fn send_candidates(&mut self) -> Vec<LinkOutput> {
        self.candidates_due_at = None;
        let attempt = self.attempt;
        let candidates = std::mem::take(&mut self.local_candidates);
        let signal = |batch: &[String]| {
            LinkOutput::Signal(Signal::Candidates {
                attempt,
                candidates: batch.to_vec(),
            })
        };
        candidates.chunks(MAX_CANDIDATES).map(signal).collect()
    }
}

#[cfg(test)]
mod tests;
