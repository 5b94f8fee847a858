//! Skipping, going back, making an interval longer, and calling the start off.

use super::*;
use crate::{player, wire};

/// Intervals of 60, 30 and 60 seconds at 50, 100 and 60 %, the middle one a ramp up to 120 %.
fn three() -> Workout {
    let interval = |seconds, from, to| {
        Interval::new(
            Duration::from_secs(seconds),
            IntervalKind::Steady,
            Target::Power { from, to },
        )
    };
    let intervals = vec![
        interval(60, 0.5, 0.5),
        interval(30, 1.0, 1.2),
        interval(60, 0.6, 0.6),
    ];
    Workout::new(Draft {
        name: "Three".into(),
        intervals,
        ..Draft::default()
    })
    .expect("a workout")
}

/// A ride of [`three`] that starts at second 10.
fn host() -> Host {
    let mut host = Host::new();
    host.says(Change::Share(three()));
    host.says(Change::Start { at: at(10) });
    host
}

/// Interval and whole seconds into it.
fn place(timeline: &Timeline, now: i64) -> (usize, u64) {
    let workout = timeline.workout().expect("a workout");
    let position = player::position(workout, timeline.position(at(now)));
    (position.index, position.offset.as_secs())
}

const fn skip(now: i64, from: u32) -> Change {
    Change::Skip { at: at(now), from }
}

const fn back(now: i64, from: u32) -> Change {
    Change::Back { at: at(now), from }
}

const fn extend(now: i64, interval: u32) -> Change {
    Change::Extend {
        at: at(now),
        interval,
    }
}

#[test]
fn a_skip_begins_the_next_interval_and_the_time_ridden_goes_on() {
    let mut host = host();
    host.says(skip(30, 0));
    assert_eq!(place(&host.timeline, 29), (0, 19));
    assert_eq!(place(&host.timeline, 30), (1, 0));
    let elapsed = seconds(25);
    assert_eq!(host.phase(35), Phase::Riding { elapsed });
    // 20 s of the first, then 30 and 60.
    let elapsed = seconds(110);
    assert_eq!(host.phase(120), Phase::Ended { elapsed });
    assert_eq!(host.timeline.ended_at(at(9_999)), Some(at(120)));
}

#[test]
fn a_back_begins_the_interval_again_and_within_five_seconds_the_one_before() {
    let mut host = host();
    host.says(back(90, 1));
    assert_eq!(place(&host.timeline, 89), (1, 19));
    assert_eq!(place(&host.timeline, 90), (1, 0));
    host.says(back(93, 1));
    assert_eq!(place(&host.timeline, 93), (0, 0));
    host.says(back(95, 0));
    assert_eq!(place(&host.timeline, 95), (0, 0));
    let elapsed = seconds(86);
    assert_eq!(host.phase(96), Phase::Riding { elapsed });
    assert_eq!(host.timeline.jumps(at(94)), 2);
    assert_eq!(host.timeline.jumps(at(95)), 3);
}

#[test]
fn an_extension_makes_the_interval_longer_and_moves_nobody() {
    let mut host = host();
    host.says(extend(30, 0));
    host.says(extend(30, 0));
    assert_eq!(place(&host.timeline, 31), (0, 21));
    assert_eq!(place(&host.timeline, 10 + 179), (0, 179));
    assert_eq!(place(&host.timeline, 10 + 180), (1, 0));
    let elapsed = seconds(270);
    assert_eq!(host.phase(10 + 270), Phase::Ended { elapsed });
}

#[test]
fn an_interval_grows_by_half_an_hour_at_most() {
    let mut host = host();
    for _ in 0..30 {
        host.says(extend(30, 0));
    }
    assert_eq!(
        host.try_says(extend(30, 0)),
        Err(TimelineError::ExtensionLimit)
    );
    let mut host = Host::new();
    host.says(Change::Share(workout(24 * 60)));
    host.says(Change::Start { at: at(10) });
    assert_eq!(
        host.try_says(extend(30, 0)),
        Err(TimelineError::ExtensionLimit)
    );
}

#[test]
fn a_wish_for_an_interval_that_is_over_is_refused() {
    let mut host = host();
    for change in [skip(71, 0), back(71, 0), extend(71, 0), skip(71, 9)] {
        assert_eq!(host.try_says(change), Err(TimelineError::OtherInterval));
    }
    assert_eq!(host.timeline.jumps(at(999)), 0);
}

#[test]
fn a_doubled_tap_skips_once() {
    let mut host = host();
    host.says(skip(30, 0));
    assert_eq!(host.try_says(skip(30, 0)), Err(TimelineError::TooSoon));
    assert_eq!(host.try_says(skip(30, 1)), Err(TimelineError::TooSoon));
    assert_eq!(place(&host.timeline, 30), (1, 0));
    host.says(skip(31, 1));
    assert_eq!(place(&host.timeline, 31), (2, 0));
}

#[test]
fn two_hosts_who_skip_the_same_interval_skip_it_once() {
    let mut first = host();
    let before = first.sent.clone();
    first.says(skip(30, 0));
    // The second host has not heard of it, and skips too.
    let mut second = Timeline::new();
    for event in &before {
        assert_eq!(second.merge([event.clone()], None, key_of), GREW);
    }
    second
        .append(skip(30, 0), 2, &second_host(), &key(2))
        .expect("an event");
    for event in second.since(Head::NONE) {
        first.timeline.merge([event], None, key_of);
    }
    assert_eq!(place(&first.timeline, 32), (1, 2));
    // One who has heard of it cannot.
    let mut second = Timeline::new();
    for event in &first.sent {
        second.merge([event.clone()], None, key_of);
    }
    let again = second.append(skip(40, 0), 2, &second_host(), &key(2));
    assert_eq!(again.err(), Some(TimelineError::OtherInterval));
}

#[test]
fn the_last_interval_cannot_be_skipped() {
    let mut host = host();
    assert_eq!(
        host.try_says(skip(110, 2)),
        Err(TimelineError::LastInterval)
    );
}

#[test]
fn intervals_can_be_changed_in_a_pause_but_not_before_the_start_or_after_the_end() {
    let mut host = host();
    assert_eq!(host.try_says(skip(5, 0)), Err(TimelineError::NotUnderWay));
    assert_eq!(host.try_says(skip(170, 2)), Err(TimelineError::Ended));
    host.says(Change::Pause { at: at(30) });
    host.says(skip(50, 0));
    assert_eq!(
        host.try_says(Change::Resume { at: at(49) }),
        Err(TimelineError::OutOfOrder)
    );
    host.says(Change::Resume { at: at(60) });
    assert_eq!(place(&host.timeline, 59), (1, 0));
    assert_eq!(place(&host.timeline, 62), (1, 2));
    let elapsed = seconds(22);
    assert_eq!(host.phase(62), Phase::Riding { elapsed });
}

#[test]
fn a_change_dated_ahead_counts_from_its_moment() {
    let mut host = host();
    host.says(back(90, 1));
    assert_eq!(place(&host.timeline, 60), (0, 50));
    assert_eq!(place(&host.timeline, 80), (1, 10));
    assert_eq!(
        host.try_says(Change::Pause { at: at(89) }),
        Err(TimelineError::OutOfOrder)
    );
}

#[test]
fn a_start_called_off_leads_back_to_the_lobby_and_can_be_set_again() {
    let mut host = host();
    host.says(Change::Cancel { at: at(8) });
    assert_eq!(host.phase(12), Phase::Lobby);
    assert_eq!(host.timeline.workout(), Some(&three()));
    assert_eq!(
        host.try_says(Change::Cancel { at: at(9) }),
        Err(TimelineError::NoCountdown)
    );
    host.says(Change::Share(workout(5)));
    host.says(Change::Start { at: at(30) });
    let elapsed = seconds(1);
    assert_eq!(host.phase(31), Phase::Riding { elapsed });
    assert_eq!(
        host.try_says(Change::Cancel { at: at(31) }),
        Err(TimelineError::NoCountdown)
    );
}

#[test]
fn what_was_ridden_is_told_piece_by_piece() {
    let mut host = host();
    host.says(skip(30, 0));
    host.says(back(45, 1));
    let ridden = host.timeline.as_ridden(at(55)).expect("a workout");
    assert_eq!(ridden.duration(), seconds(45));
    let pieces = ridden.intervals().iter();
    let percent = |target: Target| target.at(1.0).map(|end| (end * 100.0).round());
    let pieces = pieces.map(|piece| (piece.duration.as_secs(), percent(piece.target)));
    assert_eq!(
        pieces.collect::<Vec<_>>(),
        [(20, Some(50.0)), (15, Some(110.0)), (10, Some(107.0))]
    );
    assert_eq!(host.timeline.as_ridden(at(10)), None);
}

#[test]
fn cues_move_with_their_interval() {
    let cue = |at, text: &str| crate::workout::Cue {
        at: seconds(at),
        shown_for: seconds(5),
        text: text.into(),
    };
    let mut extended = Workout::new(Draft {
        intervals: three().intervals().to_vec(),
        cues: vec![cue(50, "Nearly"), cue(60, "Now")],
        ..Draft::default()
    })
    .expect("a workout");
    extended.extend(0, EXTENSION).expect("room");
    let times = extended.cues().iter().map(|cue| cue.at.as_secs());
    assert_eq!(times.collect::<Vec<_>>(), [50, 120]);
}

#[test]
fn a_skip_travels_as_documented() {
    let head = |sequence| Head { epoch: 3, sequence };
    let skip = Change::Skip {
        at: GroupTime(95_250_000),
        from: 2,
    };
    let hash = EventHash([7; 32]);
    let event =
        TimelineEvent::following((head(1), hash), 3, &first_host(), skip).expect("a number");
    let mut documented = vec![];
    let change = (5_u8, 95_250_000_i64, 2_u8);
    let digest = minicbor::bytes::ByteArray::from(hash.0);
    let fields = (3_u8, 2_u8, (3_u8, 1_u8), "ana", change, digest);
    minicbor::encode(fields, &mut documented).expect("memory");
    assert_eq!(wire::to_vec(&event), documented);
}

#[test]
fn an_event_of_an_unknown_kind_changes_nothing_and_breaks_nothing() {
    let mut host = host();
    let known: TimelineEvent = wire::from_slice(&host.sent[1].bytes).expect("an event");
    // [epoch, sequence, base, host, [40, a text], link], signed by the host of a later version.
    let mut bytes = vec![];
    let change = (40_u32, "louder");
    let event = (
        1_u32,
        3_u32,
        known.head(),
        "ana",
        change,
        host.sent[1].hash(),
    );
    minicbor::encode(event, &mut bytes).expect("memory");
    let signature = key(1).sign(&bytes);
    let from_later = SignedEvent { bytes, signature };
    assert_eq!(
        host.timeline.merge([from_later.clone()], None, key_of),
        GREW
    );
    assert_eq!(host.timeline.unknown_events(), 1);
    let elapsed = seconds(5);
    assert_eq!(host.phase(15), Phase::Riding { elapsed });

    let mut rider = Timeline::new();
    host.says(skip(30, 0));
    for event in host.timeline.since(Head::NONE) {
        assert_eq!(rider.merge([event], None, key_of), GREW);
    }
    assert_eq!(place(&rider, 31), (1, 1));
    assert!(rider.since(Head::NONE).contains(&from_later));
}

#[test]
fn a_ride_that_was_called_off_and_is_back_goes_on_where_it_was() {
    let ridden = host();
    let mut clock = RideClock::default();
    let elapsed = seconds(20);
    let phase = clock.read(&ridden.timeline, at(30));
    assert_eq!(phase, Phase::Riding { elapsed });
    // A host who was out of reach had called the start off; then the elected one is heard, who
    // had paused the ride.
    assert_eq!(clock.read(&Timeline::new(), at(31)), Phase::Lobby);
    let mut paused = host();
    paused.says(Change::Pause { at: at(25) });
    let resumes_in = None;
    assert_eq!(
        clock.read(&paused.timeline, at(32)),
        Phase::Paused {
            elapsed,
            resumes_in
        }
    );
}

#[test]
fn a_clock_that_is_told_of_a_pause_too_late_stands_until_the_group_has_caught_up() {
    let mut host = host();
    let mut clock = RideClock::default();
    let shown = |clock: &mut RideClock, host: &Host, now| clock.read(&host.timeline, at(now));
    let elapsed = seconds(20);
    assert_eq!(shown(&mut clock, &host, 30), Phase::Riding { elapsed });
    host.says(Change::Pause { at: at(25) });
    let resumes_in = None;
    assert_eq!(
        shown(&mut clock, &host, 31),
        Phase::Paused {
            elapsed,
            resumes_in
        }
    );
    host.says(Change::Resume { at: at(40) });
    assert_eq!(shown(&mut clock, &host, 43), Phase::Riding { elapsed });
    let elapsed = seconds(21);
    assert_eq!(shown(&mut clock, &host, 46), Phase::Riding { elapsed });
}

#[test]
fn a_clock_begins_anew_with_another_start() {
    let mut host = host();
    let mut clock = RideClock::default();
    clock.read(&host.timeline, at(30));
    host.says(Change::Cancel { at: at(9) });
    assert_eq!(clock.read(&host.timeline, at(31)), Phase::Lobby);
    host.says(Change::Start { at: at(40) });
    let elapsed = seconds(1);
    assert_eq!(
        clock.read(&host.timeline, at(41)),
        Phase::Riding { elapsed }
    );
}
