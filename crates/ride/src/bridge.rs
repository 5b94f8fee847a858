//! Messages between a rider's page and a bridge: a phone that connects Bluetooth devices for a
//! browser without Bluetooth.
//!
//! Both sides repeat their newest message, so that one which is lost does no harm.

use minicbor::{Decode, Encode};
use protocol::text::truncate;

use crate::{
    rider::{MAX_NAME_CHARS, RiderName},
    text::clean,
    trainer::{Capabilities, ControlProblem, DeviceKind, Load, MAX_SLOPE, Reading},
};

/// Largest length of a device's name in bytes. Four of them fit into one packet.
pub const MAX_DEVICE_NAME: usize = 64;
/// Largest length of a rider's name in bytes.
const MAX_RIDER_NAME: usize = 256;

/// Proof that a bridge knows the secret of the rider's link.
pub type BridgeProof = [u8; 32];

/// Devices of a bridge, sent twice a second and after each change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BridgeReport {
    /// The bridge's right to speak.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub proof: BridgeProof,
    /// Devices, at most one of each kind.
    #[n(1)]
    pub devices: Vec<BridgedDevice>,
}

/// Device of a bridge.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BridgedDevice {
    /// Its kind.
    #[n(0)]
    pub kind: DeviceKind,
    /// Its state.
    #[n(1)]
    pub state: BridgedState,
    /// Its name, see [`BridgedDevice::named`].
    #[n(2)]
    pub name: String,
    /// Loads that it takes.
    #[n(3)]
    pub capabilities: Capabilities,
    /// Its readings.
    #[n(4)]
    pub reading: Reading,
    /// State of charge in percent.
    #[n(5)]
    pub battery: Option<u8>,
}

/// State of a device of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum BridgedState {
    /// It is being connected.
    #[n(0)]
    Connecting,
    /// It is connected, and does what it can.
    #[n(1)]
    Connected,
    /// It is connected, and sends no data.
    #[n(2)]
    Silent,
    /// Its connection is lost.
    #[n(3)]
    Lost,
    /// It is connected, and does not follow the load.
    #[n(4)]
    Uncontrolled(#[n(0)] ControlProblem),
}

/// Load for the trainer of a bridge, sent twice a second and after each change.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BridgeLoad {
    /// The load.
    #[n(0)]
    pub load: Load,
    /// Name of the rider, see [`BridgeLoad::new`].
    #[n(1)]
    pub rider: String,
}

impl BridgedDevice {
    /// Name of a device without what hides text, and no longer than [`MAX_DEVICE_NAME`].
    pub fn named(name: &str) -> String {
        truncate(&clean(name, false), MAX_DEVICE_NAME, MAX_DEVICE_NAME).to_owned()
    }
}

impl BridgeReport {
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
    /// Load with the name of the rider, cut to what fits into one packet.
    pub fn new(load: Load, rider: &RiderName) -> Self {
        let rider = truncate(rider.as_str(), MAX_NAME_CHARS, MAX_RIDER_NAME).to_owned();
        Self { load, rider }
    }

    /// The name of the rider, safe to be shown.
    pub fn rider(&self) -> String {
        truncate(&clean(&self.rider, false), MAX_NAME_CHARS, MAX_RIDER_NAME).to_owned()
    }

    /// The load, or none that is out of the range of [`Load`].
    pub fn load(&self) -> Option<Load> {
        match self.load {
            Load::Slope(slope) if slope.unsigned_abs() > MAX_SLOPE.unsigned_abs() => None,
            Load::Resistance(percent) if percent > 100 => None,
            load => Some(load),
        }
    }
}

#[cfg(test)]
mod tests {
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
        let bytes = crate::message::PeerMessage::BridgeReport(report).encode();
        assert!(bytes.len() <= 600, "{} bytes", bytes.len());
    }

    #[test]
    fn a_load_with_the_longest_name_fits_into_one_packet_of_telemetry() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
        let load = BridgeLoad::new(Load::Power(300), &family.repeat(40).parse().unwrap());
        assert!(load.rider().starts_with(family));
        let bytes = crate::message::PeerMessage::BridgeLoad(load).encode();
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
    fn a_load_that_no_trainer_has_is_none() {
        let load = |load| {
            let load = BridgeLoad::new(load, &"Ana".parse().unwrap());
            load.load()
        };
        for valid in [
            Load::Power(0),
            Load::Power(u16::MAX),
            Load::Slope(-MAX_SLOPE),
            Load::Resistance(100),
        ] {
            assert_eq!(load(valid), Some(valid));
        }
        for invalid in [
            Load::Slope(MAX_SLOPE + 1),
            Load::Slope(i16::MIN),
            Load::Resistance(101),
        ] {
            assert_eq!(load(invalid), None);
        }
    }
}
