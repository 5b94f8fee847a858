//! The part `trainers`: trainers over Bluetooth.

use std::rc::Rc;

use session::devices::{DeviceCommand, DeviceInput};

use crate::driver;

/// Takes the events of devices.
pub type EmitDeviceInput = Rc<dyn Fn(DeviceInput)>;
/// Carries out commands to devices.
pub type DeviceDriver = Box<dyn Fn(DeviceCommand)>;

/// The functions of the part.
#[derive(Clone, Copy)]
pub struct Trainers {
    /// Makes a driver without devices.
    pub open: fn(EmitDeviceInput) -> DeviceDriver,
}

impl Trainers {
    /// The table. Only the split point of the part may call this: any other call
    /// moves the part into the module of the caller.
    pub fn table() -> Self {
        Self {
            open: driver::devices::open,
        }
    }
}
