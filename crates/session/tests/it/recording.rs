//! The recording, its storage, the summary and the FIT file.

use ride::recording::fit::{FitError, SubSport};
use session::{
    Intent,
    view::{FitDownloadError, Stage},
};

use crate::harness::{
    ANA, BEN, FakeTrainer, RecordingStorage, World, four_steps, half_minute, long_ride, ms, secs,
};

#[test]
fn there_is_one_sample_for_every_second() {
    let mut world = World::riding(1, 2, half_minute());
    world.run_until("the end", |world| *world.stage(BEN) == Stage::Ended);
    let samples = world.download(BEN).samples;
    assert_eq!(samples.len(), 30);
    let first = samples[0].at.unix_seconds();
    for (second, sample) in (first..).zip(&samples) {
        assert_eq!(sample.at.unix_seconds(), second);
        assert!(sample.power.is_some(), "second {}", second - first);
    }
}

#[test]
fn the_samples_have_the_dates_of_the_rider_s_own_wall_clock() {
    let mut world = World::group(2, 2);
    world.run(secs(3));
    world.start(long_ride());
    let start = world.first_shown(BEN, &Stage::Riding);
    world.run(secs(5));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let started_at = world.download(BEN).started_at.unix_ms();
    let expected =
        1_800_000_000_000 + (start.since_origin() + world.tabs[BEN].wall_lead).as_millis() as u64;
    assert!(started_at.abs_diff(expected) <= 300);
}

#[test]
fn a_wall_clock_that_is_set_back_during_the_ride_shifts_no_sample() {
    let mut world = World::riding(3, 2, long_ride());
    world.run(secs(5));
    world.set_wall_clock_back(BEN, secs(3_600));
    world.run(secs(5));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let samples = world.download(BEN).samples;
    assert!(samples.len().abs_diff(12) <= 1);
    let seconds: Vec<_> = samples
        .iter()
        .map(|sample| sample.at.unix_seconds())
        .collect();
    assert!(seconds.is_sorted_by(|one, next| one + 1 == *next));
}

// It cannot be told apart from a sleep, after which the dates have to be right.
#[test]
fn a_wall_clock_that_is_set_forward_during_the_ride_leaves_a_gap_and_loses_no_sample() {
    let mut world = World::riding(30, 1, long_ride());
    world.run(secs(5));
    world.set_wall_clock_forward(ANA, secs(3_600));
    world.run(secs(5));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let samples = world.download(ANA).samples;
    assert!(samples.len().abs_diff(12) <= 1, "{}", samples.len());
    let steps = samples.windows(2);
    let steps = steps.map(|pair| pair[1].at.unix_seconds() - pair[0].at.unix_seconds());
    let gaps: Vec<_> = steps.filter(|step| *step != 1).collect();
    assert!(
        matches!(gaps[..], [gap] if gap.abs_diff(3_601) <= 1),
        "{gaps:?}"
    );
}

#[test]
fn each_sample_has_the_target_of_its_second() {
    let mut world = World::riding(4, 1, half_minute());
    world.run_until("the end", |world| *world.stage(ANA) == Stage::Ended);
    let targets = world.download(ANA).samples;
    let targets: Vec<_> = targets.iter().map(|sample| sample.target).collect();
    assert_eq!(targets[5], Some(120));
    assert_eq!(targets[18], Some(180));
    assert_eq!(targets[27], Some(100));
}

#[test]
fn every_interval_is_a_lap() {
    let mut world = World::riding(5, 1, half_minute());
    world.run_until("the end", |world| *world.stage(ANA) == Stage::Ended);
    let recording = world.download(ANA);
    let laps: Vec<_> = recording.laps.iter().map(|lap| lap.interval).collect();
    assert_eq!(laps, [Some(0), Some(1), Some(2)]);
    let start = recording.laps[0].at.unix_seconds();
    let at: Vec<_> = recording
        .laps
        .iter()
        .map(|lap| lap.at.unix_seconds() - start)
        .collect();
    assert!(at[1].abs_diff(14) <= 1 && at[2].abs_diff(22) <= 1, "{at:?}");
}

#[test]
fn an_interval_that_is_ridden_again_is_a_lap_of_its_own() {
    let mut world = World::riding(6, 2, four_steps());
    world.run(secs(2));
    // 1, 2, 2 again, 3, 4, 3 again, 4 again.
    let changes = [
        (Intent::Skip(0), 7),
        (Intent::Back(1), 3),
        (Intent::Skip(1), 3),
        (Intent::Skip(2), 2),
        (Intent::Back(3), 3),
        (Intent::Skip(2), 3),
    ];
    for (change, wait) in changes {
        world.intend(ANA, change);
        world.run(secs(wait));
    }
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let laps = world.download(BEN).laps;
    let laps: Vec<_> = laps.iter().filter_map(|lap| lap.interval).collect();
    assert_eq!(laps, [0, 1, 1, 2, 3, 2, 3]);
}

#[test]
fn a_pause_is_left_out_of_the_recording() {
    let mut world = World::riding(7, 2, long_ride());
    world.run(secs(8));
    world.intend(ANA, Intent::Pause);
    world.run(secs(20));
    world.intend(ANA, Intent::Resume);
    world.run(secs(13));
    let ridden = world.elapsed(BEN).as_secs();
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let recording = world.download(BEN);
    assert!(recording.samples.len().abs_diff(ridden as usize) <= 1);
    assert_eq!(recording.pauses.len(), 1);
    let pause = recording.pauses[0];
    let length = pause.to.unwrap().unix_seconds() - pause.from.unix_seconds();
    assert!(length.abs_diff(23) <= 1, "{length}");
    let during = |sample: &&ride::recording::Sample| {
        sample.at >= pause.from && sample.at < pause.to.unwrap()
    };
    assert_eq!(recording.samples.iter().filter(during).count(), 0);
}

#[test]
fn a_pause_that_passed_while_the_page_was_closed_is_left_out_of_the_recording() {
    let mut world = World::riding(20, 2, long_ride());
    world.run(secs(8));
    world.close_page(BEN);
    world.run(secs(1));
    world.intend(ANA, Intent::Pause);
    world.run(secs(20));
    world.intend(ANA, Intent::Resume);
    world.run(secs(4));
    world.open(BEN);
    world.run(secs(10));
    let ridden = world.elapsed(ANA).as_secs();
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let recording = world.download(BEN);
    assert_eq!(recording.pauses.len(), 1);
    let samples = recording.samples.len() as u64;
    assert!(samples.abs_diff(ridden) <= 2, "{samples} of {ridden} s");
}

#[test]
fn the_summary_has_the_figures_of_the_own_ride() {
    let mut world = World::group(8, 2);
    world.connect_trainer(BEN, FakeTrainer::new("Kickr"));
    world.pedal(BEN, 200, 90);
    world.run(secs(1));
    world.start(half_minute());
    world.run(secs(31));
    let summary = world.view(BEN).summary.clone().unwrap();
    assert_eq!(summary.workout, "Half a Minute");
    assert_eq!(summary.figures.duration, secs(30));
    assert_eq!(summary.figures.average_power, Some(200.0));
    assert_eq!(summary.figures.max_power, Some(200));
    assert_eq!(summary.figures.average_cadence, Some(90.0));
    assert_eq!(summary.figures.average_heart_rate, None);
    assert!((summary.figures.work_kj - 6.0).abs() < 0.01);
    assert_eq!(summary.figures.intensity_factor, Some(0.8));
}

#[test]
fn a_rider_without_a_trainer_has_a_summary_without_power() {
    let mut world = World::group(9, 1);
    world.start(half_minute());
    world.run(secs(31));
    let figures = world.view(ANA).summary.as_ref().unwrap().figures;
    assert_eq!(figures.duration, secs(30));
    assert_eq!(figures.average_power, None);
    assert_eq!(world.download(ANA).samples.len(), 30);
}

#[test]
fn a_file_before_the_first_recorded_second_is_refused_with_the_reason() {
    let mut world = World::group(10, 1);
    world.intend(ANA, Intent::DownloadFit);
    let error = FitDownloadError::Fit(FitError::Empty);
    assert_eq!(world.view(ANA).download_error, Some(error));
}

#[test]
fn a_download_that_the_browser_refuses_is_reported_until_the_next_one_succeeds() {
    let mut world = World::riding(11, 1, half_minute());
    world.run(secs(31));
    world.tabs[ANA].refuses = true;
    world.intend(ANA, Intent::DownloadFit);
    world.run(ms(100));
    assert_eq!(
        world.view(ANA).download_error,
        Some(FitDownloadError::Browser)
    );
    world.tabs[ANA].refuses = false;
    world.download(ANA);
    assert_eq!(world.view(ANA).download_error, None);
}

#[test]
fn the_recording_is_stored_in_chunks_every_two_seconds() {
    let mut world = World::riding(12, 1, long_ride());
    for _ in 0..10 {
        world.run(secs(5));
        let stored = world.stored_recording(ANA).samples.len() as u64;
        let ridden = world.elapsed(ANA).as_secs();
        assert!(ridden - stored <= 3, "{stored} of {ridden} s");
    }
    let chunks: Vec<_> = world.storage(ANA).recordings.values().collect();
    let sizes = chunks[0].iter().map(Vec::len);
    assert!(sizes.max().unwrap() < 300, "chunks hold new samples only");
}

#[test]
fn a_damaged_chunk_costs_its_own_seconds_only() {
    let mut world = World::riding(13, 1, long_ride());
    world.run(secs(20));
    world.close_page(ANA);
    let chunks = world
        .storage_mut(ANA)
        .recordings
        .values_mut()
        .next()
        .unwrap();
    chunks[4] = vec![1, 2, 3];
    world.open(ANA);
    world.run(secs(5));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let with_power = world.download(ANA).samples;
    let with_power = with_power
        .iter()
        .filter(|sample| sample.power.is_some())
        .count();
    assert!(with_power >= 22, "{with_power}");
}

#[test]
fn a_browser_without_a_database_records_in_memory() {
    let mut world = World::new(14);
    world.add_browser();
    world.storage_mut(ANA).recording_storage = RecordingStorage::Missing;
    world.open(ANA);
    world.enter(ANA, "Ana", 200);
    world.intend(ANA, Intent::SimulateTrainer);
    world.start(half_minute());
    world.run(secs(31));
    assert_eq!(world.download(ANA).samples.len(), 30);
    assert!(world.storage(ANA).recordings.is_empty());
}

#[test]
fn a_database_that_never_answers_costs_no_ride_and_no_summary() {
    let mut world = World::new(15);
    world.add_browser();
    world.storage_mut(ANA).recording_storage = RecordingStorage::Hangs;
    world.open(ANA);
    world.enter(ANA, "Ana", 200);
    world.intend(ANA, Intent::SimulateTrainer);
    world.start(half_minute());
    assert_eq!(world.target(ANA), Some(120), "the ride starts all the same");
    world.run(secs(31));
    let samples = world.download(ANA).samples.len();
    assert_eq!(samples, 30);
    assert!(world.storage(ANA).recordings.is_empty());
}

#[test]
fn a_page_reloaded_at_the_end_shows_the_summary_though_its_database_never_answers() {
    let mut world = World::riding(16, 1, half_minute());
    world.run(secs(31));
    world.storage_mut(ANA).recording_storage = RecordingStorage::Hangs;
    world.reload(ANA);
    world.run_until("the summary", |world| *world.stage(ANA) == Stage::Ended);
    assert_eq!(world.view(ANA).summary, None, "there is nothing to sum up");
}

#[test]
fn a_browser_that_stores_nothing_rides_and_forgets_the_rider() {
    let mut world = World::new(17);
    world.add_browser();
    world.storage_mut(ANA).is_denied = true;
    world.storage_mut(ANA).recording_storage = RecordingStorage::Missing;
    world.open(ANA);
    world.enter(ANA, "Ana", 200);
    world.intend(ANA, Intent::SimulateTrainer);
    world.start(long_ride());
    world.run(secs(10));
    world.reload(ANA);
    assert_eq!(*world.stage(ANA), Stage::EnterName);
}

#[test]
fn the_last_seconds_are_stored_when_the_page_is_hidden() {
    let mut world = World::riding(18, 1, long_ride());
    world.run(ms(7_300));
    world.hide(ANA);
    let stored = world.stored_recording(ANA).samples.len() as u64;
    assert!(world.elapsed(ANA).as_secs() - stored <= 1);
}

#[test]
fn two_rides_of_one_browser_are_stored_under_their_own_riders() {
    let mut world = World::riding(19, 1, long_ride());
    let tab = world.add_tab(ANA);
    world.open(tab);
    world.intend(tab, Intent::JoinAsNewRider);
    world.enter(tab, "Dora", 180);
    world.intend(tab, Intent::SimulateTrainer);
    world.run(secs(10));
    assert_eq!(world.storage(ANA).recordings.len(), 2);
}

/// Seconds of the ride that are not stored, of a page that crashes now.
fn lost_by_a_crash(world: &mut World) -> u64 {
    let ridden = world.elapsed(ANA).as_secs();
    world.crash(ANA);
    ridden.saturating_sub(world.stored_recording(ANA).samples.len() as u64)
}

#[test]
fn a_database_that_the_browser_closes_during_the_ride_is_opened_again_and_nothing_is_lost() {
    let mut world = World::riding(31, 1, long_ride());
    for _ in 0..3 {
        world.run(secs(10));
        world.close_database(ANA);
        world.run_until("the failure", |world| world.view(ANA).recording_at_risk);
        world.run_until("the repair", |world| !world.view(ANA).recording_at_risk);
    }
    world.run(secs(3));
    let lost = lost_by_a_crash(&mut world);
    assert!(lost <= 3, "{lost} s");
}

#[test]
fn a_rider_is_told_while_the_disk_is_full_and_what_was_missing_is_written_when_it_is_not() {
    let mut world = World::riding(32, 1, long_ride());
    world.run(secs(10));
    world.storage_mut(ANA).recording_storage = RecordingStorage::Full;
    world.run(secs(5));
    world.run_while(secs(60), "told", |world| world.view(ANA).recording_at_risk);
    let attempts = world.storage(ANA).attempts_to_open;
    assert!(
        (4..=9).contains(&attempts),
        "{attempts} attempts in a minute"
    );
    world.storage_mut(ANA).recording_storage = RecordingStorage::Works;
    world.run_until("the repair", |world| !world.view(ANA).recording_at_risk);
    world.run(secs(3));
    let lost = lost_by_a_crash(&mut world);
    assert!(lost <= 3, "{lost} s");
}

#[test]
fn writes_that_are_never_confirmed_do_not_count_as_stored() {
    let mut world = World::riding(33, 1, long_ride());
    world.run(secs(10));
    world.storage_mut(ANA).recording_storage = RecordingStorage::Hangs;
    world.run(secs(20));
    assert!(world.view(ANA).recording_at_risk);
    world.storage_mut(ANA).recording_storage = RecordingStorage::Works;
    world.run_until("the repair", |world| !world.view(ANA).recording_at_risk);
    world.run(secs(14));
    let lost = lost_by_a_crash(&mut world);
    assert!(lost <= 3, "{lost} s");
}

#[test]
fn a_rider_whose_browser_cannot_keep_the_ride_is_told_so_in_the_lobby() {
    use RecordingStorage::{Full, Hangs, Missing, Works};
    for (seed, storage) in (34..).zip([Missing, Full, Hangs, Works]) {
        let mut world = World::new(seed);
        world.add_browser();
        world.storage_mut(ANA).recording_storage = storage;
        world.open(ANA);
        world.enter(ANA, "Ana", 200);
        world.run(secs(6));
        assert_eq!(*world.stage(ANA), Stage::Lobby);
        assert_eq!(
            world.view(ANA).recording_at_risk,
            storage != Works,
            "{storage:?}"
        );
    }
}

#[test]
fn a_reloaded_page_whose_database_answers_late_has_the_whole_recording() {
    let mut world = World::riding(38, 1, long_ride());
    world.run(secs(20));
    world.storage_mut(ANA).recording_storage = RecordingStorage::Hangs;
    world.reload(ANA);
    world.run_until("the ride", |world| *world.stage(ANA) == Stage::Riding);
    world.run(secs(20));
    world.storage_mut(ANA).recording_storage = RecordingStorage::Works;
    world.run_until("the repair", |world| !world.view(ANA).recording_at_risk);
    world.run(secs(3));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let downloaded = world.download(ANA);
    let ridden = world.elapsed(ANA).as_secs();
    let samples = downloaded.samples.len() as u64;
    assert!(samples.abs_diff(ridden) <= 5, "{samples} of {ridden} s");
    assert!(
        downloaded
            .samples
            .is_sorted_by(|one, next| one.at < next.at)
    );
    assert_eq!(world.stored_recording(ANA), downloaded);
}

#[test]
fn a_summary_that_was_shown_before_the_database_answered_is_completed() {
    let mut world = World::riding(39, 1, half_minute());
    world.run(secs(31));
    let summary = world.view(ANA).summary.clone();
    world.storage_mut(ANA).recording_storage = RecordingStorage::Hangs;
    world.reload(ANA);
    world.run_until("the end", |world| *world.stage(ANA) == Stage::Ended);
    assert_eq!(world.view(ANA).summary, None);
    world.storage_mut(ANA).recording_storage = RecordingStorage::Works;
    world.run_until("the summary", |world| world.view(ANA).summary.is_some());
    assert_eq!(world.view(ANA).summary, summary);
}

#[test]
fn the_last_seconds_are_stored_when_the_page_is_closed_during_another_write() {
    let mut world = World::riding(40, 1, long_ride());
    world.run_until("a write", |world| {
        world.elapsed(ANA).as_millis() % 2_000 < 20
    });
    world.run(ms(1_500));
    let ridden = world.elapsed(ANA).as_secs();
    world.hide(ANA);
    world.hide(ANA);
    let stored = world.stored_recording(ANA).samples.len() as u64;
    assert!(ridden - stored <= 1, "{stored} of {ridden} s");
}

#[test]
fn a_solo_ride_which_is_never_stored_is_at_no_risk() {
    let mut world = World::new(41);
    let at = world.open_solo();
    world.run(secs(10));
    assert!(!world.view(at).recording_at_risk);
}

#[test]
fn files_of_riders_who_start_together_have_different_serial_numbers() {
    let mut world = World::riding(42, 2, half_minute());
    world.run(secs(31));
    let [ana, ben] = [ANA, BEN].map(|at| world.download_file(at).0.serial_number);
    assert_ne!(ana, ben);
    world.reload(ANA);
    world.run_until("the summary", |world| *world.stage(ANA) == Stage::Ended);
    assert_eq!(world.download_file(ANA).0.serial_number, ana);
}

#[test]
fn a_file_names_the_workout_and_the_trainers_that_were_used() {
    let mut world = World::group(43, 1);
    world.intend(ANA, Intent::SimulateTrainer);
    world.start(half_minute());
    world.run(secs(5));
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    world.pedal(ANA, 200, 90);
    world.run(secs(5));
    world.reload(ANA);
    world.run_until("the summary", |world| *world.stage(ANA) == Stage::Ended);
    let (activity, _) = world.download_file(ANA);
    assert_eq!(activity.recording.sensors, ["Simulated trainer", "Kickr"]);
    let workout = activity.workout.unwrap();
    assert_eq!(workout.name(), "Half a Minute");
}

#[test]
fn a_lap_that_a_skip_began_is_told_apart_from_one_that_the_workout_began() {
    let mut world = World::riding(44, 1, four_steps());
    world.run(secs(5));
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(62));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let laps = world.download(ANA).laps;
    let jumps: Vec<_> = laps.iter().map(|lap| lap.after_jump).collect();
    assert_eq!(jumps, [false, true, false]);
}

#[test]
fn the_kind_of_ride_that_a_rider_chose_is_kept() {
    let mut world = World::riding(45, 1, half_minute());
    world.run(secs(31));
    assert_eq!(
        world.download_file(ANA).0.sub_sport,
        SubSport::IndoorCycling
    );
    world.intend(ANA, Intent::SetSubSport(SubSport::VirtualActivity));
    assert_eq!(world.view(ANA).sub_sport, SubSport::VirtualActivity);
    world.reload(ANA);
    world.run_until("the summary", |world| *world.stage(ANA) == Stage::Ended);
    assert_eq!(
        world.download_file(ANA).0.sub_sport,
        SubSport::VirtualActivity
    );
}
