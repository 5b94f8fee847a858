use super::*;
use crate::workout::{Draft, IntervalKind, Target};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Ramp of 60 s from 50 to 100 %, and 30 s without a target.
fn workout() -> Workout {
    let cue = |at, text: &str| Cue {
        at: seconds(at),
        shown_for: seconds(10),
        text: text.into(),
    };
    let intervals = vec![
        Interval::new(
            seconds(60),
            IntervalKind::Ramp,
            Target::Power { from: 0.5, to: 1.0 },
        ),
        Interval::new(seconds(30), IntervalKind::FreeRide, Target::Free),
    ];
    let cues = vec![cue(10, "Go"), cue(15, "Harder")];
    Workout::new(Draft {
        intervals,
        cues,
        ..Draft::default()
    })
    .expect("a workout")
}

#[test]
fn the_workout_starts_in_the_first_interval() {
    let workout = workout();
    let position = position(&workout, Duration::ZERO);
    assert_eq!(
        (position.index, position.offset, position.remaining),
        (0, Duration::ZERO, seconds(90))
    );
    assert_eq!(position.target, Some(0.5));
    assert_eq!(
        position.next.map(|next| next.kind),
        Some(IntervalKind::FreeRide)
    );
    assert!(!position.finished);
}

#[test]
fn a_ramp_is_linear() {
    let workout = workout();
    assert_eq!(position(&workout, seconds(30)).target, Some(0.75));
}

#[test]
fn an_interval_ends_when_the_next_one_begins() {
    let workout = workout();
    let before = position(&workout, Duration::from_millis(59_999));
    assert_eq!(
        (before.index, before.remaining_in_interval),
        (0, Duration::from_millis(1))
    );
    let after = position(&workout, seconds(60));
    assert_eq!(
        (after.index, after.offset, after.remaining_in_interval),
        (1, Duration::ZERO, seconds(30))
    );
    assert_eq!((after.target, after.next), (None, None));
}

#[test]
fn after_the_end_there_is_no_target() {
    let workout = workout();
    for elapsed in [seconds(90), seconds(100_000), Duration::MAX] {
        let position = position(&workout, elapsed);
        assert!(position.finished);
        assert_eq!(
            (position.index, position.offset, position.remaining),
            (1, seconds(30), Duration::ZERO)
        );
        assert_eq!(position.target, None);
    }
}

#[test]
fn the_newest_cue_that_has_not_expired_is_shown() {
    let workout = workout();
    let shown = |at| cue(&workout, seconds(at)).map(|cue| cue.text.as_str());
    let expected = [
        (9, None),
        (10, Some("Go")),
        (15, Some("Harder")),
        (24, Some("Harder")),
        (25, None),
    ];
    assert_eq!(expected.map(|(at, _)| (at, shown(at))), expected);
}
