//! Taps on controls that have just changed their meaning.

use session::{
    Intent,
    view::{Notice, Stage},
};

use crate::harness::{ANA, World, long_ride, ms, secs};

fn paused(seed: u64) -> World {
    let mut world = World::riding(seed, 2, long_ride());
    world.intend(ANA, Intent::Pause);
    world.run(secs(2));
    assert!(world.view(ANA).progress.paused);
    world
}

fn is_resuming(world: &World) -> bool {
    world.view(ANA).progress.resumes_in.is_some()
}

#[test]
fn a_double_tap_on_pause_pauses_without_a_refusal() {
    let mut world = World::riding(1, 2, long_ride());
    world.intend(ANA, Intent::Pause);
    world.run(ms(180));
    world.intend(ANA, Intent::Pause);
    world.run(secs(2));
    assert!(world.view(ANA).progress.paused);
    assert_eq!(world.notices(ANA), []);
}

#[test]
fn a_second_tap_on_pause_does_not_resume_the_ride_that_has_just_paused() {
    let mut world = World::riding(2, 2, long_ride());
    world.intend(ANA, Intent::Pause);
    world.run(ms(420));
    assert!(world.view(ANA).progress.paused, "the button says Resume");
    world.intend(ANA, Intent::Resume);
    world.run(secs(5));
    assert!(world.view(ANA).progress.paused);
    assert!(!is_resuming(&world));
    assert_eq!(world.notices(ANA), []);
}

#[test]
fn resume_works_600_ms_after_the_button_has_changed() {
    let mut world = World::riding(3, 2, long_ride());
    world.intend(ANA, Intent::Pause);
    world.run_until("the pause", |world| world.view(ANA).progress.paused);
    world.run(ms(610));
    world.intend(ANA, Intent::Resume);
    world.run(ms(300));
    assert!(is_resuming(&world));
}

#[test]
fn a_double_tap_on_resume_resumes_without_a_refusal() {
    let mut world = paused(4);
    world.intend(ANA, Intent::Resume);
    world.run(ms(180));
    world.intend(ANA, Intent::Resume);
    world.run(secs(4));
    assert!(!world.view(ANA).progress.paused);
    assert_eq!(world.notices(ANA), []);
}

#[test]
fn a_tap_on_resume_does_not_pause_the_ride_that_has_just_gone_on() {
    let mut world = paused(5);
    world.intend(ANA, Intent::Resume);
    world.run_until("the ride", |world| !world.view(ANA).progress.paused);
    world.run(ms(300));
    world.intend(ANA, Intent::Pause);
    world.run(secs(1));
    assert!(!world.view(ANA).progress.paused);
    world.intend(ANA, Intent::Pause);
    world.run(secs(1));
    assert!(world.view(ANA).progress.paused);
}

#[test]
fn a_double_tap_on_start_neither_cancels_the_countdown_nor_shows_a_refusal() {
    for second in [Intent::Start, Intent::CancelStart] {
        let mut world = World::group(6, 2);
        world.intend(ANA, Intent::ShareWorkout(long_ride()));
        world.run(secs(1));
        world.forget_notices();
        world.intend(ANA, Intent::Start);
        world.run(ms(180));
        world.intend(ANA, second);
        world.run(secs(1));
        assert_eq!(*world.stage(ANA), Stage::Countdown);
        assert_eq!(world.notices(ANA), []);
    }
}

#[test]
fn a_tap_on_cancel_does_not_start_the_next_countdown() {
    let mut world = World::group(7, 2);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(2));
    world.intend(ANA, Intent::CancelStart);
    world.run(ms(300));
    assert_eq!(*world.stage(ANA), Stage::Lobby);
    world.intend(ANA, Intent::Start);
    world.run(secs(1));
    assert_eq!(*world.stage(ANA), Stage::Lobby);
    world.intend(ANA, Intent::Start);
    world.run(secs(1));
    assert_eq!(*world.stage(ANA), Stage::Countdown);
}

#[test]
fn a_tap_on_cancel_that_comes_too_late_does_not_pause_the_ride() {
    let mut world = World::group(8, 2);
    world.start(long_ride());
    world.run(ms(200));
    for late in [Intent::CancelStart, Intent::Pause] {
        world.intend(ANA, late);
    }
    world.run(secs(1));
    assert!(!world.view(ANA).progress.paused);
    let refused = |notice: &Notice| matches!(notice, Notice::ChangeRejected(_));
    assert!(!world.notices(ANA).iter().any(refused));
}

#[test]
fn a_refused_start_can_be_tried_again_at_once() {
    let mut world = World::group(9, 1);
    world.intend(ANA, Intent::Start);
    assert_eq!(world.notices(ANA).len(), 1, "there is no workout");
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(ms(500));
    assert_eq!(*world.stage(ANA), Stage::Countdown);
}
