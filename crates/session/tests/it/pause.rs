//! Pauses, and the end of a ride.

use ride::timeline::TimelineError;
use session::{
    Intent,
    view::{Notice, Stage},
};

use crate::harness::{ANA, BEN, FakeTrainer, World, half_minute, long_ride, ms, secs};

#[test]
fn a_pause_stops_all_riders_at_the_same_second() {
    let mut world = World::riding(1, 3, long_ride());
    world.intend(ANA, Intent::Pause);
    world.run(secs(1));
    let stopped = world.elapsed(ANA);
    for at in 0..3 {
        assert!(world.view(at).progress.paused);
        assert_eq!(*world.stage(at), Stage::Riding);
        let apart = world.elapsed(at).abs_diff(stopped);
        assert!(apart <= ms(2), "{apart:?}");
    }
    world.run(secs(60));
    assert_eq!(world.elapsed(ANA), stopped);
}

#[test]
fn no_rider_s_time_runs_back_when_the_pause_begins() {
    let mut world = World::riding(2, 2, long_ride());
    world.intend(ANA, Intent::Pause);
    let mut before = [ms(0); 2];
    for _ in 0..100 {
        world.run(ms(20));
        let now = [ANA, BEN].map(|at| world.elapsed(at));
        assert!(now[0] >= before[0] && now[1] >= before[1]);
        before = now;
    }
}

#[test]
fn the_ride_goes_on_three_seconds_after_the_host_resumes_it() {
    let mut world = World::riding(3, 2, long_ride());
    world.intend(ANA, Intent::Pause);
    world.run(secs(5));
    let stopped = world.elapsed(BEN);
    world.intend(ANA, Intent::Resume);
    let tapped = world.now;
    let mut shown = Vec::new();
    while world.view(BEN).progress.paused {
        world.run(ms(10));
        shown.extend(world.view(BEN).progress.resumes_in);
    }
    let waited = world.now - tapped;
    assert!(waited.abs_diff(secs(3)) <= ms(30), "{waited:?}");
    shown.dedup();
    assert_eq!(shown, [3, 2, 1]);
    world.run(secs(2));
    assert!(world.elapsed(BEN).abs_diff(stopped + secs(2)) <= ms(300));
}

#[test]
fn there_is_no_target_during_a_pause() {
    let mut world = World::riding(4, 2, long_ride());
    assert_eq!(world.target(BEN), Some(150));
    world.intend(ANA, Intent::Pause);
    world.run(secs(1));
    assert_eq!(world.target(BEN), None);
    assert_eq!(world.row(ANA, "Ben").metrics.target, None);
}

#[test]
fn the_target_rises_from_the_power_of_the_pause_over_three_seconds() {
    let mut world = World::riding(5, 1, long_ride());
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    world.pedal(ANA, 60, 70);
    world.intend(ANA, Intent::Pause);
    world.run(secs(20));
    world.intend(ANA, Intent::Resume);
    world.run_until("the ride", |world| !world.view(ANA).progress.paused);
    let mut targets = vec![world.target(ANA).unwrap()];
    for _ in 0..14 {
        world.run(ms(250));
        targets.push(world.target(ANA).unwrap());
    }
    assert!((60..=65).contains(&targets[0]), "{targets:?}");
    assert!(targets.is_sorted(), "{targets:?}");
    assert!((85..=95).contains(&targets[6]), "{targets:?}");
    assert_eq!(targets[12..], [120; 3]);
}

#[test]
fn a_second_pause_and_a_second_resume_are_refused() {
    let mut world = World::riding(6, 1, long_ride());
    world.intend(ANA, Intent::Resume);
    let rejected = Notice::ChangeRejected(TimelineError::NotPaused);
    assert_eq!(world.notices(ANA), [rejected]);
    world.intend(ANA, Intent::Pause);
    world.run(secs(1));
    world.forget_notices();
    world.intend(ANA, Intent::Pause);
    let rejected = Notice::ChangeRejected(TimelineError::NotRiding);
    assert_eq!(world.notices(ANA), [rejected]);
}

#[test]
fn a_rider_who_is_not_host_neither_pauses_nor_ends_the_ride() {
    let mut world = World::riding(7, 2, long_ride());
    for intent in [
        Intent::Pause,
        Intent::End,
        Intent::Skip(0),
        Intent::Extend(0),
    ] {
        world.intend(BEN, intent);
    }
    world.run(secs(1));
    for at in [ANA, BEN] {
        assert_eq!(*world.stage(at), Stage::Riding);
        assert!(!world.view(at).progress.paused);
    }
    assert_eq!(world.notices(BEN), []);
}

#[test]
fn the_host_ends_the_ride_for_all() {
    let mut world = World::riding(8, 3, long_ride());
    world.run(secs(5));
    world.intend(ANA, Intent::End);
    world.run(ms(500));
    for at in 0..3 {
        assert_eq!(*world.stage(at), Stage::Ended);
        let duration = world.view(at).summary.as_ref().unwrap().figures.duration;
        assert!(duration.abs_diff(secs(7)) <= secs(1), "{duration:?}");
    }
}

#[test]
fn the_ride_ends_for_all_when_the_workout_is_over() {
    let mut world = World::riding(9, 3, half_minute());
    world.run_until("the end", |world| *world.stage(ANA) == Stage::Ended);
    world.run(ms(260));
    for at in 0..3 {
        assert_eq!(*world.stage(at), Stage::Ended);
        assert_eq!(world.elapsed(at), secs(30));
        let summary = world.view(at).summary.as_ref().unwrap();
        assert_eq!(summary.figures.duration, secs(30));
        assert_eq!(summary.workout, "Half a Minute");
    }
}

#[test]
fn a_ride_that_is_over_cannot_be_changed() {
    let mut world = World::riding(10, 2, half_minute());
    world.run(secs(30));
    for intent in [Intent::Pause, Intent::End, Intent::Skip(0), Intent::Start] {
        world.forget_notices();
        world.intend(ANA, intent.clone());
        let rejected = Notice::ChangeRejected(TimelineError::Ended);
        if intent == Intent::Start {
            let again = Notice::ChangeRejected(TimelineError::AlreadyStarted);
            assert_eq!(world.notices(ANA), [again]);
        } else {
            assert_eq!(world.notices(ANA), [rejected]);
        }
    }
    assert_eq!(*world.stage(BEN), Stage::Ended);
}

#[test]
fn an_ended_ride_can_be_ended_from_a_pause() {
    let mut world = World::riding(11, 2, long_ride());
    world.run(secs(5));
    world.intend(ANA, Intent::Pause);
    world.run(secs(30));
    world.intend(ANA, Intent::End);
    world.run(ms(500));
    let duration = world.view(BEN).summary.as_ref().unwrap().figures.duration;
    assert!(duration.abs_diff(secs(7)) <= secs(1), "{duration:?}");
    assert_eq!(*world.stage(BEN), Stage::Ended);
}

#[test]
fn the_riders_stay_together_after_the_end() {
    let mut world = World::riding(12, 2, half_minute());
    world.run(secs(60));
    assert!(world.all_direct());
    assert_eq!(world.listed(ANA), ["Ana", "Ben"]);
}
