//! Wahoo trainers before FTMS: a characteristic of Wahoo's own in the Cycling Power Service takes the
//! load, and the Cycling Power Measurement gives the readings.

use super::{
    CharacteristicAccess, CharacteristicSpec, Load, ProfileSpec, Uuid,
    cycling_power::{self, PowerMeter},
    ftms::PowerRange,
    load_writer::LoadWriter,
    notifying::NotifyingProfile,
};

/// Wahoo's control characteristic.
pub const CONTROL: Uuid = Uuid::from_u128(0xa026_e005_0a7d_4ab3_97fa_f150_0f9f_eb8b);

/// Services and characteristics of the profile.
pub const SPEC: ProfileSpec = ProfileSpec {
    advertised_service: cycling_power::SERVICE,
    characteristics: &[
        CharacteristicSpec::required(cycling_power::SERVICE, CONTROL, CharacteristicAccess::Write),
        cycling_power::MEASUREMENT_SPEC,
    ],
};

/// Opens the control characteristic.
const UNLOCK: &[u8] = &[0x20, 0xee, 0xfc];
const SET_RESISTANCE: u8 = 0x40;
const SET_POWER: u8 = 0x42;
/// Weight of 80 kg, rolling resistance 0.004, wind resistance 0.51 kg/m: the mode in which slopes
/// count.
const SIMULATION: [u8; 7] = [0x43, 0x40, 0x1f, 4, 0, 0xfe, 0x01];
const SET_SLOPE: u8 = 0x46;

/// Profile of such a trainer.
pub fn profile() -> NotifyingProfile {
    let writer = LoadWriter::new(UNLOCK, encode);
    NotifyingProfile::controlled(&SPEC, PowerMeter::default(), CONTROL, writer)
}

/// Writes of a load: the power in W, the slope of -100 to 100 % as 0 to 65,535, or the resistance as
/// 16,383 for none down to 0 for the most.
pub fn encode(load: Load) -> Vec<Vec<u8>> {
    let command = |opcode: u8, value: u16| {
        let [low, high] = value.to_le_bytes();
        vec![opcode, low, high]
    };
    match load {
        Load::Power(watts) => vec![command(SET_POWER, PowerRange::UNKNOWN.clamp(watts) as u16)],
        Load::Slope(slope) => {
            let share = (f32::from(slope) / 10_000.0 + 1.0) * 32_768.0;
            // The cast saturates.
            vec![
                SIMULATION.to_vec(),
                command(SET_SLOPE, share.round() as u16),
            ]
        }
        Load::Resistance(percent) => {
            let share = 1.0 - f32::from(percent.min(100)) / 100.0;
            vec![command(SET_RESISTANCE, (share * 16_383.0).round() as u16)]
        }
    }
}

#[cfg(test)]
mod tests;
