//! Fuzz target for rides in a file with all rides, and for what a browser stores beside a recording.
//!
//! Checked for any input: nothing panics. A ride that can be read is read again as it was written.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ride::recording::{
    archive::{ArchivedRide, LENGTH_BYTES},
    stored::{RideHead, RideState},
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(head) = RideHead::decode(bytes) {
        let stored = head.encode();
        let again = RideHead::decode(&stored).expect("an encoded entry");
        assert_eq!(again.encode(), stored);
    }
    if let Ok(state) = RideState::decode(bytes) {
        let _ = state.events();
        let stored = state.encode();
        let again = RideState::decode(&stored).expect("an encoded state");
        assert_eq!(again.encode(), stored);
    }
    if let Ok(ride) = ArchivedRide::read(bytes) {
        let mut file = Vec::new();
        ride.write(&mut file);
        let again = ArchivedRide::read(&file[LENGTH_BYTES..]).expect("a written ride");
        let mut second = Vec::new();
        again.write(&mut second);
        assert_eq!(second, file);
    }
});
