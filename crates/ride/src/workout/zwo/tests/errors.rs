//! Files that are not workouts, and hostile files.

use proptest::prelude::*;

use super::*;
use crate::workout::{MAX_CADENCE, WorkoutError};

fn error_of(elements: &str) -> ZwoError {
    parse(file_of(elements).as_bytes()).expect_err(elements)
}

fn file_error(bytes: &[u8]) -> ZwoError {
    parse(bytes).expect_err("an invalid file")
}

#[test]
fn an_empty_file_is_rejected() {
    for bytes in [&b""[..], b"  \n ", b"\xef\xbb\xbf"] {
        assert_eq!(parse(bytes), Err(ZwoError::Empty));
    }
}

#[test]
fn a_file_over_one_mebibyte_is_rejected() {
    let bytes = vec![b' '; MAX_FILE_BYTES + 1];
    assert_eq!(
        file_error(&bytes),
        ZwoError::TooLarge {
            bytes: MAX_FILE_BYTES + 1
        }
    );
}

#[test]
fn bytes_that_are_not_text_are_rejected_with_their_place() {
    assert_eq!(
        parse(b"<workout_file>\n ab\xff")
            .expect_err("an error")
            .to_string(),
        "Line 2, column 4: this is not text. Choose a .zwo file, or save it again as UTF-8."
    );
    assert!(matches!(
        parse(b"\xff\xfe<\0\0"),
        Err(ZwoError::NotText { .. })
    ));
}

#[test]
fn xml_of_another_format_is_rejected_with_its_root_element() {
    assert_eq!(
        parse(b"<?xml version='1.0'?>\n<gpx/>")
            .expect_err("an error")
            .to_string(),
        "Line 2, column 1: this is not a workout: <workout_file> was expected but <gpx> was found. Choose a .zwo file."
    );
    assert!(matches!(
        parse(b"{\"json\": true}"),
        Err(ZwoError::Xml { .. })
    ));
}

#[test]
fn malformed_xml_is_rejected_with_line_and_column() {
    let cut = "<workout_file>\n  <workout>\n    <Warmup Duration=\"6";
    assert_eq!(
        parse(cut.as_bytes()).expect_err("an error").to_string(),
        "Line 3, column 24: invalid XML: the file ends too early. Export the workout again."
    );
    let mismatch = "<workout_file>\n  <workout></name></workout_file>";
    assert_eq!(
        parse(mismatch.as_bytes())
            .expect_err("an error")
            .to_string(),
        "Line 2, column 12: invalid XML: </workout> was expected but </name> was found. Export the workout again."
    );
}

#[test]
fn a_file_without_a_workout_or_intervals_is_rejected() {
    assert!(matches!(
        parse(b"<workout_file><name>A</name></workout_file>"),
        Err(ZwoError::NoWorkout { .. })
    ));
    assert!(matches!(error_of(""), ZwoError::NoIntervals { .. }));
    assert!(matches!(
        error_of("<FreeRide Duration='0'/>"),
        ZwoError::NoIntervals { .. }
    ));
    assert!(matches!(
        error_of("<Unknown/>"),
        ZwoError::NoIntervals { .. }
    ));
}

#[test]
fn a_missing_attribute_is_reported_with_its_element() {
    let file = "<workout_file>\n<workout>\n  <SteadyState Duration='60'/></workout></workout_file>";
    assert_eq!(
        parse(file.as_bytes()).expect_err("an error").to_string(),
        "Line 3, column 3: <SteadyState> has no Power. Add it."
    );
    assert!(matches!(
        error_of("<FreeRide/>"),
        ZwoError::Missing {
            attribute: "Duration",
            ..
        }
    ));
    assert!(matches!(
        error_of("<IntervalsT OnPower='1'/>"),
        ZwoError::Missing {
            attribute: "OnDuration",
            ..
        }
    ));
}

#[test]
fn power_that_is_not_a_number_is_rejected_with_its_place() {
    let file = "<workout_file>\n<workout>\n  <SteadyState Duration='60' Power='NaN'/></workout></workout_file>";
    assert_eq!(
        parse(file.as_bytes()).expect_err("an error").to_string(),
        "Line 3, column 30: Power is \"NaN\", which is not a number. Use a number like 0.9."
    );
    for value in ["inf", "-inf", "0,9", "", "90%", "1e999"] {
        let error = error_of(&format!("<SteadyState Duration='60' Power='{value}'/>"));
        assert!(
            matches!(error, ZwoError::NotANumber { .. }),
            "{value}: {error}"
        );
    }
}

#[test]
fn power_of_3000_percent_is_rejected_with_the_range() {
    let file =
        "<workout_file><workout><SteadyState Duration='60' Power='30'/></workout></workout_file>";
    assert_eq!(
        parse(file.as_bytes()).expect_err("an error").to_string(),
        "Line 1, column 51: Power is 30, which is 3000 % of FTP; the range is 0 to 5 (0 to 500 %). Correct it; 90 % of FTP is written as 0.9."
    );
    assert!(matches!(
        error_of("<Ramp Duration='60' PowerLow='-0.1' PowerHigh='1'/>"),
        ZwoError::Power { .. }
    ));
}

#[test]
fn a_duration_that_is_negative_or_over_24_hours_is_rejected() {
    for value in ["-1", "86401", "1e300"] {
        let error = error_of(&format!("<FreeRide Duration='{value}'/>"));
        assert!(
            matches!(error, ZwoError::Duration { .. }),
            "{value}: {error}"
        );
    }
}

#[test]
fn a_cadence_or_repeat_out_of_range_is_rejected() {
    let error = error_of("<FreeRide Duration='5' Cadence='300'/>");
    assert!(
        matches!(
            error,
            ZwoError::Count {
                max: MAX_CADENCE,
                ..
            }
        ),
        "{error}"
    );
    let error = error_of("<IntervalsT Repeat='1e9' OnDuration='1' OnPower='1'/>");
    assert!(
        matches!(error, ZwoError::Count { max: 2_000, .. }),
        "{error}"
    );
}

#[test]
fn ten_thousand_intervals_are_rejected_at_the_first_one_beyond_the_limit() {
    let file = file_of(&"<FreeRide Duration='1'/>\n".repeat(10_000));
    let error = file_error(file.as_bytes());
    assert_eq!(error.place().map(|place| place.line), Some(2_001));
    assert!(error.to_string().contains("more than 2,000"), "{error}");
    let set =
        "<IntervalsT Repeat='2000' OnDuration='1' OffDuration='1' OnPower='1' OffPower='0.5'/>";
    assert!(matches!(
        error_of(&set.repeat(5)),
        ZwoError::Limit {
            error: WorkoutError::TooManyIntervals,
            ..
        }
    ));
}

#[test]
fn more_than_24_hours_are_rejected_at_the_element_that_exceeds_them() {
    let error = error_of("<FreeRide Duration='86400'/><FreeRide Duration='1'/>");
    assert!(
        matches!(
            error,
            ZwoError::Limit {
                error: WorkoutError::TooLong,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn an_entity_bomb_is_rejected() {
    let bomb = r#"<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
        <workout_file><name>&b;</name></workout_file>"#;
    assert!(matches!(
        file_error(bomb.as_bytes()),
        ZwoError::Doctype { .. }
    ));
}

#[test]
fn files_that_are_slow_to_parse_are_rejected() {
    let attributes: String = (0..80_000).map(|n| format!("a{n}='' ")).collect();
    let hidden = format!("<!-- <a ' --><workout_file {attributes}/>");
    let nested = "<a>".repeat(MAX_FILE_BYTES / 3);
    let many = file_of(&"<a/>".repeat(250_000));
    let namespaces: String = (0..20_000)
        .map(|n| format!("<a xmlns:n{n}='u{n}'>"))
        .collect();
    for file in [
        format!("<workout_file {attributes}/>"),
        hidden,
        many,
        namespaces,
        nested,
    ] {
        let error = file_error(file.as_bytes());
        assert_eq!(error, ZwoError::TooComplex);
    }
}

#[test]
fn an_invalid_number_in_a_file_at_the_limits_is_reported() {
    let padding = format!("<!-- {} -->", "x\n".repeat(200_000));
    let good = "<SteadyState Duration='1' Power='0.5' Cadence='90'/>".repeat(1_999);
    let file = file_of(&format!(
        "{padding}{good}<SteadyState Duration='1' Power='x'/>"
    ));
    assert!(matches!(
        file_error(file.as_bytes()),
        ZwoError::NotANumber { .. }
    ));
}

#[test]
fn texts_that_are_too_long_are_rejected() {
    let file = format!(
        "<workout_file><name>{}</name><workout><FreeRide Duration='5'/></workout></workout_file>",
        "x".repeat(201)
    );
    assert_eq!(
        parse(file.as_bytes()).expect_err("an error").to_string(),
        "The name of the workout is longer than 200 characters. Shorten it."
    );
}

proptest! {
    #[test]
    fn parsing_arbitrary_bytes_never_panics(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }

    #[test]
    fn parsing_arbitrary_values_never_panics(
        element in "Warmup|Ramp|SteadyState|IntervalsT|FreeRide|textevent|x",
        attributes in prop::collection::vec(("(On|Off)?(Duration|Power)|PowerLow|PowerHigh|Repeat|Cadence|timeoffset", "[-0-9.e<&aN ]{0,6}"), 0..6),
        tail in "[<>/a!\\[\\]\"'? -]{0,12}",
    ) {
        let attributes: String = attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
        let file = file_of(&format!("<{element}{attributes}/>{tail}"));
        if let Ok(imported) = parse(file.as_bytes()) {
            prop_assert!(imported.workout.duration() > Duration::ZERO);
        }
    }
}
