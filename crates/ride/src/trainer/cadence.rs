//! Cadence sensors: Cycling Speed and Cadence Service 0x1816 (Bluetooth SIG, Cycling Speed and
//! Cadence Service 1.0).

use clock::Moment;

use super::{
    CharacteristicAccess, CharacteristicSpec, FieldReader, ProfileSpec, Reading, SensorError, Uuid,
    notifying::{Decoded, Decoder, NotifyingProfile},
    revolutions::CrankCounter,
};

/// Cycling Speed and Cadence Service.
pub const SERVICE: Uuid = Uuid::from_u16(0x1816);
/// CSC Measurement: notifies the counters of wheel and crank.
pub const MEASUREMENT: Uuid = Uuid::from_u16(0x2a5b);

/// Services and characteristics of the profile.
pub const SPEC: ProfileSpec = ProfileSpec {
    advertised_service: SERVICE,
    characteristics: &[CharacteristicSpec::required(
        SERVICE,
        MEASUREMENT,
        CharacteristicAccess::Subscribe,
    )],
};

/// Profile of a cadence sensor.
pub fn profile() -> NotifyingProfile {
    NotifyingProfile::measuring(&SPEC, CadenceSensor::default())
}

/// CSC Measurement 0x2A5B.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CscMeasurement {
    /// Revolutions of the wheel, and time of the last one in 1/1024 s. No speed is computed from
    /// them, since the circumference of the wheel is not known.
    pub wheel: Option<(u32, u16)>,
    /// Revolutions of the crank, and time of the last one in 1/1024 s.
    pub crank: Option<(u16, u16)>,
}

/// Reads CSC Measurement 0x2A5B.
///
/// # Errors
/// [`SensorError::Truncated`] if the bytes end before what the flags announce.
pub fn parse_csc(bytes: &[u8]) -> Result<CscMeasurement, SensorError> {
    let mut fields = FieldReader(bytes);
    let flags = fields.u8()?;
    let mut data = CscMeasurement::default();
    if flags & 1 != 0 {
        data.wheel = Some((fields.u32()?, fields.u16()?));
    }
    if flags & 2 != 0 {
        data.crank = Some((fields.u16()?, fields.u16()?));
    }
    Ok(data)
}

#[derive(Default)]
struct CadenceSensor {
    crank: CrankCounter,
}

impl Decoder for CadenceSensor {
    fn decode(&mut self, now: Moment, characteristic: Uuid, bytes: &[u8]) -> Option<Decoded> {
        let data = parse_csc(bytes)
            .ok()
            .filter(|_| characteristic == MEASUREMENT)?;
        let (turns, time) = data.crank?;
        let cadence = self.crank.update(now, turns, time);
        let reading = Reading {
            cadence,
            ..Reading::default()
        };
        Some(Decoded {
            reading,
            has_no_heart_rate: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheel_and_crank_are_told_apart_by_the_flags() {
        let both = [0x03, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0];
        let data = parse_csc(&both).unwrap();
        assert_eq!((data.wheel, data.crank), (Some((1, 2)), Some((3, 4))));
        let crank = parse_csc(&[0x02, 0x39, 0x05, 0x00, 0x04]).unwrap();
        assert_eq!((crank.wheel, crank.crank), (None, Some((1_337, 1_024))));
        assert_eq!(parse_csc(&[0x02, 3, 0, 4]), Err(SensorError::Truncated));
        assert_eq!(parse_csc(&[]), Err(SensorError::Truncated));
    }
}
