//! Fuzz target for the messages between riders, and those between a rider and a bridge.
//!
//! Checked for any input: decoding does not panic, and an accepted message decodes to the same value
//! again after it is encoded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ride::{
    bridge::{BridgeLoad, BridgeReport, MAX_DEVICE_NAME},
    message::PeerMessage,
    trainer::DeviceKind,
};

fuzz_target!(|bytes: &[u8]| {
    // Numbers that are not a number are not equal to themselves.
    if let Ok(message) = PeerMessage::decode(bytes) {
        assert!(PeerMessage::decode(&message.encode()).is_ok());
    }
    if let Ok(load) = BridgeLoad::decode(bytes) {
        assert_eq!(BridgeLoad::decode(&load.encode()), Ok(load.clone()));
        let _ = load.rider();
    }
    if let Ok(report) = BridgeReport::decode(bytes) {
        assert_eq!(BridgeReport::decode(&report.encode()), Ok(report.clone()));
        let devices = report.into_devices();
        assert!(devices.len() <= DeviceKind::ALL.len());
        assert!(devices.iter().all(|device| device.name.len() <= MAX_DEVICE_NAME));
    }
});
