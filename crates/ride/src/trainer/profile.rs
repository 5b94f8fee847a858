//! Interface between a driver and the profiles of devices.

use super::{Capabilities, Load, Reading, Uuid};
use clock::Moment;

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
    /// True if the profile needs the characteristic. A device without it does not have this
    /// profile; the driver ignores a failure of any other one.
    pub required: bool,
}

impl CharacteristicSpec {
    /// Characteristic that the profile can do without.
    pub const fn optional(service: Uuid, uuid: Uuid, access: CharacteristicAccess) -> Self {
        Self {
            service,
            uuid,
            access,
            required: false,
        }
    }

    /// Characteristic that the profile needs.
    pub const fn required(service: Uuid, uuid: Uuid, access: CharacteristicAccess) -> Self {
        Self {
            required: true,
            ..Self::optional(service, uuid, access)
        }
    }
}

/// Access to a characteristic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharacteristicAccess {
    /// Read once, before [`ProfileInput::Connected`].
    Read,
    /// Notifications or indications, subscribed to before [`ProfileInput::Connected`].
    Subscribe,
    /// Writes only.
    Write,
}

/// Measuring with, and control of, one kind of device, without IO.
///
/// The driver connects a device, reads and subscribes to the characteristics of the
/// [`ProfileSpec`] in their order, and says [`ProfileInput::Connected`]. After each input it
/// performs all outputs. At [`DeviceProfile::poll_timeout`] it says [`ProfileInput::Timeout`]. One
/// profile serves one device, and may be connected again after a disconnection.
pub trait DeviceProfile {
    /// Services and characteristics of the profile.
    fn spec(&self) -> &'static ProfileSpec;

    /// Handles an input.
    fn handle(&mut self, now: Moment, input: ProfileInput);

    /// Next output, until there is none.
    fn poll_output(&mut self) -> Option<ProfileOutput>;

    /// Time of the next [`ProfileInput::Timeout`].
    fn poll_timeout(&self) -> Option<Moment>;
}

/// Input of a [`DeviceProfile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileInput {
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
    /// Result of the last [`ProfileOutput::Write`].
    Written {
        /// Characteristic that was written to.
        characteristic: Uuid,
        /// True if the device has confirmed the write.
        ok: bool,
    },
    /// The device is no longer connected.
    Disconnected,
    /// New load.
    SetLoad(Load),
    /// The rider leaves, and the device will be disconnected: write at once what frees the trainer
    /// of its target. If the device stays connected after all, the target is set again.
    Release,
    /// The time of [`DeviceProfile::poll_timeout`] has come.
    Timeout,
}

/// Output of a [`DeviceProfile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileOutput {
    /// Write to a characteristic with response. The driver reports [`ProfileInput::Written`].
    Write {
        /// Characteristic to write to.
        characteristic: Uuid,
        /// Bytes to write.
        bytes: Vec<u8>,
    },
    /// New readings, which replace all earlier ones.
    Reading(Reading),
    /// Change of the trainer's state.
    Event(ProfileEvent),
}

/// Change of a trainer's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileEvent {
    /// The device is connected, and takes these loads. A device that only measures does not say so.
    Capable(Capabilities),
    /// The trainer has given control, or follows the target again.
    Controllable,
    /// The trainer measures, and does not follow the target. It is asked again after growing
    /// delays and with every new target; [`ProfileEvent::Controllable`] follows once it obeys.
    Uncontrolled(ControlProblem),
    /// The device is connected, and sends no data. Repeated once per connection.
    Silent,
    /// The device sends data again after [`ProfileEvent::Silent`].
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
