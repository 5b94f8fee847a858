//! One RTCPeerConnection: its negotiation, its candidates, its channels, and
//! whether it can be trusted to carry.
//!
//! The negotiation is "perfect negotiation" (WebRTC 1.0, section 10.7): when
//! both offer at once, the impolite side ignores the other's offer and the
//! polite side gives its own up.

use clock::Moment;

use std::time::Duration;

use super::{Effect, RtcCommand, RtcEvent, SdpKind, buffers::Buffers};
use protocol::{
    peer::DeliveryClass,
    signaling::{MAX_CANDIDATES, Signal},
};

/// Silent for so long, the relay takes over.
pub(super) const SILENT: Duration = Duration::from_millis(1_500);
/// ReceptionReport again for so long, it carries again.
const STEADY: Duration = Duration::from_secs(1);
/// Silent for so long, other network paths are looked for.
const RESTART: Duration = Duration::from_secs(3);
/// Silent for so long, it is given up.
pub(super) const LOST: Duration = Duration::from_secs(10);

const CANDIDATE_BATCH: Duration = Duration::from_millis(50);
const MAX_KEPT: usize = 256;
const MAX_CANDIDATE: usize = 2_048;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: u32,
    pub(super) attempt: u32,
    polite: bool,
    /// When the newest offer was to be made or came.
    tried_at: Moment,
    /// Whether it was direct once.
    connected: bool,
    offering: bool,
    ignoring: bool,
    has_remote: bool,
    described: bool,
    early: Vec<String>,
    found: Vec<String>,
    flush_at: Option<Moment>,
    channels: [bool; 3],
    buffers: Buffers,
    heard_at: Option<Moment>,
    steady_from: Moment,
    peer_hears: bool,
    restarted: bool,
}

impl Connection {
    pub(super) fn new(id: u32, attempt: u32, polite: bool, now: Moment) -> Self {
        Self {
            id,
            attempt,
            polite,
            tried_at: now,
            connected: false,
            offering: false,
            ignoring: false,
            has_remote: false,
            described: false,
            early: Vec::new(),
            found: Vec::new(),
            flush_at: None,
            channels: [false; 3],
            buffers: Buffers::default(),
            heard_at: None,
            steady_from: now,
            peer_hears: false,
            restarted: false,
        }
    }

    pub(super) fn offer(&mut self, ice_restart: bool) -> Effect {
        self.offering = true;
        self.tell(RtcCommand::CreateOffer { ice_restart })
    }

    /// A signal of this attempt.
    pub(super) fn signal(&mut self, signal: Signal) -> Vec<Effect> {
        match signal {
            Signal::Offer { .. } if self.offering && !self.polite => {
                self.ignoring = true;
                Vec::new()
            }
            Signal::Offer { sdp, .. } => self.set_remote(SdpKind::Offer, sdp),
            Signal::Answer { sdp, .. } if self.offering => self.set_remote(SdpKind::Answer, sdp),
            Signal::Candidates { candidates, .. } if !self.ignoring => self.candidates(candidates),
            Signal::Answer { .. } | Signal::Candidates { .. } => Vec::new(),
        }
    }

    /// What the driver tells, but for frames and the end.
    pub(super) fn driver(&mut self, now: Moment, event: RtcEvent) -> Vec<Effect> {
        match event {
            RtcEvent::LocalDescription { kind, sdp } => self.describe(now, kind, sdp),
            RtcEvent::Candidate(candidate) => {
                if self.found.len() < MAX_KEPT && candidate.len() <= MAX_CANDIDATE {
                    self.found.push(candidate);
                    self.flush_at.get_or_insert(now + CANDIDATE_BATCH);
                }
                Vec::new()
            }
            RtcEvent::Opened(class) => {
                self.channels[class as usize] = true;
                Vec::new()
            }
            RtcEvent::Buffered { class, bytes } => {
                self.buffers.told(class, bytes);
                Vec::new()
            }
            RtcEvent::Closed(_) | RtcEvent::Failed | RtcEvent::Frame { .. } => Vec::new(),
        }
    }

    /// Something came over a channel. Says whether this ends a silence.
    pub(super) fn hear(&mut self, now: Moment) -> bool {
        let silent = !self.is_heard(now);
        if silent {
            let first = self.heard_at.is_none();
            self.steady_from = if first { now } else { now + STEADY };
        }
        self.heard_at = Some(now);
        self.restarted = false;
        silent
    }

    /// The other side says whether our frames come over the channels.
    pub(super) fn peer_hears(&mut self, hears: bool) {
        self.peer_hears = hears;
    }

    pub(super) fn is_heard(&self, now: Moment) -> bool {
        self.heard_at.is_some_and(|at| now < at + SILENT)
    }

    pub(super) fn is_open(&self) -> bool {
        self.channels == [true; 3]
    }

    /// Whether frames can be trusted to it.
    pub(super) fn carries(&self, now: Moment) -> bool {
        self.is_open() && self.peer_hears && self.is_heard(now) && now >= self.steady_from
    }

    /// Whether a class has to wait, or, as telemetry, is dropped.
    pub(super) fn is_full(&self, class: DeliveryClass) -> bool {
        self.buffers.is_full(class)
    }

    /// Whether it is silent for good.
    pub(super) fn is_lost(&self, now: Moment) -> bool {
        self.heard_at.is_some_and(|at| now >= at + LOST)
    }

    /// Whether it was given its time and never became direct.
    pub(super) fn has_failed(&self, now: Moment, patience: Duration) -> bool {
        !self.connected && now >= self.tried_at + patience
    }

    /// It gets its time anew.
    pub(super) fn begin_again(&mut self, now: Moment) {
        self.tried_at = now;
    }

    /// It is direct: how long that took, the first time.
    pub(super) fn take_connect_time(&mut self, now: Moment) -> Option<Duration> {
        let first = !std::mem::replace(&mut self.connected, true);
        first.then(|| now.since(self.tried_at))
    }

    /// What is due by time: candidates, and a restart when it is silent.
    pub(super) fn tick(&mut self, now: Moment, can_signal: bool) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.described && self.flush_at.is_some_and(|at| at <= now) {
            effects.extend(self.flush());
        }
        if can_signal && self.wants_restart(now) {
            self.restarted = true;
            effects.push(self.offer(true));
        }
        effects
    }

    /// The next time at which something changes by itself, after `now`.
    pub(super) fn timeout(&self, now: Moment, patience: Duration) -> Option<Moment> {
        let flush = self.flush_at.filter(|_| self.described);
        let quiet = self.quiet_since();
        [
            quiet + SILENT,
            quiet + RESTART,
            quiet + LOST,
            self.steady_from,
            self.tried_at + patience,
        ]
        .into_iter()
        .filter(|at| *at > now)
        .chain(flush)
        .min()
    }

    pub(super) fn tell(&self, command: RtcCommand) -> Effect {
        Effect::Rtc {
            connection: self.id,
            command,
        }
    }

    fn quiet_since(&self) -> Moment {
        self.heard_at.unwrap_or(self.tried_at)
    }

    fn wants_restart(&self, now: Moment) -> bool {
        let heard_before = self.heard_at.is_some_and(|at| now >= at + RESTART);
        heard_before && !self.restarted && !self.offering
    }

    fn set_remote(&mut self, kind: SdpKind, sdp: String) -> Vec<Effect> {
        self.offering = false;
        self.ignoring = false;
        self.has_remote = true;
        let mut effects = vec![self.tell(RtcCommand::SetRemote { kind, sdp })];
        let early = std::mem::take(&mut self.early);
        effects.extend(
            early
                .into_iter()
                .map(|one| self.tell(RtcCommand::AddCandidate(one))),
        );
        effects
    }

    fn candidates(&mut self, candidates: Vec<String>) -> Vec<Effect> {
        if self.has_remote {
            let add = |one| self.tell(RtcCommand::AddCandidate(one));
            return candidates.into_iter().map(add).collect();
        }
        let room = MAX_KEPT - self.early.len();
        self.early.extend(candidates.into_iter().take(room));
        Vec::new()
    }

    /// An offer that was given up meanwhile is not sent.
    fn describe(&mut self, now: Moment, kind: SdpKind, sdp: String) -> Vec<Effect> {
        let attempt = self.attempt;
        let signal = match kind {
            SdpKind::Offer if self.offering => Signal::Offer { attempt, sdp },
            SdpKind::Answer if !self.offering => Signal::Answer { attempt, sdp },
            _ => return Vec::new(),
        };
        self.described = true;
        let due = self.flush_at.is_some_and(|at| at <= now);
        let flush = if due { self.flush() } else { Vec::new() };
        std::iter::once(Effect::Signal(signal))
            .chain(flush)
            .collect()
    }

    fn flush(&mut self) -> Vec<Effect> {
        self.flush_at = None;
        let attempt = self.attempt;
        let found = std::mem::take(&mut self.found);
        found
            .chunks(MAX_CANDIDATES)
            .map(|some| {
                Effect::Signal(Signal::Candidates {
                    attempt,
                    candidates: some.to_vec(),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
