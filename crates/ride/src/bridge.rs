//! Messages between a rider's page and a bridge: a phone that connects Bluetooth devices for a
//! browser without Bluetooth.
//!
//! Both sides repeat their newest message, so that one which is lost does no harm. The messages have
//! the form of those between riders ([`crate::message`]), with kinds of their own.

use minicbor::{Decoder, Encode, Encoder, encode};
use protocol::text::truncate;

use crate::{
    message::{self, Envelope, MessageError},
    rider::{MAX_NAME_CHARS, RiderName},
    text::clean,
    trainer::{Capabilities, ControlProblem, DeviceKind, Load, MAX_SLOPE, MAX_SPEED, Reading},
    wire,
};

/// Largest length of a device's name in bytes. Four of them fit into one packet.
pub const MAX_DEVICE_NAME: usize = 64;
/// Largest length of a rider's name in bytes.
const MAX_RIDER_NAME: usize = 256;

/// Kinds of the messages.
const REPORT: u8 = 6;
const LOAD: u8 = 7;
/// Kind of load that tells a bridge that it is used no more.
const DISMISSED: u8 = 3;

/// States of a device by their number in a report.
const STATES: [BridgedState; 10] = [
    BridgedState::Connecting,
    BridgedState::Connected,
    BridgedState::Silent,
    BridgedState::Lost,
    BridgedState::Uncontrolled(ControlProblem::MeasuresOnly),
    BridgedState::Uncontrolled(ControlProblem::Unsupported),
    BridgedState::Uncontrolled(ControlProblem::Rejected),
    BridgedState::Uncontrolled(ControlProblem::NoAnswer),
    BridgedState::Uncontrolled(ControlProblem::NotPermitted),
    BridgedState::Uncontrolled(ControlProblem::StopsWhenControlled),
];

/// Proof that a bridge knows the secret of the rider's link.
pub type BridgeProof = [u8; 32];

/// Devices of a bridge, sent twice a second and after each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeReport {
    /// HMAC with the secret of the rider's link.
    pub proof: BridgeProof,
    /// Devices, at most one of each kind.
    pub devices: Vec<BridgedDevice>,
}

/// Device of a bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgedDevice {
    /// Its kind.
    pub kind: DeviceKind,
    /// Its state.
    pub state: BridgedState,
    /// Its name, see [`BridgedDevice::named`].
    pub name: String,
    /// Loads that it takes.
    pub capabilities: Capabilities,
    /// Its readings.
    pub reading: Reading,
    /// State of charge in percent.
    pub battery: Option<u8>,
}

/// State of a device of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BridgedState {
    /// It is being connected.
    Connecting,
    /// It is connected, and does what it can.
    Connected,
    /// It is connected, and sends no data.
    Silent,
    /// Its connection is lost.
    Lost,
    /// It is connected, and does not follow the load.
    Uncontrolled(ControlProblem),
}

/// Load for the trainer of a bridge, sent twice a second and after each change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeLoad {
    /// The load; `None` if the rider uses this bridge no more.
    pub load: Option<Load>,
    /// Name of the rider, see [`BridgeLoad::new`].
    pub rider: String,
}

impl BridgedDevice {
    /// Name of a device without what hides text, and no longer than [`MAX_DEVICE_NAME`].
    pub fn named(name: &str) -> String {
        truncate(&clean(name, false), MAX_DEVICE_NAME, MAX_DEVICE_NAME).to_owned()
    }
}

impl BridgeReport {
    /// Encodes the message.
    pub fn encode(&self) -> Vec<u8> {
        wire::to_vec(&Envelope(REPORT, self))
    }

    /// Decodes a message.
    ///
    /// # Errors
    /// [`MessageError`] for bytes that are not a report.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        message::decode_kind(bytes, REPORT, |decoder| {
            let fields = begin(decoder, 2)?;
            let proof = decoder.bytes()?.try_into();
            let proof = proof.map_err(|_| MessageError::Malformed)?;
            let count = decoder.array()?.unwrap_or(u64::MAX);
            if count > DeviceKind::ALL.len() as u64 {
                return Err(MessageError::Malformed);
            }
            let devices = (0..count).map(|_| BridgedDevice::read(decoder));
            let devices = devices.collect::<Result<_, _>>()?;
            skip(decoder, fields)?;
            Ok(Self { proof, devices })
        })
    }

    /// Devices, of each kind the first one only, with names that are safe to be shown.
    pub fn into_devices(self) -> Vec<BridgedDevice> {
        let mut devices: Vec<BridgedDevice> = Vec::new();
        for mut device in self.devices {
            if devices.iter().all(|other| other.kind != device.kind) {
                device.name = BridgedDevice::named(&device.name);
                device.battery = device.battery.filter(|percent| *percent <= 100);
                devices.push(device);
            }
        }
        devices
    }
}

impl BridgeLoad {
    /// Encodes the message.
    pub fn encode(&self) -> Vec<u8> {
        wire::to_vec(&Envelope(LOAD, self))
    }

    /// Decodes a message.
    ///
    /// # Errors
    /// [`MessageError`] for bytes that are not a load, or for a load out of its range.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        message::decode_kind(bytes, LOAD, |decoder| {
            let fields = begin(decoder, 3)?;
            let (kind, value, rider) = (decoder.u8()?, decoder.i32()?, decoder.str()?.to_owned());
            skip(decoder, fields)?;
            let load = match kind {
                DISMISSED => None,
                kind => Some(load(kind, value).ok_or(MessageError::Malformed)?),
            };
            Ok(Self { load, rider })
        })
    }

    /// Load with the name of the rider, cut to what fits into one packet.
    pub fn new(load: Option<Load>, rider: &RiderName) -> Self {
        let rider = truncate(rider.as_str(), MAX_NAME_CHARS, MAX_RIDER_NAME).to_owned();
        Self { load, rider }
    }

    /// The name of the rider, safe to be shown.
    pub fn rider(&self) -> String {
        truncate(&clean(&self.rider, false), MAX_NAME_CHARS, MAX_RIDER_NAME).to_owned()
    }
}

/// Load of a kind and a value, if the value is in its range.
fn load(kind: u8, value: i32) -> Option<Load> {
    match kind {
        0 => u16::try_from(value).ok().map(Load::Power),
        1 => {
            let slope = i16::try_from(value).ok().map(Load::Slope);
            slope.filter(|_| value.abs() <= i32::from(MAX_SLOPE))
        }
        2 => {
            let percent = u8::try_from(value).ok().filter(|percent| *percent <= 100);
            percent.map(Load::Resistance)
        }
        _ => None,
    }
}

impl<C> Encode<C> for BridgeLoad {
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let (kind, value) = match self.load {
            Some(Load::Power(watts)) => (0, i32::from(watts)),
            Some(Load::Slope(slope)) => (1, i32::from(slope)),
            Some(Load::Resistance(percent)) => (2, i32::from(percent)),
            None => (DISMISSED, 0),
        };
        encoder
            .array(3)?
            .u8(kind)?
            .i32(value)?
            .str(&self.rider)?
            .ok()
    }
}

impl<C> Encode<C> for BridgeReport {
    fn encode<W: encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        encoder.array(2)?.bytes(&self.proof)?;
        encoder.array(self.devices.len() as u64)?;
        for device in &self.devices {
            let state = STATES.iter().position(|state| *state == device.state);
            let capabilities = device.capabilities;
            let capabilities = u8::from(capabilities.power)
                | u8::from(capabilities.slope) << 1
                | u8::from(capabilities.resistance) << 2;
            encoder.array(9)?.u8(device.kind as u8)?;
            // There are fewer than 256 states.
            encoder
                .u8(state.unwrap_or_default() as u8)?
                .str(&device.name)?
                .u8(capabilities)?;
            let reading = device.reading;
            let cadence = reading.cadence.map(u16::from);
            let heart_rate = reading.heart_rate.map(u16::from);
            for value in [
                reading.power,
                cadence,
                heart_rate,
                device.battery.map(u16::from),
                reading.speed,
            ] {
                match value {
                    Some(value) => encoder.u16(value)?,
                    None => encoder.null()?,
                };
            }
        }
        Ok(())
    }
}

impl BridgedDevice {
    fn read(decoder: &mut Decoder<'_>) -> Result<Self, MessageError> {
        let fields = begin(decoder, 8)?;
        let kind = DeviceKind::ALL.get(usize::from(decoder.u8()?)).copied();
        let state = STATES.get(usize::from(decoder.u8()?)).copied();
        let name = decoder.str()?.to_owned();
        let capabilities = decoder.u8()?;
        let mut values = [None; 4];
        for value in &mut values {
            *value = decoder.decode::<Option<u16>>()?;
        }
        // Speed was added later.
        let speed = match fields {
            0 => None,
            _ => decoder.decode::<Option<u16>>()?,
        };
        skip(decoder, fields.saturating_sub(1))?;
        let [power, cadence, heart_rate, battery] = values;
        let small = |value: Option<u16>| value.and_then(|value| u8::try_from(value).ok());
        Ok(Self {
            kind: kind.ok_or(MessageError::Malformed)?,
            state: state.ok_or(MessageError::Malformed)?,
            name,
            capabilities: Capabilities {
                power: capabilities & 1 != 0,
                slope: capabilities & 2 != 0,
                resistance: capabilities & 4 != 0,
            },
            reading: Reading {
                power,
                cadence: small(cadence),
                heart_rate: small(heart_rate),
                speed: speed.filter(|speed| *speed <= MAX_SPEED),
            },
            battery: small(battery),
        })
    }
}

/// Begins an array with at least this number of fields, and returns the number of further ones, which
/// a newer version has added.
fn begin(decoder: &mut Decoder<'_>, fields: u64) -> Result<u64, MessageError> {
    let count = decoder.array()?.and_then(|count| count.checked_sub(fields));
    count.ok_or(MessageError::Malformed)
}

fn skip(decoder: &mut Decoder<'_>, fields: u64) -> Result<(), MessageError> {
    for _ in 0..fields {
        decoder.skip()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn device(kind: DeviceKind, name: &str) -> BridgedDevice {
        BridgedDevice {
            kind,
            state: BridgedState::Connected,
            name: name.to_owned(),
            capabilities: Capabilities::ALL,
            reading: Reading {
                power: Some(2_000),
                cadence: Some(200),
                heart_rate: Some(200),
                speed: Some(20_000),
            },
            battery: Some(100),
        }
    }

    #[test]
    fn a_report_of_four_devices_fits_into_one_packet_of_telemetry() {
        let name = BridgedDevice::named(&"ä".repeat(300));
        assert_eq!(name.len(), MAX_DEVICE_NAME);
        let report = BridgeReport {
            proof: [255; 32],
            devices: DeviceKind::ALL.map(|kind| device(kind, &name)).into(),
        };
        let bytes = report.encode();
        assert!(bytes.len() <= 600, "{} bytes", bytes.len());
    }

    #[test]
    fn a_load_with_the_longest_name_fits_into_one_packet_of_telemetry() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
        let load = BridgeLoad::new(Some(Load::Power(300)), &family.repeat(40).parse().unwrap());
        assert!(load.rider().starts_with(family));
        let bytes = load.encode();
        assert!(bytes.len() <= 300, "{} bytes", bytes.len());
    }

    #[test]
    fn of_a_report_that_means_harm_only_what_can_be_shown_is_used() {
        let report = BridgeReport {
            proof: [0; 32],
            devices: vec![
                BridgedDevice {
                    battery: Some(200),
                    ..device(
                        DeviceKind::Trainer,
                        &format!("\u{202e}K{}", "x".repeat(900)),
                    )
                },
                device(DeviceKind::Trainer, "another"),
                device(DeviceKind::HeartRate, "Strap"),
            ],
        };
        let devices = report.into_devices();
        let kinds: Vec<_> = devices.iter().map(|device| device.kind).collect();
        assert_eq!(kinds, [DeviceKind::Trainer, DeviceKind::HeartRate]);
        assert!(devices[0].name.starts_with("Kx"));
        assert_eq!(devices[0].name.len(), MAX_DEVICE_NAME);
        assert_eq!(devices[0].battery, None);
    }

    #[test]
    fn messages_are_decoded_as_they_were_encoded() {
        for load in [
            Some(Load::Power(0)),
            Some(Load::Power(u16::MAX)),
            Some(Load::Slope(-MAX_SLOPE)),
            Some(Load::Resistance(100)),
            None,
        ] {
            let load = BridgeLoad::new(load, &"Ana".parse().unwrap());
            assert_eq!(BridgeLoad::decode(&load.encode()), Ok(load));
        }
        for state in STATES {
            let device = BridgedDevice {
                state,
                battery: None,
                ..device(DeviceKind::HeartRate, "Strap")
            };
            let report = BridgeReport {
                proof: [9; 32],
                devices: vec![device],
            };
            assert_eq!(BridgeReport::decode(&report.encode()), Ok(report));
        }
    }

    #[test]
    fn fields_that_a_newer_version_adds_are_ignored() {
        let mut bytes = vec![];
        let mut encoder = Encoder::new(&mut bytes);
        let encoder = encoder.array(3).unwrap().u8(message::VERSION).unwrap();
        let encoder = encoder.u8(LOAD).unwrap().array(4).unwrap();
        let encoder = encoder.u8(0).unwrap().i32(120).unwrap().str("Ana").unwrap();
        encoder.array(1).unwrap().u8(7).unwrap();
        let load = BridgeLoad::decode(&bytes).map(|message| message.load);
        assert_eq!(load, Ok(Some(Load::Power(120))));
    }

    #[test]
    fn a_device_of_an_older_phone_has_no_speed() {
        let report = BridgeReport {
            proof: [9; 32],
            devices: vec![device(DeviceKind::Trainer, "K")],
        };
        let mut bytes = report.encode();
        // The speed is the last field: a byte for the type and two for the number.
        bytes.truncate(bytes.len() - 3);
        let array = bytes.iter().rposition(|byte| *byte == 0x89);
        bytes[array.expect("an array of nine")] = 0x88;
        let device = BridgeReport::decode(&bytes).expect("a report").devices;
        let reading = Reading {
            speed: None,
            ..report.devices[0].reading
        };
        assert_eq!(device[0].reading, reading);
    }

    #[test]
    fn a_load_that_no_trainer_has_is_an_error() {
        for load in [
            Load::Slope(MAX_SLOPE + 1),
            Load::Slope(i16::MIN),
            Load::Resistance(101),
        ] {
            let load = BridgeLoad::new(Some(load), &"Ana".parse().unwrap());
            let decoded = BridgeLoad::decode(&load.encode());
            assert_eq!(decoded, Err(MessageError::Malformed));
        }
    }

    #[test]
    fn bytes_that_are_no_message_are_an_error() {
        let report = BridgeReport {
            proof: [9; 32],
            devices: vec![device(DeviceKind::Trainer, "Kickr")],
        };
        let bytes = report.encode();
        for end in 0..bytes.len() {
            assert!(BridgeReport::decode(&bytes[..end]).is_err());
        }
        let crowd = BridgeReport {
            devices: vec![device(DeviceKind::Trainer, "Kickr"); 5],
            ..report
        };
        let error = Err(MessageError::Malformed);
        assert_eq!(BridgeReport::decode(&crowd.encode()), error);
        assert_eq!(BridgeReport::decode(&[&bytes[..], &[0]].concat()), error);
        let load = BridgeLoad::decode(&bytes);
        assert_eq!(load, Err(MessageError::Unknown(REPORT)));
        proptest!(|(bytes: Vec<u8>)| {
            let _ = (BridgeReport::decode(&bytes), BridgeLoad::decode(&bytes));
        });
    }
}
