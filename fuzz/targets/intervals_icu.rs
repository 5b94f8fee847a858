//! Fuzz target for answers of intervals.icu.
//!
//! The first two bytes choose status and way of the answer, the rest is its body. Checked for any
//! answer: nothing panics, lists and names are bounded, an accepted workout can be stored and read
//! again, and an id of an activity can stand in an address.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ride::intervals_icu::{self, Answer, LocalDate, Route};
use ride::rider::Ftp;
use ride::workout::Workout;

const STATUSES: [u16; 8] = [200, 201, 401, 403, 404, 429, 502, 504];

fuzz_target!(|input: (u8, bool, &[u8])| {
    let (status, is_passed_on, body) = input;
    let answer = Answer {
        status: STATUSES[usize::from(status) % STATUSES.len()],
        retry_after: core::str::from_utf8(body).ok(),
        body,
        route: if is_passed_on {
            Route::PassThrough
        } else {
            Route::Direct
        },
    };
    let day = LocalDate::new(2026, 11, 8).expect("a day");
    if let Ok(planned) = intervals_icu::read_planned_workouts(answer, day, Ftp::default()) {
        assert!(planned.len() <= 50);
        for one in planned {
            assert!(one.name.chars().count() <= 120);
            if let Ok(workout) = one.workout {
                assert!(Workout::from_bytes(&workout.to_bytes()).is_some());
            }
        }
    }
    if let Ok(Some(id)) = intervals_icu::read_upload(answer) {
        let id = id.as_str();
        assert!((1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
});
