//! Sharing a workout, the countdown and the start.

use std::sync::Arc;

use ride::{
    formats::{Imported, Place, Remark, RemarkKind},
    timeline::TimelineError,
    workout::{Draft, Interval, IntervalKind, MAX_INTERVALS, Target, Workout},
};
use session::{
    Input, Intent,
    view::{HostAction, Notice, Stage, WorkoutFileError},
};

use crate::harness::{ANA, BEN, CEM, World, four_steps, half_minute, long_ride, ms, secs};

#[test]
fn all_riders_start_at_the_same_moment_although_their_clocks_differ_by_hours() {
    let mut world = World::group(1, 4);
    let clocks = world.tabs.iter().map(|tab| tab.clock_lead);
    let clocks: Vec<_> = clocks.collect();
    assert!(*clocks.iter().max().unwrap() - *clocks.iter().min().unwrap() > secs(7_200));
    world.start(long_ride());
    let starts = (0..4).map(|at| world.first_shown(at, &Stage::Riding));
    let starts: Vec<_> = starts.collect();
    let apart = *starts.iter().max().unwrap() - *starts.iter().min().unwrap();
    assert!(apart <= ms(5), "{apart:?}");
}

#[test]
fn all_riders_start_together_over_paths_that_delay_and_lose() {
    let mut world = World::new(2);
    let bad = crate::harness::PathConditions {
        delay: ms(40),
        jitter: ms(60),
        loss_per_mille: 100,
    };
    (world.relay, world.direct) = (bad, bad);
    world.gather(5);
    world.run(secs(10));
    world.start(long_ride());
    let starts = (0..5).map(|at| world.first_shown(at, &Stage::Riding));
    let starts: Vec<_> = starts.collect();
    let apart = *starts.iter().max().unwrap() - *starts.iter().min().unwrap();
    assert!(apart <= ms(60), "{apart:?}");
}

#[test]
fn the_countdown_takes_ten_seconds_and_shows_each_of_them_once() {
    let mut world = World::group(3, 2);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    let tapped = world.now;
    let mut shown = Vec::new();
    while *world.stage(BEN) != Stage::Riding {
        world.run(ms(10));
        if *world.stage(BEN) == Stage::Countdown {
            shown.push(world.view(BEN).progress.countdown);
        }
    }
    let took = world.now - tapped;
    assert!(took.abs_diff(secs(10)) <= ms(30), "{took:?}");
    shown.dedup();
    assert_eq!(shown, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn every_rider_sees_the_workout_that_the_host_shares() {
    let mut world = World::group(4, 3);
    world.intend(ANA, Intent::ShareWorkout(four_steps()));
    world.run(ms(300));
    for at in [ANA, BEN, CEM] {
        assert_eq!(world.view(at).workout, Some(four_steps()));
    }
    let shared = Notice::WorkoutShared("Four Steps".to_owned());
    assert_eq!(world.notices(ANA), [shared]);
    assert_eq!(world.notices(BEN), []);
}

#[test]
fn a_later_workout_replaces_the_first() {
    let mut world = World::group(5, 2);
    world.intend(ANA, Intent::ShareWorkout(four_steps()));
    world.run(secs(1));
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.run(ms(300));
    assert_eq!(world.view(BEN).workout, Some(long_ride()));
}

#[test]
fn only_the_host_shares_a_workout_and_starts() {
    let mut world = World::group(6, 2);
    world.intend(BEN, Intent::ShareWorkout(four_steps()));
    world.run(ms(300));
    assert_eq!(world.view(ANA).workout, None);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(BEN, Intent::Start);
    world.run(secs(1));
    assert_eq!(*world.stage(ANA), Stage::Lobby);
    assert_eq!(world.notices(BEN), []);
}

#[test]
fn a_start_without_a_workout_is_refused_with_the_reason() {
    let mut world = World::group(7, 1);
    world.intend(ANA, Intent::Start);
    world.run(ms(300));
    assert_eq!(*world.stage(ANA), Stage::Lobby);
    let rejected = Notice::ChangeRejected(TimelineError::NoWorkout);
    assert_eq!(world.notices(ANA), [rejected]);
}

#[test]
fn a_second_start_is_refused() {
    let mut world = World::group(8, 1);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(3));
    world.forget_notices();
    world.intend(ANA, Intent::Start);
    let rejected = Notice::ChangeRejected(TimelineError::AlreadyStarted);
    assert_eq!(world.notices(ANA), [rejected]);
    world.run(secs(8));
    assert_eq!(*world.stage(ANA), Stage::Riding, "the first start stays");
}

#[test]
fn a_workout_cannot_be_changed_after_the_start() {
    let mut world = World::riding(9, 2, long_ride());
    world.intend(ANA, Intent::ShareWorkout(four_steps()));
    world.run(ms(300));
    let rejected = Notice::ChangeRejected(TimelineError::AlreadyStarted);
    assert_eq!(world.notices(ANA), [rejected]);
    assert_eq!(world.view(BEN).workout, Some(long_ride()));
}

#[test]
fn a_cancelled_countdown_leads_all_back_to_the_lobby() {
    let mut world = World::group(10, 2);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(4));
    world.forget_notices();
    world.intend(ANA, Intent::CancelStart);
    world.run(ms(300));
    for at in [ANA, BEN] {
        assert_eq!(*world.stage(at), Stage::Lobby);
        assert_eq!(world.view(at).workout, Some(long_ride()));
        let cancelled = Notice::HostActed("Ana".to_owned(), HostAction::Cancelled);
        assert_eq!(world.notices(at), [cancelled]);
    }
    world.run(secs(20));
    assert_eq!(*world.stage(BEN), Stage::Lobby);
}

#[test]
fn a_new_countdown_after_a_cancelled_one_starts_the_ride() {
    let mut world = World::group(11, 2);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(4));
    world.intend(ANA, Intent::CancelStart);
    world.run(secs(1));
    world.intend(ANA, Intent::Start);
    world.run(secs(11));
    for at in [ANA, BEN] {
        assert_eq!(*world.stage(at), Stage::Riding);
        assert!(world.elapsed(at) <= secs(2));
    }
}

#[test]
fn a_ride_that_has_begun_cannot_be_cancelled() {
    let mut world = World::riding(12, 1, long_ride());
    world.intend(ANA, Intent::CancelStart);
    world.run(ms(300));
    let rejected = Notice::ChangeRejected(TimelineError::NoCountdown);
    assert_eq!(world.notices(ANA), [rejected]);
    assert_eq!(*world.stage(ANA), Stage::Riding);
}

/// The host cancels so late that Ben's page, which hears of it late, has ridden for a moment.
fn cancelled_late(seed: u64) -> World {
    let mut world = World::group(seed, 2);
    (0..2).for_each(|at| world.intend(at, Intent::SimulateTrainer));
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(8));
    world.go_offline(BEN);
    world.intend(ANA, Intent::CancelStart);
    world.run(secs(6));
    assert_eq!(*world.stage(ANA), Stage::Lobby);
    assert_eq!(*world.stage(BEN), Stage::Riding);
    world.go_online(BEN);
    world.run_until("the lobby", |world| *world.stage(BEN) == Stage::Lobby);
    world
}

#[test]
fn the_recording_of_a_start_that_was_cancelled_late_is_discarded_by_the_next_ride() {
    let mut world = cancelled_late(13);
    world.run_until("a link", |world| world.sees_direct(ANA, 2));
    world.intend(ANA, Intent::Start);
    world.run(secs(11));
    let ridden = world.elapsed(BEN);
    world.intend(ANA, Intent::End);
    world.run(secs(2));
    let samples = world.download(BEN).samples.len() as u64;
    assert!(samples <= ridden.as_secs() + 2, "{samples} samples");
}

#[test]
fn a_rider_who_leaves_after_a_start_that_was_cancelled_late_has_no_summary() {
    let mut world = cancelled_late(14);
    world.intend(BEN, Intent::Leave);
    world.run(ms(300));
    assert_eq!(*world.stage(BEN), Stage::Left);
    assert_eq!(world.view(BEN).summary, None);
    assert!(world.storage(BEN).recordings.is_empty());
}

#[test]
fn a_page_that_is_closed_after_a_start_that_was_cancelled_late_keeps_no_recording() {
    let mut world = cancelled_late(15);
    world.close_page(BEN);
    assert!(world.storage(BEN).recordings.is_empty());
}

#[test]
fn a_ride_of_more_than_a_minute_is_kept_though_its_start_was_cancelled_elsewhere() {
    let mut world = World::group(21, 2);
    (0..2).for_each(|at| world.intend(at, Intent::SimulateTrainer));
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(8));
    world.go_offline(BEN);
    world.intend(ANA, Intent::CancelStart);
    world.run(secs(80));
    world.go_online(BEN);
    world.run_until("the lobby", |world| *world.stage(BEN) == Stage::Lobby);
    world.intend(BEN, Intent::Leave);
    world.run(ms(300));
    assert_eq!(*world.stage(BEN), Stage::Ended);
    assert!(world.download(BEN).samples.len() >= 70);
}

fn imported() -> Imported {
    let name = "gameplayevent".to_owned();
    Imported {
        workout: (*four_steps()).clone(),
        remarks: vec![Remark {
            place: Place::Text { line: 7, column: 3 },
            count: 3,
            kind: RemarkKind::Ignored { name },
        }],
    }
}

#[test]
fn a_workout_file_without_remarks_is_shared_at_once() {
    let mut world = World::group(16, 2);
    let file = Imported {
        remarks: Vec::new(),
        ..imported()
    };
    world.feed(ANA, Input::WorkoutFileChosen);
    world.feed(ANA, Input::WorkoutFile(Ok(file)));
    world.run(secs(2));
    assert_eq!(world.view(BEN).workout, Some(four_steps()));
    assert_eq!(world.view(ANA).workout_file, None);
    let shared = Notice::WorkoutShared("Four Steps".to_owned());
    assert_eq!(world.notices(ANA), [shared]);
}

#[test]
fn a_workout_file_with_remarks_is_shared_when_the_host_uses_it() {
    let mut world = World::group(17, 2);
    world.feed(ANA, Input::WorkoutFileChosen);
    world.feed(ANA, Input::WorkoutFile(Ok(imported())));
    world.run(secs(2));
    assert_eq!(world.view(ANA).workout_file, Some(Arc::new(imported())));
    assert_eq!(world.view(BEN).workout, None);

    world.intend(ANA, Intent::UseWorkoutFile);
    world.run(secs(2));
    assert_eq!(world.view(BEN).workout, Some(four_steps()));
    assert_eq!(world.view(ANA).workout_file, None);
}

#[test]
fn the_workout_of_a_file_with_remarks_can_be_dismissed() {
    let mut world = World::group(18, 2);
    world.feed(ANA, Input::WorkoutFile(Ok(imported())));
    world.intend(ANA, Intent::DismissWorkoutFile);
    assert_eq!(world.view(ANA).workout_file, None);
    world.intend(ANA, Intent::UseWorkoutFile);
    world.run(secs(2));
    assert_eq!(world.view(BEN).workout, None);
}

#[test]
fn the_workout_of_a_file_with_remarks_goes_when_another_workout_is_shared() {
    let mut world = World::group(22, 2);
    world.feed(ANA, Input::WorkoutFile(Ok(imported())));
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    assert_eq!(world.view(ANA).workout_file, None);

    world.feed(ANA, Input::WorkoutFile(Ok(imported())));
    let ben = world.peer(BEN);
    world.intend(ANA, Intent::HandOver(ben));
    world.run(secs(2));
    world.intend(BEN, Intent::ShareWorkout(half_minute()));
    world.run(secs(2));
    assert_eq!(world.view(ANA).workout_file, None);
}

#[test]
fn a_rider_who_is_not_host_is_offered_no_workout_of_a_file() {
    let mut world = World::group(23, 2);
    world.feed(BEN, Input::WorkoutFile(Ok(imported())));
    assert_eq!(world.view(BEN).workout_file, None);
}

#[test]
fn a_file_without_a_workout_is_refused_and_the_shared_workout_stays() {
    let mut world = World::group(17, 2);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.run(ms(300));
    for error in [WorkoutFileError::TooLarge, WorkoutFileError::Unreadable] {
        world.feed(ANA, Input::WorkoutFileChosen);
        assert_eq!(world.view(ANA).workout_error, None);
        world.feed(ANA, Input::WorkoutFile(Err(error.clone())));
        assert_eq!(world.view(ANA).workout_error, Some(error));
    }
    assert_eq!(world.view(ANA).workout, Some(long_ride()));
    world.intend(ANA, Intent::ShareWorkout(four_steps()));
    assert_eq!(world.view(ANA).workout_error, None);
    world.run(ms(300));
    assert_eq!(world.view(BEN).workout, Some(four_steps()));
}

#[test]
fn the_screen_is_kept_on_from_the_countdown_to_the_end() {
    let mut world = World::group(18, 1);
    assert!(!world.tabs[ANA].screen_is_kept_on);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(1));
    assert!(world.tabs[ANA].screen_is_kept_on);
    world.run(secs(20));
    world.intend(ANA, Intent::Pause);
    world.run(secs(60));
    assert!(world.tabs[ANA].screen_is_kept_on, "also during a pause");
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    assert!(!world.tabs[ANA].screen_is_kept_on);
}

#[test]
fn the_screen_is_kept_on_again_after_the_page_was_hidden() {
    let mut world = World::riding(19, 1, long_ride());
    world.hide(ANA);
    // The browser releases the wake lock of a hidden page.
    world.tabs[ANA].screen_is_kept_on = false;
    world.show(ANA);
    assert!(world.tabs[ANA].screen_is_kept_on);
}

#[test]
fn a_cancelled_countdown_lets_the_screen_turn_off() {
    let mut world = World::group(20, 2);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(2));
    world.intend(ANA, Intent::CancelStart);
    world.run(secs(1));
    assert!(!world.tabs[BEN].screen_is_kept_on);
}

#[test]
fn the_largest_workout_reaches_every_rider_and_survives_a_reload() {
    let interval = Interval {
        cadence: Some(90),
        name: "x".repeat(20),
        ..Interval::new(
            secs(17),
            IntervalKind::Ramp,
            Target::Power {
                from: 0.333,
                to: 0.777,
            },
        )
    };
    let workout = Workout::new(Draft {
        description: "y".repeat(9_000),
        intervals: vec![interval; MAX_INTERVALS],
        ..Draft::default()
    });
    let workout = Arc::new(workout.unwrap());
    let mut world = World::group(24, 3);
    world.intend(ANA, Intent::ShareWorkout(workout.clone()));
    world.run(secs(10));
    for at in [ANA, BEN, CEM] {
        assert_eq!(world.view(at).workout, Some(workout.clone()));
    }
    world.reload(BEN);
    world.run(secs(5));
    assert_eq!(world.view(BEN).workout, Some(workout));
}
