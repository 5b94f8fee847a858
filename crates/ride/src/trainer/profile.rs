//! Interface between a driver and the profiles of trainers.

use core::fmt::Debug;

use clock::Moment;

use super::{Reading, Uuid};

/// Services and characteristics that a profile uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfileSpec {
    /// Service that devices advertise, by which a device is found.
    pub advertised_service: Uuid,
    /// Characteristics in the order in which the driver reads and subscribes to them.
    pub characteristics: &'static [CharacteristicSpec],
}

/// Characteristic that a profile uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CharacteristicSpec {
    /// Service of the characteristic.
    pub service: Uuid,
    /// Characteristic itself.
    pub uuid: Uuid,
    /// Access to prepare when a device is connected. Each characteristic may be written to as well.
    pub access: CharacteristicAccess,
    /// True if the profile needs the characteristic. A device without it is not a trainer of this
    /// profile; the driver ignores a failure of any other one.
    pub required: bool,
}

/// Access to a characteristic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharacteristicAccess {
    /// Read once, before [`TrainerInput::Connected`].
    Read,
    /// Notifications or indications, subscribed to before [`TrainerInput::Connected`].
    Subscribe,
    /// Writes only.
    Write,
}

/// Control of one kind of trainer, without IO.
///
/// The driver connects a device, reads and subscribes to the characteristics of the
/// [`ProfileSpec`] in their order, and says [`TrainerInput::Connected`]. After each input it
/// performs all outputs. At [`TrainerProfile::poll_timeout`] it says [`TrainerInput::Timeout`]. One
/// profile serves one device, and may be connected again after a disconnection.
pub trait TrainerProfile: Debug {
    /// Services and characteristics of the profile.
    fn spec(&self) -> &'static ProfileSpec;

    /// Handles an input.
    fn handle(&mut self, now: Moment, input: TrainerInput);

    /// Next output, until there is none.
    fn poll_output(&mut self) -> Option<TrainerOutput>;

    /// Time of the next [`TrainerInput::Timeout`].
    fn poll_timeout(&self) -> Option<Moment>;
}

/// Input of a [`TrainerProfile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrainerInput {
    /// A device is connected, and its characteristics are read and subscribed to.
    Connected {
        /// Characteristics that the device lacks, or that could not be prepared.
        missing: Vec<Uuid>,
    },
    /// Bytes of a characteristic: read, notified or indicated.
    Value {
        /// Characteristic that has the value.
        characteristic: Uuid,
        /// The value.
        bytes: Vec<u8>,
    },
    /// Result of the last [`TrainerOutput::Write`].
    Written {
        /// Characteristic that was written to.
        characteristic: Uuid,
        /// True if the device has confirmed the write.
        ok: bool,
    },
    /// The device is no longer connected.
    Disconnected,
    /// New target in W; `None` for riding without a target.
    SetTarget(Option<u16>),
    /// The rider leaves, and the device will be disconnected: write at once what frees the trainer
    /// of its target. If the device stays connected after all, the target is set again.
    Release,
    /// The time of [`TrainerProfile::poll_timeout`] has come.
    Timeout,
}

/// Output of a [`TrainerProfile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrainerOutput {
    /// Write to a characteristic with response. The driver reports [`TrainerInput::Written`].
    Write {
        /// Characteristic to write to.
        characteristic: Uuid,
        /// Bytes to write.
        bytes: Vec<u8>,
    },
    /// New readings, which replace all earlier ones.
    Reading(Reading),
    /// Change of the trainer's state.
    Event(TrainerEvent),
}

/// Change of a trainer's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainerEvent {
    /// The trainer has given control, or follows the target again.
    Controllable,
    /// The trainer measures, and does not follow the target. It is asked again after growing
    /// delays and with every new target; [`TrainerEvent::Controllable`] follows once it obeys.
    Uncontrolled(ControlProblem),
    /// The device is connected, and sends no data. Repeated once per connection.
    Silent,
    /// The device sends data again after [`TrainerEvent::Silent`].
    Measuring,
}

/// Reason why a trainer does not follow the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlProblem {
    /// The device has no means of control.
    MeasuresOnly,
    /// The trainer does not support a target power.
    Unsupported,
    /// The trainer has rejected the target.
    Rejected,
    /// The trainer does not answer.
    NoAnswer,
    /// The trainer gives no control, as when another app has it.
    NotPermitted,
    /// The trainer stops sending data when it is controlled, and so is not controlled.
    StopsWhenControlled,
}
