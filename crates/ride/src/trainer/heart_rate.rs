//! Heart rate straps: Heart Rate Service 0x180D (Bluetooth SIG, Heart Rate Service 1.0).

use clock::Moment;

use super::{
    CharacteristicAccess, CharacteristicSpec, FieldReader, ProfileSpec, Reading, SensorError, Uuid,
    notifying::{Decoded, Decoder, NotifyingProfile},
};

/// Heart Rate Service.
pub const SERVICE: Uuid = Uuid::from_u16(0x180d);
/// Heart Rate Measurement: notifies the heart rate.
pub const MEASUREMENT: Uuid = Uuid::from_u16(0x2a37);

/// Services and characteristics of the profile.
pub const SPEC: ProfileSpec = ProfileSpec {
    advertised_service: SERVICE,
    characteristics: &[CharacteristicSpec::required(
        SERVICE,
        MEASUREMENT,
        CharacteristicAccess::Subscribe,
    )],
};

/// Profile of a strap.
pub fn profile() -> NotifyingProfile {
    NotifyingProfile::measuring(&SPEC, Strap)
}

/// Reads Heart Rate Measurement 0x2A37: the heart rate in beats per minute, up to 255. Energy and RR
/// intervals behind it are left out.
///
/// # Errors
/// [`SensorError::Truncated`] if the bytes end before the heart rate.
pub fn parse_heart_rate(bytes: &[u8]) -> Result<u8, SensorError> {
    let mut fields = FieldReader(bytes);
    let is_wide = fields.u8()? & 1 != 0;
    if is_wide {
        let beats = fields.u16()?;
        Ok(u8::try_from(beats).unwrap_or(u8::MAX))
    } else {
        fields.u8()
    }
}

struct Strap;

impl Decoder for Strap {
    fn decode(&mut self, _now: Moment, characteristic: Uuid, bytes: &[u8]) -> Option<Decoded> {
        let beats = parse_heart_rate(bytes)
            .ok()
            .filter(|_| characteristic == MEASUREMENT)?;
        let heart_rate = Some(beats).filter(|beats| *beats > 0);
        Some(Decoded {
            reading: Reading {
                heart_rate,
                ..Reading::default()
            },
            has_no_heart_rate: heart_rate.is_none(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heart_rate_has_one_byte_or_two() {
        assert_eq!(parse_heart_rate(&[0x00, 72]), Ok(72));
        assert_eq!(parse_heart_rate(&[0x01, 0x48, 0x00]), Ok(72));
        assert_eq!(parse_heart_rate(&[0x01, 0x2c, 0x01]), Ok(255));
        // Sensor contact, energy and two RR intervals.
        let long = [0x1e, 141, 0x10, 0x00, 0xb3, 0x01, 0xb5, 0x01];
        assert_eq!(parse_heart_rate(&long), Ok(141));
        assert_eq!(parse_heart_rate(&[]), Err(SensorError::Truncated));
        assert_eq!(parse_heart_rate(&[0x01, 72]), Err(SensorError::Truncated));
    }
}
