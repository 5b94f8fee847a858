//! Tacx trainers before FTMS: ANT+ FE-C messages through a service of Tacx's own (ANT+ Device Profile
//! Fitness Equipment 5.0, Tacx FE-C over BLE).

use clock::Moment;

use super::{
    CharacteristicAccess, CharacteristicSpec, Load, MAX_SPEED, ProfileSpec, Reading, Uuid,
    ftms::PowerRange,
    load_writer::LoadWriter,
    notifying::{Decoded, Decoder, NotifyingProfile},
};

/// Tacx's service.
pub const SERVICE: Uuid = Uuid::from_u128(0x6e40_fec1_b5a3_f393_e0a9_e50e_24dc_ca9e);
/// Notifies messages of the trainer.
pub const MESSAGES: Uuid = Uuid::from_u128(0x6e40_fec2_b5a3_f393_e0a9_e50e_24dc_ca9e);
/// Takes messages to the trainer.
pub const COMMANDS: Uuid = Uuid::from_u128(0x6e40_fec3_b5a3_f393_e0a9_e50e_24dc_ca9e);

/// Services and characteristics of the profile.
pub const SPEC: ProfileSpec = ProfileSpec {
    advertised_service: SERVICE,
    characteristics: &[
        CharacteristicSpec::required(SERVICE, MESSAGES, CharacteristicAccess::Subscribe),
        CharacteristicSpec::required(SERVICE, COMMANDS, CharacteristicAccess::Write),
    ],
};

/// Start of a message.
const SYNC: u8 = 0xa4;
/// Length of a message's content: the channel and a page.
const LENGTH: u8 = 9;
/// Message that the trainer acknowledges, on channel 5.
const ACKNOWLEDGED: [u8; 2] = [0x4f, 5];
/// Pages from the trainer.
const GENERAL: u8 = 0x10;
const TRAINER: u8 = 0x19;
/// Pages to the trainer.
const SET_RESISTANCE: u8 = 0x30;
const SET_POWER: u8 = 0x31;
const SET_TRACK: u8 = 0x33;
/// Rolling resistance 0.004 in units of 0.00005.
const ROLLING: u8 = 80;

/// Page of a message.
pub type Page = [u8; 8];

/// Profile of such a trainer.
pub fn profile() -> NotifyingProfile {
    let writer = LoadWriter::new(&[], |load| vec![encode(load).to_vec()]);
    NotifyingProfile::controlled(&SPEC, Fec, COMMANDS, writer)
}

/// Message that sets a load: the power in units of 0.25 W, the slope from -200 % in units of 0.01 %,
/// or the resistance in units of 0.5 %.
pub fn encode(load: Load) -> [u8; 13] {
    let none = 0xff;
    match load {
        Load::Power(watts) => {
            let quarters = PowerRange::UNKNOWN.clamp(watts) as u16 * 4;
            let [low, high] = quarters.to_le_bytes();
            message([SET_POWER, none, none, none, none, none, low, high])
        }
        Load::Slope(slope) => {
            let slope = (i32::from(slope) + 20_000).clamp(0, 40_000) as u16;
            let [low, high] = slope.to_le_bytes();
            message([SET_TRACK, none, none, none, none, low, high, ROLLING])
        }
        Load::Resistance(percent) => {
            let halves = percent.min(100) * 2;
            message([SET_RESISTANCE, none, none, none, none, none, none, halves])
        }
    }
}

fn message(page: Page) -> [u8; 13] {
    let mut message = [0; 13];
    message[0] = SYNC;
    message[1] = LENGTH;
    message[2..4].copy_from_slice(&ACKNOWLEDGED);
    message[4..12].copy_from_slice(&page);
    message[12] = checksum(&message[..12]);
    message
}

/// Page of a message; `None` for bytes that are no message with a page, or damaged.
pub fn parse_page(bytes: &[u8]) -> Option<Page> {
    let [SYNC, LENGTH, _, _, rest @ ..] = bytes else {
        return None;
    };
    let (page, rest) = rest.split_first_chunk::<8>()?;
    let [sum, ..] = rest else { return None };
    (*sum == checksum(&bytes[..12])).then_some(*page)
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

struct Fec;

impl Decoder for Fec {
    fn decode(&mut self, _now: Moment, characteristic: Uuid, bytes: &[u8]) -> Option<Decoded> {
        let page = parse_page(bytes).filter(|_| characteristic == MESSAGES)?;
        let known = |value: u8| (value != 0xff).then_some(value);
        let reading = match page {
            [TRAINER, _, cadence, _, _, low, high, _] => {
                // The upper four bits are a state.
                let power = u16::from_le_bytes([low, high & 0x0f]);
                Reading {
                    power: (power != 0x0fff).then_some(power),
                    cadence: known(cadence),
                    heart_rate: None,
                    speed: None,
                }
            }
            [GENERAL, _, _, _, low, high, heart_rate, _] => {
                // In mm/s; the highest number stands for an invalid value.
                let speed = u16::from_le_bytes([low, high]);
                Reading {
                    heart_rate: known(heart_rate).filter(|beats| *beats > 0),
                    speed: (speed <= MAX_SPEED).then_some(speed),
                    ..Reading::default()
                }
            }
            _ => return None,
        };
        Some(Decoded {
            reading,
            has_no_heart_rate: page[0] == GENERAL && reading.heart_rate.is_none(),
        })
    }
}

#[cfg(test)]
mod tests;
