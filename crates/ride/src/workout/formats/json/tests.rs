use core::time::Duration;

use super::*;
use crate::workout::formats::{self, Imported, RemarkKind};
use crate::workout::{Interval, IntervalKind, Target};

fn read_file(file: &str) -> Imported {
    formats::read(file.as_bytes(), "workout.json", Ftp::new(200).unwrap()).expect(file)
}

fn refuse(file: &str) -> FileError {
    formats::read(file.as_bytes(), "workout.json", Ftp::default()).expect_err(file)
}

fn remarks_of(imported: &Imported) -> Vec<RemarkKind> {
    let remarks = imported.remarks.iter();
    remarks.map(|remark| remark.kind.clone()).collect()
}

fn powers(imported: &Imported) -> Vec<(u64, Target)> {
    let intervals = imported.workout.intervals().iter();
    intervals
        .map(|it| (it.duration.as_secs(), it.target))
        .collect()
}

#[test]
fn the_files_of_the_older_program_are_read_completely() {
    let files = [
        (
            include_str!("../../../../tests/data/ramp-test-ftp.json"),
            14,
        ),
        (include_str!("../../../../tests/data/ramp-workout.json"), 1),
        (
            include_str!("../../../../tests/data/sweet-spot-intervals.json"),
            1,
        ),
    ];
    for (file, least) in files {
        let imported = read_file(file);
        assert!(imported.workout.intervals().len() >= least, "{file}");
        assert!(!imported.workout.name().is_empty());
        assert_eq!(imported.remarks, [], "{file}");
    }
}

#[test]
fn all_kinds_of_power_are_read() {
    let imported = read_file(
        r#"{"name": "Kinds", "ftp": 250, "intervals": [
            {"type": "warmup", "duration": 60, "powerType": "ramp", "percentageLow": 40, "percentageHigh": 70},
            {"type": "tempo", "duration": 60, "percentage": 80, "cadence": 90},
            {"type": "threshold", "duration": "60", "powerType": "absolute", "power": 250},
            {"duration": 30, "powerType": "free"},
            {"duration": 30, "powerType": "max", "name": "Sprint"}
        ]}"#,
    );
    assert_eq!(
        powers(&imported),
        [
            (60, Target::Power { from: 0.4, to: 0.7 }),
            (60, Target::steady(0.8)),
            (60, Target::steady(1.0)),
            (30, Target::Free),
            (30, Target::Max),
        ]
    );
    let intervals = imported.workout.intervals();
    assert_eq!(intervals[0].kind, IntervalKind::Warmup);
    assert_eq!(intervals[1].cadence, Some(90));
    assert_eq!(intervals[4].name, "Sprint");
    assert_eq!(imported.remarks, []);
}

#[test]
fn watts_without_an_ftp_are_shares_of_the_rider_s() {
    let imported =
        read_file(r#"{"intervals": [{"duration": 60, "powerType": "absolute", "power": 100}]}"#);
    assert_eq!(powers(&imported), [(60, Target::steady(0.5))]);
    assert_eq!(remarks_of(&imported), [RemarkKind::Watts { ftp: 200 }]);
}

#[test]
fn what_cannot_be_read_is_left_out_with_its_place() {
    let imported = read_file(
        "{\"intervals\": [\n{\"duration\": \"long\", \"percentage\": 50},\n{\"percentage\": 50},\n{\"duration\": 60, \"percentage\": 900, \"cadence\": 999},\n{\"duration\": 5}\n]}",
    );
    assert_eq!(
        powers(&imported),
        [(60, Target::steady(5.0)), (5, Target::Free)]
    );
    let lines: Vec<_> = imported
        .remarks
        .iter()
        .map(|remark| match remark.place {
            Place::Text { line, column } => (line, column),
            Place::Byte(_) => panic!("a text"),
        })
        .collect();
    assert_eq!(lines, [(2, 1), (3, 1), (4, 1), (4, 1), (5, 1)]);
}

#[test]
fn broken_json_is_refused_with_the_place_of_the_error() {
    let error = refuse("{\"name\": \"A\",\n \"intervals\": [}");
    assert!(
        matches!(
            error,
            FileError::InvalidJson {
                place: Place::Text { line: 2, .. }
            }
        ),
        "{error}"
    );
    assert!(matches!(
        refuse("{\"name\": 1}"),
        FileError::NoWorkout { .. }
    ));
    assert!(matches!(
        refuse("{\"intervals\": []}"),
        FileError::NothingToRide { .. }
    ));
    assert!(matches!(
        refuse(&"[".repeat(100_000)),
        FileError::InvalidJson { .. }
    ));
    assert!(matches!(
        refuse(&"{\"a\":".repeat(100_000)),
        FileError::InvalidJson { .. }
    ));
}

#[test]
fn structured_workouts_of_intervals_icu_are_read() {
    let imported = read_file(
        r#"{"name": "Event", "workout_doc": {"description": "Sets", "steps": [
            {"duration": 600, "warmup": true, "power": {"start": 50, "end": 70, "units": "%ftp"}},
            {"reps": 2, "steps": [
                {"duration": 60, "power": {"value": 240, "units": "w"}, "cadence": {"value": 95}, "text": "Go"},
                {"duration": 30, "power": {"start": 50, "end": 60, "units": "%ftp"}, "cadence": 85}
            ]},
            {"duration": 60, "power": {"value": 2, "units": "power_zone"}, "_power": {"value": 130, "units": "w"}},
            {"duration": 60, "hr": {"value": 80, "units": "%lthr"}},
            {"duration": 60, "freeride": true}
        ]}}"#,
    );
    assert_eq!(imported.workout.name(), "Event");
    assert_eq!(
        powers(&imported),
        [
            (600, Target::Power { from: 0.5, to: 0.7 }),
            (60, Target::steady(1.2)),
            (30, Target::steady(0.55)),
            (60, Target::steady(1.2)),
            (30, Target::steady(0.55)),
            (60, Target::steady(0.65)),
            (60, Target::Free),
            (60, Target::Free),
        ]
    );
    let cadences: Vec<_> = imported
        .workout
        .intervals()
        .iter()
        .map(|it| it.cadence)
        .collect();
    assert_eq!(cadences[1..3], [Some(95), Some(85)]);
    let cues: Vec<_> = imported
        .workout
        .cues()
        .iter()
        .map(|cue| cue.at.as_secs())
        .collect();
    assert_eq!(cues, [600, 690]);
    assert_eq!(
        remarks_of(&imported),
        [RemarkKind::Watts { ftp: 200 }, RemarkKind::OtherTarget]
    );
}

#[test]
fn repetitions_that_would_take_for_ever_are_refused() {
    let mut steps = r#"{"duration": 0, "power": {"value": 50, "units": "%ftp"}}"#.to_owned();
    let filler = format!("{steps},").repeat(2_000);
    steps = format!(r#"{filler}{{"duration": 1, "power": {{"value": 50, "units": "%ftp"}}}}"#);
    let file = format!(r#"{{"steps": [{{"reps": 5000, "steps": [{steps}]}}]}}"#);
    assert_eq!(refuse(&file), FileError::TooComplex);
    let mut nested = r#"{"duration": 1}"#.to_owned();
    for _ in 0..20 {
        nested = format!(r#"{{"reps": 9, "steps": [{nested}]}}"#);
    }
    assert_eq!(
        refuse(&format!(r#"{{"steps": [{nested}]}}"#)),
        FileError::TooComplex
    );
}

#[test]
fn names_of_intervals_above_the_limit_of_text_are_left_out_and_the_rest_is_ridden() {
    let interval = format!(
        r#"{{"name": "{}", "duration": 1, "percentage": 50}}"#,
        "n".repeat(60)
    );
    let file = format!(r#"{{"intervals": [{}]}}"#, vec![interval; 5_000].join(","));
    let imported = read_file(&file);
    assert_eq!(imported.workout.intervals().len(), 5_000);
    assert_eq!(imported.remarks.len(), 1);
}

#[test]
fn a_fraction_of_any_precision_survives() {
    for fraction in [0.1_f32, 1.0 / 3.0, 0.876_543_2, 4.999_999] {
        let draft = Draft {
            name: "Precise".to_owned(),
            intervals: vec![Interval::new(
                Duration::from_millis(1_234),
                IntervalKind::Steady,
                Target::steady(fraction),
            )],
            ..Draft::default()
        };
        let workout = crate::workout::Workout::new(draft).unwrap();
        assert_eq!(read_file(&write(&workout)).workout, workout);
    }
}
