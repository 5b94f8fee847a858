use core::time::Duration;
use std::sync::Arc;

use clock::{Moment, Now};
use proptest::prelude::*;
use rustyfit::Decoder;
use rustyfit::profile::typedef::{EventType, MesgNum};
use rustyfit::proto::Value;

use super::*;
use crate::recording::test_rides::{self, Script};
use crate::recording::{Lap, Recorder, Recording, SIMULATOR};
use crate::rider::Ftp;
use crate::trainer::Reading;
use crate::workout::{Draft, Workout};

/// 2027-01-15T08:00:00Z
const START: WallTime = WallTime::from_unix_ms(1_800_000_000_000);
const READING: Reading = Reading {
    power: Some(200),
    cadence: Some(90),
    heart_rate: Some(120),
    speed: None,
};

/// Clocks at a number of milliseconds after the start.
fn at(millis: u64) -> Now {
    Now {
        moment: Moment::from_origin(Duration::from_millis(millis)),
        wall: START.after(Duration::from_millis(millis)),
    }
}

fn recorder() -> Recorder {
    Recorder::new(at(0), "Opener".into(), Ftp::default())
}

/// Records from one second up to another.
fn ride(recorder: &mut Recorder, seconds: core::ops::Range<u64>, reading: Reading, interval: u32) {
    for second in seconds {
        let now = at(second * 1_000);
        recorder.follow_clocks(now);
        recorder.record(now.moment, reading, Some(150), Some(interval));
    }
}

/// Two minutes in three intervals with a pause of a minute in the second one.
fn recording() -> Recording {
    let mut recorder = recorder();
    for quarter in 0..4 * 180 {
        let now = at(quarter * 250).moment;
        let second = quarter / 4;
        match quarter {
            240 => recorder.pause(now),
            480 => recorder.resume(now),
            _ => {}
        }
        let reading = Reading {
            power: Some(100 + second as u16),
            ..READING
        };
        recorder.record(now, reading, Some(150), Some(second as u32 / 50));
    }
    recorder.finish(at(180_000).moment).clone()
}

fn workout() -> Arc<Workout> {
    let interval = |seconds, kind, target| Interval {
        name: String::new(),
        cadence: None,
        ..Interval::new(Duration::from_secs(seconds), kind, target)
    };
    let ramp = Target::Power { from: 0.9, to: 0.5 };
    let draft = Draft {
        name: "Opener".into(),
        intervals: vec![
            interval(50, IntervalKind::Warmup, Target::steady(0.5)),
            Interval {
                name: "Spin".into(),
                cadence: Some(95),
                ..interval(50, IntervalKind::Work, Target::steady(1.0))
            },
            interval(50, IntervalKind::Rest, Target::Free),
            interval(30, IntervalKind::Cooldown, ramp),
        ],
        ..Draft::default()
    };
    Arc::new(Workout::new(draft).expect("a workout"))
}

fn activity(recording: Recording) -> Activity {
    Activity {
        recording,
        workout: Some(workout()),
        serial_number: 0x1234_5678,
        sub_sport: SubSport::default(),
    }
}

fn decoded(bytes: &[u8]) -> Vec<Message> {
    let mut reader = FromStd::new(bytes);
    Decoder::new()
        .decode(&mut reader)
        .expect("a FIT file")
        .expect("a file")
        .messages
}

/// Messages of a file, written in Berlin in winter.
fn messages(activity: &Activity) -> Vec<Message> {
    decoded(&encode(activity, 3_600).expect("a FIT file").bytes)
}

fn written(recording: Recording) -> Vec<Message> {
    messages(&activity(recording))
}

fn all<T: for<'a> From<&'a Message>>(messages: &[Message], num: MesgNum) -> Vec<T> {
    messages
        .iter()
        .filter(|message| message.num == num)
        .map(T::from)
        .collect()
}

fn session(messages: &[Message]) -> mesgdef::Session {
    let mut sessions = all(messages, MesgNum::SESSION);
    assert_eq!(sessions.len(), 1);
    sessions.remove(0)
}

/// Seconds from the first record to each record.
fn record_seconds(messages: &[Message]) -> Vec<u32> {
    let records: Vec<mesgdef::Record> = all(messages, MesgNum::RECORD);
    let times = records.iter().map(|record| record.timestamp.0);
    times.map(|at| at - records[0].timestamp.0).collect()
}

/// Timer events, each with the seconds since the first record.
fn timer_events(messages: &[Message]) -> Vec<(u32, EventType)> {
    let start = all::<mesgdef::Record>(messages, MesgNum::RECORD)[0]
        .timestamp
        .0;
    let events = all::<mesgdef::Event>(messages, MesgNum::EVENT);
    let events = events.iter();
    events
        .map(|event| (event.timestamp.0 - start, event.event_type))
        .collect()
}

#[test]
fn it_is_an_activity_of_the_kind_that_the_rider_chose() {
    for (sub_sport, code) in [
        (SubSport::IndoorCycling, typedef::SubSport::INDOOR_CYCLING),
        (
            SubSport::VirtualActivity,
            typedef::SubSport::VIRTUAL_ACTIVITY,
        ),
    ] {
        let messages = messages(&Activity {
            sub_sport,
            ..activity(recording())
        });
        let file = &all::<mesgdef::FileId>(&messages, MesgNum::FILE_ID)[0];
        assert_eq!(file.r#type, typedef::File::ACTIVITY);
        let session = session(&messages);
        assert_eq!(
            (session.sport, session.sub_sport),
            (typedef::Sport::CYCLING, code)
        );
        let laps = all::<mesgdef::Lap>(&messages, MesgNum::LAP);
        assert!(laps.iter().all(|lap| lap.sub_sport == code));
        let activity = &all::<mesgdef::Activity>(&messages, MesgNum::ACTIVITY)[0];
        assert_eq!(activity.num_sessions, 1);
    }
}

#[test]
fn the_local_time_is_that_of_the_rider_s_wall_clock() {
    let activity = activity(recording());
    for offset in [3_600, 0, -12_600, 45_900] {
        let messages = decoded(&encode(&activity, offset).expect("a file").bytes);
        let activity = &all::<mesgdef::Activity>(&messages, MesgNum::ACTIVITY)[0];
        let local = i64::from(activity.local_timestamp.0);
        assert_eq!(local - i64::from(activity.timestamp.0), i64::from(offset));
    }
}

#[test]
fn a_ride_that_knows_its_local_time_keeps_it_on_a_computer_elsewhere() {
    let local = |recorded, of_writer| {
        let mut ride = recording();
        ride.utc_offset = recorded;
        let file = encode(&activity(ride), of_writer).expect("a file");
        let messages = decoded(&file.bytes);
        let activity = &all::<mesgdef::Activity>(&messages, MesgNum::ACTIVITY)[0];
        i64::from(activity.local_timestamp.0) - i64::from(activity.timestamp.0)
    };
    assert_eq!(local(Some(3_600), -18_000), 3_600);
    assert_eq!(local(None, -18_000), -18_000);
    // No clock shows that.
    assert_eq!(local(Some(i32::MIN), -18_000), -18_000);
}

#[test]
fn the_name_has_the_local_date() {
    let name = |unix: u64, offset| {
        let mut recording = recording();
        recording.workout = "Sweet Spot: 3x10'".into();
        recording.started_at = WallTime::from_unix_ms(unix * 1_000);
        file_name(&recording, offset, "fit")
    };
    // 2026-11-21T23:30:00Z
    assert_eq!(
        name(1_795_303_800, 0),
        "gruppetto-sweet-spot-3x10-2026-11-21.fit"
    );
    assert_eq!(
        name(1_795_303_800, 3_600),
        "gruppetto-sweet-spot-3x10-2026-11-22.fit"
    );
    assert_eq!(
        name(1_795_303_800, -86_400),
        "gruppetto-sweet-spot-3x10-2026-11-20.fit"
    );
    // 2028-02-29T12:00:00Z, 2027-12-31T12:00:00Z, 2028-01-01T00:00:00Z
    assert!(name(1_835_438_400, 0).ends_with("2028-02-29.fit"));
    assert!(name(1_830_254_400, 0).ends_with("2027-12-31.fit"));
    assert!(name(1_830_297_600, 0).ends_with("2028-01-01.fit"));
}

#[test]
fn two_riders_who_start_together_have_different_files() {
    let ids = [1, 2].map(|serial_number| {
        let activity = Activity {
            serial_number,
            ..activity(recording())
        };
        let file = &all::<mesgdef::FileId>(&messages(&activity), MesgNum::FILE_ID)[0];
        (file.serial_number, file.time_created)
    });
    assert_eq!(ids[0].1, ids[1].1);
    assert_ne!(ids[0].0, ids[1].0);
}

#[test]
fn the_app_and_each_sensor_are_devices_with_their_names() {
    let mut recorder = recorder();
    recorder.add_sensor("KICKR CORE 1234");
    recorder.add_sensor(SIMULATOR);
    ride(&mut recorder, 0..10, READING, 0);
    let messages = written(recorder.finish(at(10_000).moment).clone());
    let devices: Vec<mesgdef::DeviceInfo> = all(&messages, MesgNum::DEVICE_INFO);
    let devices: Vec<_> = devices
        .iter()
        .map(|device| {
            (
                device.device_index.0,
                &*device.product_name,
                device.source_type,
            )
        })
        .collect();
    let expected = [
        (0, "Gruppetto", typedef::SourceType::LOCAL),
        (
            1,
            "KICKR CORE 1234",
            typedef::SourceType::BLUETOOTH_LOW_ENERGY,
        ),
        (2, SIMULATOR, typedef::SourceType::LOCAL),
    ];
    assert_eq!(devices, expected);
    let creators: Vec<mesgdef::FileCreator> = all(&messages, MesgNum::FILE_CREATOR);
    assert_eq!(creators[0].software_version, software_version());
}

#[test]
fn it_has_one_record_a_second() {
    let messages = written(recording());
    let expected: Vec<_> = (0..60).chain(120..180).collect();
    assert_eq!(record_seconds(&messages), expected);
    let records: Vec<mesgdef::Record> = all(&messages, MesgNum::RECORD);
    assert_eq!(
        (records[5].power, records[5].cadence, records[5].heart_rate),
        (105, 90, 120)
    );
}

#[test]
fn the_timer_stops_with_stop_all_and_starts_around_a_pause() {
    let (go, stop) = (EventType::START, EventType::STOP_ALL);
    let expected = [(0, go), (60, stop), (120, go), (180, stop)];
    assert_eq!(timer_events(&written(recording())), expected);
}

#[test]
fn the_hours_slept_are_a_gap_in_which_the_timer_stands_still() {
    let mut recorder = recorder();
    ride(&mut recorder, 0..60, READING, 0);
    // The monotonic clock stood still, the wall clock did not.
    let slept = |second: u64| Now {
        wall: at((second + 28_800) * 1_000).wall,
        ..at(second * 1_000)
    };
    for second in 60..90 {
        recorder.follow_clocks(slept(second));
        recorder.record(slept(second).moment, READING, Some(150), Some(0));
    }
    let messages = written(recorder.finish(slept(90).moment).clone());
    let (go, stop) = (EventType::START, EventType::STOP_ALL);
    let expected = [(0, go), (60, stop), (28_860, go), (28_890, stop)];
    assert_eq!(timer_events(&messages), expected);
    let session = session(&messages);
    assert_eq!(session.total_timer_time, 90_000);
    assert_eq!(session.total_elapsed_time, 28_890_000);
    assert_eq!(record_seconds(&messages).len(), 90);
}

#[test]
fn a_pause_at_the_end_does_not_count() {
    let mut recorder = recorder();
    ride(&mut recorder, 0..60, READING, 0);
    recorder.pause(at(60_000).moment);
    let messages = written(recorder.finish(at(900_000).moment).clone());
    let session = session(&messages);
    assert_eq!(session.total_elapsed_time, 60_000);
    assert_eq!(session.total_timer_time, 60_000);
    let last = timer_events(&messages).pop();
    assert_eq!(last, Some((60, EventType::STOP_ALL)));
}

#[test]
fn a_reader_that_computes_the_means_from_the_records_finds_those_of_the_session() {
    let mut recorder = recorder();
    let silent = Reading::default();
    let more = Reading {
        power: Some(260),
        ..READING
    };
    ride(&mut recorder, 0..60, READING, 0);
    // The sensor is lost for a minute, later for six seconds.
    ride(&mut recorder, 60..120, silent, 0);
    ride(&mut recorder, 120..140, more, 0);
    ride(&mut recorder, 140..146, silent, 0);
    ride(&mut recorder, 146..160, more, 0);
    let messages = written(recorder.finish(at(160_000).moment).clone());
    let records: Vec<mesgdef::Record> = all(&messages, MesgNum::RECORD);
    let session = session(&messages);
    let power = records.iter().map(|record| record.power);
    let power: Vec<_> = power
        .filter(|power| *power != u16::MAX)
        .map(u32::from)
        .collect();
    let mean = power.iter().sum::<u32>() as f64 / power.len() as f64;
    assert_eq!(session.avg_power, mean.round() as u16);
    assert_eq!(session.total_work, power.iter().sum::<u32>());
    assert_eq!(session.total_timer_time, 1_000 * records.len() as u32);
    // The last value is held for three seconds; the other seconds of the first loss are left out.
    assert_eq!(records.len(), 160 - 57);
    let (go, stop) = (EventType::START, EventType::STOP_ALL);
    assert_eq!(
        timer_events(&messages),
        [(0, go), (63, stop), (120, go), (160, stop)]
    );
}

#[test]
fn all_messages_with_a_time_stand_in_its_order() {
    let mut longer = recording();
    // Laps that begin in the pause, and with the ride again after it.
    for (second, interval) in [(90, 5), (120, 6)] {
        longer.laps.push(Lap {
            at: START.after(Duration::from_secs(second)),
            interval: Some(interval),
            after_jump: true,
        });
    }
    longer.laps.sort_by_key(|lap| lap.at);
    for recording in [recording(), longer] {
        let messages = written(recording);
        let times = messages.iter().filter_map(|message| match message.num {
            MesgNum::RECORD => Some(mesgdef::Record::from(message).timestamp.0),
            MesgNum::EVENT => Some(mesgdef::Event::from(message).timestamp.0),
            MesgNum::LAP => Some(mesgdef::Lap::from(message).timestamp.0),
            MesgNum::SESSION => Some(mesgdef::Session::from(message).timestamp.0),
            MesgNum::ACTIVITY => Some(mesgdef::Activity::from(message).timestamp.0),
            _ => None,
        });
        let times: Vec<u32> = times.collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[test]
fn a_lap_stands_after_its_last_record_and_before_the_next_one() {
    let messages = written(recording());
    let positions = |num| {
        let all = messages.iter().enumerate();
        let all = all.filter(move |(_, message)| message.num == num);
        all.map(|(position, _)| position).collect::<Vec<_>>()
    };
    let (records, laps) = (positions(MesgNum::RECORD), positions(MesgNum::LAP));
    assert_eq!(laps.len(), 4);
    for (lap, last_record) in laps.iter().zip([49, 59, 89, 119]) {
        assert!(records[last_record] < *lap);
        assert!(records.get(last_record + 1).is_none_or(|next| lap < next));
    }
}

#[test]
fn laps_follow_the_intervals_and_add_up_to_the_session() {
    let messages = written(recording());
    let laps: Vec<mesgdef::Lap> = all(&messages, MesgNum::LAP);
    let session = session(&messages);
    let times: Vec<_> = laps
        .iter()
        .map(|lap| (lap.total_timer_time, lap.total_elapsed_time))
        .collect();
    assert_eq!(
        times,
        [
            (50_000, 50_000),
            (10_000, 70_000),
            (30_000, 30_000),
            (30_000, 30_000)
        ]
    );
    assert_eq!(session.num_laps, 4);
    let sum = |value: fn(&mesgdef::Lap) -> u32| laps.iter().map(value).sum::<u32>();
    assert_eq!(session.total_timer_time, sum(|lap| lap.total_timer_time));
    assert_eq!(
        session.total_elapsed_time,
        sum(|lap| lap.total_elapsed_time)
    );
    assert_eq!(session.total_work, sum(|lap| lap.total_work));
    assert_eq!(session.total_distance, sum(|lap| lap.total_distance));
    let calories = sum(|lap| u32::from(lap.total_calories));
    assert_eq!(u32::from(session.total_calories), calories);
}

#[test]
fn each_lap_names_its_step_of_the_workout_and_the_reason_of_its_end() {
    let mut recorder = recorder();
    ride(&mut recorder, 0..50, READING, 0);
    ride(&mut recorder, 50..70, READING, 1);
    // Skipped to the rest, back to the interval before, and on to the end.
    recorder.begin_lap();
    ride(&mut recorder, 70..80, READING, 2);
    recorder.begin_lap();
    ride(&mut recorder, 80..130, READING, 1);
    ride(&mut recorder, 130..150, READING, 2);
    let messages = written(recorder.finish(at(150_000).moment).clone());
    let laps: Vec<mesgdef::Lap> = all(&messages, MesgNum::LAP);
    let laps: Vec<_> = laps
        .iter()
        .map(|lap| (lap.wkt_step_index.0, lap.intensity, lap.lap_trigger))
        .collect();
    use typedef::{Intensity, LapTrigger};
    let expected = [
        (0, Intensity::WARMUP, LapTrigger::TIME),
        (1, Intensity::ACTIVE, LapTrigger::MANUAL),
        (2, Intensity::REST, LapTrigger::MANUAL),
        (1, Intensity::ACTIVE, LapTrigger::TIME),
        (2, Intensity::REST, LapTrigger::SESSION_END),
    ];
    assert_eq!(laps, expected);
}

#[test]
fn the_workout_stands_before_the_ride_with_a_step_for_each_interval() {
    let messages = written(recording());
    let workout = &all::<mesgdef::Workout>(&messages, MesgNum::WORKOUT)[0];
    assert_eq!((&*workout.wkt_name, workout.num_valid_steps), ("Opener", 4));
    let steps: Vec<mesgdef::WorkoutStep> = all(&messages, MesgNum::WORKOUT_STEP);
    let seconds: Vec<_> = steps
        .iter()
        .map(|step| step.duration_value / 1_000)
        .collect();
    assert_eq!(seconds, [50, 50, 50, 30]);
    use typedef::{Intensity, WktStepTarget};
    let spin = &steps[1];
    assert_eq!(&*spin.wkt_step_name, "Spin");
    assert_eq!(spin.target_type, WktStepTarget::POWER);
    assert_eq!(spin.custom_target_value_low, 1_200);
    assert_eq!(spin.custom_target_value_high, 1_200);
    assert_eq!(spin.secondary_target_type, WktStepTarget::CADENCE);
    assert_eq!(spin.secondary_custom_target_value_low, 95);
    assert_eq!(steps[2].target_type, WktStepTarget::OPEN);
    let down = &steps[3];
    assert_eq!(down.intensity, Intensity::COOLDOWN);
    assert_eq!(
        (down.custom_target_value_low, down.custom_target_value_high),
        (1_100, 1_180)
    );
    let first = |num| messages.iter().position(|message| message.num == num);
    assert!(first(MesgNum::WORKOUT_STEP) < first(MesgNum::RECORD));
}

#[test]
fn a_ride_whose_workout_is_not_known_has_its_name_and_no_steps() {
    let activity = Activity {
        workout: None,
        ..activity(recording())
    };
    let messages = messages(&activity);
    let workouts: Vec<mesgdef::Workout> = all(&messages, MesgNum::WORKOUT);
    let workouts = workouts.iter();
    let workouts: Vec<_> = workouts
        .map(|workout| (&*workout.wkt_name, workout.num_valid_steps))
        .collect();
    assert_eq!(workouts, [("Opener", 0)]);
    assert!(all::<mesgdef::WorkoutStep>(&messages, MesgNum::WORKOUT_STEP).is_empty());
    let laps: Vec<mesgdef::Lap> = all(&messages, MesgNum::LAP);
    assert!(laps.iter().all(|lap| lap.wkt_step_index.0 == u16::MAX));
}

#[test]
fn a_ride_without_a_workout_has_none() {
    let activity = Activity {
        workout: None,
        ..activity(Recording {
            workout: String::new(),
            ..recording()
        })
    };
    let workouts: Vec<mesgdef::Workout> = all(&messages(&activity), MesgNum::WORKOUT);
    assert!(workouts.is_empty());
}

#[test]
fn the_target_is_a_developer_field_of_protocol_2() {
    let bytes = encode(&activity(recording()), 0).expect("a file").bytes;
    assert_eq!(bytes[1], 0x20, "the version in the header");
    let messages = decoded(&bytes);
    let description = &all::<mesgdef::FieldDescription>(&messages, MesgNum::FIELD_DESCRIPTION)[0];
    assert_eq!(&*description.field_name[0], "Target Power");
    let records: Vec<mesgdef::Record> = all(&messages, MesgNum::RECORD);
    assert!(records.iter().all(|record| {
        let fields = &record.developer_fields;
        matches!(&fields[..], [field] if matches!(field.value, Value::Uint16(150)))
    }));
}

#[test]
fn the_session_holds_the_figures_of_the_ride() {
    let session = session(&written(recording()));
    // 100 to 159 W for a minute, 220 to 279 W for another.
    assert_eq!((session.avg_power, session.max_power), (190, 279));
    assert_eq!(session.total_work, 22_740);
    assert_eq!(session.total_calories, 23);
    assert_eq!(
        (
            session.avg_cadence,
            session.avg_heart_rate,
            session.threshold_power
        ),
        (90, 120, 200)
    );
}

#[test]
fn distance_grows_with_the_speed_of_a_virtual_rider() {
    let mut recorder = recorder();
    ride(&mut recorder, 0..300, READING, 0);
    let messages = written(recorder.finish(at(300_000).moment).clone());
    let records: Vec<mesgdef::Record> = all(&messages, MesgNum::RECORD);
    assert!(records.is_sorted_by_key(|record| record.distance));
    // 200 W are 9.43 m/s on a flat road.
    let speed = |record: &mesgdef::Record| f64::from(record.speed) / 1_000.0;
    assert!((speed(&records[299]) - 9.43).abs() < 0.05);
    assert!(speed(&records[0]) < 3.0, "from rest");
    let session = session(&messages);
    assert_eq!(session.total_distance, records[299].distance);
    let mean = f64::from(session.total_distance) / 100.0 / 300.0;
    assert!((f64::from(session.avg_speed) / 1_000.0 - mean).abs() < 0.01);
    assert_eq!(session.max_speed, records[299].speed);
}

/// Speeds and distances of the records in mm/s and cm.
fn motion(messages: &[Message]) -> Vec<(u16, u32)> {
    let records: Vec<mesgdef::Record> = all(messages, MesgNum::RECORD);
    let records = records.iter();
    records
        .map(|record| (record.speed, record.distance))
        .collect()
}

#[test]
fn speed_and_distance_are_those_of_the_trainer_that_tells_them() {
    let mut recorder = recorder();
    for second in 0..60 {
        let speed = Some(8_000 + 10 * second as u16);
        ride(
            &mut recorder,
            second..second + 1,
            Reading { speed, ..READING },
            0,
        );
    }
    let messages = written(recorder.finish(at(60_000).moment).clone());
    let motion = motion(&messages);
    assert_eq!(motion[..3], [(8_000, 800), (8_010, 1_601), (8_020, 2_403)]);
    let session = session(&messages);
    // 60 x 8 m and 0.01 m x (0 + 1 + … + 59)
    assert_eq!(session.total_distance, 49_770);
    assert_eq!((session.avg_speed, session.max_speed), (8_295, 8_590));
}

#[test]
fn seconds_in_which_the_trainer_tells_no_speed_go_on_from_its_last_one() {
    let mut recorder = recorder();
    let speed = Some(12_000);
    ride(&mut recorder, 0..30, Reading { speed, ..READING }, 0);
    // The value is held for three seconds.
    ride(&mut recorder, 30..60, READING, 0);
    ride(&mut recorder, 60..70, Reading { speed, ..READING }, 0);
    let messages = written(recorder.finish(at(70_000).moment).clone());
    let speeds: Vec<u16> = motion(&messages).iter().map(|(speed, _)| *speed).collect();
    assert!(speeds[..33].iter().all(|speed| *speed == 12_000));
    // 200 W are too few for 12 m/s.
    assert!(speeds[33..60].is_sorted_by(|one, next| one > next));
    assert!((11_800..12_000).contains(&speeds[33]), "{}", speeds[33]);
    assert!(speeds[60..].iter().all(|speed| *speed == 12_000));
}

#[test]
fn a_trainer_that_always_tells_a_speed_of_zero_tells_none() {
    let mut recorder = recorder();
    let speed = Some(0);
    ride(&mut recorder, 0..60, Reading { speed, ..READING }, 0);
    let virtual_speed = {
        let mut recorder = self::recorder();
        ride(&mut recorder, 0..60, READING, 0);
        motion(&written(recorder.finish(at(60_000).moment).clone()))
    };
    let messages = written(recorder.finish(at(60_000).moment).clone());
    assert_eq!(motion(&messages), virtual_speed);
}

#[test]
fn a_bike_that_measures_speed_alone_has_a_distance() {
    let mut recorder = recorder();
    let only = Reading {
        speed: Some(5_000),
        ..Reading::default()
    };
    ride(&mut recorder, 0..30, only, 0);
    let session = session(&written(recorder.finish(at(30_000).moment).clone()));
    assert_eq!(session.total_distance, 15_000);
    assert_eq!(
        (session.avg_power, session.total_calories),
        (u16::MAX, u16::MAX)
    );
}

#[test]
fn laps_that_are_out_of_order_hold_each_second_once() {
    let mut damaged = recording();
    let second = |second| START.after(Duration::from_secs(second));
    damaged.laps[1].at = second(170);
    damaged.laps[2].at = second(10);
    let messages = written(damaged);
    let laps: Vec<mesgdef::Lap> = all(&messages, MesgNum::LAP);
    let time: u32 = laps.iter().map(|lap| lap.total_timer_time).sum();
    assert_eq!(time, session(&messages).total_timer_time);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_ride_has_the_same_totals_in_its_session_its_laps_and_its_records(
        script in test_rides::script(),
    ) {
        check_totals(script);
    }
}

fn check_totals(script: Script) {
    let recording = test_rides::recording(&script);
    let Ok(file) = encode(&activity(recording), 0) else {
        return;
    };
    let messages = decoded(&file.bytes);
    let records: Vec<mesgdef::Record> = all(&messages, MesgNum::RECORD);
    let laps: Vec<mesgdef::Lap> = all(&messages, MesgNum::LAP);
    let session = session(&messages);
    assert!(records.is_sorted_by(|one, next| one.timestamp.0 < next.timestamp.0));
    assert_eq!(session.total_timer_time, 1_000 * records.len() as u32);
    let known = |value: u32| Some(value).filter(|value| *value != u32::MAX);
    let sum = |value: fn(&mesgdef::Lap) -> u32| laps.iter().map(value).sum::<u32>();
    assert_eq!(session.total_timer_time, sum(|lap| lap.total_timer_time));
    assert_eq!(
        session.total_elapsed_time,
        sum(|lap| lap.total_elapsed_time)
    );
    assert_eq!(session.total_work, sum(|lap| lap.total_work));
    let calories = laps.iter().map(|lap| lap.total_calories);
    let calories: u32 = calories.filter(|it| *it != u16::MAX).map(u32::from).sum();
    if session.total_calories != u16::MAX {
        assert_eq!(u32::from(session.total_calories), calories);
    }
    let power = records.iter().map(|record| record.power);
    let power = power.filter(|power| *power != u16::MAX);
    assert_eq!(session.total_work, power.map(u32::from).sum::<u32>());
    if let Some(distance) = known(session.total_distance) {
        assert_eq!(distance, sum(|lap| lap.total_distance));
        assert_eq!(Some(distance), records.last().map(|last| last.distance));
        let speeds = records.iter().map(|record| u64::from(record.speed));
        assert_eq!(u64::from(distance), (speeds.sum::<u64>() + 5) / 10);
        let fastest = records.iter().map(|record| record.speed).max();
        assert_eq!(Some(session.max_speed), fastest);
        let mean = f64::from(distance) * 10.0 / records.len() as f64;
        assert!((f64::from(session.avg_speed) - mean).abs() <= 1.0 + 5.0 / records.len() as f64);
    }
    // The timer runs from each start to each stop, and in no other time.
    let events = timer_events(&messages);
    let running: u32 = events.chunks(2).map(|pair| pair[1].0 - pair[0].0).sum();
    assert_eq!(running as usize, records.len());
}

#[test]
fn what_was_not_measured_is_left_out() {
    let mut recording = recording();
    for sample in &mut recording.samples {
        (sample.power, sample.cadence, sample.heart_rate) = (None, None, None);
    }
    let messages = written(recording);
    let session = session(&messages);
    assert_eq!(
        (session.avg_power, session.avg_cadence),
        (u16::MAX, u8::MAX)
    );
    assert_eq!(
        (session.total_distance, session.total_calories),
        (u32::MAX, u16::MAX)
    );
    let records: Vec<mesgdef::Record> = all(&messages, MesgNum::RECORD);
    assert_eq!(
        records.len(),
        120,
        "a ride without a trainer has its seconds"
    );
    assert_eq!((records[0].power, records[0].speed), (u16::MAX, u16::MAX));
}

#[test]
fn a_ride_without_laps_is_one_lap() {
    let recording = Recording {
        laps: vec![],
        ..recording()
    };
    let messages = written(recording);
    assert_eq!(all::<mesgdef::Lap>(&messages, MesgNum::LAP).len(), 1);
}

#[test]
fn long_names_are_cut_between_characters() {
    let mut recorder = recorder();
    recorder.add_sensor(&"ä".repeat(500));
    ride(&mut recorder, 0..10, READING, 0);
    let messages = written(recorder.finish(at(10_000).moment).clone());
    let devices: Vec<mesgdef::DeviceInfo> = all(&messages, MesgNum::DEVICE_INFO);
    assert!(devices[1].product_name.len() <= 120);
    assert!(devices[1].product_name.chars().all(|letter| letter == 'ä'));
}

#[test]
fn a_ride_without_seconds_or_of_a_wrong_date_is_refused() {
    let encode = |recording| encode(&activity(recording), 0);
    assert_eq!(
        encode(Recording::new(START, String::new(), Ftp::default())),
        Err(FitError::Empty)
    );
    assert_eq!(
        encode(Recording {
            started_at: WallTime::from_unix_ms(0),
            ..recording()
        }),
        Err(FitError::Date)
    );
    assert_eq!(
        encode(Recording {
            finished_at: Some(WallTime::from_unix_ms(u64::MAX)),
            ..recording()
        }),
        Err(FitError::Date)
    );
}
