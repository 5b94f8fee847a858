//! Solo rides: on the simulator, without a network.

use ride::timeline::TimelineError;
use session::{
    Intent, Opening,
    storage::StoredProfile,
    view::{DeviceState, Notice, ServerConnection, Stage},
};

use crate::harness::{ANA, FakeTrainer, World, four_steps, half_minute, long_ride, ms, secs};

fn solo(seed: u64) -> World {
    let mut world = World::new(seed);
    world.kill_server();
    let at = world.open_solo();
    assert_eq!(at, ANA);
    world.run(ms(300));
    world
}

fn riding(seed: u64) -> World {
    let mut world = solo(seed);
    world.start(long_ride());
    world.run(secs(2));
    world
}

#[test]
fn a_solo_ride_begins_in_the_lobby_on_the_simulator() {
    let world = solo(1);
    assert_eq!(*world.stage(ANA), Stage::Lobby);
    assert_eq!(*world.trainer(ANA), DeviceState::Simulated);
    assert_eq!(world.listed(ANA), ["Rider"]);
    assert!(world.view(ANA).is_host);
    assert!(world.view(ANA).ready);
    assert_eq!(world.view(ANA).connection, ServerConnection::Idle);
    assert_eq!(world.view(ANA).code, None);
    assert_eq!(world.view(ANA).invitation, "");
}

#[test]
fn a_solo_rider_has_the_name_and_ftp_entered_last() {
    let mut world = World::new(2);
    let at = world.add_browser();
    let profile = Some(StoredProfile {
        name: "Ana".to_owned(),
        ftp: 240,
    });
    let default_name = "Rider".to_owned();
    world.open_page(
        at,
        Opening::Solo {
            profile,
            default_name,
        },
    );
    assert_eq!(world.listed(at), ["Ana"]);
    assert_eq!(world.view(at).ftp, 240);
}

#[test]
fn a_solo_rider_with_an_ftp_only_has_the_default_name() {
    let mut world = World::new(3);
    let at = world.add_browser();
    let profile = Some(StoredProfile {
        name: String::new(),
        ftp: 240,
    });
    let default_name = "Rider".to_owned();
    world.open_page(
        at,
        Opening::Solo {
            profile,
            default_name,
        },
    );
    assert_eq!(world.listed(at), ["Rider"]);
    assert_eq!(world.view(at).ftp, 240);
}

#[test]
fn a_solo_ride_counts_down_and_follows_the_workout() {
    let mut world = solo(4);
    world.intend(ANA, Intent::ShareWorkout(half_minute()));
    world.intend(ANA, Intent::Start);
    world.run(secs(1));
    assert_eq!(*world.stage(ANA), Stage::Countdown);
    world.run(secs(14));
    assert_eq!(*world.stage(ANA), Stage::Riding);
    assert_eq!(world.target(ANA), Some(120));
    let power = world.view(ANA).own_metrics.power.unwrap();
    assert!(power.abs_diff(120) <= 30, "{power}");
    assert!(world.elapsed(ANA).abs_diff(secs(5)) <= ms(300));
}

#[test]
fn a_solo_ride_can_be_paused_and_resumed() {
    let mut world = riding(5);
    world.intend(ANA, Intent::Pause);
    world.run(secs(10));
    let stopped = world.elapsed(ANA);
    assert!(world.view(ANA).progress.paused);
    world.intend(ANA, Intent::Resume);
    world.run(secs(5));
    assert!(world.elapsed(ANA).abs_diff(stopped + secs(2)) <= ms(300));
}

#[test]
fn a_solo_rider_changes_intervals() {
    let mut world = solo(6);
    world.start(four_steps());
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(8));
    assert_eq!(world.view(ANA).progress.interval, 1);
    world.intend(ANA, Intent::Back(1));
    world.intend(ANA, Intent::Extend(1));
    world.run(secs(1));
    let left = ms(world.view(ANA).progress.interval_remaining_ms.into());
    assert!(left > secs(115), "{left:?}");
}

#[test]
fn a_solo_ride_ends_with_the_summary_and_the_file() {
    let mut world = solo(7);
    world.start(half_minute());
    world.run(secs(31));
    assert_eq!(*world.stage(ANA), Stage::Ended);
    assert_eq!(
        world.view(ANA).summary.as_ref().unwrap().figures.duration,
        secs(30)
    );
    assert!(world.view(ANA).chart.is_some());
    assert_eq!(world.download(ANA).samples.len(), 30);
    assert!(!world.tabs[ANA].screen_is_kept_on);
}

#[test]
fn a_solo_rider_who_leaves_sees_the_summary() {
    let mut world = riding(8);
    world.run(secs(5));
    world.intend(ANA, Intent::Leave);
    assert_eq!(*world.stage(ANA), Stage::Ended);
    assert!(world.download(ANA).samples.len() >= 6);
}

#[test]
fn a_solo_rider_who_leaves_the_lobby_has_left() {
    let mut world = solo(9);
    world.intend(ANA, Intent::Leave);
    assert_eq!(*world.stage(ANA), Stage::Left);
}

#[test]
fn a_solo_ride_opens_no_socket_and_stores_nothing() {
    let mut world = riding(10);
    world.run(secs(10));
    world.hide(ANA);
    assert_eq!(world.tabs[ANA].sockets_opened, 0);
    assert!(world.storage(ANA).known.is_empty());
    assert_eq!(world.storage(ANA).timeline, None);
    assert!(world.storage(ANA).recordings.is_empty());
    assert!(!world.tabs[ANA].storage.hidden);
}

#[test]
fn a_solo_rider_can_ride_on_a_trainer() {
    let mut world = solo(11);
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    world.pedal(ANA, 150, 90);
    world.start(long_ride());
    world.run(secs(2));
    assert_eq!(world.fake_trainer(ANA).targets(), [120]);
    assert_eq!(world.view(ANA).own_metrics.power, Some(150));
}

#[test]
fn a_solo_ride_refuses_a_start_without_a_workout() {
    let mut world = solo(12);
    world.intend(ANA, Intent::Start);
    let rejected = Notice::ChangeRejected(TimelineError::NoWorkout);
    assert_eq!(world.notices(ANA), [rejected]);
}

#[test]
fn a_solo_ride_on_a_computer_that_slept_with_its_clock_goes_on_where_it_was() {
    let mut world = riding(13);
    let before = world.elapsed(ANA);
    world.sleep(ANA, secs(600), crate::harness::ClockInSleep::StandsStill);
    world.run(secs(1));
    assert!(world.elapsed(ANA).abs_diff(before + secs(1)) <= ms(300));
}
