//! Trainers: profiles of Bluetooth services, and a simulated trainer.
//!
//! Layout:
//! - [`DeviceProfile`]: interface of all profiles. A driver moves bytes between a profile and the
//!   characteristics of a device, and knows their [`Uuid`]s only.
//! - [`ftms`]: profile of the Fitness Machine Service. [`wahoo`] and [`fec`]: trainers before it.
//! - [`cycling_power`], [`heart_rate`], [`cadence`]: profiles of sensors. [`battery`]: state of charge.
//! - [`DeviceKind`]: which profiles a device that a rider pairs may have.
//! - [`Load`]: the load of a trainer.
//! - [`simulator`]: simulated rider on a trainer.
//! - [`AgingReading`]: readings whose values become invalid one by one.
//! - [`easing`]: gradual change of a target. [`low_cadence`]: release of a target that stops the
//!   rider. [`power_match`]: target by a power meter. [`auto_pause`]: pause of the recording.

mod aging;
pub mod auto_pause;
pub mod battery;
pub mod cadence;
pub mod cycling_power;
pub mod easing;
pub mod fec;
pub mod ftms;
pub mod heart_rate;
mod kind;
mod load;
mod load_writer;
pub mod low_cadence;
mod measurements;
mod notifying;
pub mod power_match;
mod profile;
#[cfg(test)]
mod properties;
mod revolutions;
pub mod simulator;
mod uuid;
pub mod wahoo;

pub use aging::{AgingReading, READING_TIMEOUT};
pub use kind::{DeviceKind, ProfileFactory, profiles};
pub use load::{Capabilities, Load, MAX_SLOPE};
pub use measurements::SILENCE_TIMEOUT;
pub use notifying::NotifyingProfile;
pub use profile::{
    CharacteristicAccess, CharacteristicSpec, ControlProblem, DeviceProfile, ProfileEvent,
    ProfileInput, ProfileOutput, ProfileSpec,
};
pub use uuid::Uuid;

use thiserror::Error;

/// Highest speed of a trainer in mm/s, 236 km/h: the highest number that a FIT file can hold. A
/// higher one counts as no reading.
pub const MAX_SPEED: u16 = u16::MAX - 1;

/// Readings of a rider's sensors. `None` stands for no reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Power in W.
    pub power: Option<u16>,
    /// Cadence in rpm.
    pub cadence: Option<u8>,
    /// Heart rate in beats per minute.
    pub heart_rate: Option<u8>,
    /// Speed of the trainer's wheel in mm/s, at most [`MAX_SPEED`]. It is recorded only: no other
    /// rider gets it, and it is not shown.
    pub speed: Option<u16>,
}

/// Reason why the bytes of a characteristic cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SensorError {
    /// Fewer bytes than the flags announce.
    #[error("The trainer sent an incomplete message. It was ignored.")]
    Truncated,
    /// Range that no trainer has.
    #[error("The trainer reported an invalid power range. It was ignored.")]
    BadRange,
}

/// Reader of little-endian fields.
struct FieldReader<'a>(&'a [u8]);

impl FieldReader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SensorError> {
        let (field, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(SensorError::Truncated)?;
        self.0 = rest;
        Ok(*field)
    }

    fn u8(&mut self) -> Result<u8, SensorError> {
        self.take().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Result<u16, SensorError> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, SensorError> {
        self.take().map(u32::from_le_bytes)
    }

    fn i16(&mut self) -> Result<i16, SensorError> {
        self.take().map(i16::from_le_bytes)
    }

    fn u24(&mut self) -> Result<u32, SensorError> {
        let [low, mid, high] = self.take()?;
        Ok(u32::from_le_bytes([low, mid, high, 0]))
    }
}
