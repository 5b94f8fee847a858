//! Trainers and sensors: the bytes they speak, and one that is only simulated.
//!
//! Layout: [`simulator`] is a rider on a trainer made of arithmetic, [`ftms`] the Fitness Machine
//! Service with its control point, [`heart_rate`] the Heart Rate Service, [`easing`] the way from
//! one target to another. Nothing here touches Bluetooth: bytes come in and go out.

pub mod easing;
pub mod ftms;
pub mod heart_rate;
pub mod simulator;

pub use heart_rate::parse_heart_rate;

use thiserror::Error;

/// What a rider's sensors say at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// In watts.
    pub power: Option<u16>,
    /// In rpm.
    pub cadence: Option<u8>,
    /// In beats a minute.
    pub heart_rate: Option<u8>,
}

/// Why bytes of a sensor cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SensorError {
    /// Fewer bytes than the flags announce.
    #[error("The trainer sent a message that is cut short; it was ignored.")]
    Truncated,
    /// A range whose end lies before its start.
    #[error("The trainer names a power range that makes no sense; it was ignored.")]
    BadRange,
}

/// Reads little-endian fields one after another.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
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

    fn i16(&mut self) -> Result<i16, SensorError> {
        self.take().map(i16::from_le_bytes)
    }

    fn u24(&mut self) -> Result<u32, SensorError> {
        let [low, mid, high] = self.take()?;
        Ok(u32::from_le_bytes([low, mid, high, 0]))
    }
}
