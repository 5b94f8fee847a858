//! Power meters: Cycling Power Service 0x1818 (Bluetooth SIG, Cycling Power Service 1.1).

use clock::Moment;

use super::{
    CharacteristicAccess, CharacteristicSpec, FieldReader, ProfileSpec, Reading, SensorError, Uuid,
    notifying::{Decoded, Decoder, NotifyingProfile},
    revolutions::CrankCounter,
};

/// Cycling Power Service.
pub const SERVICE: Uuid = Uuid::from_u16(0x1818);
/// Cycling Power Measurement: notifies power, and the counters of wheel and crank.
pub const MEASUREMENT: Uuid = Uuid::from_u16(0x2a63);

/// Services and characteristics of the profile.
pub const SPEC: ProfileSpec = ProfileSpec {
    advertised_service: SERVICE,
    characteristics: &[MEASUREMENT_SPEC],
};

/// The measurement, which trainers with other means of control have as well.
pub(super) const MEASUREMENT_SPEC: CharacteristicSpec =
    CharacteristicSpec::required(SERVICE, MEASUREMENT, CharacteristicAccess::Subscribe);

/// Profile of a power meter.
pub fn profile() -> NotifyingProfile {
    NotifyingProfile::measuring(&SPEC, PowerMeter::default())
}

/// Cycling Power Measurement 0x2A63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CyclingPowerMeasurement {
    /// Power in W; may be negative.
    pub power: i16,
    /// Revolutions of the wheel, and time of the last one in 1/2048 s. No speed is computed from
    /// them: the service does not tell the circumference of the wheel, which is a setting of the
    /// rider's other devices, and a direct-drive trainer has no wheel at all.
    pub wheel: Option<(u32, u16)>,
    /// Revolutions of the crank, and time of the last one in 1/1024 s.
    pub crank: Option<(u16, u16)>,
}

/// Reads Cycling Power Measurement 0x2A63. Fields that are announced and not sent are missing.
///
/// # Errors
/// [`SensorError::Truncated`] if the bytes end before the power.
pub fn parse_cycling_power(bytes: &[u8]) -> Result<CyclingPowerMeasurement, SensorError> {
    let mut fields = FieldReader(bytes);
    let flags = fields.u16()?;
    let mut data = CyclingPowerMeasurement {
        power: fields.i16()?,
        ..CyclingPowerMeasurement::default()
    };
    // The fields that were read before the bytes ended are valid.
    let _ = read_fields(flags, fields, &mut data);
    Ok(data)
}

/// Reads the fields in their order, up to the crank, until the bytes end.
fn read_fields(
    flags: u16,
    mut fields: FieldReader<'_>,
    data: &mut CyclingPowerMeasurement,
) -> Result<(), SensorError> {
    let has = |bit: u8| flags & 1 << bit != 0;
    if has(0) {
        fields.u8()?;
    }
    if has(2) {
        fields.u16()?;
    }
    if has(4) {
        data.wheel = Some((fields.u32()?, fields.u16()?));
    }
    if has(5) {
        data.crank = Some((fields.u16()?, fields.u16()?));
    }
    Ok(())
}

/// Decoder of a power meter.
#[derive(Default)]
pub(super) struct PowerMeter {
    crank: CrankCounter,
}

impl Decoder for PowerMeter {
    fn decode(&mut self, now: Moment, characteristic: Uuid, bytes: &[u8]) -> Option<Decoded> {
        let data = parse_cycling_power(bytes)
            .ok()
            .filter(|_| characteristic == MEASUREMENT)?;
        let crank = data.crank;
        Some(Decoded {
            reading: Reading {
                power: Some(u16::try_from(data.power).unwrap_or(0)),
                cadence: crank.and_then(|(turns, time)| self.crank.update(now, turns, time)),
                heart_rate: None,
                speed: None,
            },
            has_no_heart_rate: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_and_counters_are_read() {
        let bytes = [
            0x30, 0x00, 0x21, 0x00, 0x2a, 0x00, 0x00, 0x00, 0xc4, 0x60, 0x12, 0x00, 0xf7, 0x04,
        ];
        let data = parse_cycling_power(&bytes).unwrap();
        assert_eq!(data.power, 33);
        assert_eq!(data.wheel, Some((42, 0x60c4)));
        assert_eq!(data.crank, Some((18, 0x04f7)));
    }

    #[test]
    fn balance_and_torque_before_the_counters_are_left_out() {
        // Balance with its reference, torque of the crank, wheel, crank.
        let bytes = [
            0x3f, 0x00, 0xfa, 0x00, 100, 0x34, 0x12, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0,
        ];
        let data = parse_cycling_power(&bytes).unwrap();
        assert_eq!(
            (data.power, data.wheel, data.crank),
            (250, Some((1, 2)), Some((3, 4)))
        );
    }

    #[test]
    fn fields_that_are_announced_and_not_sent_are_missing() {
        let data = parse_cycling_power(&[0x30, 0x00, 0x21, 0x00, 0x2a, 0x00]).unwrap();
        assert_eq!((data.power, data.wheel, data.crank), (33, None, None));
        assert_eq!(parse_cycling_power(&[0, 0, 1]), Err(SensorError::Truncated));
    }

    #[test]
    fn a_negative_power_is_ridden_as_none() {
        let mut meter = PowerMeter::default();
        let decoded = meter.decode(Moment::ZERO, MEASUREMENT, &[0, 0, 0xff, 0xff]);
        assert_eq!(decoded.unwrap().reading.power, Some(0));
    }
}
