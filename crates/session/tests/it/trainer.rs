//! The own trainer: the simulator, and trainers over Bluetooth.

use ride::rider::TrainerKind;
use session::{
    Intent,
    view::{Stage, TrainerFailure, TrainerState},
};

use crate::harness::{
    ANA, BEN, Chooser, FakeTrainer, TrainerBehaviour, World, four_steps, long_ride, ms, secs,
    workout,
};

const REQUEST_CONTROL: [u8; 1] = [0x00];

fn connected(name: &str) -> TrainerState {
    TrainerState::Connected(name.to_owned())
}

/// Two riders; Ana on a trainer, pedalling with 123 W.
fn with_trainer(seed: u64) -> World {
    let mut world = World::group(seed, 2);
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    world.pedal(ANA, 123, 88);
    world.run(secs(1));
    world
}

#[test]
fn a_chosen_trainer_is_connected_and_its_control_requested() {
    let mut world = World::group(1, 1);
    world.tabs[ANA].chooser = Chooser::Chooses(FakeTrainer::new("Kickr"));
    world.intend(ANA, Intent::ConnectTrainer);
    world.run(ms(260));
    assert_eq!(*world.trainer(ANA), TrainerState::Connecting);
    world.run(ms(500));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
    assert_eq!(world.fake_trainer(ANA).commands[0], REQUEST_CONTROL);
}

#[test]
fn all_riders_see_what_a_trainer_measures() {
    let world = with_trainer(2);
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
    assert_eq!(world.view(ANA).own_metrics.cadence, Some(88));
    assert_eq!(world.view(ANA).own_metrics.heart_rate, None);
    let metrics = world.row(BEN, "Ana").metrics;
    assert_eq!((metrics.power, metrics.cadence), (Some(123), Some(88)));
}

#[test]
fn a_trainer_is_given_the_target_of_the_rider_s_own_ftp() {
    let mut world = World::group(3, 2);
    for at in [ANA, BEN] {
        world.connect_trainer(at, FakeTrainer::new("Kickr"));
    }
    world.start(long_ride());
    world.run(secs(1));
    assert_eq!(world.fake_trainer(ANA).targets(), [120]);
    assert_eq!(world.fake_trainer(BEN).targets(), [150]);
}

#[test]
fn each_target_is_given_once() {
    let mut world = with_trainer(4);
    world.start(workout("Two", &[(10, 0.6), (60, 0.75)]));
    world.run(secs(20));
    assert_eq!(world.fake_trainer(ANA).targets(), [120, 150]);
}

#[test]
fn a_trainer_s_target_ends_with_the_pause_and_eases_in_afterwards() {
    let mut world = with_trainer(5);
    world.start(long_ride());
    world.run(secs(5));
    world.intend(ANA, Intent::Pause);
    world.run(secs(3));
    let commands = world.fake_trainer(ANA).commands.clone();
    assert_eq!(commands.last().unwrap()[0], 0x11, "a flat road instead");
    world.intend(ANA, Intent::Resume);
    world.run(secs(8));
    let targets = world.fake_trainer(ANA).targets();
    assert!(targets.len() > 4, "{targets:?}");
    assert_eq!(targets.last(), Some(&120));
}

#[test]
fn targets_stay_within_the_range_that_the_trainer_supports() {
    let mut world = World::group(6, 1);
    let mut trainer = FakeTrainer::new("Kickr");
    trainer.range = (50, 100);
    world.connect_trainer(ANA, trainer);
    world.start(long_ride());
    world.run(secs(1));
    assert_eq!(world.fake_trainer(ANA).targets(), [100]);
}

#[test]
fn a_trainer_connected_during_the_ride_is_given_the_current_target() {
    let mut world = World::riding(7, 1, four_steps());
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(5));
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    world.run(ms(500));
    assert_eq!(world.fake_trainer(ANA).targets(), [140]);
}

#[test]
fn a_trainer_that_refuses_targets_still_measures() {
    let mut world = World::group(8, 1);
    let mut trainer = FakeTrainer::new("Kickr");
    trainer.behaviour = TrainerBehaviour::RefusesTargets;
    world.connect_trainer(ANA, trainer);
    world.pedal(ANA, 123, 88);
    world.start(long_ride());
    world.run(secs(2));
    let uncontrolled = TrainerState::Uncontrolled("Kickr".to_owned());
    assert_eq!(*world.trainer(ANA), uncontrolled);
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
}

#[test]
fn a_trainer_that_answers_no_command_is_reported_lost_and_regained() {
    let mut world = with_trainer(9);
    world.set_trainer_behaviour(ANA, TrainerBehaviour::NeverAnswers);
    world.start(long_ride());
    world.run_until("the loss", |world| {
        *world.trainer(ANA) == TrainerState::Lost("Kickr".to_owned())
    });
    assert_eq!(
        world.view(ANA).own_metrics.power,
        Some(123),
        "it still measures"
    );
    world.set_trainer_behaviour(ANA, TrainerBehaviour::Obeys);
    world.run_until("control", |world| *world.trainer(ANA) == connected("Kickr"));
    world.run(secs(1));
    assert_eq!(world.fake_trainer(ANA).targets().last(), Some(&120));
}

#[test]
fn a_trainer_whose_connection_breaks_is_reported_and_measures_nothing() {
    let mut world = with_trainer(10);
    world.drop_trainer(ANA);
    world.run(ms(600));
    assert_eq!(*world.trainer(ANA), TrainerState::Lost("Kickr".to_owned()));
    assert_eq!(world.view(ANA).own_metrics.power, None);
    assert_eq!(world.row(BEN, "Ana").metrics.power, None);
}

#[test]
fn a_lost_trainer_can_be_connected_again_and_goes_on() {
    let mut world = with_trainer(11);
    world.start(long_ride());
    world.drop_trainer(ANA);
    world.run(secs(3));
    assert_eq!(*world.stage(ANA), Stage::Riding, "the ride goes on");
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    world.pedal(ANA, 130, 90);
    world.run(secs(1));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
    assert_eq!(world.view(ANA).own_metrics.power, Some(130));
    assert_eq!(world.fake_trainer(ANA).targets(), [120]);
}

#[test]
fn readings_older_than_three_seconds_are_not_shown() {
    let mut world = with_trainer(12);
    world.stop_pedalling(ANA);
    world.run(secs(2));
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
    world.run(secs(2));
    assert_eq!(world.view(ANA).own_metrics.power, None);
}

#[test]
fn a_second_trainer_replaces_the_first_which_is_released() {
    let mut world = with_trainer(13);
    world.connect_trainer(ANA, FakeTrainer::new("Other"));
    assert_eq!(*world.trainer(ANA), connected("Other"));
    assert_eq!(world.tabs[ANA].released, [1]);
    world.pedal(ANA, 200, 95);
    world.run(secs(1));
    assert_eq!(world.view(ANA).own_metrics.power, Some(200));
}

#[test]
fn the_first_trainer_measures_on_until_the_second_is_connected() {
    let mut world = with_trainer(14);
    world.tabs[ANA].chooser = Chooser::StaysOpen;
    world.intend(ANA, Intent::ConnectTrainer);
    world.run(secs(10));
    assert_eq!(*world.trainer(ANA), TrainerState::Connecting);
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
    assert_eq!(world.tabs[ANA].released, [0; 0]);
}

#[test]
fn a_failed_attempt_shows_why() {
    for failure in [
        TrainerFailure::Unsupported,
        TrainerFailure::Cancelled,
        TrainerFailure::NotATrainer,
    ] {
        let mut world = World::group(15, 1);
        world.tabs[ANA].chooser = Chooser::Fails(failure);
        world.intend(ANA, Intent::ConnectTrainer);
        world.run(secs(1));
        assert_eq!(*world.trainer(ANA), TrainerState::Failed(failure));
    }
}

#[test]
fn a_failed_attempt_keeps_the_simulator() {
    let mut world = World::riding(16, 1, long_ride());
    world.tabs[ANA].chooser = Chooser::Fails(TrainerFailure::Cancelled);
    world.intend(ANA, Intent::ConnectTrainer);
    world.run(secs(1));
    assert_eq!(*world.trainer(ANA), TrainerState::Simulated);
    assert!(world.view(ANA).own_metrics.power > Some(100));
}

#[test]
fn a_failed_attempt_keeps_the_trainer() {
    let mut world = with_trainer(17);
    world.tabs[ANA].chooser = Chooser::Fails(TrainerFailure::Cancelled);
    world.intend(ANA, Intent::ConnectTrainer);
    world.run(secs(1));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
}

#[test]
fn the_simulator_replaces_a_failed_attempt() {
    let mut world = World::group(18, 1);
    world.tabs[ANA].chooser = Chooser::Fails(TrainerFailure::Unsupported);
    world.intend(ANA, Intent::ConnectTrainer);
    world.run(secs(1));
    world.intend(ANA, Intent::SimulateTrainer);
    world.run(ms(300));
    assert_eq!(*world.trainer(ANA), TrainerState::Simulated);
}

#[test]
fn a_trainer_chosen_after_the_rider_took_the_simulator_is_released() {
    let mut world = World::group(19, 1);
    world.intend(ANA, Intent::ConnectTrainer);
    world.intend(ANA, Intent::SimulateTrainer);
    world.choose_late(ANA, 1, FakeTrainer::new("Kickr"));
    assert_eq!(*world.trainer(ANA), TrainerState::Simulated);
    assert_eq!(world.tabs[ANA].released, [1]);
}

#[test]
fn of_two_attempts_the_newest_counts() {
    let mut world = World::group(20, 1);
    world.intend(ANA, Intent::ConnectTrainer);
    world.intend(ANA, Intent::ConnectTrainer);
    world.choose_late(ANA, 1, FakeTrainer::new("First"));
    assert_eq!(*world.trainer(ANA), TrainerState::Connecting);
    world.choose_late(ANA, 2, FakeTrainer::new("Second"));
    assert_eq!(*world.trainer(ANA), connected("Second"));
    assert_eq!(world.tabs[ANA].released, [1]);
}

#[test]
fn the_failure_of_an_older_attempt_does_not_end_the_newest() {
    let mut world = World::group(26, 1);
    world.intend(ANA, Intent::ConnectTrainer);
    world.intend(ANA, Intent::ConnectTrainer);
    world.fail_late(ANA, 1, TrainerFailure::Cancelled);
    assert_eq!(*world.trainer(ANA), TrainerState::Connecting);
    world.fail_late(ANA, 2, TrainerFailure::Cancelled);
    assert_eq!(
        *world.trainer(ANA),
        TrainerState::Failed(TrainerFailure::Cancelled)
    );
}

#[test]
fn the_trainer_is_released_when_the_rider_leaves() {
    let mut world = with_trainer(21);
    world.intend(ANA, Intent::Leave);
    world.run(ms(300));
    assert_eq!(world.tabs[ANA].released, [1]);
    assert_eq!(*world.trainer(ANA), TrainerState::None);
}

#[test]
fn a_trainer_that_is_being_chosen_when_the_rider_leaves_is_released() {
    let mut world = World::group(22, 2);
    world.intend(BEN, Intent::ConnectTrainer);
    world.intend(BEN, Intent::Leave);
    world.choose_late(BEN, 1, FakeTrainer::new("Kickr"));
    assert_eq!(world.tabs[BEN].released, [1]);
    assert_eq!(*world.trainer(BEN), TrainerState::None);
}

#[test]
fn the_trainer_stays_connected_after_the_end() {
    let mut world = with_trainer(23);
    world.start(long_ride());
    world.intend(ANA, Intent::End);
    world.run(secs(5));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
    assert_eq!(world.target(ANA), None);
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
}

#[test]
fn losing_every_link_changes_no_target() {
    let mut world = with_trainer(24);
    world.start(workout("Two", &[(10, 0.6), (60, 0.75)]));
    world.kill_server();
    world.go_offline(ANA);
    world.run(secs(15));
    assert_eq!(world.fake_trainer(ANA).targets(), [120, 150]);
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
}

#[test]
fn a_rider_on_the_simulator_follows_the_target() {
    let mut world = World::riding(25, 2, long_ride());
    world.run(secs(10));
    let power = world.view(BEN).own_metrics.power.unwrap();
    assert!(power.abs_diff(150) <= 10, "{power}");
    assert_eq!(world.own_row(BEN).trainer, TrainerKind::Simulated);
    assert_eq!(world.row(ANA, "Ben").trainer, TrainerKind::Simulated);
}
