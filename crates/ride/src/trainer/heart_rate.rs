//! Heart Rate Service 0x180D (Bluetooth SIG, Heart Rate Service 1.0).

use super::{Fields, SensorError};

/// Reads a Heart Rate Measurement 0x2A37: beats a minute; none while the sensor has no pulse and
/// says 0.
///
/// # Errors
/// [`SensorError::Truncated`] when the value is missing.
pub fn parse_heart_rate(bytes: &[u8]) -> Result<Option<u8>, SensorError> {
    let mut fields = Fields(bytes);
    let wide = fields.u8()? & 1 == 1;
    let beats = if wide {
        fields.u16()?
    } else {
        u16::from(fields.u8()?)
    };
    // Sixteen bits are there for sensors of animals; a rider's pulse fits into eight.
    Ok(Some(u8::try_from(beats).unwrap_or(u8::MAX)).filter(|beats| *beats > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_and_wide_values_are_read_by_their_flag() {
        assert_eq!(parse_heart_rate(&[0x00, 142]), Ok(Some(142)));
        assert_eq!(parse_heart_rate(&[0x01, 142, 0]), Ok(Some(142)));
        assert_eq!(parse_heart_rate(&[0x10, 60, 0x00, 0x04]), Ok(Some(60)));
    }

    #[test]
    fn no_pulse_is_no_value() {
        assert_eq!(parse_heart_rate(&[0x00, 0]), Ok(None));
    }

    #[test]
    fn a_cut_message_is_refused() {
        for bytes in [&[][..], &[0x00], &[0x01, 142]] {
            assert_eq!(parse_heart_rate(bytes), Err(SensorError::Truncated));
        }
    }
}
