//! The own devices: a trainer, real or simulated, and sensors over Bluetooth.
//!
//! None of it needs other riders: losing a link changes neither the load nor the recording.
//!
//! - [`OwnDevices`]: all devices, and their readings;
//! - `load_control`: load of the trainer;
//! - `pairing`: the device of one kind, and another one that is being connected;
//! - `device`: one device, which is connected again when its connection breaks or its data stop;
//! - `phone`: devices that a phone connects for this page;
//! - `sources`: which device a value comes from;
//! - [`ChooserError`]: reasons why the browser's device chooser gave no device.

mod chooser;
mod device;
mod load_control;
mod own_devices;
mod pairing;
mod phone;
mod sources;

use ride::trainer::{DeviceKind, ProfileFactory, ProfileSpec, Uuid};

pub use chooser::ChooserError;
pub(crate) use load_control::Wanted;
pub(crate) use own_devices::OwnDevices;
pub use sources::{CADENCE_SOURCES, POWER_SOURCES};

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
    /// The rider has chosen a device, or a remembered one was found.
    Chosen {
        /// Id that the browser has given it; empty if it gives none.
        id: String,
        /// Name of the device.
        name: String,
        /// Makes the profiles that it may have.
        profiles: ProfileFactory,
    },
    /// The browser does not let the page use the remembered device without a new choice.
    NotRemembered,
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
    /// The device is out of reach, did not answer in time, or broke off.
    Unreachable,
    /// The connection was refused, as by a device that another program uses.
    Refused,
    /// The device lacks a required characteristic of the profile.
    WrongKind,
}

/// Command to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceCommand {
    /// Let the rider choose a device.
    Choose {
        /// Number of this attempt.
        attempt: u32,
        /// Kind of device.
        kind: DeviceKind,
    },
    /// Find a remembered device.
    Find {
        /// Number of this attempt.
        attempt: u32,
        /// Kind of device.
        kind: DeviceKind,
        /// Id that the browser has given it.
        id: String,
    },
    /// Connect the chosen device, and read and subscribe to its characteristics. A connection that
    /// exists is closed before.
    Connect {
        /// Number of the attempt.
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
    /// Disconnect the device of an attempt after the writes before this command, unless a later
    /// attempt has connected the same device.
    Release {
        /// Number of the attempt.
        attempt: u32,
        /// True if the browser shall forget the device, too.
        forget: bool,
    },
}
