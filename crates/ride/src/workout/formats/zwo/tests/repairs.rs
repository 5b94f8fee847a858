//! Files that are not as they should be, and are ridden nevertheless: what becomes of them, and the
//! remark that tells the rider.

use super::*;
use crate::workout::{MAX_CUES, MAX_TEXT_BYTES, TextField, Zone};

const RIDE: &str = "<workout><FreeRide Duration='5'/></workout>";

fn malformed(line: u32, error: Malformation) -> (u32, RemarkKind) {
    (line, RemarkKind::Malformed(error))
}

fn unusable(attribute: &str, value: &str, quantity: Quantity) -> RemarkKind {
    let [attribute, value] = [attribute, value].map(str::to_owned);
    RemarkKind::Unusable {
        attribute,
        value,
        quantity,
    }
}

/// Target of the only interval, and the only remark.
fn repaired(elements: &str) -> (Target, RemarkKind) {
    let imported = imported(elements);
    assert_eq!(imported.workout.intervals().len(), 1, "{elements}");
    let target = imported.workout.intervals()[0].target;
    let mut remarks = remarks(imported);
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    (target, remarks.remove(0).1)
}

#[test]
fn a_file_with_common_errors_in_its_xml_is_ridden_and_each_error_is_named_with_its_line() {
    let name = "<name>Test</name>";
    let cases = [
        (
            format!("\n  <?xml version='1.0'?><workout_file>{name}{RIDE}</workout_file>"),
            malformed(2, Malformation::Declaration),
        ),
        (
            format!("<workout_file>{name}\n<!-- one -- two -->{RIDE}</workout_file>"),
            malformed(2, Malformation::Comment),
        ),
        (
            format!("<workout_file>{name}\n<author>Salt & Pepper</author>{RIDE}</workout_file>"),
            malformed(2, Malformation::Ampersand),
        ),
        (
            format!("<workout_file>{name}\n<author>A < B</author>{RIDE}</workout_file>"),
            malformed(2, Malformation::LessThan),
        ),
        (
            format!("<workout_file>{name}{RIDE}</workout_file>\n\n}} junk"),
            malformed(1, Malformation::Outside),
        ),
        (
            format!("<workout_file>{name}{RIDE}</workout_file>\n\n<html/>"),
            malformed(3, Malformation::Outside),
        ),
        (
            format!(
                "<!DOCTYPE workout_file [<!ENTITY a '>'>]><workout_file>{name}{RIDE}</workout_file>"
            ),
            malformed(1, Malformation::DocumentType),
        ),
        (
            format!(
                "<workout_file>{name}\n<workout>\n<FreeRide Duration=5 /></workout></workout_file>"
            ),
            malformed(3, Malformation::Unquoted),
        ),
        (
            format!(
                "<workout_file>{name}\n<workout>\n<FreeRide Duration='5' duration='6'/></workout></workout_file>"
            ),
            malformed(3, Malformation::Duplicate("duration".into())),
        ),
        (
            format!(
                "<workout_file>{name}\n<workout><FreeRide Duration='5'' /></workout></workout_file>"
            ),
            malformed(2, Malformation::Stray),
        ),
        (
            format!(
                "<workout_file>{name}\n<workout><FreeRide Duration='5'</workout></workout_file>"
            ),
            malformed(2, Malformation::OpenTag),
        ),
    ];
    for (file, remark) in cases {
        let imported = read(file.as_bytes()).expect(&file);
        assert_eq!(imported.workout.duration(), seconds(5), "{file}");
        assert_eq!(imported.workout.name(), "Test", "{file}");
        let mut found = remarks(imported);
        // An element that its tag leaves open is closed by its parent.
        found.retain(|(_, kind)| {
            !matches!(kind, RemarkKind::Malformed(Malformation::Mismatch { .. }))
        });
        assert_eq!(found, [remark], "{file}");
    }
}

#[test]
fn an_ampersand_and_a_less_than_sign_are_kept_in_the_texts() {
    let file = "<workout_file><name>Salt & Pepper &lt; 5 < 6 &amp; &nbsp; &#233;&#xe9;</name>\
        <workout><FreeRide Duration='5'><textevent message='a & b < c'/></FreeRide></workout></workout_file>";
    let workout = read(file.as_bytes()).expect("a workout").workout;
    assert_eq!(workout.name(), "Salt & Pepper < 5 < 6 & &nbsp; éé");
    assert_eq!(workout.cues()[0].text, "a & b < c");
}

#[test]
fn a_file_that_ends_too_early_is_ridden_as_far_as_it_goes() {
    let file = "<workout_file>\n<workout>\n<FreeRide Duration='5'/>\n<SteadyState Duration='6";
    let imported = read(file.as_bytes()).expect("a workout");
    assert_eq!(imported.workout.duration(), seconds(5));
    assert_eq!(remarks(imported), [malformed(4, Malformation::Truncated)]);
    let file = "<workout_file>\n<workout>\n<FreeRide Duration='5'/>\n";
    let imported = read(file.as_bytes()).expect("a workout");
    assert_eq!(remarks(imported), [malformed(4, Malformation::Truncated)]);
}

#[test]
fn an_element_is_closed_by_the_closing_tag_of_the_one_around_it() {
    let file = "<workout_file><workout>\n<SteadyState Duration='5' Power='1'>\n</workout></tags><name>N</name></workout_file>";
    let imported = read(file.as_bytes()).expect("a workout");
    assert_eq!(imported.workout.name(), "N");
    let mismatch = |line, expected: &str, found: &str| {
        let [expected, found] = [expected, found].map(str::to_owned);
        malformed(line, Malformation::Mismatch { expected, found })
    };
    assert_eq!(
        remarks(imported),
        [
            mismatch(3, "SteadyState", "workout"),
            mismatch(3, "workout_file", "tags")
        ]
    );
}

#[test]
fn a_workout_without_the_element_of_the_file_is_ridden() {
    assert_eq!(
        read(RIDE.as_bytes()).expect("a workout").workout.duration(),
        seconds(5)
    );
}

#[test]
fn names_with_a_namespace_are_read() {
    let file = "<z:workout_file xmlns:z='x' xsi:schemaLocation='y'><z:name>N</z:name>\
        <z:workout><z:FreeRide z:Duration='5'/></z:workout></z:workout_file>";
    let imported = read(file.as_bytes()).expect("a workout");
    assert_eq!((imported.workout.name(), imported.remarks.len()), ("N", 0));
}

#[test]
fn texts_in_windows_1252_and_iso_8859_1_are_read() {
    let file = |declaration: &str| {
        let mut bytes = format!("{declaration}<workout_file>\n<name>").into_bytes();
        bytes.extend(b"C\xf4te d\x92Azur \x80");
        bytes.extend(format!("</name>{RIDE}</workout_file>").as_bytes());
        let imported = read(&bytes).expect("a workout");
        assert_eq!(imported.workout.name(), "Côte d’Azur €");
        remarks(imported)
    };
    for declared in ["ISO-8859-1", "Windows-1252", "iso-8859-1' standalone='no"] {
        assert_eq!(
            file(&format!("<?xml version='1.0' encoding='{declared}'?>")),
            []
        );
    }
    for undeclared in ["", "<?xml version='1.0' encoding='UTF-8'?>"] {
        assert_eq!(file(undeclared), [(2, RemarkKind::Encoding)]);
    }
}

#[test]
fn utf_8_is_read_whatever_encoding_is_declared() {
    for declared in ["UTF-16", "ISO-8859-1", "us-ascii"] {
        let file = format!(
            "<?xml version='1.0' encoding='{declared}'?><workout_file><name>Côte</name>{RIDE}</workout_file>"
        );
        let imported = read(file.as_bytes()).expect("a workout");
        assert_eq!(
            (imported.workout.name(), imported.remarks.len()),
            ("Côte", 0)
        );
    }
}

#[test]
fn utf_16_with_half_a_character_is_read() {
    let text = format!("\n<workout_file><name>é</name>{RIDE}</workout_file>");
    let mut units: Vec<u16> = text.encode_utf16().collect();
    units.insert(21, 0xd800);
    let mut bytes: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
    bytes.push(0);
    let imported = read(&bytes).expect("a workout");
    assert_eq!(imported.workout.name(), "\u{fffd}é");
    assert_eq!(remarks(imported), [(2, RemarkKind::Encoding)]);
}

#[test]
fn a_power_beyond_the_limits_is_ridden_at_the_limit() {
    for (value, limit) in [(6.0, 5.0), (30.0, 5.0), (-0.1, 0.0)] {
        let clamped = RemarkKind::Clamped {
            attribute: "Power".into(),
            value,
            limit,
        };
        let steady = format!("<SteadyState Duration='60' Power='{value}'/>");
        assert_eq!(repaired(&steady), (Target::steady(limit), clamped));
    }
}

#[test]
fn a_power_that_cannot_be_read_is_ridden_without_a_target_and_named_with_its_value() {
    for value in ["NaN", "inf", "hard", "1e999", "0.9.1", ""] {
        let (target, remark) = repaired(&format!("<SteadyState Duration='60' Power='{value}'/>"));
        assert_eq!(target, Target::Free);
        assert_eq!(remark, unusable("Power", value, Quantity::Power));
    }
    let (target, remark) = repaired("<Warmup Duration='60'/>");
    assert_eq!(target, Target::Free);
    let element = "Warmup".to_owned();
    assert_eq!(remark, RemarkKind::NoPower { element });
}

#[test]
fn a_power_with_a_comma_or_in_percent_is_read_as_it_is_meant() {
    for (value, read) in [("0,9", 0.9), ("90%", 0.9), ("90,0 %", 0.9)] {
        let (target, remark) = repaired(&format!("<SteadyState Duration='60' Power='{value}'/>"));
        let Target::Power { from, .. } = target else {
            panic!("{target:?}");
        };
        assert!((from - 0.9).abs() < 1e-6, "{value}: {from}");
        assert!(
            matches!(&remark, RemarkKind::ReadAs { read: found, .. } if (found - read).abs() < 1e-9),
            "{remark:?}"
        );
    }
}

#[test]
fn a_duration_that_cannot_be_used_leaves_its_interval_out_and_is_named_with_its_value() {
    for value in ["-1", "86401", "1e300", "1:30", ""] {
        let imported = imported(&format!(
            "<FreeRide Duration='5'/>\n<SteadyState Duration='{value}' Power='1'/>"
        ));
        assert_eq!(imported.workout.duration(), seconds(5));
        let remark = unusable("Duration", value, Quantity::Duration);
        assert_eq!(remarks(imported), [(2, remark)]);
    }
    let imported = imported("<FreeRide Duration='5'/>\n<IntervalsT OnPower='1'/>");
    let element = "IntervalsT".to_owned();
    assert_eq!(remarks(imported), [(2, RemarkKind::NoDuration { element })]);
}

#[test]
fn a_cadence_or_a_number_of_repetitions_that_cannot_be_used_is_named_with_its_value() {
    for value in ["300", "-5", "fast"] {
        let (_, remark) = repaired(&format!("<FreeRide Duration='5' Cadence='{value}'/>"));
        assert_eq!(remark, unusable("Cadence", value, Quantity::Cadence));
    }
    for value in ["often", "-2"] {
        let (_, remark) = repaired(&format!(
            "<IntervalsT Repeat='{value}' OnDuration='5' OnPower='1'/>"
        ));
        assert_eq!(remark, unusable("Repeat", value, Quantity::Repeat));
    }
}

#[test]
fn a_cue_whose_time_cannot_be_read_is_left_out() {
    let imported =
        imported("<FreeRide Duration='5'><textevent timeoffset='soon' message='Hi'/></FreeRide>");
    assert_eq!(imported.workout.cues(), []);
    assert_eq!(
        remarks(imported),
        [(1, unusable("timeoffset", "soon", Quantity::CueTime))]
    );
}

#[test]
fn a_zone_instead_of_a_power_is_ridden_at_its_middle() {
    let zone = |attribute: &str, zone, power| RemarkKind::Zone {
        attribute: attribute.to_owned(),
        zone,
        power,
    };
    let steady = "<SteadyState Duration='60' Zone='2'/>";
    let middle = Zone::new(2).expect("a zone").middle();
    assert_eq!(
        repaired(steady),
        (Target::steady(middle), zone("Zone", 2, middle))
    );
    assert!((middle - 0.65).abs() < 1e-6);

    let set =
        imported("<IntervalsT OnDuration='5' OffDuration='5' PowerOnZone='5' PowerOffZone='Z1'/>");
    let zones: Vec<u8> = set
        .workout
        .bars()
        .iter()
        .map(|bar| bar.zone.number())
        .collect();
    assert_eq!((zones, set.remarks.len()), (vec![5, 1], 2));

    let (target, remark) = repaired("<SteadyState Duration='60' Zone='8'/>");
    assert_eq!(
        (target, remark),
        (Target::Free, unusable("Zone", "8", Quantity::Power))
    );
}

#[test]
fn other_spellings_of_on_and_off_power_are_read() {
    let set = "<IntervalsT OnDuration='5' OffDuration='5' OnPowerLow='0.9' OnPowerHigh='1.1' \
        OffPowerLow='0.6' OffPowerHigh='0.4'/>";
    let imported = imported(set);
    let intervals = imported.workout.intervals().iter();
    let targets: Vec<Target> = intervals.map(|interval| interval.target).collect();
    assert_eq!(targets, [power(0.9, 1.1), power(0.6, 0.4)]);
    assert_eq!(imported.remarks, []);
}

fn run(elements: &str, duration_type: &str) -> Imported {
    let file = format!(
        "<workout_file>\n<sportType>run</sportType>\n<durationType>{duration_type}</durationType>\n\
        <workout>{elements}</workout></workout_file>"
    );
    read(file.as_bytes()).expect("a workout")
}

#[test]
fn a_workout_for_runners_says_so() {
    let imported = run("<SteadyState Duration='60' Power='0.9'/>", "time");
    assert_eq!(imported.workout.intervals()[0].target, Target::steady(0.9));
    assert_eq!(remarks(imported), [(2, RemarkKind::Running)]);
}

#[test]
fn lengths_in_metres_are_ridden_as_the_time_that_they_take_at_a_stated_speed() {
    let imported = run(
        "<SteadyState Duration='5000' Power='0.9'><textevent distoffset='1000' message='1 km'/></SteadyState>",
        "Distance",
    );
    assert_eq!(imported.workout.duration(), seconds(25 * 60));
    assert_eq!(imported.workout.cues()[0].at, seconds(5 * 60));
    let said = [
        (2, RemarkKind::Running),
        (3, RemarkKind::Distance { kmh: 12 }),
    ];
    assert_eq!(remarks(imported), said);

    let bike = "<workout_file><durationType>distance</durationType><workout>\
        <SteadyState Duration='5000' Power='0.9'/></workout></workout_file>";
    let imported = read(bike.as_bytes()).expect("a workout");
    assert_eq!(imported.workout.duration(), seconds(10 * 60));
}

#[test]
fn texts_above_their_limits_are_shortened() {
    let file = format!(
        "<workout_file><name>{}</name><author>{}</author><description>{}</description><workout>\
        \n<FreeRide Duration='5'><textevent message='{}'/><textevent message='{}'/></FreeRide></workout></workout_file>",
        "n".repeat(201),
        "a".repeat(201),
        "é".repeat(10_001),
        "c".repeat(501),
        "c".repeat(500),
    );
    let imported = read(file.as_bytes()).expect("a workout");
    assert_eq!(imported.workout.name(), "n".repeat(199) + "…");
    let lengths = imported
        .workout
        .cues()
        .iter()
        .map(|cue| cue.text.chars().count());
    assert_eq!(lengths.collect::<Vec<_>>(), [500, 500]);
    let shortened = |line, field| (line, RemarkKind::Shortened(field));
    assert_eq!(
        remarks(imported),
        [
            shortened(1, TextField::Name),
            shortened(1, TextField::Author),
            shortened(1, TextField::Description),
            shortened(2, TextField::Cue),
        ]
    );
}

#[test]
fn cues_above_the_limits_of_number_and_text_are_left_out() {
    let left_out = |cue: &str, count: usize| {
        let imported = imported(&format!(
            "<FreeRide Duration='5'>{}</FreeRide>",
            cue.repeat(count)
        ));
        let remark = imported.remarks.first().cloned();
        (
            imported.workout.cues().len(),
            remark.map(|remark| (remark.kind, remark.count)),
        )
    };
    let few = left_out("<textevent message='Hi'/>", MAX_CUES + 7);
    assert_eq!(few, (MAX_CUES, Some((RemarkKind::CuesLeftOut, 7))));
    let long = format!("<textevent message='{}'/>", "x".repeat(500));
    let (kept, remark) = left_out(&long, 400);
    assert_eq!(kept, MAX_TEXT_BYTES / 500);
    assert_eq!(remark, Some((RemarkKind::CuesLeftOut, 400 - kept)));
}
