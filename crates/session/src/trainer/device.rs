//! A trainer over Bluetooth. It is connected again when its connection breaks or its data stop.

use clock::{Duration, Moment};
use ride::trainer::{
    ControlProblem, Reading, TrainerEvent, TrainerInput, TrainerOutput, TrainerProfile, Uuid,
};

use super::{ConnectError, DeviceCommand};
use crate::{
    api::Output,
    view::{TrainerFailure, TrainerState},
};

/// Number of attempts to connect a device that the rider has just chosen. On Android, the first one
/// fails often and the second works.
const FIRST_ATTEMPTS: u32 = 3;
/// Wait before the second and the third of them.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// Time limit of an attempt. Some systems wait without end for a device that is out of reach.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Wait before a lost device is connected again; doubles with each failure.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);
/// Longest wait before a lost device is connected again.
const MAX_RECONNECT_DELAY: Duration = Duration::from_secs(30);
/// Wait before a device is connected again that is connected and has become silent; doubles with
/// each attempt in vain.
const SILENCE_DELAY: Duration = Duration::from_secs(5);
/// Number of such attempts. A device that is silent after them, because no one pedals, is left
/// connected.
const SILENCE_ATTEMPTS: u32 = 3;

/// A device, from the chooser to its release.
#[derive(Debug)]
pub(super) struct Device {
    attempt: u32,
    name: String,
    profile: Box<dyn TrainerProfile>,
    reading: Reading,
    link: Link,
    /// True while the answer to [`DeviceCommand::Connect`] is awaited.
    is_connecting: bool,
    /// Time limit of the attempt to connect, or time of the next one.
    connect_at: Option<Moment>,
    /// Failed attempts to connect since the device last measured.
    failures: u32,
    /// True while the device sends no data although it is connected.
    is_silent: bool,
    /// Attempts to end the silence by connecting again.
    silence_attempts: u32,
    /// Reason why the device does not follow the target.
    problem: Option<ControlProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// The chooser is open.
    Choosing,
    /// The device was chosen, and not connected so far.
    Opening,
    Connected,
    Lost,
}

impl Device {
    pub(super) fn new(attempt: u32, profile: Box<dyn TrainerProfile>) -> Self {
        Self {
            attempt,
            name: String::new(),
            profile,
            reading: Reading::default(),
            link: Link::Choosing,
            is_connecting: false,
            connect_at: None,
            failures: 0,
            is_silent: false,
            silence_attempts: 0,
            problem: None,
        }
    }

    pub(super) fn attempt(&self) -> u32 {
        self.attempt
    }

    pub(super) fn reading(&self) -> Reading {
        self.reading
    }

    pub(super) fn is_chosen(&self) -> bool {
        self.link != Link::Choosing
    }

    pub(super) fn is_connected(&self) -> bool {
        self.link == Link::Connected
    }

    pub(super) fn state(&self) -> TrainerState {
        let name = self.name.clone();
        match (self.link, self.is_silent, self.problem) {
            (Link::Choosing | Link::Opening, ..) => TrainerState::Connecting,
            (Link::Lost, ..) => TrainerState::Lost(name),
            (Link::Connected, true, _) => TrainerState::Silent(name),
            (Link::Connected, _, Some(problem)) => TrainerState::Uncontrolled(name, problem),
            (Link::Connected, false, None) => TrainerState::Connected(name),
        }
    }

    pub(super) fn chosen(&mut self, now: Moment, name: String, outputs: &mut impl Extend<Output>) {
        self.name = name;
        self.link = Link::Opening;
        self.connect(now, outputs);
    }

    pub(super) fn connected(&mut self, now: Moment, missing: Vec<Uuid>) {
        self.link = Link::Connected;
        self.is_connecting = false;
        self.connect_at = None;
        self.problem = None;
        self.profile
            .handle(now, TrainerInput::Connected { missing });
    }

    /// Handles a failed attempt to connect, and returns the failure if it is final: for a device
    /// that was never connected.
    pub(super) fn connect_failed(
        &mut self,
        now: Moment,
        error: ConnectError,
    ) -> Option<TrainerFailure> {
        self.is_connecting = false;
        if self.link != Link::Opening {
            self.lost(now);
            return None;
        }
        self.failures += 1;
        self.connect_at = Some(now + FIRST_DELAY);
        match error {
            ConnectError::NotATrainer => Some(TrainerFailure::NotATrainer),
            ConnectError::Unreachable if self.failures == FIRST_ATTEMPTS => {
                Some(TrainerFailure::Unreachable)
            }
            ConnectError::Unreachable => None,
        }
    }

    pub(super) fn disconnected(&mut self, now: Moment) {
        if self.link == Link::Connected {
            self.lost(now);
        }
    }

    pub(super) fn feed(&mut self, now: Moment, input: TrainerInput) {
        self.profile.handle(now, input);
    }

    pub(super) fn poll_profile_timeout(&self) -> Option<Moment> {
        self.profile.poll_timeout()
    }

    pub(super) fn handle_profile_timeout(&mut self, now: Moment) {
        if self.profile.poll_timeout().is_some_and(|due| due <= now) {
            self.profile.handle(now, TrainerInput::Timeout);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        // The profile of a device that is not connected yet has nothing to wait for.
        let profile = self.profile.poll_timeout().filter(|_| self.is_connected());
        profile.into_iter().chain(self.connect_at).min()
    }

    /// Connects, if it is time. Returns the failure of a device that was never connected.
    pub(super) fn handle_timeout(
        &mut self,
        now: Moment,
        outputs: &mut impl Extend<Output>,
    ) -> Option<TrainerFailure> {
        self.connect_at.take_if(|at| *at <= now)?;
        if self.is_connecting {
            return self.connect_failed(now, ConnectError::Unreachable);
        }
        // A device that has become silent loses its connection first.
        self.profile.handle(now, TrainerInput::Disconnected);
        self.connect(now, outputs);
        None
    }

    /// Connects a lost device without further delay.
    pub(super) fn hurry(&mut self, now: Moment) {
        if self.link == Link::Lost && !self.is_connecting {
            self.connect_at = Some(now);
        }
    }

    /// Writes what the profile has to write, and takes its readings and events.
    pub(super) fn poll(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        let attempt = self.attempt;
        while let Some(output) = self.profile.poll_output() {
            match output {
                TrainerOutput::Write {
                    characteristic,
                    bytes,
                } => outputs.extend([Output::Device(DeviceCommand::Write {
                    attempt,
                    characteristic,
                    bytes,
                })]),
                TrainerOutput::Reading(reading) => {
                    self.reading = reading;
                    if reading != Reading::default() {
                        self.failures = 0;
                    }
                }
                TrainerOutput::Event(event) => self.handle_event(now, event),
            }
        }
    }

    /// Frees the device of its target, and disconnects it.
    pub(super) fn release(mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if self.is_connected() {
            self.profile.handle(now, TrainerInput::Release);
            self.poll(now, outputs);
        }
        if self.is_chosen() {
            let attempt = self.attempt;
            outputs.extend([Output::Device(DeviceCommand::Release { attempt })]);
        }
    }

    fn handle_event(&mut self, now: Moment, event: TrainerEvent) {
        match event {
            TrainerEvent::Controllable => self.problem = None,
            TrainerEvent::Uncontrolled(problem) => self.problem = Some(problem),
            TrainerEvent::Measuring => {
                self.is_silent = false;
                self.silence_attempts = 0;
                if !self.is_connecting {
                    self.connect_at = None;
                }
            }
            TrainerEvent::Silent => {
                self.is_silent = true;
                if self.is_connected() && self.silence_attempts < SILENCE_ATTEMPTS {
                    self.connect_at = Some(now + SILENCE_DELAY * 2_u32.pow(self.silence_attempts));
                    self.silence_attempts += 1;
                }
            }
        }
    }

    fn connect(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        self.is_connecting = true;
        self.connect_at = Some(now + CONNECT_TIMEOUT);
        let attempt = self.attempt;
        outputs.extend([Output::Device(DeviceCommand::Connect { attempt })]);
    }

    /// The connection is lost: it is made again after a delay that grows with each failure.
    fn lost(&mut self, now: Moment) {
        self.profile.handle(now, TrainerInput::Disconnected);
        self.link = Link::Lost;
        self.is_connecting = false;
        self.is_silent = false;
        self.problem = None;
        let delay = RECONNECT_DELAY * 2_u32.saturating_pow(self.failures);
        self.connect_at = Some(now + delay.min(MAX_RECONNECT_DELAY));
        self.failures = self.failures.saturating_add(1);
    }
}
