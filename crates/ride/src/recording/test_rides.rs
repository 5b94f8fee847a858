//! Arbitrary rides for tests: recordings with gaps, pauses, sleeps and laps.

use core::time::Duration;

use clock::{Moment, Now, WallTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{Recorder, Recording};
use crate::rider::Ftp;
use crate::trainer::Reading;

/// 2027-01-15T08:00:00Z
const START: WallTime = WallTime::from_unix_ms(1_800_000_000_000);

/// Events of a ride.
pub(super) type Script = Vec<Event>;

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// Rides a number of seconds in an interval with a reading.
    Ride(u64, u32, Reading),
    /// Pauses for a number of seconds.
    Pause(u64),
    /// The computer sleeps for a number of seconds: the monotonic clock stands still.
    Sleep(u64),
    /// Jumps in the workout.
    Jump,
}

pub(super) fn script() -> impl Strategy<Value = Script> {
    let reading = (
        option::of(0_u16..2_000),
        option::of(any::<u8>()),
        option::of(any::<u8>()),
        option::weighted(0.3, 0_u16..30_000),
    );
    let reading = reading.prop_map(|(power, cadence, heart_rate, speed)| Reading {
        power,
        cadence,
        heart_rate,
        speed,
    });
    let event = prop_oneof![
        6 => (1_u64..40, 0_u32..6, reading).prop_map(|(seconds, interval, reading)| {
            Event::Ride(seconds, interval, reading)
        }),
        1 => (1_u64..200).prop_map(Event::Pause),
        1 => (1_u64..40_000).prop_map(Event::Sleep),
        1 => Just(Event::Jump),
    ];
    vec(event, 0..30)
}

/// Recording of the events.
pub(super) fn recording(script: &[Event]) -> Recording {
    let (mut moment, mut wall) = (0, 0);
    let now = |moment, wall| Now {
        moment: Moment::from_origin(Duration::from_secs(moment)),
        wall: START.after(Duration::from_secs(wall)),
    };
    let mut recorder = Recorder::new(now(0, 0), "Sets & \"more\"".into(), Ftp::default());
    for event in script {
        recorder.follow_clocks(now(moment, wall));
        match *event {
            Event::Ride(seconds, interval, reading) => {
                for _ in 0..seconds {
                    let now = now(moment, wall);
                    recorder.record(now.moment, reading, Some(150), Some(interval));
                    (moment, wall) = (moment + 1, wall + 1);
                }
            }
            Event::Pause(seconds) => {
                recorder.pause(now(moment, wall).moment);
                (moment, wall) = (moment + seconds, wall + seconds);
                recorder.resume(now(moment, wall).moment);
            }
            Event::Sleep(seconds) => wall += seconds,
            Event::Jump => recorder.begin_lap(),
        }
    }
    recorder.follow_clocks(now(moment, wall));
    recorder.finish(now(moment, wall).moment).clone()
}
