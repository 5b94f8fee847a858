//! Properties of the timeline for any changes by hosts and any order of delivery.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::workout::MAX_DURATION;

/// Something a host presses, milliseconds after the last thing. It means the interval that is
/// current then, or sometimes another one.
#[derive(Clone, Debug)]
struct Press {
    after: u32,
    button: u8,
    beside: bool,
}

fn presses() -> impl Strategy<Value = Vec<Press>> {
    let press = (0_u32..40_000, 0_u8..8, prop::bool::weighted(0.1));
    let press = press.prop_map(|(after, button, beside)| Press {
        after,
        button,
        beside,
    });
    prop::collection::vec(press, 0..40)
}

fn five() -> Workout {
    let intervals = [20_u64, 1, 45, 30, 60].map(|seconds| {
        Interval::new(
            Duration::from_secs(seconds),
            IntervalKind::Steady,
            Target::steady(0.8),
        )
    });
    Workout::new(Draft {
        intervals: intervals.to_vec(),
        ..Draft::default()
    })
    .expect("a workout")
}

const fn millis(millis: i64) -> GroupTime {
    GroupTime(millis * 1_000)
}

/// Lets a host of an epoch press, beginning at a moment; gives the moment of the last press.
fn press(timeline: &mut Timeline, presses: &[Press], epoch: u32, mut now: i64) -> i64 {
    let (host, key) = match epoch {
        1 => (&first_host(), key(1)),
        _ => (&second_host(), key(2)),
    };
    for press in presses {
        now += i64::from(press.after);
        let at = millis(now);
        let workout = timeline.workout().cloned();
        let index = workout.map_or(0, |workout| workout.index_at(timeline.position(at)));
        let from = u32::try_from(index).unwrap_or_default() + u32::from(press.beside);
        let change = match press.button {
            0 => Change::Pause { at },
            1 => Change::Resume {
                at: at.after(Duration::from_secs(3)),
            },
            2 | 3 => Change::Skip { at, from },
            4 => Change::Back { at, from },
            5 => Change::Extend { at, interval: from },
            6 => Change::Cancel { at },
            _ => Change::Start {
                at: at.after(Duration::from_secs(10)),
            },
        };
        // What makes no sense is refused, which is part of the game.
        let _ = timeline.append(change, epoch, host, &key);
    }
    now
}

fn begun() -> Timeline {
    let mut timeline = Timeline::new();
    for change in [Change::Share(five()), Change::Start { at: millis(0) }] {
        timeline
            .append(change, 1, &first_host(), &key(1))
            .expect("a change that makes sense");
    }
    timeline
}

fn elapsed(phase: Phase) -> Duration {
    match phase {
        Phase::Lobby | Phase::Countdown { .. } => Duration::ZERO,
        Phase::Riding { elapsed } | Phase::Paused { elapsed, .. } | Phase::Ended { elapsed } => {
            elapsed
        }
    }
}

/// Moments all over the ride.
fn moments() -> impl Iterator<Item = GroupTime> {
    (-5_i64..400).map(|step| millis(step * 3_989))
}

proptest! {
    // Every case signs and verifies hundreds of events.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn in_any_order_doubled_and_late_events_come_to_the_same_ride(
        first in presses(),
        second in presses(),
        heard in any::<Index>(),
        deliveries in prop::collection::vec(prop::collection::vec(any::<Index>(), 0..60), 3),
    ) {
        let mut ana = begun();
        press(&mut ana, &first, 1, 0);
        // Ben takes over from some of it, in an epoch of his own.
        let all = ana.since(Head::NONE);
        let mut ben = Timeline::new();
        for event in &all[..2 + heard.index(all.len() - 1)] {
            ben.merge([event.clone()], None, key_of);
        }
        press(&mut ben, &second, 2, 30_000);
        let mut events = all;
        events.extend(ben.since(Head::NONE));
        let newest = if ben.head() > ana.head() { &ben } else { &ana };
        for delivery in deliveries {
            let mut rider = Timeline::new();
            let mut reader = Timeline::new();
            let picked = delivery.iter().map(|pick| pick.get(&events).clone());
            for some in picked.clone().collect::<Vec<_>>().chunks(7) {
                reader.merge(some.to_vec(), None, key_of);
            }
            for event in picked {
                rider.merge([event], None, key_of);
            }
            // Lost events are requested from the rider with the highest head.
            for event in newest.since(Head::NONE) {
                rider.merge([event], None, key_of);
            }
            let taken = reader.merge(newest.since(Head::NONE), None, key_of);
            prop_assert!(!taken.gap);
            prop_assert_eq!(reader.since(Head::NONE), newest.since(Head::NONE));
            prop_assert_eq!(rider.head(), newest.head());
            prop_assert_eq!(rider.since(Head::NONE), newest.since(Head::NONE));
            for now in moments().step_by(7) {
                prop_assert_eq!(rider.phase(now), newest.phase(now));
                prop_assert_eq!(rider.position(now), newest.position(now));
            }
            prop_assert_eq!(rider.workout(), newest.workout());
        }
    }

    #[test]
    fn the_time_ridden_never_runs_backwards_and_the_position_stays_in_the_workout(
        buttons in presses(),
    ) {
        let mut timeline = begun();
        press(&mut timeline, &buttons, 1, 0);
        let mut before = Duration::ZERO;
        for now in moments() {
            let ridden = elapsed(timeline.phase(now));
            prop_assert!(ridden >= before);
            before = ridden;
            let whole = timeline.workout().expect("a workout").duration();
            prop_assert!(timeline.position(now) <= whole);
            let as_ridden = timeline.as_ridden(now).map(|workout| workout.duration());
            let short = ridden.saturating_sub(as_ridden.unwrap_or_default());
            // Pieces are told in whole milliseconds.
            prop_assert!(short <= Duration::from_millis(200), "{short:?}");
        }
    }

    #[test]
    fn the_clock_of_a_rider_never_runs_backwards_whatever_is_heard_late(
        buttons in presses(),
        delay in 0_usize..40,
    ) {
        let mut host = begun();
        let end = press(&mut host, &buttons, 1, 0);
        let events = host.since(Head::NONE);
        let (mut rider, mut clock) = (Timeline::new(), RideClock::default());
        let mut before = (None, Duration::ZERO);
        for step in 0_usize..200 {
            if let Some(event) = step.checked_sub(delay).and_then(|at| events.get(at / 2)) {
                rider.merge([event.clone()], None, key_of);
            }
            let now = millis(end * i64::try_from(step).expect("small") / 150);
            let shown = elapsed(clock.read(&rider, now));
            if before.0 == rider.started_at() {
                prop_assert!(shown >= before.1);
            }
            before = (rider.started_at(), shown);
        }
    }

    #[test]
    fn extensions_are_bounded(count in 0_i64..200) {
        let mut timeline = begun();
        for at in 0..count {
            let extend = Change::Extend { at: millis(at * 100), interval: 0 };
            let _ = timeline.append(extend, 1, &first_host(), &key(1));
        }
        let workout = timeline.workout().expect("a workout");
        prop_assert!(workout.duration() <= five().duration() + MAX_EXTENSION);
        prop_assert!(workout.duration() <= MAX_DURATION);
    }
}
