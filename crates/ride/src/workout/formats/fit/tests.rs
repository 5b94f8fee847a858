use core::time::Duration;

use rustyfit::Encoder;
use rustyfit::profile::typedef::FitBaseType;
use rustyfit::proto::{FIT, Field};

use super::*;
use crate::workout::formats::{self, Imported};
use crate::workout::{IntervalKind, Target, Zone};

/// Step of a test: values of its fields, by number.
type Fields<'a> = &'a [(u8, u32)];

fn message(num: MesgNum, name: Option<(u8, &str)>, fields: Fields<'_>) -> Message {
    let name = name.map(|(num, name)| Field {
        num,
        base_type: FitBaseType::STRING,
        value: Value::String(name.into()),
        is_expanded: false,
    });
    let fields = fields.iter().map(|(num, value)| {
        let (base_type, value) = match *num {
            step_field::DURATION_TYPE
            | step_field::TARGET_TYPE
            | step_field::INTENSITY
            | step_field::SECOND_TARGET_TYPE => (FitBaseType::ENUM, Value::Uint8(*value as u8)),
            _ => (FitBaseType::UINT32, Value::Uint32(*value)),
        };
        Field {
            num: *num,
            base_type,
            value,
            is_expanded: false,
        }
    });
    Message {
        num,
        fields: name.into_iter().chain(fields).collect(),
        ..Message::default()
    }
}

fn file(name: &str, steps: &[Fields<'_>]) -> Vec<u8> {
    let workout = message(MesgNum::WORKOUT, Some((workout_field::NAME, name)), &[]);
    let steps = steps
        .iter()
        .map(|step| message(MesgNum::WORKOUT_STEP, None, step));
    let file_id = Message {
        num: MesgNum::FILE_ID,
        fields: vec![Field {
            num: 0,
            base_type: FitBaseType::ENUM,
            value: Value::Uint8(5),
            is_expanded: false,
        }],
        ..Message::default()
    };
    let mut fit = FIT {
        messages: [file_id, workout].into_iter().chain(steps).collect(),
        ..FIT::default()
    };
    let mut bytes = Vec::new();
    Encoder::builder()
        .build()
        .encode(FromStd::new(std::io::Cursor::new(&mut bytes)), &mut fit)
        .unwrap();
    bytes
}

fn read_file(bytes: &[u8]) -> Imported {
    formats::read(bytes, "Hills.fit", Ftp::new(200).unwrap()).expect("a workout")
}

fn powers(imported: &Imported) -> Vec<(u64, Target)> {
    let intervals = imported.workout.intervals().iter();
    intervals
        .map(|it| (it.duration.as_secs(), it.target))
        .collect()
}

fn remarks_of(imported: &Imported) -> Vec<RemarkKind> {
    let remarks = imported.remarks.iter();
    remarks.map(|remark| remark.kind.clone()).collect()
}

const MINUTE: (u8, u32) = (2, 60_000);
const TIME: (u8, u32) = (1, 0);
const POWER: (u8, u32) = (3, 4);

#[test]
fn powers_in_percent_and_in_watts_are_read() {
    let bytes = file(
        "Hill Repeats",
        &[
            &[TIME, MINUTE, POWER, (4, 0), (5, 50), (6, 60), (7, 2)],
            &[TIME, MINUTE, POWER, (5, 1_190), (6, 1_210), (7, 5)],
            &[TIME, MINUTE, (3, 2), (7, 1)],
        ],
    );
    let imported = read_file(&bytes);
    assert_eq!(imported.workout.name(), "Hill Repeats");
    assert_eq!(
        powers(&imported),
        [
            (60, Target::steady(0.55)),
            (60, Target::steady(1.0)),
            (60, Target::Free),
        ]
    );
    let kinds: Vec<_> = imported
        .workout
        .intervals()
        .iter()
        .map(|it| it.kind)
        .collect();
    assert_eq!(
        kinds,
        [IntervalKind::Warmup, IntervalKind::Work, IntervalKind::Rest]
    );
    assert_eq!(remarks_of(&imported), [RemarkKind::Watts { ftp: 200 }]);
}

#[test]
fn repeated_steps_are_expanded_also_within_each_other() {
    let on = [TIME, MINUTE, POWER, (5, 120), (6, 120)];
    let off = [TIME, (2, 30_000), POWER, (5, 50), (6, 50)];
    let long = [TIME, (2, 300_000), POWER, (5, 60), (6, 60)];
    let inner = [(1, 6), (2, 0), (4, 3)];
    let outer = [(1, 6), (2, 0), (4, 2)];
    let imported = read_file(&file("Sets", &[&on, &off, &inner, &long, &outer]));
    assert_eq!(imported.workout.intervals().len(), 2 * (3 * 2 + 1));
    assert_eq!(
        imported.workout.duration(),
        Duration::from_secs(2 * (3 * 90 + 300))
    );
    assert_eq!(imported.remarks, []);
}

#[test]
fn steps_without_a_time_or_a_power_are_ridden_as_the_remarks_say() {
    let imported = read_file(&file(
        "Open",
        &[
            &[(1, 5), POWER, (5, 70), (6, 70)],
            &[(1, 1), (2, 100_000), POWER, (5, 70), (6, 70)],
            &[TIME, MINUTE, (3, 1), (4, 2)],
            &[TIME, MINUTE, POWER, (4, 4)],
        ],
    ));
    assert_eq!(
        powers(&imported),
        [
            (300, Target::steady(0.7)),
            (120, Target::steady(0.7)),
            (60, Target::Free),
            (60, Target::steady(Zone::new(4).unwrap().middle())),
        ]
    );
    assert!(matches!(
        *remarks_of(&imported),
        [
            RemarkKind::OpenEnded { minutes: 5 },
            RemarkKind::Distance { .. },
            RemarkKind::OtherTarget,
            RemarkKind::Zone { zone: 4, .. },
        ]
    ));
    assert!(
        imported
            .remarks
            .iter()
            .all(|it| matches!(it.place, formats::Place::Byte(at) if at > 20))
    );
}

#[test]
fn watts_without_their_offset_are_recognised() {
    let step = |watts| [TIME, MINUTE, POWER, (5, watts), (6, watts)];
    let imported = read_file(&file("Raw", &[&step(100), &step(240)]));
    assert_eq!(
        powers(&imported),
        [(60, Target::steady(0.5)), (60, Target::steady(1.2))]
    );
    let percent = read_file(&file("Percent", &[&step(50), &step(240)]));
    assert_eq!(
        powers(&percent),
        [(60, Target::steady(0.5)), (60, Target::steady(2.4))]
    );
}

#[test]
fn cadence_is_a_second_target() {
    let imported = read_file(&file(
        "Cadence",
        &[&[
            TIME,
            MINUTE,
            POWER,
            (5, 70),
            (6, 70),
            (19, 3),
            (21, 85),
            (22, 95),
        ]],
    ));
    assert_eq!(imported.workout.intervals()[0].cadence, Some(90));
}

#[test]
fn a_workout_without_a_name_is_called_like_its_file() {
    let bytes = file("", &[&[TIME, MINUTE, POWER, (5, 70), (6, 70)]]);
    assert_eq!(read_file(&bytes).workout.name(), "Hills");
}

#[test]
fn a_file_that_is_cut_off_is_used_as_far_as_it_goes() {
    let step = [TIME, MINUTE, POWER, (5, 70), (6, 70)];
    let bytes = file("Cut", &[&step, &step, &step]);
    let imported = read_file(&bytes[..bytes.len() - 10]);
    assert_eq!(imported.workout.intervals().len(), 2);
    assert_eq!(remarks_of(&imported), [RemarkKind::Damaged]);
}

#[test]
fn a_file_of_a_ride_is_refused() {
    let ride = FIT {
        messages: vec![message(MesgNum::RECORD, None, &[(4, 70)])],
        ..FIT::default()
    };
    let mut bytes = Vec::new();
    Encoder::builder()
        .build()
        .encode(FromStd::new(std::io::Cursor::new(&mut bytes)), &mut {
            ride
        })
        .unwrap();
    let error = formats::read(&bytes, "ride.fit", Ftp::default()).unwrap_err();
    assert_eq!(error, FileError::NotAWorkoutFit);
}

#[test]
fn repetitions_above_the_limit_are_refused() {
    let step = [TIME, (2, 1_000), POWER, (5, 70), (6, 70)];
    let repeat = [(1, 6), (2, 0), (4, 1_000_000)];
    let error = formats::read(&file("Big", &[&step, &repeat]), "a", Ftp::default()).unwrap_err();
    assert!(matches!(error, FileError::Limit { .. }), "{error}");
    let nothing = [(1, 6), (2, 0), (4, u32::MAX - 1)];
    let refused = formats::read(&file("None", &[&nothing]), "a", Ftp::default()).unwrap_err();
    assert!(
        matches!(refused, FileError::NothingToRide { .. }),
        "{refused}"
    );
}
