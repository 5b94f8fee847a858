//! Fuzz target for ERG and MRC files.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../shared/workout_file.rs"]
mod workout_file;

fuzz_target!(|bytes: &[u8]| workout_file::check(bytes, "workout.erg"));
