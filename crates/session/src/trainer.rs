//! The own trainer: a real one over Bluetooth, or the simulator.
//!
//! None of it needs other riders: losing a link changes neither the target nor the recording.

use clock::Moment;
use ride::{
    rider::{Ftp, TrainerKind},
    trainer::{
        ProfileSpec, Reading, TrainerEvent, TrainerInput, TrainerOutput, TrainerProfile, Uuid,
        easing::Easing,
        ftms::{self, FtmsProfile},
        simulator::Simulator,
    },
};

use crate::{
    api::Output,
    view::{TrainerFailure, TrainerState},
};

/// Event of a device, or of the attempt to connect one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInput {
    /// Number of the attempt that the event belongs to, from [`DeviceCommand::Choose`].
    pub attempt: u32,
    /// The event.
    pub event: DeviceEvent,
}

/// Event of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceEvent {
    /// The rider has chosen a device, and its characteristics are read and subscribed to.
    Connected {
        /// Name of the device.
        name: String,
    },
    /// No device could be connected.
    Failed(TrainerFailure),
    /// Value of a characteristic: read, notified or indicated.
    Value {
        /// Characteristic that has the value.
        characteristic: Uuid,
        /// The value.
        bytes: Vec<u8>,
    },
    /// Result of [`DeviceCommand::Write`].
    Written {
        /// Characteristic that was written to.
        characteristic: Uuid,
        /// True if the device has confirmed the write.
        ok: bool,
    },
    /// The connection is lost.
    Disconnected,
}

/// Command to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceCommand {
    /// Let the rider choose a device, and connect it.
    Choose {
        /// Number of this attempt.
        attempt: u32,
        /// Services and characteristics to use.
        spec: &'static ProfileSpec,
    },
    /// Write to a characteristic with response.
    Write {
        /// Number of the attempt.
        attempt: u32,
        /// Characteristic to write to.
        characteristic: Uuid,
        /// Bytes to write.
        bytes: Vec<u8>,
    },
    /// Disconnect the device of an attempt, unless a later attempt has connected the same device.
    Release {
        /// Number of the attempt.
        attempt: u32,
    },
}

/// The own trainer.
#[derive(Debug, Default)]
pub(crate) struct TrainerControl {
    source: Source,
    /// Number of the newest attempt to connect a trainer.
    attempts: u32,
    /// Profile of the newest attempt, which takes values that are read before the connection is
    /// complete.
    connecting: Option<Box<dyn TrainerProfile>>,
    state: TrainerState,
    /// Newest target in watts.
    target: Option<u16>,
    easing: Easing,
    reading: Reading,
}

#[derive(Debug, Default)]
enum Source {
    #[default]
    None,
    Simulator(Box<Simulator>),
    Device(Device),
}

#[derive(Debug)]
struct Device {
    attempt: u32,
    name: String,
    profile: Box<dyn TrainerProfile>,
    reading: Reading,
}

impl TrainerControl {
    pub(crate) fn kind(&self) -> TrainerKind {
        match self.source {
            Source::None => TrainerKind::None,
            Source::Simulator(_) => TrainerKind::Simulated,
            Source::Device(_) => TrainerKind::Bluetooth,
        }
    }

    pub(crate) fn is_simulated(&self) -> bool {
        matches!(self.source, Source::Simulator(_))
    }

    pub(crate) fn state(&self) -> &TrainerState {
        &self.state
    }

    /// Uses the simulator.
    pub(crate) fn simulate(&mut self, seed: u64, ftp: Ftp, outputs: &mut impl Extend<Output>) {
        self.release(outputs);
        self.source = Source::Simulator(Box::new(Simulator::new(seed, ftp)));
        self.state = TrainerState::Simulated;
    }

    /// Lets the rider choose a trainer. The current one stays in use until another is connected.
    pub(crate) fn choose(&mut self, outputs: &mut impl Extend<Output>) {
        self.attempts += 1;
        self.state = TrainerState::Connecting;
        self.connecting = Some(Box::new(FtmsProfile::default()));
        let command = DeviceCommand::Choose {
            attempt: self.attempts,
            spec: &ftms::SPEC,
        };
        outputs.extend([Output::Device(command)]);
    }

    /// Handles an event of a device. Devices of older attempts are released.
    pub(crate) fn handle(
        &mut self,
        now: Moment,
        DeviceInput { attempt, event }: DeviceInput,
        outputs: &mut impl Extend<Output>,
    ) {
        let is_newest = attempt == self.attempts;
        match event {
            DeviceEvent::Connected { name } => match self.connecting.take_if(|_| is_newest) {
                Some(profile) => self.connected(now, attempt, name, profile, outputs),
                None => outputs.extend([release(attempt)]),
            },
            DeviceEvent::Failed(failure) if is_newest => {
                self.connecting = None;
                self.state = match &self.source {
                    Source::None => TrainerState::Failed(failure),
                    Source::Simulator(_) => TrainerState::Simulated,
                    Source::Device(device) => TrainerState::Connected(device.name.clone()),
                };
            }
            DeviceEvent::Failed(_) => {}
            DeviceEvent::Value {
                characteristic,
                bytes,
            } => {
                let value = TrainerInput::Value {
                    characteristic,
                    bytes,
                };
                self.feed(now, attempt, value);
            }
            DeviceEvent::Written { characteristic, ok } => {
                self.feed(now, attempt, TrainerInput::Written { characteristic, ok });
            }
            DeviceEvent::Disconnected => self.disconnected(attempt),
        }
        self.poll_profile(outputs);
    }

    /// Moment at which [`TrainerControl::handle_timeout`] has to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        match &self.source {
            Source::Device(device) => device.profile.poll_timeout(),
            _ => None,
        }
    }

    /// Tells the device's profile that the moment of its timeout has come, if it has.
    pub(crate) fn handle_timeout(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if let Source::Device(device) = &mut self.source
            && device.profile.poll_timeout().is_some_and(|due| due <= now)
        {
            device.profile.handle(now, TrainerInput::Timeout);
            self.poll_profile(outputs);
        }
    }

    /// Changes the target over the next seconds, from the current target or power.
    pub(crate) fn ease(&mut self, now: Moment) {
        let from = self.target.or(self.reading.power).unwrap_or_default();
        self.easing.begin(now, from);
    }

    /// Sets the target. Returns the current reading, and the target on the way there.
    pub(crate) fn ride(
        &mut self,
        now: Moment,
        target: Option<u16>,
        outputs: &mut impl Extend<Output>,
    ) -> (Reading, Option<u16>) {
        let target = self.easing.ease(now, target);
        let has_changed = self.target != target;
        self.target = target;
        if let Source::Device(device) = &mut self.source
            && has_changed
        {
            device.profile.handle(now, TrainerInput::SetTarget(target));
        }
        self.poll_profile(outputs);
        self.reading = match &mut self.source {
            Source::None => Reading::default(),
            Source::Simulator(simulator) => {
                simulator.set_target(target);
                simulator.advance(now)
            }
            Source::Device(device) => device.reading,
        };
        (self.reading, target)
    }

    /// Releases the trainer, and gives up an attempt to connect one.
    pub(crate) fn release(&mut self, outputs: &mut impl Extend<Output>) {
        self.attempts += 1;
        self.connecting = None;
        if let Source::Device(device) = std::mem::take(&mut self.source) {
            outputs.extend([release(device.attempt)]);
        }
        self.state = TrainerState::None;
    }

    fn connected(
        &mut self,
        now: Moment,
        attempt: u32,
        name: String,
        mut profile: Box<dyn TrainerProfile>,
        outputs: &mut impl Extend<Output>,
    ) {
        profile.handle(now, TrainerInput::Connected);
        profile.handle(now, TrainerInput::SetTarget(self.target));
        self.state = TrainerState::Connected(name.clone());
        let device = Source::Device(Device {
            attempt,
            name,
            profile,
            reading: Reading::default(),
        });
        if let Source::Device(old) = std::mem::replace(&mut self.source, device) {
            outputs.extend([release(old.attempt)]);
        }
    }

    /// Feeds the profile of an attempt, connected or not yet.
    fn feed(&mut self, now: Moment, attempt: u32, input: TrainerInput) {
        match &mut self.source {
            Source::Device(device) if device.attempt == attempt => {
                device.profile.handle(now, input);
            }
            _ => {
                if let Some(profile) = self
                    .connecting
                    .as_mut()
                    .filter(|_| attempt == self.attempts)
                {
                    profile.handle(now, input);
                }
            }
        }
    }

    fn disconnected(&mut self, attempt: u32) {
        if let Source::Device(device) = &mut self.source
            && device.attempt == attempt
        {
            self.state = TrainerState::Lost(std::mem::take(&mut device.name));
            self.source = Source::None;
        }
    }

    fn poll_profile(&mut self, outputs: &mut impl Extend<Output>) {
        let Source::Device(device) = &mut self.source else {
            return;
        };
        while let Some(output) = device.profile.poll_output() {
            match output {
                TrainerOutput::Write {
                    characteristic,
                    bytes,
                } => outputs.extend([Output::Device(DeviceCommand::Write {
                    attempt: device.attempt,
                    characteristic,
                    bytes,
                })]),
                TrainerOutput::Reading(reading) => device.reading = reading,
                TrainerOutput::Event(event) => {
                    let name = device.name.clone();
                    self.state = match event {
                        TrainerEvent::Controllable => TrainerState::Connected(name),
                        // It still measures; only the target is not followed.
                        TrainerEvent::Refused(_) => TrainerState::Uncontrolled(name),
                        TrainerEvent::ControlLost
                        | TrainerEvent::NotAnswering
                        | TrainerEvent::Disconnected => TrainerState::Lost(name),
                    };
                }
            }
        }
    }
}

fn release(attempt: u32) -> Output {
    Output::Device(DeviceCommand::Release { attempt })
}
