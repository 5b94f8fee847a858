//! A device over Bluetooth. It is connected again when its connection breaks or its data stop.

use std::{collections::VecDeque, fmt};

use clock::{Duration, Moment};
use ride::trainer::{
    Capabilities, ControlProblem, DeviceKind, DeviceProfile, Load, ProfileEvent, ProfileFactory,
    ProfileInput, ProfileOutput, Reading, Uuid, battery,
};

use super::{ConnectError, DeviceCommand};
use crate::{
    api::Output,
    storage::StoredDevice,
    view::{DeviceState, PairingFailure},
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
pub(super) struct Device {
    attempt: u32,
    kind: DeviceKind,
    origin: Origin,
    /// Id that the browser has given it.
    id: String,
    name: String,
    /// Profile in use, and those that are tried if the device does not have it. None before the
    /// device is chosen.
    profiles: VecDeque<Box<dyn DeviceProfile>>,
    /// Newest load.
    load: Load,
    reading: Reading,
    /// State of charge in percent.
    battery: Option<u8>,
    capabilities: Capabilities,
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

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Where a device comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The rider chooses it.
    Chooser,
    /// It was paired before, and is looked for without a word.
    Remembered,
    /// It is simulated.
    Simulator,
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
    /// Device that the rider is about to choose.
    pub(super) fn new(attempt: u32, kind: DeviceKind) -> Self {
        Self {
            attempt,
            kind,
            origin: Origin::Chooser,
            id: String::new(),
            name: String::new(),
            profiles: VecDeque::new(),
            load: Load::FREE,
            reading: Reading::default(),
            battery: None,
            capabilities: Capabilities::default(),
            link: Link::Choosing,
            is_connecting: false,
            connect_at: None,
            failures: 0,
            is_silent: false,
            silence_attempts: 0,
            problem: None,
        }
    }

    /// Device that was paired before.
    pub(super) fn remembered(attempt: u32, kind: DeviceKind) -> Self {
        Self {
            origin: Origin::Remembered,
            ..Self::new(attempt, kind)
        }
    }

    /// Simulated trainer, which is connected at once.
    pub(super) fn simulated(now: Moment, attempt: u32, profile: Box<dyn DeviceProfile>) -> Self {
        let mut device = Self {
            origin: Origin::Simulator,
            profiles: [profile].into(),
            ..Self::new(attempt, DeviceKind::Trainer)
        };
        device.connected(now, Vec::new());
        device
    }

    pub(super) fn is_simulated(&self) -> bool {
        self.origin == Origin::Simulator
    }

    /// Tells whether the rider waits for it.
    pub(super) fn is_shown(&self) -> bool {
        self.origin != Origin::Remembered
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn battery(&self) -> Option<u8> {
        self.battery
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Id and name, by which it is remembered.
    pub(super) fn stored(&self) -> StoredDevice {
        StoredDevice {
            id: self.id.clone(),
            name: self.name.clone(),
        }
    }

    /// Sets the load, if it is another one than before.
    pub(super) fn set_load(&mut self, now: Moment, load: Load) {
        if self.load != load {
            self.load = load;
            self.feed(now, ProfileInput::SetLoad(load));
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

    pub(super) fn state(&self) -> DeviceState {
        let name = self.name.clone();
        if self.is_simulated() {
            return DeviceState::Simulated;
        }
        match (self.link, self.is_silent, self.problem) {
            (Link::Choosing | Link::Opening, ..) => DeviceState::Connecting,
            (Link::Lost, ..) => DeviceState::Lost(name),
            (Link::Connected, true, _) => DeviceState::Silent(name),
            (Link::Connected, _, Some(problem)) => DeviceState::Uncontrolled(name, problem),
            (Link::Connected, false, None) => DeviceState::Connected(name),
        }
    }

    pub(super) fn chosen(
        &mut self,
        now: Moment,
        id: String,
        name: String,
        profiles: ProfileFactory,
        outputs: &mut impl Extend<Output>,
    ) {
        self.id = id;
        self.name = name;
        self.profiles = profiles.0(self.kind).into();
        self.link = Link::Opening;
        self.connect(now, outputs);
    }

    pub(super) fn connected(&mut self, now: Moment, missing: Vec<Uuid>) {
        self.link = Link::Connected;
        self.is_connecting = false;
        self.connect_at = None;
        self.problem = None;
        self.capabilities = Capabilities::default();
        let load = self.load;
        // A profile takes the load that it is to begin with before it is connected.
        self.feed(now, ProfileInput::SetLoad(load));
        self.feed(now, ProfileInput::Connected { missing });
    }

    pub(super) fn value(&mut self, now: Moment, characteristic: Uuid, bytes: Vec<u8>) {
        if characteristic == battery::LEVEL {
            self.battery = battery::parse_level(&bytes);
            return;
        }
        let value = ProfileInput::Value {
            characteristic,
            bytes,
        };
        self.feed(now, value);
    }

    /// Handles a failed attempt to connect, and returns the failure if it is final: for a device
    /// that the rider has just chosen. One that was connected or paired before is tried again.
    pub(super) fn connect_failed(
        &mut self,
        now: Moment,
        error: ConnectError,
        outputs: &mut impl Extend<Output>,
    ) -> Option<PairingFailure> {
        self.is_connecting = false;
        if self.link != Link::Opening {
            self.lost(now);
            return None;
        }
        if error == ConnectError::WrongKind && self.profiles.len() > 1 {
            self.profiles.pop_front();
            self.connect(now, outputs);
            return None;
        }
        let failure = match error {
            ConnectError::WrongKind => return Some(PairingFailure::WrongKind),
            ConnectError::Unreachable => PairingFailure::Unreachable,
            ConnectError::Refused => PairingFailure::Taken,
        };
        if !self.is_shown() {
            self.retry_later(now);
            return None;
        }
        self.failures += 1;
        self.connect_at = Some(now + FIRST_DELAY);
        (self.failures == FIRST_ATTEMPTS).then_some(failure)
    }

    pub(super) fn disconnected(&mut self, now: Moment) {
        if self.link == Link::Connected {
            self.lost(now);
        }
    }

    pub(super) fn feed(&mut self, now: Moment, input: ProfileInput) {
        if let Some(profile) = self.profiles.front_mut() {
            profile.handle(now, input);
        }
    }

    pub(super) fn poll_profile_timeout(&self) -> Option<Moment> {
        self.profiles.front()?.poll_timeout()
    }

    pub(super) fn handle_profile_timeout(&mut self, now: Moment) {
        if self.poll_profile_timeout().is_some_and(|due| due <= now) {
            self.feed(now, ProfileInput::Timeout);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        // The profile of a device that is not connected yet has nothing to wait for.
        let profile = self.poll_profile_timeout().filter(|_| self.is_connected());
        profile.into_iter().chain(self.connect_at).min()
    }

    /// Connects, if it is time. Returns the failure of a device that was never connected.
    pub(super) fn handle_timeout(
        &mut self,
        now: Moment,
        outputs: &mut impl Extend<Output>,
    ) -> Option<PairingFailure> {
        self.connect_at.take_if(|at| *at <= now)?;
        if self.is_connecting {
            return self.connect_failed(now, ConnectError::Unreachable, outputs);
        }
        // A device that has become silent loses its connection first.
        self.feed(now, ProfileInput::Disconnected);
        self.connect(now, outputs);
        None
    }

    /// Connects a lost device, or one that was paired before, without further delay.
    pub(super) fn hurry(&mut self, now: Moment) {
        let is_awaited = match self.link {
            Link::Lost => true,
            Link::Opening => !self.is_shown(),
            Link::Choosing | Link::Connected => false,
        };
        if is_awaited && !self.is_connecting {
            self.connect_at = Some(now);
        }
    }

    /// Writes what the profile has to write, and takes its readings and events.
    pub(super) fn poll(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        let attempt = self.attempt;
        while let Some(output) = self.profiles.front_mut().and_then(|it| it.poll_output()) {
            match output {
                ProfileOutput::Write {
                    characteristic,
                    bytes,
                } => outputs.extend([Output::Device(DeviceCommand::Write {
                    attempt,
                    characteristic,
                    bytes,
                })]),
                ProfileOutput::Reading(reading) => {
                    self.reading = reading;
                    if reading != Reading::default() {
                        self.failures = 0;
                    }
                }
                ProfileOutput::Event(event) => self.handle_event(now, event),
            }
        }
    }

    /// Frees the device of its load. It is set again if it stays connected after all.
    pub(super) fn release_load(&mut self, now: Moment) {
        self.feed(now, ProfileInput::Release);
    }

    /// Frees the device of its load, and disconnects it.
    pub(super) fn release(mut self, now: Moment, forget: bool, outputs: &mut impl Extend<Output>) {
        if self.is_simulated() {
            return;
        }
        if self.is_connected() {
            self.feed(now, ProfileInput::Release);
            self.poll(now, outputs);
        }
        if self.is_chosen() {
            let attempt = self.attempt;
            let release = DeviceCommand::Release { attempt, forget };
            outputs.extend([Output::Device(release)]);
        }
    }

    fn handle_event(&mut self, now: Moment, event: ProfileEvent) {
        match event {
            ProfileEvent::Capable(capabilities) => self.capabilities = capabilities,
            ProfileEvent::Controllable => self.problem = None,
            // Of a sensor nothing else is expected.
            ProfileEvent::Uncontrolled(_) if self.kind != DeviceKind::Trainer => {}
            ProfileEvent::Uncontrolled(problem) => self.problem = Some(problem),
            ProfileEvent::Measuring => {
                self.is_silent = false;
                self.silence_attempts = 0;
                if !self.is_connecting {
                    self.connect_at = None;
                }
            }
            ProfileEvent::Silent => {
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
        if let Some(profile) = self.profiles.front() {
            let (attempt, spec) = (self.attempt, profile.spec());
            let connect = DeviceCommand::Connect { attempt, spec };
            outputs.extend([Output::Device(connect)]);
        }
    }

    /// The connection is lost: it is made again after a delay that grows with each failure.
    fn lost(&mut self, now: Moment) {
        self.feed(now, ProfileInput::Disconnected);
        self.link = Link::Lost;
        self.is_connecting = false;
        self.is_silent = false;
        self.problem = None;
        self.retry_later(now);
    }

    /// Connects after a delay that grows with each failure.
    fn retry_later(&mut self, now: Moment) {
        let delay = RECONNECT_DELAY * 2_u32.saturating_pow(self.failures);
        self.connect_at = Some(now + delay.min(MAX_RECONNECT_DELAY));
        self.failures = self.failures.saturating_add(1);
    }
}
