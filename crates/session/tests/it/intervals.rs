//! Changes of the interval by the host.

use ride::timeline::TimelineError;
use session::{
    Intent,
    view::{HostAction, Notice, Stage},
};

use crate::harness::{ANA, BEN, World, four_steps, ms, secs, workout};

fn interval(world: &World, at: usize) -> usize {
    world.view(at).progress.interval
}

fn left(world: &World, at: usize) -> clock::Duration {
    ms(world.view(at).progress.interval_remaining_ms.into())
}

fn acted(action: HostAction) -> Notice {
    Notice::HostActed("Ana".to_owned(), action)
}

#[test]
fn a_skip_begins_the_next_interval_for_all() {
    let mut world = World::riding(1, 2, four_steps());
    world.run(secs(3));
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(1));
    for at in [ANA, BEN] {
        assert_eq!(interval(&world, at), 1);
        assert!(left(&world, at) > secs(58));
        assert_eq!(world.notices(at), [acted(HostAction::Skipped)]);
    }
    assert!(world.position(ANA).abs_diff(world.position(BEN)) <= ms(300));
}

#[test]
fn the_time_ridden_goes_on_over_a_skip_and_a_back() {
    let mut world = World::riding(2, 2, four_steps());
    let began = world.now;
    let ridden = world.elapsed(BEN);
    let mut before = ridden;
    for step in 0..240 {
        match step {
            40 => world.intend(ANA, Intent::Skip(0)),
            180 => world.intend(ANA, Intent::Back(1)),
            _ => {}
        }
        world.run(ms(50));
        assert!(world.elapsed(BEN) >= before);
        before = world.elapsed(BEN);
    }
    let expected = ridden + (world.now - began);
    assert!(before.abs_diff(expected) <= ms(300));
    assert!(world.position(BEN) > secs(60));
}

#[test]
fn the_target_eases_to_that_of_the_next_interval_within_three_seconds() {
    let mut world = World::riding(3, 2, four_steps());
    world.run(secs(3));
    world.intend(ANA, Intent::Skip(0));
    let mut targets = Vec::new();
    for _ in 0..16 {
        world.run(ms(250));
        targets.push(world.target(BEN).unwrap());
    }
    assert!(targets.is_sorted(), "{targets:?}");
    assert!(
        targets.iter().any(|target| (151..175).contains(target)),
        "{targets:?}"
    );
    assert_eq!(targets.last(), Some(&175));
}

#[test]
fn the_next_interval_begins_by_itself_with_its_target() {
    let mut world = World::riding(4, 2, workout("Two", &[(10, 0.6), (60, 0.75)]));
    assert_eq!(world.target(ANA), Some(120));
    world.run(secs(9));
    assert_eq!(world.target(ANA), Some(150));
    assert_eq!(interval(&world, BEN), 1);
    assert_eq!(world.notices(BEN), []);
}

#[test]
fn back_begins_the_interval_again() {
    let mut world = World::riding(5, 2, four_steps());
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(10));
    assert!(left(&world, BEN) < secs(52));
    world.forget_notices();
    world.intend(ANA, Intent::Back(1));
    world.run(secs(1));
    for at in [ANA, BEN] {
        assert_eq!(interval(&world, at), 1);
        assert!(left(&world, at) > secs(58));
        assert_eq!(world.notices(at), [acted(HostAction::WentBack(2))]);
    }
}

#[test]
fn back_within_five_seconds_leads_to_the_interval_before() {
    let mut world = World::riding(6, 2, four_steps());
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(3));
    world.forget_notices();
    world.intend(ANA, Intent::Back(1));
    world.run(secs(1));
    assert_eq!(interval(&world, BEN), 0);
    assert_eq!(world.notices(BEN), [acted(HostAction::WentBack(1))]);
}

#[test]
fn an_extension_makes_the_interval_a_minute_longer_for_all() {
    let mut world = World::riding(7, 2, four_steps());
    let before = left(&world, BEN);
    world.intend(ANA, Intent::Extend(0));
    world.run(secs(1));
    for at in [ANA, BEN] {
        let grown = left(&world, at) + secs(1) - before;
        assert!(grown.abs_diff(secs(60)) <= ms(500), "{grown:?}");
        assert_eq!(interval(&world, at), 0);
        assert_eq!(world.notices(at), [acted(HostAction::Extended)]);
        let workout = world.view(at).workout.as_ref().unwrap();
        assert_eq!(workout.duration(), secs(300));
    }
}

#[test]
fn a_doubled_tap_skips_once() {
    let mut world = World::riding(8, 2, four_steps());
    world.run(secs(1));
    world.intend(ANA, Intent::Skip(0));
    world.run(ms(300));
    world.intend(ANA, Intent::Skip(1));
    world.run(secs(1));
    assert_eq!(interval(&world, BEN), 1);
    let refused = Notice::ChangeRejected(TimelineError::TooSoon);
    assert!(world.has_notice(ANA, &refused));
}

#[test]
fn a_tap_meant_for_an_interval_that_is_over_changes_nothing() {
    let mut world = World::riding(9, 2, workout("Two", &[(5, 0.6), (60, 0.75)]));
    world.run(secs(4));
    assert_eq!(interval(&world, ANA), 1);
    world.intend(ANA, Intent::Extend(0));
    let refused = Notice::ChangeRejected(TimelineError::OtherInterval);
    assert_eq!(world.notices(ANA), [refused]);
    assert_eq!(
        world.view(BEN).workout.as_ref().unwrap().duration(),
        secs(65)
    );
}

#[test]
fn the_last_interval_cannot_be_skipped() {
    let mut world = World::riding(10, 2, workout("Two", &[(5, 0.6), (60, 0.75)]));
    world.run(secs(6));
    world.intend(ANA, Intent::Skip(1));
    let refused = Notice::ChangeRejected(TimelineError::LastInterval);
    assert_eq!(world.notices(ANA), [refused]);
    world.run(secs(1));
    assert_eq!(*world.stage(BEN), Stage::Riding);
}

#[test]
fn a_skip_during_a_pause_takes_effect_and_the_target_eases_when_the_ride_goes_on() {
    let mut world = World::riding(11, 2, four_steps());
    world.run(secs(3));
    world.intend(ANA, Intent::Pause);
    world.run(secs(2));
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(1));
    for at in [ANA, BEN] {
        assert_eq!(interval(&world, at), 1);
        assert!(world.view(at).progress.paused);
        assert_eq!(world.target(at), None);
    }
    world.intend(ANA, Intent::Resume);
    world.run_until("the ride", |world| !world.view(BEN).progress.paused);
    assert!(world.target(BEN) < Some(175));
    world.run(secs(4));
    assert_eq!(world.target(BEN), Some(175));
}

#[test]
fn an_interval_cannot_be_changed_before_the_start() {
    let mut world = World::group(12, 1);
    world.intend(ANA, Intent::ShareWorkout(four_steps()));
    world.forget_notices();
    world.intend(ANA, Intent::Skip(0));
    let refused = Notice::ChangeRejected(TimelineError::NotUnderWay);
    assert_eq!(world.notices(ANA), [refused]);
}

#[test]
fn an_interval_can_be_extended_by_half_an_hour_and_no_further() {
    let mut world = World::riding(13, 1, four_steps());
    for _ in 0..30 {
        world.intend(ANA, Intent::Extend(0));
        world.run(ms(300));
    }
    world.forget_notices();
    world.intend(ANA, Intent::Extend(0));
    let refused = Notice::ChangeRejected(TimelineError::ExtensionLimit);
    assert_eq!(world.notices(ANA), [refused]);
}

#[test]
fn a_rider_away_while_the_host_skips_is_in_the_right_interval_after_returning() {
    let mut world = World::riding(14, 2, four_steps());
    world.go_offline(BEN);
    world.run(secs(2));
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(3));
    assert_eq!(interval(&world, BEN), 0);
    world.go_online(BEN);
    world.run_until("the interval", |world| interval(world, BEN) == 1);
    assert!(world.position(ANA).abs_diff(world.position(BEN)) <= ms(300));
}

#[test]
fn a_rider_who_hears_of_a_skip_long_after_it_is_not_told_of_it() {
    let mut world = World::riding(15, 2, four_steps());
    world.go_offline(BEN);
    world.run(secs(2));
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(15));
    world.go_online(BEN);
    world.run_until("the interval", |world| interval(world, BEN) == 1);
    world.run(secs(1));
    assert_eq!(world.notices(BEN), []);
}
