use core::time::Duration;

use super::*;

const START: WallTime = WallTime::from_unix_ms(1_800_000_000_400);

/// Milliseconds after the start of the recording.
fn ms(millis: u64) -> Moment {
    Moment::from_origin(Duration::from_secs(1_000)) + Duration::from_millis(millis)
}

/// Time of a sample, in seconds after the first one.
const fn second(second: u64) -> WallTime {
    WallTime::from_unix_ms((1_800_000_000 + second) * 1_000)
}

/// Seconds after the first sample.
const fn since_start(at: WallTime) -> u64 {
    at.unix_seconds() - second(0).unix_seconds()
}

/// Clocks of a computer that has not slept, in milliseconds after the start of the recording.
fn clocks(millis: u64) -> Now {
    Now {
        moment: ms(millis),
        wall: START.after(Duration::from_millis(millis)),
    }
}

fn recorder() -> Recorder {
    Recorder::new(clocks(0), "Opener".into(), Ftp::default())
}

/// Stores a chunk of what is not stored yet.
fn store(recorder: &mut Recorder) -> Option<Vec<u8>> {
    let (chunk, point) = recorder.unsaved()?;
    recorder.mark_saved(point);
    Some(chunk)
}

fn joined(chunks: &[Vec<u8>]) -> Recording {
    Recording::from_chunks(chunks.iter().map(Vec::as_slice)).expect("chunks")
}

const fn watts(power: u16) -> Reading {
    Reading {
        power: Some(power),
        cadence: None,
        heart_rate: None,
        speed: None,
    }
}

const NO_READING: Reading = Reading {
    power: None,
    cadence: None,
    heart_rate: None,
    speed: None,
};

/// Records a power at a number of milliseconds after the start.
fn ride(recorder: &mut Recorder, millis: u64, power: u16) {
    recorder.record(ms(millis), watts(power), Some(150), Some(0));
}

fn power(recorder: &Recorder) -> Vec<Option<u16>> {
    recorder
        .recording()
        .samples
        .iter()
        .map(|sample| sample.power)
        .collect()
}

fn seconds(recorder: &Recorder) -> Vec<u64> {
    recorder
        .recording()
        .samples
        .iter()
        .map(|sample| since_start(sample.at))
        .collect()
}

#[test]
fn readings_are_averaged_into_one_sample_a_second() {
    let mut recorder = recorder();
    for (millis, power) in [
        (0, 100),
        (250, 110),
        (500, 120),
        (750, 131),
        (1_000, 200),
        (1_999, 210),
        (2_000, 1),
    ] {
        ride(&mut recorder, millis, power);
    }
    assert_eq!(power(&recorder), [Some(115), Some(205)]);
    assert_eq!(seconds(&recorder), [0, 1]);
}

#[test]
fn what_a_sensor_does_not_say_is_left_out_of_its_average() {
    let mut recorder = recorder();
    let reading = Reading {
        power: Some(100),
        cadence: Some(80),
        heart_rate: None,
        speed: Some(9_000),
    };
    recorder.record(ms(0), reading, Some(150), None);
    recorder.record(
        ms(500),
        Reading {
            cadence: None,
            heart_rate: Some(120),
            speed: Some(9_101),
            ..reading
        },
        Some(160),
        None,
    );
    let sample = recorder.finish(ms(1_000)).samples[0];
    let expected = Sample {
        at: second(0),
        power: Some(100),
        cadence: Some(80),
        heart_rate: Some(120),
        target: Some(160),
        speed: Some(9_051),
    };
    assert_eq!(sample, expected);
}

#[test]
fn a_ride_of_thirty_seconds_has_thirty_samples_whenever_it_ends_within_half_a_second() {
    for end in [29_600, 30_000, 30_200, 30_499] {
        let mut recorder = recorder();
        (0..=end / 250).for_each(|n| ride(&mut recorder, n * 250, 100));
        let recording = recorder.finish(ms(end));
        assert_eq!(recording.samples.len(), 30, "{end}");
        assert_eq!(since_start(recording.end()), 30);
    }
}

#[test]
fn a_gap_holds_the_last_value_for_three_seconds_then_has_none() {
    let mut recorder = recorder();
    ride(&mut recorder, 0, 100);
    ride(&mut recorder, 6_000, 200);
    recorder.finish(ms(7_000));
    assert_eq!(
        power(&recorder),
        [
            Some(100),
            Some(100),
            Some(100),
            Some(100),
            None,
            None,
            Some(200)
        ]
    );
    assert_eq!(seconds(&recorder), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_trainer_that_is_gone_leaves_no_power_but_its_seconds() {
    let mut recorder = recorder();
    ride(&mut recorder, 0, 100);
    (1..8).for_each(|second| recorder.record(ms(second * 1_000), NO_READING, Some(150), Some(0)));
    recorder.finish(ms(8_000));
    assert_eq!(power(&recorder)[3..], [Some(100), None, None, None, None]);
    assert!(
        recorder
            .recording()
            .samples
            .iter()
            .all(|sample| sample.target == Some(150))
    );
}

#[test]
fn a_pause_is_left_out_and_readings_in_it_are_ignored() {
    let mut recorder = recorder();
    (0..5).for_each(|second| ride(&mut recorder, second * 1_000, 100));
    recorder.pause(ms(5_000));
    recorder.pause(ms(6_000));
    ride(&mut recorder, 7_000, 999);
    recorder.resume(ms(60_000));
    recorder.resume(ms(70_000));
    (60..65).for_each(|second| ride(&mut recorder, second * 1_000, 200));
    recorder.finish(ms(65_000));
    assert_eq!(seconds(&recorder), [0, 1, 2, 3, 4, 60, 61, 62, 63, 64]);
    let pause = Pause {
        from: second(5),
        to: Some(second(60)),
    };
    assert_eq!(recorder.recording().pauses, [pause]);
}

#[test]
fn a_value_is_not_held_across_a_pause() {
    let mut recorder = recorder();
    ride(&mut recorder, 0, 100);
    recorder.pause(ms(1_000));
    recorder.resume(ms(2_000));
    recorder.record(ms(2_000), NO_READING, None, Some(0));
    recorder.finish(ms(3_000));
    assert_eq!(power(&recorder), [Some(100), None]);
}

#[test]
fn a_pause_within_a_second_makes_no_second_twice() {
    let mut recorder = recorder();
    ride(&mut recorder, 0, 100);
    recorder.pause(ms(600));
    recorder.resume(ms(700));
    ride(&mut recorder, 800, 300);
    ride(&mut recorder, 1_000, 200);
    recorder.finish(ms(2_000));
    assert_eq!(seconds(&recorder), [0, 1]);
    assert_eq!(power(&recorder), [Some(100), Some(200)]);
}

#[test]
fn a_lap_begins_with_each_interval() {
    let mut recorder = recorder();
    for (second, interval) in [
        (0, Some(0)),
        (1, Some(0)),
        (2, Some(1)),
        (5, Some(2)),
        (6, None),
    ] {
        recorder.record(ms(second * 1_000), watts(100), None, interval);
    }
    let laps: Vec<(u64, Option<u32>)> = recorder
        .recording()
        .laps
        .iter()
        .map(|lap| (since_start(lap.at), lap.interval))
        .collect();
    assert_eq!(laps, [(0, Some(0)), (2, Some(1)), (5, Some(2)), (6, None)]);
}

#[test]
fn a_lap_begins_at_the_nearest_second_if_both_laps_have_readings_of_it() {
    for (first_of_next, begins) in [(13_800, 14), (14_200, 14), (13_400, 13)] {
        let mut recorder = recorder();
        for millis in (0..first_of_next).step_by(250) {
            recorder.record(ms(millis), watts(100), None, Some(0));
        }
        recorder.record(ms(first_of_next), watts(200), None, Some(1));
        recorder.record(ms(20_000), watts(200), None, Some(1));
        let laps = &recorder.finish(ms(20_000)).laps;
        assert_eq!(since_start(laps[1].at), begins, "{first_of_next} ms");
    }
}

#[test]
fn a_second_that_two_laps_share_has_the_target_of_its_lap() {
    for (first_of_next, targets) in [
        (13_800, [Some(120), Some(140), Some(140)]),
        (13_400, [Some(140), Some(140), Some(140)]),
    ] {
        let mut recorder = recorder();
        for millis in (0..first_of_next).step_by(250) {
            recorder.record(ms(millis), watts(100), Some(120), Some(0));
        }
        recorder.record(ms(first_of_next), watts(200), Some(140), Some(1));
        recorder.record(ms(13_900), watts(200), Some(140), Some(1));
        let samples = &recorder.finish(ms(16_000)).samples;
        let of_boundary = samples[13..].iter().map(|sample| sample.target);
        assert!(of_boundary.eq(targets), "{first_of_next} ms");
    }
}

#[test]
fn a_lap_begins_with_its_first_second_after_a_gap() {
    let mut recorder = recorder();
    recorder.record(ms(0), watts(100), None, Some(0));
    recorder.record(ms(90_700), watts(200), None, Some(1));
    let laps = &recorder.finish(ms(95_000)).laps;
    assert_eq!(since_start(laps[1].at), 90);
}

#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let mut recorder = recorder();
    ride(&mut recorder, 5_000, 100);
    ride(&mut recorder, 1_000, 900);
    recorder.record(
        ms(0).before(Duration::from_secs(90)),
        watts(900),
        None,
        Some(1),
    );
    ride(&mut recorder, 6_000, 100);
    assert_eq!(seconds(&recorder), [0, 1, 2, 3, 4, 5]);
    assert_eq!(power(&recorder)[5], Some(100));
    assert_eq!(recorder.recording().laps.len(), 1);
}

#[test]
fn nothing_is_recorded_after_the_end() {
    let mut recorder = recorder();
    ride(&mut recorder, 0, 100);
    recorder.finish(ms(1_000));
    ride(&mut recorder, 2_000, 100);
    recorder.pause(ms(3_000));
    recorder.finish(ms(4_000));
    assert_eq!(seconds(&recorder), [0]);
    assert_eq!(recorder.recording().finished_at, Some(second(1)));
    assert_eq!(recorder.recording().pauses, []);
}

#[test]
fn a_ride_ended_while_paused_ends_with_the_pause() {
    let mut recorder = recorder();
    ride(&mut recorder, 0, 100);
    recorder.pause(ms(1_000));
    let recording = recorder.finish(ms(9_000));
    assert_eq!(recording.samples.len(), 1);
    assert_eq!(recording.end(), second(9));
}

#[test]
fn a_recording_is_at_most_a_day_long() {
    let mut recorder = recorder();
    for second in 0..MAX_SAMPLES as u64 + 10 {
        ride(&mut recorder, second * 1_000, 100);
    }
    assert_eq!(recorder.recording().samples.len(), MAX_SAMPLES);
}

#[test]
fn what_is_stored_bit_by_bit_gives_the_same_recording() {
    let mut recorder = recorder();
    let mut chunks: Vec<Vec<u8>> = vec![];
    for second in 0..23 {
        recorder.record(
            ms(second * 1_000),
            watts(100 + second as u16),
            Some(150),
            Some(second as u32 / 4),
        );
        match second {
            7 => recorder.pause(ms(7_000)),
            12 => recorder.resume(ms(12_000)),
            _ => {}
        }
        if second % 3 == 0 {
            chunks.extend(store(&mut recorder));
        }
    }
    recorder.finish(ms(23_000));
    chunks.extend(store(&mut recorder));
    assert_eq!(recorder.unsaved(), None);
    chunks.insert(3, chunks[2].clone());
    let stored = joined(&chunks);
    assert_eq!(&stored, recorder.recording());
    assert_eq!(stored.pauses.len(), 1);
}

#[test]
fn a_reload_goes_on_with_the_recording_and_leaves_a_gap() {
    let mut before = recorder();
    (0..5).for_each(|second| ride(&mut before, second * 1_000, 100));
    let stored = store(&mut before).expect("a chunk");
    let recording = Recording::from_chunks([stored.as_slice()]).expect("a recording");
    let mut after = Recorder::resume_from(recording, clocks(6_000));
    assert_eq!(after.unsaved(), None);
    ride(&mut after, 7_000, 200);
    after.finish(ms(8_000));
    assert_eq!(
        power(&after),
        [
            Some(100),
            Some(100),
            Some(100),
            Some(100),
            None,
            None,
            None,
            Some(200)
        ]
    );
    assert_eq!(after.recording().laps.len(), 1);
    let chunks = [stored, store(&mut after).expect("a chunk")];
    assert_eq!(&joined(&chunks), after.recording());
}

#[test]
fn an_interval_ridden_again_is_a_lap_of_its_own() {
    let mut recorder = recorder();
    ride(&mut recorder, 0, 100);
    ride(&mut recorder, 9_000, 100);
    recorder.begin_lap();
    ride(&mut recorder, 10_000, 100);
    ride(&mut recorder, 20_000, 100);
    let laps = recorder.finish(ms(30_000)).laps.iter();
    let laps: Vec<_> = laps
        .map(|lap| (since_start(lap.at), lap.interval))
        .collect();
    assert_eq!(laps, [(0, Some(0)), (10, Some(0))]);
}

#[test]
fn a_ride_that_goes_on_after_its_end_was_overtaken_is_recorded_to_its_true_end() {
    let mut recorder = recorder();
    for second in 0..3 {
        ride(&mut recorder, 1_000 * second, 200);
    }
    recorder.finish(ms(3_000));
    let chunk = store(&mut recorder).expect("a chunk");
    ride(&mut recorder, 4_000, 210);
    assert_eq!(power(&recorder).len(), 3, "it is over");
    recorder.reopen();
    for second in 6..8 {
        ride(&mut recorder, 1_000 * second, 220);
    }
    let more = store(&mut recorder).expect("a chunk");
    recorder.finish(ms(8_000));
    let last = store(&mut recorder).expect("a chunk");
    assert_eq!(seconds(&recorder), [0, 1, 2, 3, 4, 5, 6, 7]);
    let gap = [None; 3];
    assert_eq!(power(&recorder)[3..6], gap);
    assert_eq!(power(&recorder)[6..], [Some(220); 2]);
    assert_eq!(recorder.recording().finished_at, Some(second(8)));
    let kept = Recording::from_chunks([&chunk[..], &more]).expect("a recording");
    assert_eq!(kept.finished_at, None);
    let kept = Recording::from_chunks([&chunk[..], &more, &last]).expect("a recording");
    assert_eq!(kept, *recorder.recording());
}

#[test]
fn an_end_within_a_pause_that_is_overtaken_leaves_the_pause() {
    let mut recorder = recorder();
    ride(&mut recorder, 0, 200);
    recorder.pause(ms(1_000));
    recorder.finish(ms(3_000));
    recorder.reopen();
    recorder.resume(ms(5_000));
    ride(&mut recorder, 5_000, 200);
    recorder.finish(ms(6_000));
    assert_eq!(seconds(&recorder), [0, 5]);
}

#[test]
fn samples_are_dated_by_wall_time_after_a_reload_with_another_origin_of_the_clock() {
    let mut before = recorder();
    (0..5).for_each(|second| ride(&mut before, second * 1_000, 100));
    before.pause(ms(5_000));
    let page =
        |millis| Moment::from_origin(Duration::from_secs(90) + Duration::from_millis(millis));
    let recording = before.recording().clone();
    let now = Now {
        moment: page(0),
        wall: START.after(Duration::from_secs(30)),
    };
    let mut after = Recorder::resume_from(recording, now);
    after.resume(page(1_000));
    after.record(page(1_000), watts(200), None, Some(0));
    after.finish(page(2_000));
    assert_eq!(seconds(&after), [0, 1, 2, 3, 4, 31]);
    assert_eq!(after.recording().pauses[0].to, Some(second(31)));
}

#[test]
fn a_time_of_the_recording_has_a_moment() {
    let recorder = recorder();
    assert_eq!(recorder.moment_of(START), ms(0));
    assert_eq!(recorder.moment_of(second(5)), ms(4_600));
    let earlier = ms(0).before(Duration::from_millis(400));
    assert_eq!(recorder.moment_of(second(0)), earlier);
}

#[test]
fn a_pause_during_sleep_is_left_out_afterwards() {
    let mut recorder = recorder();
    (0..5).for_each(|second| ride(&mut recorder, second * 1_000, 100));
    recorder.add_missed_pauses([(ms(10_000), ms(20_000))]);
    ride(&mut recorder, 22_000, 200);
    recorder.finish(ms(23_000));
    let recorded = seconds(&recorder);
    assert_eq!(recorded, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 21, 22]);
    let pause = Pause {
        from: second(10),
        to: Some(second(20)),
    };
    assert_eq!(recorder.recording().pauses, [pause]);
}

#[test]
fn a_pause_that_is_recorded_already_is_not_added_again() {
    let mut recorder = recorder();
    ride(&mut recorder, 0, 100);
    recorder.pause(ms(1_300));
    recorder.resume(ms(9_300));
    ride(&mut recorder, 9_300, 100);
    let recorded = recorder.recording().clone();
    recorder.add_missed_pauses([(ms(1_000), ms(9_000)), (ms(1_900), ms(9_900))]);
    assert_eq!(*recorder.recording(), recorded);
}

#[test]
fn a_pause_before_the_last_sample_is_not_added() {
    let mut recorder = recorder();
    (0..20).for_each(|second| ride(&mut recorder, second * 1_000, 100));
    recorder.add_missed_pauses([(ms(5_000), ms(8_000))]);
    assert_eq!(recorder.recording().pauses, []);
}

/// Records with both clocks, of which the monotonic one has stood still for `slept` seconds.
fn ride_after_sleep(recorder: &mut Recorder, second: u64, slept: u64, power: u16) {
    let now = Now {
        wall: clocks((second + slept) * 1_000).wall,
        ..clocks(second * 1_000)
    };
    recorder.follow_clocks(now);
    recorder.record(now.moment, watts(power), Some(150), Some(0));
}

#[test]
fn eight_hours_of_sleep_are_a_gap_and_the_seconds_after_it_have_the_right_date() {
    let mut recorder = recorder();
    (0..5).for_each(|second| ride_after_sleep(&mut recorder, second, 0, 100));
    (5..8).for_each(|second| ride_after_sleep(&mut recorder, second, 28_800, 200));
    recorder.finish(ms(8_000));
    let after = 28_800;
    assert_eq!(
        seconds(&recorder),
        [0, 1, 2, 3, 4, after + 5, after + 6, after + 7]
    );
    assert_eq!(power(&recorder)[4..6], [Some(100), Some(200)]);
    assert_eq!(recorder.recording().end(), second(after + 8));
}

#[test]
fn a_page_that_did_not_run_for_an_hour_leaves_a_gap_even_if_its_clock_ran_on() {
    let mut recorder = recorder();
    (0..5).for_each(|second| ride(&mut recorder, second * 1_000, 100));
    (3_600..3_603).for_each(|second| ride(&mut recorder, second * 1_000, 200));
    recorder.finish(ms(3_603_000));
    assert_eq!(seconds(&recorder), [0, 1, 2, 3, 4, 3_600, 3_601, 3_602]);
}

#[test]
fn a_ride_that_ended_while_the_page_slept_ends_with_its_last_second() {
    let mut recorder = recorder();
    (0..5).for_each(|second| ride(&mut recorder, second * 1_000, 100));
    recorder.finish(ms(3_600_000));
    assert_eq!(seconds(&recorder), [0, 1, 2, 3, 4]);
}

#[test]
fn a_wall_clock_that_is_set_back_leaves_the_samples_in_order() {
    let mut recorder = recorder();
    (0..5).for_each(|second| ride_after_sleep(&mut recorder, second, 0, 100));
    for second in 5..8 {
        let now = Now {
            moment: ms(second * 1_000),
            wall: START.before(Duration::from_secs(7_200)),
        };
        recorder.follow_clocks(now);
        recorder.record(now.moment, watts(200), None, Some(0));
    }
    recorder.finish(ms(8_000));
    assert_eq!(seconds(&recorder), [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_reload_after_the_wall_clock_was_set_back_continues_after_the_last_sample() {
    let mut before = recorder();
    (0..5).for_each(|second| ride(&mut before, second * 1_000, 100));
    before.finish(ms(5_000));
    before.reopen();
    let now = Now {
        moment: ms(6_000),
        wall: START.before(Duration::from_secs(3_600)),
    };
    let mut after = Recorder::resume_from(before.recording().clone(), now);
    for millis in [6_000, 7_000] {
        let now = Now {
            moment: ms(millis),
            ..now
        };
        after.follow_clocks(now);
        after.record(now.moment, watts(200), None, Some(0));
    }
    after.finish(ms(8_000));
    assert_eq!(seconds(&after), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_chunk_that_was_not_stored_is_part_of_the_next_one() {
    let mut recorder = recorder();
    (0..4).for_each(|second| ride(&mut recorder, second * 1_000, 100));
    let lost = recorder.unsaved().expect("a chunk");
    (4..8).for_each(|second| ride(&mut recorder, second * 1_000, 100));
    let chunk = store(&mut recorder).expect("a chunk");
    assert_eq!(&joined(&[chunk]), recorder.recording());
    recorder.mark_saved(lost.1);
    assert_eq!(
        recorder.unsaved(),
        None,
        "a late confirmation changes nothing"
    );
}

#[test]
fn a_part_that_could_be_read_only_later_is_put_in_front() {
    let mut before = recorder();
    (0..5).for_each(|second| ride(&mut before, second * 1_000, 100));
    before.add_sensor("Kickr");
    before.pause(ms(5_000));
    let stored = store(&mut before).expect("a chunk");
    let mut after = Recorder::new(clocks(9_300), "Opener".into(), Ftp::default());
    (10..13).for_each(|second| ride(&mut after, second * 1_000, 200));
    after.add_sensor("Kickr");
    after.prepend(joined(std::slice::from_ref(&stored)));
    (13..15).for_each(|second| ride(&mut after, second * 1_000, 200));
    after.finish(ms(15_000));
    assert_eq!(seconds(&after), [0, 1, 2, 3, 4, 9, 10, 11, 12, 13, 14]);
    let pause = Pause {
        from: second(5),
        to: Some(second(9)),
    };
    assert_eq!(after.recording().pauses, [pause]);
    assert_eq!(after.recording().sensors, ["Kickr"]);
    let chunks = [stored, store(&mut after).expect("a chunk")];
    assert_eq!(&joined(&chunks), after.recording());
}

#[test]
fn no_second_of_an_earlier_part_is_lost_though_the_clock_was_set_back_meanwhile() {
    // By an hour, so that the page's own part would lie before the earlier one; and by four seconds.
    for set_back in [3_600, 4] {
        let mut before = recorder();
        (3_600..3_605).for_each(|second| ride(&mut before, second * 1_000, 100));
        let stored = store(&mut before).expect("a chunk");
        let earlier = joined(std::slice::from_ref(&stored));
        let recorded = earlier.samples.len();
        let now = Now {
            moment: ms(3_605_000),
            wall: earlier.end().before(Duration::from_secs(set_back)),
        };
        let mut after = Recorder::new(now, "Opener".into(), Ftp::default());
        (3_605..3_608).for_each(|second| ride(&mut after, second * 1_000, 200));
        after.prepend(earlier);
        (3_608..3_610).for_each(|second| ride(&mut after, second * 1_000, 200));
        after.finish(ms(3_610_000));
        let samples = &after.recording().samples;
        assert!(samples.is_sorted_by(|one, next| one.at < next.at));
        assert_eq!(samples.len(), recorded + 5, "{set_back} s");
        let chunks = [stored, store(&mut after).expect("a chunk")];
        assert_eq!(&joined(&chunks), after.recording());
    }
}
