use crate::trainer::{FieldReader, SensorError};

/// Lowest maximum in W that is believed. Every bike with a brake holds more; smaller numbers are
/// zeros, levels of resistance, or watts of another unit.
const MIN_MAXIMUM: i16 = 100;
/// Highest minimum in W that is believed. A higher one would lift the targets of a warm-up, which
/// for an FTP of 200 W begins at about this power.
const MAX_MINIMUM: i16 = 100;
/// Largest step in W that is believed. A larger one would move a target by more than the 10 W that
/// count as on target.
const MAX_STEP: u16 = 20;

/// Targets that a trainer accepts: Supported Power Range 0x2AD8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerRange {
    min: i16,
    max: i16,
    step: u16,
}

/// Range of a trainer that reports none, see [`PowerRange::UNKNOWN`].
impl Default for PowerRange {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl PowerRange {
    /// Range of 0 to 2,000 W in steps of 1, for a trainer that reports none.
    pub const UNKNOWN: Self = Self {
        min: 0,
        max: 2_000,
        step: 1,
    };

    /// Reads the value of the characteristic. An implausible step counts as 1 W.
    ///
    /// # Errors
    /// [`SensorError::Truncated`] if it is too short, [`SensorError::BadRange`] if it is
    /// implausible: devices are known to report zeros, and every target would be limited to 0 W.
    pub fn parse(bytes: &[u8]) -> Result<Self, SensorError> {
        let mut fields = FieldReader(bytes);
        let (min, max, step) = (fields.i16()?, fields.i16()?, fields.u16()?);
        if max < MIN_MAXIMUM || min > MAX_MINIMUM || min >= max {
            return Err(SensorError::BadRange);
        }
        Ok(Self {
            min: min.max(0),
            max,
            step: if (1..=MAX_STEP).contains(&step) {
                step
            } else {
                1
            },
        })
    }

    /// Nearest target in W that the trainer accepts.
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
        // The last step that fits lies between `min` and `max`, which are i16.
        within.max(self.min.into()) as i16
    }
}

#[cfg(test)]
mod tests;
