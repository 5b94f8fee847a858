//! The own trainer: the simulator, and trainers over Bluetooth.

use ride::{
    rider::TrainerKind,
    trainer::{ControlProblem, DeviceKind, ftms::CONTROL_POINT, profiles},
};
use session::{
    Intent,
    devices::{ChooserError, ConnectError},
    view::{DeviceState, Notice, PairingFailure, Stage},
};

use crate::harness::{
    ANA, BEN, Chooser, FAILED, FakeTrainer, REQUEST_CONTROL, SET_SIMULATION, SET_TARGET_POWER,
    START, World, cancelled, four_steps, long_ride, ms, secs, workout,
};

fn connected(name: &str) -> DeviceState {
    DeviceState::Connected(name.to_owned())
}

fn uncontrolled(problem: ControlProblem) -> DeviceState {
    DeviceState::Uncontrolled("Kickr".to_owned(), problem)
}

fn lost() -> DeviceState {
    DeviceState::Lost("Kickr".to_owned())
}

fn silent() -> DeviceState {
    DeviceState::Silent("Kickr".to_owned())
}

/// Indoor Bike Data with cadence of 88 rpm, power of 123 W, and this heart rate, if any.
fn packet(heart_rate: Option<u8>) -> Vec<u8> {
    let flags: u16 = 0x45 | u16::from(heart_rate.is_some()) << 9;
    let mut bytes = [flags, 176, 123].map(u16::to_le_bytes).concat();
    bytes.extend(heart_rate);
    bytes
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
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.run(ms(260));
    assert_eq!(*world.trainer(ANA), DeviceState::Connecting);
    world.run(ms(500));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
    assert_eq!(world.fake_trainer(ANA).commands[0], [REQUEST_CONTROL]);
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
    trainer.range = [50, 100, 1].map(u16::to_le_bytes).concat();
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
fn a_trainer_with_a_range_of_zeros_is_given_the_target_on_the_screen() {
    let mut world = World::group(27, 1);
    let mut trainer = FakeTrainer::new("Kickr");
    trainer.range = vec![0; 6];
    world.connect_trainer(ANA, trainer);
    world.start(long_ride());
    world.run(secs(1));
    assert_eq!(world.target(ANA), Some(120));
    assert_eq!(world.fake_trainer(ANA).targets(), [120]);
}

#[test]
fn a_rider_is_told_that_targets_are_refused_until_one_is_set() {
    let mut world = World::group(8, 1);
    let trainer = FakeTrainer::answering("Kickr", SET_TARGET_POWER, Some(FAILED));
    world.connect_trainer(ANA, trainer);
    world.pedal(ANA, 123, 88);
    world.start(long_ride());
    world.run(secs(2));
    assert_eq!(*world.trainer(ANA), uncontrolled(ControlProblem::Rejected));
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
    world.run(secs(20));
    let targets = world.fake_trainer(ANA).targets();
    assert!((4..=8).contains(&targets.len()), "{targets:?}");
    world.fake_trainer_mut(ANA).answers.clear();
    world.run_until("control", |world| *world.trainer(ANA) == connected("Kickr"));
}

#[test]
fn a_refused_target_is_tried_again_with_the_next_interval() {
    let mut world = World::group(28, 1);
    let trainer = FakeTrainer::answering("Kickr", SET_TARGET_POWER, Some(0x02));
    world.connect_trainer(ANA, trainer);
    world.pedal(ANA, 110, 85);
    world.start(workout("Two", &[(60, 0.6), (60, 0.75)]));
    world.run(secs(2));
    assert_eq!(
        *world.trainer(ANA),
        uncontrolled(ControlProblem::Unsupported)
    );
    world.fake_trainer_mut(ANA).answers.clear();
    world.fake_trainer_mut(ANA).commands.clear();
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(5));
    assert_eq!(world.fake_trainer(ANA).targets().last(), Some(&150));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
}

#[test]
fn a_trainer_that_measures_and_answers_no_target_is_not_reported_lost() {
    let mut world = with_trainer(9);
    let silence = (SET_TARGET_POWER, None);
    world.fake_trainer_mut(ANA).answers.extend([silence]);
    world.start(long_ride());
    let is_uncontrolled =
        |world: &World| *world.trainer(ANA) == uncontrolled(ControlProblem::NoAnswer);
    world.run_until("the report", is_uncontrolled);
    world.run_while(secs(60), "the same report", is_uncontrolled);
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
    assert_eq!(world.fake_trainer(ANA).connects, 1);
    world.fake_trainer_mut(ANA).answers.clear();
    world.run_until("control", |world| *world.trainer(ANA) == connected("Kickr"));
    assert_eq!(world.fake_trainer(ANA).targets().last(), Some(&120));
}

#[test]
fn a_trainer_that_another_app_controls_measures_on() {
    let mut world = World::group(29, 1);
    let trainer = FakeTrainer::answering("Kickr", REQUEST_CONTROL, Some(FAILED));
    world.connect_trainer(ANA, trainer);
    world.pedal(ANA, 123, 88);
    world.run(secs(1));
    assert_eq!(
        *world.trainer(ANA),
        uncontrolled(ControlProblem::NotPermitted)
    );
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
}

#[test]
fn a_device_without_control_point_measures() {
    let mut world = World::group(30, 2);
    let mut trainer = FakeTrainer::new("Kickr");
    trainer.missing = vec![CONTROL_POINT];
    world.connect_trainer(ANA, trainer);
    world.pedal(ANA, 123, 88);
    world.run(secs(1));
    assert_eq!(
        *world.trainer(ANA),
        uncontrolled(ControlProblem::MeasuresOnly)
    );
    assert_eq!(world.row(BEN, "Ana").metrics.power, Some(123));
    world.start(long_ride());
    world.run(secs(2));
    assert_eq!(world.fake_trainer(ANA).commands, [[0; 0]; 0]);
}

#[test]
fn a_heart_rate_that_stops_coming_is_missing_on_the_screen_for_the_others_and_in_the_file() {
    for without in [packet(None), packet(Some(0))] {
        let mut world = with_trainer(31);
        world.fake_trainer_mut(ANA).packet = Some(packet(Some(142)));
        world.start(long_ride());
        world.run(secs(5));
        assert_eq!(world.view(ANA).own_metrics.heart_rate, Some(142));
        assert_eq!(world.row(BEN, "Ana").metrics.heart_rate, Some(142));
        world.fake_trainer_mut(ANA).packet = Some(without);
        world.run(secs(5));
        let missing = (Some(123), Some(88), None);
        for metrics in [world.view(ANA).own_metrics, world.row(BEN, "Ana").metrics] {
            let shown = (metrics.power, metrics.cadence, metrics.heart_rate);
            assert_eq!(shown, missing);
        }
        world.run(secs(10));
        let recording = world.download(ANA);
        let recorded = recording.samples.iter();
        let recorded = recorded.map(|sample| (sample.power, sample.cadence, sample.heart_rate));
        let recorded: Vec<_> = recorded.collect();
        assert_eq!(recorded[2], (Some(123), Some(88), Some(142)));
        let gone = recorded.iter().position(|sample| *sample == missing);
        // The recorder bridges three seconds.
        assert!(
            gone.is_some_and(|at| (5..=12).contains(&at)),
            "{recorded:?}"
        );
        assert_eq!(recorded.last(), Some(&missing));
    }
}

#[test]
fn power_and_cadence_that_stop_coming_are_missing() {
    let mut world = with_trainer(32);
    // Heart rate only.
    world.fake_trainer_mut(ANA).packet = Some(vec![0x01, 0x02, 142]);
    world.run(secs(5));
    for metrics in [world.view(ANA).own_metrics, world.row(BEN, "Ana").metrics] {
        let shown = (metrics.power, metrics.cadence, metrics.heart_rate);
        assert_eq!(shown, (None, None, Some(142)));
    }
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
}

#[test]
fn a_packet_that_is_shorter_than_announced_is_used() {
    let mut world = with_trainer(33);
    // A heart rate is announced, and missing.
    let mut short = packet(Some(142));
    short.pop();
    world.fake_trainer_mut(ANA).packet = Some(short);
    world.run(secs(5));
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
}

#[test]
fn data_that_stop_raise_the_alarm_and_the_trainer_is_connected_again() {
    let mut world = with_trainer(34);
    world.start(long_ride());
    world.stop_data(ANA);
    world.run_until("the alarm", |world| *world.trainer(ANA) == silent());
    let before = world.fake_trainer(ANA).connects;
    world.run_until("the connection", |world| {
        world.fake_trainer(ANA).connects > before
    });
    world.pedal(ANA, 130, 90);
    world.run_until("data", |world| *world.trainer(ANA) == connected("Kickr"));
    world.run(secs(2));
    assert_eq!(world.view(ANA).own_metrics.power, Some(130));
    assert_eq!(world.fake_trainer(ANA).targets().last(), Some(&120));
}

#[test]
fn a_trainer_on_which_no_one_pedals_is_not_connected_again_without_end() {
    let mut world = with_trainer(35);
    world.stop_data(ANA);
    world.run(secs(600));
    assert_eq!(*world.trainer(ANA), silent());
    assert_eq!(world.fake_trainer(ANA).connects, 4);
    assert_eq!(world.own_row(ANA).trainer, TrainerKind::Bluetooth);
    world.pedal(ANA, 130, 90);
    world.run(secs(1));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
}

#[test]
fn a_console_that_sends_only_after_its_start_is_started() {
    let mut world = World::group(36, 1);
    let mut trainer = FakeTrainer::new("Kickr");
    trainer.sends_after = Some(START);
    trainer.pedalling = Some((123, 88));
    world.connect_trainer(ANA, trainer);
    world.run(secs(7));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
}

#[test]
fn a_console_that_stops_sending_when_it_is_controlled_measures_without_control() {
    let mut world = World::group(37, 1);
    let mut trainer = FakeTrainer::new("Kickr");
    trainer.stops_after = Some(REQUEST_CONTROL);
    trainer.pedalling = Some((123, 88));
    world.connect_trainer(ANA, trainer);
    world.run_until("the report", |world| {
        *world.trainer(ANA) == uncontrolled(ControlProblem::StopsWhenControlled)
    });
    world.run(secs(30));
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
    assert_eq!(world.fake_trainer(ANA).connects, 3);
}

#[test]
fn a_trainer_whose_connection_breaks_is_reported_and_measures_nothing() {
    let mut world = with_trainer(10);
    world.drop_trainer(ANA);
    world.run(ms(600));
    assert_eq!(*world.trainer(ANA), lost());
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
fn a_lost_trainer_is_connected_again_as_soon_as_it_answers_and_given_its_target() {
    let mut world = with_trainer(38);
    world.start(long_ride());
    world.run(secs(1));
    world.drop_trainer(ANA);
    world.run_until("the alarm", |world| *world.trainer(ANA) == lost());
    world.run_while(secs(40), "the alarm", |world| *world.trainer(ANA) == lost());
    let tried = world.fake_trainer(ANA).connects - 1;
    assert!((4..=6).contains(&tried), "{tried} attempts");
    let before = world.fake_trainer(ANA).commands.len();
    world.wake_trainer(ANA);
    world.run_until("the trainer", |world| {
        *world.trainer(ANA) == connected("Kickr")
    });
    world.run(secs(2));
    let opcodes = world.fake_trainer(ANA).opcodes();
    assert_eq!(opcodes[before..], [REQUEST_CONTROL, SET_TARGET_POWER]);
    assert_eq!(world.fake_trainer(ANA).targets().last(), Some(&120));
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
}

#[test]
fn a_lost_trainer_is_tried_at_once_when_the_rider_comes_back_to_the_page() {
    let mut world = with_trainer(39);
    world.drop_trainer(ANA);
    world.run(secs(40));
    world.wake_trainer(ANA);
    world.show(ANA);
    world.run(ms(500));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
}

#[test]
fn readings_older_than_three_seconds_are_not_shown() {
    let mut world = with_trainer(12);
    world.stop_data(ANA);
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
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.run(secs(10));
    assert_eq!(*world.trainer(ANA), DeviceState::Connecting);
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
    assert_eq!(world.tabs[ANA].released, [0; 0]);
}

#[test]
fn a_failed_attempt_shows_why() {
    let rejected = |name: &str, message: &str, available| ChooserError::Rejected {
        name: name.to_owned(),
        message: message.to_owned(),
        after: ms(1_000),
        available,
    };
    let globally_disabled = "Web Bluetooth API globally disabled.";
    for (error, failure) in [
        (ChooserError::Unsupported, PairingFailure::Unsupported),
        (cancelled(), PairingFailure::Cancelled),
        (
            rejected("NotFoundError", globally_disabled, true),
            PairingFailure::Disabled,
        ),
        (
            rejected("NotAllowedError", "", true),
            PairingFailure::Denied,
        ),
        (
            rejected("NotFoundError", "", false),
            PairingFailure::AdapterOff,
        ),
    ] {
        let mut world = World::group(15, 1);
        world.tabs[ANA].chooser = Chooser::Fails(error);
        world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
        world.run(secs(1));
        assert_eq!(*world.trainer(ANA), DeviceState::Failed(failure));
    }
}

#[test]
fn a_first_connection_that_fails_is_tried_twice_more_before_it_is_reported() {
    for (failing, connect_error, expected) in [
        (2, ConnectError::Refused, connected("Kickr")),
        (
            3,
            ConnectError::Refused,
            DeviceState::Failed(PairingFailure::Taken),
        ),
        (
            3,
            ConnectError::Unreachable,
            DeviceState::Failed(PairingFailure::Unreachable),
        ),
    ] {
        let mut world = World::group(40, 1);
        let mut trainer = FakeTrainer::new("Kickr");
        trainer.failing_connects = failing;
        trainer.connect_error = connect_error;
        world.connect_trainer(ANA, trainer);
        assert_eq!(*world.trainer(ANA), DeviceState::Connecting);
        world.run(secs(3));
        assert_eq!(*world.trainer(ANA), expected);
        let is_released = world.tabs[ANA].released == [1];
        assert_eq!(is_released, failing == 3);
    }
}

#[test]
fn a_device_that_is_no_trainer_is_reported_at_once() {
    let mut world = World::group(41, 1);
    let mut device = FakeTrainer::new("Watch");
    device.characteristics.clear();
    world.connect_trainer(ANA, device);
    assert_eq!(
        *world.trainer(ANA),
        DeviceState::Failed(PairingFailure::WrongKind)
    );
    let profiles = profiles(DeviceKind::Trainer).len();
    let connects = world.tabs[ANA].released_trainers[0].connects;
    assert_eq!(connects as usize, profiles, "each profile is tried once");
}

#[test]
fn a_rider_on_the_simulator_is_told_why_no_trainer_was_connected() {
    let mut world = World::riding(42, 1, long_ride());
    let mut trainer = FakeTrainer::new("Kickr");
    trainer.failing_connects = u32::MAX;
    world.connect_trainer(ANA, trainer);
    world.run(secs(3));
    assert_eq!(*world.trainer(ANA), DeviceState::Simulated);
    let told = Notice::NotPaired(DeviceKind::Trainer, PairingFailure::Unreachable);
    assert_eq!(world.notices(ANA), [told]);
}

#[test]
fn a_rider_on_the_simulator_can_take_a_trainer() {
    let mut world = World::riding(43, 2, long_ride());
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    world.pedal(ANA, 123, 88);
    world.run(secs(1));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
    assert_eq!(world.row(BEN, "Ana").trainer, TrainerKind::Bluetooth);
}

#[test]
fn a_failed_attempt_keeps_the_simulator() {
    let mut world = World::riding(16, 1, long_ride());
    world.tabs[ANA].chooser = Chooser::Fails(cancelled());
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.run(secs(1));
    assert_eq!(*world.trainer(ANA), DeviceState::Simulated);
    assert!(world.view(ANA).own_metrics.power > Some(100));
}

#[test]
fn a_failed_attempt_keeps_the_trainer() {
    let mut world = with_trainer(17);
    world.tabs[ANA].chooser = Chooser::Fails(cancelled());
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.run(secs(1));
    assert_eq!(*world.trainer(ANA), connected("Kickr"));
    assert_eq!(world.view(ANA).own_metrics.power, Some(123));
}

#[test]
fn a_failed_attempt_says_no_more_of_the_trainer_than_is_true() {
    let mut world = World::group(44, 1);
    let trainer = FakeTrainer::answering("Kickr", REQUEST_CONTROL, Some(FAILED));
    world.connect_trainer(ANA, trainer);
    world.tabs[ANA].chooser = Chooser::Fails(cancelled());
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.run(secs(1));
    assert_eq!(
        *world.trainer(ANA),
        uncontrolled(ControlProblem::NotPermitted)
    );
    let told = Notice::NotPaired(DeviceKind::Trainer, PairingFailure::Cancelled);
    assert_eq!(world.notices(ANA), [told]);
}

#[test]
fn the_simulator_replaces_a_failed_attempt() {
    let mut world = World::group(18, 1);
    world.tabs[ANA].chooser = Chooser::Fails(ChooserError::Unsupported);
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.run(secs(1));
    world.intend(ANA, Intent::SimulateTrainer);
    world.run(ms(300));
    assert_eq!(*world.trainer(ANA), DeviceState::Simulated);
}

#[test]
fn a_trainer_chosen_after_the_rider_took_the_simulator_is_released() {
    let mut world = World::group(19, 1);
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.intend(ANA, Intent::SimulateTrainer);
    world.choose_late(ANA, 1, FakeTrainer::new("Kickr"));
    assert_eq!(*world.trainer(ANA), DeviceState::Simulated);
    assert_eq!(world.tabs[ANA].released, [1]);
}

#[test]
fn of_two_attempts_the_newest_counts() {
    let mut world = World::group(20, 1);
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.choose_late(ANA, 1, FakeTrainer::new("First"));
    assert_eq!(*world.trainer(ANA), DeviceState::Connecting);
    world.choose_late(ANA, 2, FakeTrainer::new("Second"));
    assert_eq!(*world.trainer(ANA), connected("Second"));
    assert_eq!(world.tabs[ANA].released, [1]);
}

#[test]
fn the_failure_of_an_older_attempt_does_not_end_the_newest() {
    let mut world = World::group(26, 1);
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.intend(ANA, Intent::Pair(DeviceKind::Trainer));
    world.fail_late(ANA, 1, cancelled());
    assert_eq!(*world.trainer(ANA), DeviceState::Connecting);
    world.fail_late(ANA, 2, cancelled());
    assert_eq!(
        *world.trainer(ANA),
        DeviceState::Failed(PairingFailure::Cancelled)
    );
}

#[test]
fn the_trainer_is_released_when_the_rider_leaves() {
    let mut world = with_trainer(21);
    world.intend(ANA, Intent::Leave);
    world.run(ms(300));
    assert_eq!(world.tabs[ANA].released, [1]);
    assert_eq!(*world.trainer(ANA), DeviceState::None);
}

/// Last command to the trainer of the first attempt, which was released.
fn last_command(world: &World) -> u8 {
    let trainer = &world.tabs[ANA].released_trainers[0];
    *trainer.opcodes().last().expect("a command")
}

#[test]
fn a_trainer_is_freed_of_its_target_before_it_is_disconnected() {
    let leave = |world: &mut World| world.intend(ANA, Intent::Leave);
    let simulate = |world: &mut World| world.intend(ANA, Intent::SimulateTrainer);
    let replace = |world: &mut World| world.connect_trainer(ANA, FakeTrainer::new("Other"));
    let close_ride = |world: &mut World| world.intend(ANA, Intent::CloseRide);
    let take_over = |world: &mut World| {
        let second = world.add_tab(ANA);
        world.open(second);
        world.intend(second, Intent::ResumeAs(0));
    };
    let ways: [&dyn Fn(&mut World); 5] = [&leave, &simulate, &replace, &close_ride, &take_over];
    for way in ways {
        let mut world = with_trainer(45);
        world.start(long_ride());
        world.run(secs(2));
        way(&mut world);
        world.run(secs(2));
        assert_eq!(world.tabs[ANA].released, [1]);
        assert_eq!(last_command(&world), SET_SIMULATION);
    }
}

#[test]
fn a_target_that_is_being_set_when_the_rider_leaves_is_released_too() {
    let mut world = World::group(46, 1);
    let trainer = FakeTrainer::answering("Kickr", SET_TARGET_POWER, None);
    world.connect_trainer(ANA, trainer);
    world.start(long_ride());
    world.run(ms(300));
    world.intend(ANA, Intent::Leave);
    assert_eq!(last_command(&world), SET_SIMULATION);
}

#[test]
fn a_page_that_is_closed_frees_the_trainer_and_one_that_comes_back_sets_the_target_again() {
    let mut world = with_trainer(47);
    world.start(long_ride());
    world.run(secs(2));
    world.hide(ANA);
    let opcodes = world.fake_trainer(ANA).opcodes();
    assert_eq!(opcodes.last(), Some(&SET_SIMULATION));
    world.run(secs(1));
    assert_eq!(world.fake_trainer(ANA).targets(), [120, 120]);
}

#[test]
fn nothing_is_written_on_leaving_to_a_trainer_without_a_target() {
    let mut world = World::group(48, 1);
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    let before = world.fake_trainer(ANA).commands.len();
    world.intend(ANA, Intent::Leave);
    assert_eq!(world.tabs[ANA].released_trainers[0].commands.len(), before);
}

#[test]
fn a_trainer_that_is_being_chosen_when_the_rider_leaves_is_released() {
    let mut world = World::group(22, 2);
    world.intend(BEN, Intent::Pair(DeviceKind::Trainer));
    world.intend(BEN, Intent::Leave);
    world.choose_late(BEN, 1, FakeTrainer::new("Kickr"));
    assert_eq!(world.tabs[BEN].released, [1]);
    assert_eq!(*world.trainer(BEN), DeviceState::None);
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
