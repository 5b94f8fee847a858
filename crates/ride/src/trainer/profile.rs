//! Interface between a driver and the profiles of trainers.

use core::fmt::Debug;

use clock::Moment;
use thiserror::Error;

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
    Connected,
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
    /// The trainer accepts targets.
    Controllable,
    /// The trainer has rejected a target. It still measures, and the ride goes on without that
    /// target.
    Refused(ControlRefusal),
    /// Another app controls the trainer. Control is requested again; [`TrainerEvent::Controllable`]
    /// follows once it is granted.
    ControlLost,
    /// The trainer does not answer. Control is requested again; [`TrainerEvent::Controllable`]
    /// follows once it is granted.
    NotAnswering,
    /// The device is no longer connected.
    Disconnected,
}

/// Reason why a trainer rejects a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ControlRefusal {
    /// The trainer does not support the operation.
    #[error("This trainer does not accept a target power. Use its own resistance control.")]
    Unsupported,
    /// The trainer does not support this value.
    #[error("The trainer did not accept this target.")]
    BadParameter,
    /// The operation failed for another reason.
    #[error("The trainer could not set this target.")]
    Failed,
}
