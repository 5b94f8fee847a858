use crate::trainer::{FieldReader, SensorError};

/// Levels of resistance that a trainer has, in units of 0.1: Supported Resistance Level Range 0x2AD6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResistanceRange {
    min: i16,
    max: i16,
}

/// Range of a trainer that reports none: 0 to 10.
impl Default for ResistanceRange {
    fn default() -> Self {
        Self { min: 0, max: 100 }
    }
}

impl ResistanceRange {
    /// Reads the value of the characteristic. A range that is given from its end is turned round.
    ///
    /// # Errors
    /// [`SensorError::Truncated`] if it is too short, [`SensorError::BadRange`] if it is empty.
    pub fn parse(bytes: &[u8]) -> Result<Self, SensorError> {
        let mut fields = FieldReader(bytes);
        let (one, other) = (fields.i16()?, fields.i16()?);
        let (min, max) = (one.min(other).max(0), one.max(other));
        match min < max {
            true => Ok(Self { min, max }),
            false => Err(SensorError::BadRange),
        }
    }

    /// Bytes of the level at this share of the range in percent: one byte (FTMS 1.0, section
    /// 4.16.2.5), or two where the range does not fit into one.
    pub fn level(self, percent: u8) -> Vec<u8> {
        let span = i32::from(self.max) - i32::from(self.min);
        let level = i32::from(self.min) + span * i32::from(percent.min(100)) / 100;
        // Lies between `min`, which is at least 0, and `max`.
        match u8::try_from(self.max) {
            Ok(_) => vec![level as u8],
            Err(_) => (level as i16).to_le_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min: i16, max: i16) -> Result<ResistanceRange, SensorError> {
        ResistanceRange::parse(&[min, max, 1].map(i16::to_le_bytes).concat())
    }

    #[test]
    fn a_level_is_a_share_of_the_range() {
        let wide = range(10, 320).unwrap();
        assert_eq!(wide.level(0), [10, 0]);
        assert_eq!(wide.level(100), [0x40, 1]);
        let narrow = range(0, 200).unwrap();
        assert_eq!(narrow.level(50), [100]);
        assert_eq!(narrow.level(255), [200]);
    }

    #[test]
    fn ranges_that_are_reversed_are_turned_round_and_empty_ones_refused() {
        assert_eq!(range(200, 0), range(0, 200));
        assert_eq!(range(0, 0), Err(SensorError::BadRange));
        assert_eq!(range(-50, -10), Err(SensorError::BadRange));
        assert_eq!(
            ResistanceRange::parse(&[0, 0, 1]),
            Err(SensorError::Truncated)
        );
    }
}
