//! Solo rides: on the simulator, without a network.

use clock::Duration;
use ride::recording::{
    Recording,
    stored::{RideHead, RideState},
};
use ride::timeline::TimelineError;
use session::{
    Input, Intent, OpenedRecording, Opening,
    storage::StoredProfile,
    view::{DeviceState, Notice, ServerConnection, Stage},
};

use crate::harness::{
    ANA, ClockInSleep, FakeTrainer, RecordingStorage, World, four_steps, half_minute, long_ride,
    ms, secs,
};

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
fn a_solo_ride_opens_no_socket_and_stores_no_identity() {
    let mut world = riding(10);
    world.run(secs(10));
    world.hide(ANA);
    assert_eq!(world.tabs[ANA].sockets_opened, 0);
    assert!(world.storage(ANA).known.is_empty());
    assert_eq!(world.storage(ANA).timeline, None);
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

/// Ana's page, opened again after a crash.
fn crashed(seed: u64, ridden: Duration) -> World {
    let mut world = riding(seed);
    world.run(ridden);
    world.crash(ANA);
    world.run(secs(600));
    world.open_solo_in(ANA);
    world.run(ms(300));
    world
}

#[test]
fn every_second_of_a_solo_ride_is_stored_within_five_seconds() {
    let mut world = riding(20);
    for _ in 0..10 {
        world.run(secs(3));
        let stored = world.stored_recording(ANA).samples.len() as u64;
        let ridden = world.elapsed(ANA).as_secs();
        assert!(ridden - stored <= 4, "{stored} of {ridden} s");
    }
}

#[test]
fn a_solo_ride_that_crashed_is_offered_and_goes_on_where_it_was() {
    let mut world = crashed(21, secs(30));
    assert_eq!(*world.stage(ANA), Stage::Lobby);
    let offered = world.view(ANA).unfinished.clone().expect("an offer");
    assert_eq!(offered.workout, "Long Ride");
    let recorded = offered.recorded;
    assert!(recorded.abs_diff(secs(32)) <= secs(4), "{recorded:?}");

    world.intend(ANA, Intent::ResumeUnfinished);
    world.run(secs(10));
    assert_eq!(*world.stage(ANA), Stage::Riding);
    assert_eq!(world.view(ANA).unfinished, None);
    let ridden = world.elapsed(ANA);
    assert!(
        ridden.abs_diff(recorded + secs(10)) <= secs(3),
        "{ridden:?}"
    );
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let recording = world.download(ANA);
    let samples = recording.samples.len() as u64;
    assert!(samples.abs_diff(ridden.as_secs()) <= 3, "{samples}");
    let last_pause = recording.pauses.last().unwrap();
    let absent = last_pause.to.unwrap().since(last_pause.from);
    assert!(absent.abs_diff(secs(600)) <= secs(4), "{absent:?}");
    let chart = world.view(ANA).chart.clone().unwrap();
    let drawn = chart.own.iter().flatten().count() as u64;
    assert!(5 * drawn + 6 >= samples, "{drawn} values for {samples} s");
}

#[test]
fn a_resumed_solo_ride_can_crash_again() {
    let mut world = crashed(22, secs(20));
    world.intend(ANA, Intent::ResumeUnfinished);
    world.run(secs(20));
    world.crash(ANA);
    world.run(secs(5));
    world.open_solo_in(ANA);
    world.run(ms(300));
    world.intend(ANA, Intent::ResumeUnfinished);
    world.run(secs(5));
    let ridden = world.elapsed(ANA);
    assert!(ridden.abs_diff(secs(47)) <= secs(6), "{ridden:?}");
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    assert_eq!(world.storage(ANA).kept.len(), 1);
    assert!(world.storage(ANA).recordings.is_empty());
}

#[test]
fn a_rider_who_starts_another_ride_keeps_the_unfinished_one() {
    let mut world = crashed(23, secs(20));
    world.start(half_minute());
    world.intend(ANA, Intent::ResumeUnfinished);
    world.run(secs(31));
    assert_eq!(*world.stage(ANA), Stage::Ended);
    assert_eq!(
        world.view(ANA).workout.as_ref().unwrap().name(),
        "Half a Minute"
    );
    assert_eq!(world.storage(ANA).recordings.len(), 1);
    assert_eq!(world.storage(ANA).kept.len(), 1);
}

#[test]
fn a_paused_solo_ride_is_still_paused_when_it_is_resumed() {
    let mut world = riding(24);
    world.run(secs(10));
    world.intend(ANA, Intent::Pause);
    world.run(secs(6));
    world.crash(ANA);
    world.open_solo_in(ANA);
    world.run(ms(300));
    world.intend(ANA, Intent::ResumeUnfinished);
    world.run(secs(3));
    assert!(world.view(ANA).progress.paused);
}

#[test]
fn nothing_is_offered_while_nothing_was_recorded_or_the_ride_was_finished() {
    let mut world = solo(25);
    world.crash(ANA);
    world.open_solo_in(ANA);
    world.run(ms(300));
    assert_eq!(world.view(ANA).unfinished, None);
    world.start(half_minute());
    world.run(secs(32));
    world.close_page(ANA);
    world.open_solo_in(ANA);
    world.run(ms(300));
    assert_eq!(world.view(ANA).unfinished, None);
}

#[test]
fn a_finished_ride_is_kept_whole_with_its_workout_and_its_entry_in_the_list() {
    let mut world = solo(26);
    world.start(half_minute());
    world.run(secs(32));
    let storage = world.storage(ANA);
    assert!(storage.recordings.is_empty());
    let (key, ride) = storage.kept.iter().next().unwrap();
    assert!(key.starts_with("solo/"));
    let recording = Recording::decode(&ride.recording).unwrap();
    assert_eq!(recording.samples.len(), 30);
    let state = RideState::decode(&ride.state).unwrap();
    assert_eq!(state.workout().unwrap().name(), "Half a Minute");
    assert_eq!(state.solo, None);
    assert_eq!(
        RideHead::decode(&ride.head).unwrap(),
        RideHead::of(&recording)
    );
}

#[test]
fn a_finished_ride_is_kept_once_its_full_storage_has_room_again() {
    let mut world = riding(27);
    world.run(secs(10));
    world.storage_mut(ANA).recording_storage = RecordingStorage::Full;
    world.run(secs(10));
    assert!(world.view(ANA).recording_at_risk);
    world.intend(ANA, Intent::End);
    world.run(secs(5));
    assert!(world.storage(ANA).kept.is_empty());
    assert!(world.view(ANA).recording_at_risk);
    world.storage_mut(ANA).recording_storage = RecordingStorage::Works;
    world.run(secs(40));
    let ride = world
        .storage(ANA)
        .kept
        .values()
        .next()
        .expect("a kept ride");
    let recording = Recording::decode(&ride.recording).unwrap();
    assert!(recording.samples.len() >= 20);
    assert!(!world.view(ANA).recording_at_risk);
}

#[test]
fn a_solo_ride_that_slept_and_crashed_goes_on_where_it_was() {
    let mut world = riding(28);
    world.run(secs(20));
    world.sleep(ANA, secs(3_600), ClockInSleep::RunsOn);
    world.run(secs(5));
    let before = world.elapsed(ANA);
    world.crash(ANA);
    world.open_solo_in(ANA);
    world.run(ms(300));
    world.intend(ANA, Intent::ResumeUnfinished);
    world.run(secs(5));
    let ridden = world.elapsed(ANA);
    assert!(ridden.abs_diff(before + secs(5)) <= secs(4), "{ridden:?}");
}

#[test]
fn a_late_answer_about_the_ride_before_does_not_hide_the_recording_of_the_resumed_one() {
    let mut world = crashed(29, secs(30));
    world.intend(ANA, Intent::ResumeUnfinished);
    // The first attempt, of the ride in the lobby, is answered only now.
    let opened = OpenedRecording::Empty;
    world.feed(ANA, Input::RecordingOpened { open: 1, opened });
    world.run(secs(10));
    world.intend(ANA, Intent::End);
    world.run(secs(2));
    let ride = world
        .storage(ANA)
        .kept
        .values()
        .next()
        .expect("a kept ride");
    let recording = Recording::decode(&ride.recording).unwrap();
    assert!(recording.samples.len() >= 38, "{}", recording.samples.len());
}

#[test]
fn the_last_seconds_are_stored_though_there_is_no_room_for_the_whole_ride() {
    let mut world = riding(30);
    world.run(secs(10));
    world.storage_mut(ANA).recording_storage = RecordingStorage::KeepsNothing;
    world.run(ms(1_700));
    let ridden = world.elapsed(ANA).as_secs();
    world.intend(ANA, Intent::End);
    world.run(secs(3));
    world.crash(ANA);
    assert!(world.storage(ANA).kept.is_empty());
    let recording = world.stored_recording(ANA);
    assert!(recording.finished_at.is_some());
    assert!(recording.samples.len() as u64 >= ridden);
}

#[test]
fn an_offer_ends_when_another_tab_has_resumed_the_ride() {
    let mut world = crashed(31, secs(20));
    world.feed(ANA, Input::UnfinishedTaken);
    assert_eq!(world.view(ANA).unfinished, None);
    assert!(world.has_notice(ANA, &Notice::ResumedElsewhere));
    world.intend(ANA, Intent::ResumeUnfinished);
    world.run(secs(1));
    assert_eq!(*world.stage(ANA), Stage::Lobby);
}

#[test]
fn a_ride_keeps_the_local_time_at_which_it_was_ridden() {
    let mut world = solo(32);
    world.start(half_minute());
    world.run(secs(32));
    assert_eq!(world.download(ANA).utc_offset, Some(20_700));
}
