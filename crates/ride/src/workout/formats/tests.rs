//! All formats through the one interface.

use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::library;
use crate::workout::{Cue, IntervalKind, Target};

fn ftp() -> Ftp {
    Ftp::new(250).unwrap()
}

fn read_text(text: &str, file_name: &str) -> Result<Imported, FileError> {
    read(text.as_bytes(), file_name, ftp())
}

/// Powers at every second, in W.
fn powers(workout: &Workout) -> Vec<Option<u16>> {
    let seconds = 0..workout.duration().as_secs();
    let at = |second| workout.target_at(Duration::from_secs(second), ftp());
    seconds.map(at).collect()
}

/// Asserts that two workouts are ridden in the same way, to a watt.
fn assert_ridden_alike(read: &Workout, written: &Workout) {
    assert_eq!(read.duration(), written.duration());
    for (second, (a, b)) in powers(read).into_iter().zip(powers(written)).enumerate() {
        let apart = a.unwrap_or_default().abs_diff(b.unwrap_or_default());
        assert!(apart <= 1, "{a:?} instead of {b:?} W at {second} s");
    }
    assert_eq!(read.name(), written.name());
    let cues = |workout: &Workout| -> Vec<Cue> { workout.cues().to_vec() };
    assert_eq!(cues(read), cues(written));
}

fn has_target_everywhere(workout: &Workout) -> bool {
    let is_power = |interval: &Interval| matches!(interval.target, Target::Power { .. });
    workout.intervals().iter().all(is_power)
}

#[test]
fn every_built_in_workout_can_be_written_and_read_in_every_format() {
    for built_in in library::all() {
        let workout = built_in.workout;
        for format in Format::ALL {
            let is_course = matches!(format, Format::Erg | Format::Mrc);
            if is_course && !has_target_everywhere(&workout) {
                continue;
            }
            let file = write(&workout, format, ftp());
            let imported = read_text(&file, "file").expect(&file);
            assert_eq!(imported.remarks, [], "{} as {format:?}", workout.name());
            assert_ridden_alike(&imported.workout, &workout);
        }
    }
}

#[test]
fn json_keeps_everything() {
    for built_in in library::all() {
        let file = write(&built_in.workout, Format::Json, ftp());
        let imported = read_text(&file, "file.json").expect(&file);
        assert_eq!(imported.workout, built_in.workout);
    }
}

#[test]
fn formats_are_told_apart_by_their_content_whatever_the_file_is_called() {
    let workout = &library::all()[0].workout;
    for format in Format::ALL {
        let file = write(workout, format, ftp());
        for name in [
            "workout",
            "workout.zwo",
            "workout.erg",
            "workout.json",
            "a.fit",
        ] {
            let imported = read_text(&file, name).expect(&file);
            assert_eq!(
                imported.workout.name(),
                workout.name(),
                "{format:?} as {name}"
            );
        }
    }
}

#[test]
fn a_file_of_no_format_is_refused_with_the_formats_that_are_read() {
    let error = read_text("Dear diary, today I rode.", "diary.txt").unwrap_err();
    assert_eq!(error, FileError::UnknownFormat);
    assert!(
        error
            .to_string()
            .contains(".zwo, .erg, .mrc, .json or .fit")
    );
    assert_eq!(read_text(" \n", "empty.erg"), Err(FileError::Empty));
}

#[test]
fn files_in_utf_16_and_windows_1252_are_read_in_every_text_format() {
    for format in Format::ALL {
        let mut draft = Draft {
            name: "Café à Nîmes".to_owned(),
            ..Draft::default()
        };
        draft.intervals.push(Interval::new(
            Duration::from_secs(60),
            IntervalKind::Steady,
            Target::steady(0.5),
        ));
        let text = write(&Workout::new(draft).unwrap(), format, ftp());
        let utf16: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let windows_1252: Vec<u8> = text.chars().map(|c| c as u8).collect();
        for bytes in [utf16, windows_1252] {
            let imported = read(&bytes, "file", ftp()).expect(&text);
            assert_eq!(imported.workout.name(), "Café à Nîmes", "{format:?}");
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    "[ -~äéß€日]{0,40}".prop_map(|text| text.trim().to_owned())
}

fn any_interval() -> impl Strategy<Value = Interval> {
    let power = (0_u16..=300, 0_u16..=300, any::<bool>());
    let cadence = proptest::option::of(1_u16..=250);
    let kind = prop_oneof![
        Just(IntervalKind::Warmup),
        Just(IntervalKind::Steady),
        Just(IntervalKind::Ramp),
        Just(IntervalKind::Work),
        Just(IntervalKind::Rest),
        Just(IntervalKind::Cooldown),
    ];
    (1_u64..=1_000, power, cadence, kind).prop_map(|(seconds, power, cadence, kind)| {
        let (from, to, is_ramp) = power;
        let [from, to] = [from, to].map(|percent| f32::from(percent) / 100.0);
        let to = if is_ramp { to } else { from };
        Interval {
            cadence,
            ..Interval::new(
                Duration::from_secs(seconds),
                kind,
                Target::Power { from, to },
            )
        }
    })
}

fn any_workout() -> impl Strategy<Value = Workout> {
    let cue = (0_u64..=500, 1_u64..=60, "[a-zA-Z<&\"'>äß ]{0,20}[a-z]");
    let cues = prop::collection::vec(cue, 0..4);
    let intervals = prop::collection::vec(any_interval(), 1..20);
    ("[a-zA-Z&<>äß ]{0,30}[a-z]", any_text(), intervals, cues).prop_map(
        |(name, description, intervals, cues)| {
            let total: Duration = intervals.iter().map(|it| it.duration).sum();
            let cues = cues.into_iter().map(|(at, shown_for, text)| Cue {
                at: Duration::from_secs(at),
                shown_for: Duration::from_secs(shown_for),
                text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            });
            let cues = cues.filter(|cue| cue.at < total).collect();
            Workout::new(Draft {
                name: name.trim().to_owned(),
                description,
                intervals,
                cues,
                ..Draft::default()
            })
            .unwrap()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_workout_that_is_written_and_read_is_ridden_in_the_same_way(workout in any_workout()) {
        for format in Format::ALL {
            let file = write(&workout, format, ftp());
            let imported = read_text(&file, "file").expect(&file);
            assert_ridden_alike(&imported.workout, &workout);
        }
    }

    #[test]
    fn zwo_and_json_keep_cadences(workout in any_workout()) {
        for format in [Format::Zwo, Format::Json] {
            let imported = read_text(&write(&workout, format, ftp()), "file").unwrap();
            let cadences = |workout: &Workout| -> Vec<_> {
                workout.intervals().iter().map(|it| it.cadence).collect()
            };
            prop_assert_eq!(cadences(&imported.workout), cadences(&workout));
        }
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, "file.erg", ftp());
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(
        workout in any_workout(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for format in Format::ALL {
            let mut file = write(&workout, format, ftp()).into_bytes();
            let at = at.index(file.len());
            file[at] = byte;
            let _ = read(&file, "file", ftp());
            file.truncate(at);
            let _ = read(&file, "file", ftp());
        }
    }
}
