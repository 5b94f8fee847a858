//! Sensors beside the trainer, trainers of other families, and what the trainer is asked to do when
//! the rider does not follow.

use std::sync::Arc;

use ride::library;
use ride::trainer::{DeviceKind, Reading, Uuid, cadence, cycling_power, fec, heart_rate, wahoo};
use session::{
    Intent, Sound,
    view::{DeviceState, DeviceView},
};

use crate::harness::{ANA, BEN, FakeTrainer, SET_SIMULATION, World, long_ride, ms, secs};

fn device(world: &World, kind: DeviceKind) -> &DeviceView {
    let device = world.view(ANA).devices.device(kind);
    device.expect("a device of each kind")
}

fn strap(beats: u8) -> FakeTrainer {
    FakeTrainer::sensor("Strap", heart_rate::MEASUREMENT, &[0, beats])
}

fn power_meter(watts: u16) -> FakeTrainer {
    let bytes = [0, watts].map(u16::to_le_bytes).concat();
    FakeTrainer::sensor("Pedals", cycling_power::MEASUREMENT, &bytes)
}

/// Trainer with another means of control than the Fitness Machine Service.
fn old_trainer(characteristics: &[Uuid], notification: (Uuid, Vec<u8>)) -> FakeTrainer {
    let mut trainer = FakeTrainer::sensor("Old", notification.0, &notification.1);
    trainer.characteristics = characteristics.to_vec();
    trainer
}

/// Ana pedals on a trainer with 150 W at 85 rpm.
fn pedalling(seed: u64, riders: usize) -> World {
    let mut world = World::group(seed, riders);
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    world.pedal(ANA, 150, 85);
    world.run(secs(1));
    world
}

#[test]
fn a_strap_and_a_power_meter_add_to_the_trainer_and_all_riders_see_them() {
    let mut world = pedalling(1, 2);
    world.pair(ANA, DeviceKind::HeartRate, strap(142));
    world.pair(ANA, DeviceKind::PowerMeter, power_meter(140));
    world.run(secs(1));
    let own = &world.view(ANA).own_metrics;
    assert_eq!(
        (own.power, own.cadence, own.heart_rate),
        (Some(140), Some(85), Some(142))
    );
    let seen = world.row(BEN, "Ana").metrics;
    assert_eq!((seen.power, seen.heart_rate), (Some(140), Some(142)));
    assert_eq!(
        device(&world, DeviceKind::HeartRate).state,
        DeviceState::Connected("Strap".to_owned())
    );
}

#[test]
fn the_rider_chooses_between_two_sources_and_a_chosen_one_without_values_is_missing() {
    let mut world = pedalling(2, 1);
    world.pair(ANA, DeviceKind::PowerMeter, power_meter(140));
    world.intend(ANA, Intent::SetPowerSource(Some(DeviceKind::Trainer)));
    world.run(secs(1));
    assert_eq!(world.view(ANA).own_metrics.power, Some(150));
    world.intend(ANA, Intent::SetPowerSource(Some(DeviceKind::PowerMeter)));
    world.run(secs(1));
    assert_eq!(world.view(ANA).own_metrics.power, Some(140));
    world.drop_trainer(ANA);
    world.run(secs(4));
    assert_eq!(world.view(ANA).own_metrics.power, None);
    world.intend(ANA, Intent::SetPowerSource(None));
    world.run(secs(1));
    assert_eq!(
        world.view(ANA).own_metrics.power,
        Some(150),
        "the next best"
    );
}

#[test]
fn a_cadence_sensor_counts_and_shows_its_battery() {
    let mut world = World::group(3, 1);
    let mut sensor = FakeTrainer::sensor("Crank", cadence::MEASUREMENT, &[2, 0, 0, 0, 0]);
    sensor.battery = Some(64);
    world.pair(ANA, DeviceKind::Cadence, sensor);
    for turn in 1_u8..8 {
        // A turn every half second: 120 rpm.
        let [low, high] = (u16::from(turn) * 512).to_le_bytes();
        let notification = vec![2, turn, 0, low, high];
        world.fake_trainer_mut(ANA).notifications[0].1 = notification;
        world.run(ms(500));
    }
    assert_eq!(world.view(ANA).own_metrics.cadence, Some(120));
    assert_eq!(device(&world, DeviceKind::Cadence).battery, Some(64));
}

#[test]
fn a_strap_that_is_lost_during_the_ride_sounds_an_alarm_once_and_comes_back() {
    let mut world = pedalling(4, 1);
    world.pair(ANA, DeviceKind::HeartRate, strap(142));
    world.start(long_ride());
    world.run(secs(5));
    world.drop_trainer(ANA);
    world.run(secs(5));
    let alarms = |world: &World| {
        let sounds = world.tabs[ANA].sounds.iter();
        sounds.filter(|(_, sound)| *sound == Sound::Alarm).count()
    };
    assert_eq!(alarms(&world), 1);
    assert_eq!(world.view(ANA).own_metrics.heart_rate, None);
    assert_eq!(
        world.view(ANA).own_metrics.power,
        Some(150),
        "the trainer measures on"
    );
    world.wake_trainer(ANA);
    world.run(secs(35));
    assert_eq!(world.view(ANA).own_metrics.heart_rate, Some(142));
    assert_eq!(alarms(&world), 1);
}

#[test]
fn paired_devices_are_found_again_after_a_reload_until_they_are_forgotten() {
    let mut world = World::group(5, 1);
    world.pair(ANA, DeviceKind::HeartRate, strap(120));
    world.reload(ANA);
    world.run(secs(3));
    assert_eq!(world.view(ANA).own_metrics.heart_rate, Some(120));
    world.intend(ANA, Intent::Forget(DeviceKind::HeartRate));
    world.run(secs(1));
    let strap = device(&world, DeviceKind::HeartRate);
    assert_eq!(
        (&strap.state, &strap.remembered),
        (&DeviceState::None, &None)
    );
    world.reload(ANA);
    world.run(secs(3));
    assert_eq!(world.view(ANA).own_metrics.heart_rate, None);
}

#[test]
fn a_remembered_device_that_is_out_of_reach_is_connected_once_it_answers() {
    let mut world = World::group(15, 1);
    world.pair(ANA, DeviceKind::HeartRate, strap(120));
    let known = world.tabs[ANA].known_devices.iter_mut();
    known.for_each(|device| device.failing_connects = 6);
    world.reload(ANA);
    world.run(secs(10));
    assert_eq!(
        device(&world, DeviceKind::HeartRate).state,
        DeviceState::None
    );
    world.run(secs(60));
    assert_eq!(world.view(ANA).own_metrics.heart_rate, Some(120));
}

#[test]
fn a_rider_can_choose_another_device_while_the_remembered_one_is_out_of_reach() {
    let mut world = World::group(16, 1);
    world.pair(ANA, DeviceKind::HeartRate, strap(120));
    let known = world.tabs[ANA].known_devices.iter_mut();
    known.for_each(|device| device.failing_connects = 1_000);
    world.reload(ANA);
    world.run(secs(10));
    world.pair(
        ANA,
        DeviceKind::HeartRate,
        FakeTrainer::sensor("Other", heart_rate::MEASUREMENT, &[0, 133]),
    );
    world.run(secs(60));
    assert_eq!(world.view(ANA).own_metrics.heart_rate, Some(133));
    let remembered = &device(&world, DeviceKind::HeartRate).remembered;
    assert_eq!(remembered.as_deref(), Some("Other"));
}

#[test]
fn a_remembered_device_that_the_browser_does_not_give_stays_remembered_by_name() {
    let mut world = World::group(6, 1);
    world.pair(ANA, DeviceKind::HeartRate, strap(120));
    world.tabs[ANA].known_devices.clear();
    world.reload(ANA);
    world.run(secs(3));
    let strap = device(&world, DeviceKind::HeartRate);
    assert_eq!(strap.state, DeviceState::None);
    assert_eq!(strap.remembered.as_deref(), Some("Strap"));
}

#[test]
fn a_tacx_trainer_before_ftms_measures_and_is_given_targets() {
    let mut world = World::group(7, 1);
    let page = [0x19, 1, 90, 0, 0, 0x78, 0x00, 0x20];
    let mut message = [[0xa4, 9, 0x4e, 5].as_slice(), &page].concat();
    message.push(message.iter().fold(0, |sum, byte| sum ^ byte));
    let trainer = old_trainer(&[fec::MESSAGES, fec::COMMANDS], (fec::MESSAGES, message));
    world.connect_trainer(ANA, trainer);
    world.run(secs(3));
    assert_eq!(
        *world.trainer(ANA),
        DeviceState::Connected("Old".to_owned())
    );
    world.start(long_ride());
    world.run(secs(2));
    let own = &world.view(ANA).own_metrics;
    assert_eq!((own.power, own.cadence), (Some(120), Some(90)));
    let commands = &world.fake_trainer(ANA).commands;
    assert_eq!(
        commands.last().unwrap()[4..12],
        [0x31, 255, 255, 255, 255, 255, 0xe0, 0x01]
    );
}

#[test]
fn a_wahoo_trainer_before_ftms_is_unlocked_and_given_targets() {
    let mut world = World::group(8, 1);
    let power = vec![0, 0, 120, 0];
    let trainer = old_trainer(
        &[wahoo::CONTROL, cycling_power::MEASUREMENT],
        (cycling_power::MEASUREMENT, power),
    );
    world.connect_trainer(ANA, trainer);
    world.run(secs(3));
    world.start(long_ride());
    world.run(secs(2));
    let commands = &world.fake_trainer(ANA).commands;
    assert_eq!(commands[0], [0x20, 0xee, 0xfc]);
    assert_eq!(commands.last().unwrap(), &[0x42, 120, 0]);
}

#[test]
fn power_match_steers_the_trainer_by_the_power_meter() {
    let mut world = pedalling(9, 1);
    world.pair(ANA, DeviceKind::PowerMeter, power_meter(140));
    world.intend(ANA, Intent::MatchPower(true));
    world.start(long_ride());
    world.run(secs(60));
    // The trainer shows 10 W more than the meter: 120 W on the meter are 130 W on the trainer.
    let trainer = world.tabs[ANA].trainers.values().next().unwrap();
    assert_eq!(trainer.targets().last(), Some(&130));
    assert_eq!(world.view(ANA).own_metrics.target, Some(120));
}

#[test]
fn a_cadence_that_drops_releases_the_target_and_ramps_it_back() {
    let mut world = pedalling(10, 1);
    world.start(long_ride());
    world.run(secs(5));
    world.pedal(ANA, 110, 45);
    world.run(secs(7));
    assert!(world.view(ANA).devices.is_released);
    assert_eq!(
        world.fake_trainer(ANA).commands.last().unwrap()[0],
        SET_SIMULATION
    );
    assert_eq!(
        world.view(ANA).own_metrics.target,
        Some(120),
        "the screen shows the workout's"
    );
    world.pedal(ANA, 90, 80);
    world.run(secs(14));
    assert!(!world.view(ANA).devices.is_released);
    let targets = world.fake_trainer(ANA).targets();
    assert!(targets.len() > 3, "in steps: {targets:?}");
    assert_eq!(targets.last(), Some(&120));
}

#[test]
fn the_recording_waits_for_a_rider_who_stops_and_the_group_does_not() {
    let mut world = pedalling(11, 2);
    world.start(long_ride());
    world.run(secs(10));
    world.pedal(ANA, 0, 0);
    world.run(secs(20));
    assert!(world.view(ANA).devices.is_paused);
    let before = world.view(ANA).progress.elapsed_ms;
    world.pedal(ANA, 140, 85);
    world.run(secs(1));
    assert!(matches!(world.view(ANA).devices.resumes_in, Some(2 | 3)));
    world.run(secs(9));
    assert!(!world.view(ANA).devices.is_paused);
    assert_eq!(world.view(ANA).progress.elapsed_ms - before, 10_000);
    world.intend(ANA, Intent::End);
    world.run(secs(2));
    let summary = world.view(ANA).summary.as_ref().unwrap();
    let recorded = summary.figures.duration.as_secs();
    assert!((17..=22).contains(&recorded), "{recorded} s of 40");
    assert_eq!(world.fake_trainer(ANA).targets().last(), Some(&120));
}

#[test]
fn outside_of_erg_mode_the_rider_sets_the_slope_by_hand() {
    let mut world = pedalling(12, 1);
    world.start(long_ride());
    world.run(secs(2));
    world.intend(ANA, Intent::SetErg(false));
    world.intend(ANA, Intent::ChangeLoad(3));
    world.run(secs(2));
    let last = world.fake_trainer(ANA).commands.last().unwrap().clone();
    assert_eq!(last, [SET_SIMULATION, 0, 0, 150, 0, 40, 51]);
    assert_eq!(world.view(ANA).devices.manual.slope, 150);
    world.intend(ANA, Intent::ChangeLoad(-100));
    world.run(ms(300));
    assert_eq!(world.view(ANA).devices.manual.slope, -2_000);
    world.intend(ANA, Intent::SetErg(true));
    world.run(secs(5));
    assert_eq!(world.fake_trainer(ANA).targets().last(), Some(&120));
}

#[test]
fn a_bike_that_takes_only_resistance_is_ridden_by_levels() {
    let mut world = World::group(13, 1);
    let mut trainer = FakeTrainer::new("Bike");
    trainer.features = vec![0, 0, 0, 0, 0x04, 0, 0, 0];
    trainer.pedalling = Some((120, 80));
    world.connect_trainer(ANA, trainer);
    world.start(long_ride());
    world.run(secs(3));
    let last = world.fake_trainer(ANA).commands.last().unwrap().clone();
    assert_eq!(last, [0x04, 20]);
}

#[test]
fn the_simulator_is_a_device_like_others() {
    let mut world = World::group(14, 1);
    world.intend(ANA, Intent::SimulateTrainer);
    world.start(long_ride());
    world.run(secs(20));
    let trainer = device(&world, DeviceKind::Trainer);
    assert_eq!(trainer.state, DeviceState::Simulated);
    assert!(trainer.reading.power > Some(100));
    assert_ne!(trainer.reading, Reading::default());
}

#[test]
fn in_a_test_of_ftp_every_second_counts_also_without_pedalling() {
    let mut world = pedalling(17, 1);
    let test = library::all()
        .into_iter()
        .find(|it| it.workout.ftp_test().is_some());
    world.start(Arc::new(test.expect("a test in the library").workout));
    world.run(secs(10));
    world.pedal(ANA, 0, 0);
    world.run(secs(20));
    assert!(!world.view(ANA).devices.is_paused);
    world.intend(ANA, Intent::End);
    world.run(secs(2));
    let summary = world.view(ANA).summary.as_ref().unwrap();
    assert!(
        summary.figures.duration >= secs(29),
        "{:?}",
        summary.figures.duration
    );
}
