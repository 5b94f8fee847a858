//! Hosts who try to keep the next host from changing the ride.

use super::*;
use crate::workout::MAX_INTERVALS;

fn next_host() -> PeerId {
    "ben".parse().expect("a peer id")
}

impl Host {
    /// Hands the ride over: the next host continues from the same log.
    fn succeeded(&self) -> Timeline {
        let mut next = Timeline::new();
        next.merge(self.sent.clone(), Some(at(0)), key_of);
        next
    }
}

/// The change as the host of epoch 2, and what the other riders make of it.
fn says_next(timeline: &mut Timeline, change: Change) -> Result<MergeResult, TimelineError> {
    let mut rider = timeline.clone();
    let event = timeline.append(change, 2, &next_host(), &key(2))?;
    Ok(rider.merge([event], Some(at(0)), key_of))
}

#[test]
fn a_host_who_makes_as_many_changes_as_possible_leaves_room_for_the_next() {
    let mut host = Host::new();
    host.says(Change::Share(workout(10)));
    host.says(Change::Start { at: at(-10) });
    let made = (0..)
        .take_while(|_| host.try_says(Change::NoOp).is_ok())
        .count();
    assert_eq!(made + 2, MAX_EVENTS / 2);
    assert_eq!(host.try_says(Change::NoOp), Err(TimelineError::Full));

    let mut next = host.succeeded();
    assert_eq!(next.head(), host.timeline.head());
    assert_eq!(says_next(&mut next, Change::Pause { at: at(0) }), Ok(GREW));
    assert_eq!(says_next(&mut next, Change::Resume { at: at(3) }), Ok(GREW));
    assert_eq!(says_next(&mut next, Change::End { at: at(5) }), Ok(GREW));
}

#[test]
fn a_host_who_shares_large_workouts_leaves_room_for_the_next() {
    let mut host = Host::new();
    let large = Draft {
        name: "Large".to_owned(),
        intervals: vec![
            Interval::new(seconds(4), IntervalKind::Steady, Target::steady(0.8));
            MAX_INTERVALS
        ],
        ..Draft::default()
    };
    let large = Workout::new(large).expect("a workout");
    while host.try_says(Change::Share(large.clone())).is_ok() {}
    let mut next = host.succeeded();
    assert_eq!(says_next(&mut next, Change::Share(large)), Ok(GREW));
    assert_eq!(says_next(&mut next, Change::Start { at: at(10) }), Ok(GREW));
}

#[test]
fn a_host_who_returns_in_many_terms_has_the_room_of_one() {
    let mut timeline = Timeline::new();
    let mut made = 0;
    for epoch in 1..20 {
        let host = first_host();
        while timeline.append(Change::NoOp, epoch, &host, &key(1)).is_ok() {
            made += 1;
        }
    }
    assert_eq!(made, MAX_EVENTS / 2);
}

#[test]
fn a_change_far_in_the_future_does_not_keep_the_next_host_from_changing_the_ride() {
    let far = at(1_000_000_000);
    let begun = || {
        let mut host = Host::new();
        host.says(Change::Share(workout(10)));
        host.says(Change::Start { at: at(-10) });
        host.says(Change::Pause { at: at(-1) });
        host
    };
    for change in [
        Change::End { at: far },
        Change::Extend {
            at: far,
            interval: 0,
        },
        Change::Resume { at: far },
    ] {
        let mut host = begun();
        host.says(change);
        let mut rider = Timeline::new();
        let result = rider.merge(host.sent.clone(), Some(at(0)), key_of);
        assert_eq!(result.rejected, [TimelineError::TooFarAhead]);
        assert_eq!(
            says_next(&mut rider, Change::Resume { at: at(3) }),
            Ok(GREW)
        );
        assert_eq!(says_next(&mut rider, Change::End { at: at(5) }), Ok(GREW));
    }
}

#[test]
fn a_start_in_the_far_future_is_rejected_and_one_within_the_hour_is_not() {
    let starting = |second| {
        let mut host = Host::new();
        host.says(Change::Share(workout(10)));
        host.says(Change::Start { at: at(second) });
        host.sent
    };
    let mut rider = Timeline::new();
    let result = rider.merge(starting(1_000_000), Some(at(0)), key_of);
    assert_eq!(result.rejected, [TimelineError::TooFarAhead]);
    assert_eq!(rider.phase(at(0)), Phase::Lobby);
    let result = Timeline::new().merge(starting(3_000), Some(at(0)), key_of);
    assert_eq!(result, GREW);
}
