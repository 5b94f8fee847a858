//! Fitness Machine Service 0x1826 (Bluetooth SIG, FTMS 1.0): what a smart trainer measures and how
//! it is told what to do.
//!
//! Layout: this file reads Indoor Bike Data and the supported power range, `control_point` writes
//! targets.

mod control_point;

pub use control_point::{ControlPoint, Event, Input, Output, Refusal};

use super::{Fields, Reading, SensorError};

/// What an Indoor Bike Data message 0x2AD2 says; a trainer sends only some of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IndoorBikeData {
    /// In km/h.
    pub speed: Option<f32>,
    /// In rpm, in steps of a half.
    pub cadence: Option<f32>,
    /// In metres, since the session with the trainer began.
    pub distance: Option<u32>,
    /// Without unit, as the trainer sees fit.
    pub resistance: Option<i16>,
    /// In watts; may be negative.
    pub power: Option<i16>,
    /// In beats a minute; 0 where no sensor is paired.
    pub heart_rate: Option<u8>,
}

impl IndoorBikeData {
    /// What of it is shown and recorded: negative power counts as none, a heart rate of 0 as no
    /// reading.
    pub fn reading(&self) -> Reading {
        Reading {
            power: self.power.map(|power| u16::try_from(power).unwrap_or(0)),
            // The cast saturates.
            cadence: self.cadence.map(|cadence| cadence.round() as u8),
            heart_rate: self.heart_rate.filter(|beats| *beats > 0),
        }
    }
}

/// Reads an Indoor Bike Data message 0x2AD2. The flags say which fields follow; bit 0 is set when
/// the speed is *not* there.
///
/// # Errors
/// [`SensorError::Truncated`] when it ends before a field that its flags announce and that is used
/// here.
pub fn parse_indoor_bike_data(bytes: &[u8]) -> Result<IndoorBikeData, SensorError> {
    let mut fields = Fields(bytes);
    let flags = fields.u16()?;
    let has = |bit: u8| flags & 1 << bit != 0;
    let mut data = IndoorBikeData::default();
    if !has(0) {
        data.speed = Some(f32::from(fields.u16()?) * 0.01);
    }
    if has(1) {
        fields.u16()?;
    }
    if has(2) {
        data.cadence = Some(f32::from(fields.u16()?) * 0.5);
    }
    if has(3) {
        fields.u16()?;
    }
    if has(4) {
        data.distance = Some(fields.u24()?);
    }
    if has(5) {
        data.resistance = Some(fields.i16()?);
    }
    if has(6) {
        data.power = Some(fields.i16()?);
    }
    if has(7) {
        fields.i16()?;
    }
    if has(8) {
        fields.take::<5>()?;
    }
    if has(9) {
        data.heart_rate = Some(fields.u8()?);
    }
    Ok(data)
}

/// The targets that a trainer takes: Supported Power Range 0x2AD8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerRange {
    min: i16,
    max: i16,
    step: u16,
}

/// 0 to 2,000 W in steps of 1, for a trainer that does not say.
impl Default for PowerRange {
    fn default() -> Self {
        Self {
            min: 0,
            max: 2_000,
            step: 1,
        }
    }
}

impl PowerRange {
    /// Reads the value of the characteristic.
    ///
    /// # Errors
    /// [`SensorError::Truncated`] when it is too short, [`SensorError::BadRange`] when it holds no
    /// power of 0 or more.
    pub fn parse(bytes: &[u8]) -> Result<Self, SensorError> {
        let mut fields = Fields(bytes);
        let (min, max, step) = (fields.i16()?, fields.i16()?, fields.u16()?);
        if min > max || max < 0 {
            return Err(SensorError::BadRange);
        }
        Ok(Self {
            min: min.max(0),
            max,
            step: step.max(1),
        })
    }

    /// The nearest target that the trainer takes, in watts.
    pub fn clamp(self, watts: u16) -> i16 {
        let watts = i32::from(watts).clamp(self.min.into(), self.max.into());
        let step = i32::from(self.step);
        let steps = (watts - i32::from(self.min) + step / 2) / step;
        let stepped = i32::from(self.min) + steps * step;
        let within = if stepped > i32::from(self.max) {
            stepped - step
        } else {
            stepped
        };
        // Between min and max, which are i16: the last step that fits, and none of them is below
        // min.
        within.max(self.min.into()) as i16
    }
}

#[cfg(test)]
mod tests;
