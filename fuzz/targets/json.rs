//! Fuzz target for workouts in JSON.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../shared/workout_file.rs"]
mod workout_file;

fuzz_target!(|bytes: &[u8]| workout_file::check(bytes, "workout.json"));
