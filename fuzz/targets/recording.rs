//! Fuzz target for stored recordings, and for the files that are written of them.
//!
//! The input is the chunks of a recording, each with its length first, in two bytes with the low one
//! first. The last chunk may be shorter than its length.
//!
//! Checked for any input: nothing panics. A recording that can be read is stored as the same bytes
//! when it is read again, and has a FIT and a TCX file, or neither, for the same reason.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ride::analysis::Summary;
use ride::recording::{Activity, Recording, SubSport, fit, tcx};

fuzz_target!(|bytes: &[u8]| {
    let Ok(recording) = Recording::from_chunks(chunks(bytes)) else {
        return;
    };
    let _ = Summary::of(&recording);
    // Not the recordings, since a time that is out of range is lowered to the highest one.
    let stored = recording.encode();
    if let Ok(again) = Recording::decode(&stored) {
        assert_eq!(again.encode(), stored);
    }
    let activity = Activity {
        recording,
        workout: None,
        serial_number: 0,
        sub_sport: SubSport::default(),
    };
    let fit = fit::encode(&activity, i32::MIN).map(|_| ());
    let tcx = tcx::encode(&activity, i32::MAX).map(|_| ());
    assert_eq!(fit, tcx);
});

fn chunks(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let (length, following) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length));
        let (chunk, after) = following.split_at(following.len().min(length));
        rest = after;
        Some(chunk)
    })
}
