//! The own trainer: a real one over Bluetooth, or the simulator.
//!
//! None of it needs other riders: losing a link changes neither the target nor the recording.
//!
//! - [`TrainerControl`]: which trainer is in use, and its target;
//! - `device`: one device, which is connected again when its connection breaks or its data stop;
//! - [`ChooserError`]: reasons why the browser's device chooser gave no device.

mod chooser;
mod device;

use clock::Moment;
use ride::{
    rider::{Ftp, TrainerKind},
    trainer::{
        ProfileSpec, Reading, TrainerInput, Uuid,
        easing::Easing,
        ftms::{self, FtmsProfile},
        simulator::Simulator,
    },
};

pub use chooser::ChooserError;

use crate::{
    api::Output,
    view::{Notice, TrainerFailure, TrainerState},
};
use device::Device;

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
    /// The rider has chosen a device.
    Chosen {
        /// Name of the device.
        name: String,
    },
    /// No device was chosen.
    NotChosen(ChooserError),
    /// The device is connected, and its characteristics are read and subscribed to.
    Connected {
        /// Characteristics that the device lacks, or that could not be prepared.
        missing: Vec<Uuid>,
    },
    /// The device could not be connected.
    ConnectFailed(ConnectError),
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

/// Reason why a chosen device could not be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// The device did not answer, or broke off.
    Unreachable,
    /// The device lacks a required characteristic.
    NotATrainer,
}

/// Command to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceCommand {
    /// Let the rider choose a device.
    Choose {
        /// Number of this attempt.
        attempt: u32,
        /// Services and characteristics to use.
        spec: &'static ProfileSpec,
    },
    /// Connect the chosen device, and read and subscribe to its characteristics. A connection that
    /// exists is closed before.
    Connect {
        /// Number of the attempt.
        attempt: u32,
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
    /// Disconnect the device of an attempt after the writes before this command, unless a later
    /// attempt has connected the same device.
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
    /// Device of the newest attempt, until it is connected.
    connecting: Option<Device>,
    /// Reason why the last attempt failed, for a rider without another trainer.
    failure: Option<TrainerFailure>,
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

impl TrainerControl {
    /// Kind of the trainer. A device whose connection is lost does not count.
    pub(crate) fn kind(&self) -> TrainerKind {
        match &self.source {
            Source::Simulator(_) => TrainerKind::Simulated,
            Source::Device(device) if device.is_connected() => TrainerKind::Bluetooth,
            Source::Device(_) | Source::None => TrainerKind::None,
        }
    }

    pub(crate) fn is_simulated(&self) -> bool {
        matches!(self.source, Source::Simulator(_))
    }

    pub(crate) fn state(&self) -> TrainerState {
        match (&self.connecting, &self.source, self.failure) {
            (Some(_), ..) => TrainerState::Connecting,
            (_, Source::Simulator(_), _) => TrainerState::Simulated,
            (_, Source::Device(device), _) => device.state(),
            (_, Source::None, Some(failure)) => TrainerState::Failed(failure),
            (_, Source::None, None) => TrainerState::None,
        }
    }

    /// Uses the simulator.
    pub(crate) fn simulate(
        &mut self,
        now: Moment,
        seed: u64,
        ftp: Ftp,
        outputs: &mut impl Extend<Output>,
    ) {
        self.release(now, outputs);
        self.source = Source::Simulator(Box::new(Simulator::new(seed, ftp)));
    }

    /// Lets the rider choose a trainer. The current one stays in use until another is connected.
    pub(crate) fn choose(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        self.attempts += 1;
        let attempt = self.attempts;
        let device = Device::new(attempt, Box::new(FtmsProfile::default()));
        if let Some(older) = self.connecting.replace(device) {
            older.release(now, outputs);
        }
        self.failure = None;
        let spec = &ftms::SPEC;
        outputs.extend([Output::Device(DeviceCommand::Choose { attempt, spec })]);
    }

    /// Handles an event of a device. Devices of older attempts are released.
    pub(crate) fn handle(
        &mut self,
        now: Moment,
        DeviceInput { attempt, event }: DeviceInput,
        outputs: &mut impl Extend<Output>,
    ) {
        let is_new = |device: &Device| device.attempt() == attempt;
        let is_first = self.connecting.as_ref().is_some_and(is_new);
        let Some(device) = self.device(attempt) else {
            if let DeviceEvent::Chosen { .. } = event {
                outputs.extend([Output::Device(DeviceCommand::Release { attempt })]);
            }
            return;
        };
        match event {
            DeviceEvent::Chosen { name } => device.chosen(now, name, outputs),
            DeviceEvent::NotChosen(error) => self.fail(now, error.failure(), outputs),
            DeviceEvent::Connected { missing } => {
                device.connected(now, missing);
                if is_first {
                    self.take_into_use(now, outputs);
                }
            }
            DeviceEvent::ConnectFailed(error) => {
                if let Some(failure) = device.connect_failed(now, error) {
                    self.fail(now, failure, outputs);
                }
            }
            DeviceEvent::Value {
                characteristic,
                bytes,
            } => {
                let value = TrainerInput::Value {
                    characteristic,
                    bytes,
                };
                device.feed(now, value);
            }
            DeviceEvent::Written { characteristic, ok } => {
                device.feed(now, TrainerInput::Written { characteristic, ok });
            }
            DeviceEvent::Disconnected => device.disconnected(now),
        }
        self.poll_device(now, outputs);
    }

    /// Moment at which [`TrainerControl::handle_timeout`] has to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        let connecting = self.connecting.as_ref().and_then(Device::poll_timeout);
        let current = match &self.source {
            Source::Device(device) if !self.holds_back() => device.poll_timeout(),
            Source::Device(device) => device.poll_profile_timeout(),
            _ => None,
        };
        connecting.into_iter().chain(current).min()
    }

    /// Does what is due at this moment.
    pub(crate) fn handle_timeout(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if let Some(device) = &mut self.connecting
            && let Some(failure) = device.handle_timeout(now, outputs)
        {
            self.fail(now, failure, outputs);
        }
        let holds_back = self.holds_back();
        if let Source::Device(device) = &mut self.source {
            device.handle_profile_timeout(now);
            if !holds_back {
                // A device that was connected once is tried again and again.
                device.handle_timeout(now, outputs);
            }
            self.poll_device(now, outputs);
        }
    }

    /// The page is visible again, or the computer awake: tries a lost device at once.
    pub(crate) fn wake(&mut self, now: Moment) {
        if let Source::Device(device) = &mut self.source {
            device.hurry(now);
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
            device.feed(now, TrainerInput::SetTarget(target));
        }
        self.poll_device(now, outputs);
        self.reading = match &mut self.source {
            Source::None => Reading::default(),
            Source::Simulator(simulator) => {
                simulator.set_target(target);
                simulator.advance(now)
            }
            Source::Device(device) => device.reading(),
        };
        (self.reading, target)
    }

    /// Releases the trainer, and gives up an attempt to connect one.
    pub(crate) fn release(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        self.attempts += 1;
        self.failure = None;
        if let Some(device) = self.connecting.take() {
            device.release(now, outputs);
        }
        if let Source::Device(device) = std::mem::take(&mut self.source) {
            device.release(now, outputs);
        }
    }

    /// Frees the trainer of its target: the page is being closed, perhaps for good.
    pub(crate) fn release_target(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if let Source::Device(device) = &mut self.source {
            device.feed(now, TrainerInput::Release);
            self.poll_device(now, outputs);
        }
    }

    /// Device of an attempt.
    fn device(&mut self, attempt: u32) -> Option<&mut Device> {
        let current = match &mut self.source {
            Source::Device(device) => Some(device),
            _ => None,
        };
        let mut devices = self.connecting.iter_mut().chain(current);
        devices.find(|device| device.attempt() == attempt)
    }

    /// Replaces the trainer by the one that was just connected for the first time.
    fn take_into_use(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        let Some(mut device) = self.connecting.take() else {
            return;
        };
        device.feed(now, TrainerInput::SetTarget(self.target));
        let before = std::mem::replace(&mut self.source, Source::Device(device));
        if let Source::Device(before) = before {
            before.release(now, outputs);
        }
    }

    /// Gives up the newest attempt. A rider who has a trainer keeps it, and is told why it was not
    /// replaced.
    fn fail(&mut self, now: Moment, failure: TrainerFailure, outputs: &mut impl Extend<Output>) {
        if let Some(device) = self.connecting.take() {
            device.release(now, outputs);
        }
        match self.source {
            Source::None => self.failure = Some(failure),
            _ => outputs.extend([Output::Notice(Notice::TrainerNotConnected(failure))]),
        }
    }

    /// Tells whether the current device has to wait before it is connected again: the rider may
    /// just be connecting the same device by another attempt, which this would interrupt.
    fn holds_back(&self) -> bool {
        self.connecting.as_ref().is_some_and(Device::is_chosen)
    }

    fn poll_device(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if let Source::Device(device) = &mut self.source {
            device.poll(now, outputs);
        }
    }
}
