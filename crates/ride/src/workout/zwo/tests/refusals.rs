//! What is no workout, and what is made to do harm.

use proptest::prelude::*;

use super::*;
use crate::workout::{MAX_CADENCE, WorkoutError};

fn refused(elements: &str) -> ZwoError {
    parse(file_of(elements).as_bytes()).expect_err(elements)
}

fn refusal(bytes: &[u8]) -> ZwoError {
    parse(bytes).expect_err("a file to refuse")
}

#[test]
fn an_empty_file_is_refused() {
    for bytes in [&b""[..], b"  \n ", b"\xef\xbb\xbf"] {
        assert_eq!(parse(bytes), Err(ZwoError::Empty));
    }
}

#[test]
fn a_file_over_a_mebibyte_is_refused() {
    let bytes = vec![b' '; MAX_BYTES + 1];
    assert_eq!(
        refusal(&bytes),
        ZwoError::TooLarge {
            bytes: MAX_BYTES + 1
        }
    );
}

#[test]
fn what_is_not_text_is_refused_with_its_place() {
    assert_eq!(
        parse(b"<workout_file>\n ab\xff")
            .expect_err("a refusal")
            .to_string(),
        "Line 2, column 4: this is not text. Choose a .zwo file, or save it again as UTF-8."
    );
    assert!(matches!(
        parse(b"\xff\xfe<\0\0"),
        Err(ZwoError::NotText { .. })
    ));
}

#[test]
fn foreign_xml_is_refused_by_its_name() {
    assert_eq!(
        parse(b"<?xml version='1.0'?>\n<gpx/>")
            .expect_err("a refusal")
            .to_string(),
        "Line 2, column 1: this is not a workout: <workout_file> was expected but <gpx> was found. Choose a .zwo file."
    );
    assert!(matches!(
        parse(b"{\"json\": true}"),
        Err(ZwoError::Xml { .. })
    ));
}

#[test]
fn broken_xml_is_refused_with_line_and_column() {
    let cut = "<workout_file>\n  <workout>\n    <Warmup Duration=\"6";
    assert_eq!(
        parse(cut.as_bytes()).expect_err("a refusal").to_string(),
        "Line 3, column 24: the XML is broken: the file ends too early. Export the workout again."
    );
    let mismatch = "<workout_file>\n  <workout></name></workout_file>";
    assert_eq!(
        parse(mismatch.as_bytes())
            .expect_err("a refusal")
            .to_string(),
        "Line 2, column 12: the XML is broken: </workout> was expected but </name> was found. Export the workout again."
    );
}

#[test]
fn a_file_without_a_workout_or_intervals_is_refused() {
    assert!(matches!(
        parse(b"<workout_file><name>A</name></workout_file>"),
        Err(ZwoError::NoWorkout { .. })
    ));
    assert!(matches!(refused(""), ZwoError::NoIntervals { .. }));
    assert!(matches!(
        refused("<FreeRide Duration='0'/>"),
        ZwoError::NoIntervals { .. }
    ));
    assert!(matches!(
        refused("<Unknown/>"),
        ZwoError::NoIntervals { .. }
    ));
}

#[test]
fn a_missing_value_is_named_with_its_element() {
    let file = "<workout_file>\n<workout>\n  <SteadyState Duration='60'/></workout></workout_file>";
    assert_eq!(
        parse(file.as_bytes()).expect_err("a refusal").to_string(),
        "Line 3, column 3: <SteadyState> has no Power. Add it."
    );
    assert!(matches!(
        refused("<FreeRide/>"),
        ZwoError::Missing {
            attribute: "Duration",
            ..
        }
    ));
    assert!(matches!(
        refused("<IntervalsT OnPower='1'/>"),
        ZwoError::Missing {
            attribute: "OnDuration",
            ..
        }
    ));
}

#[test]
fn power_that_is_no_number_is_refused_with_its_place() {
    let file = "<workout_file>\n<workout>\n  <SteadyState Duration='60' Power='NaN'/></workout></workout_file>";
    assert_eq!(
        parse(file.as_bytes()).expect_err("a refusal").to_string(),
        "Line 3, column 30: Power is \"NaN\", which is not a number. Write it like 0.9."
    );
    for value in ["inf", "-inf", "0,9", "", "90%", "1e999"] {
        let error = refused(&format!("<SteadyState Duration='60' Power='{value}'/>"));
        assert!(
            matches!(error, ZwoError::NotANumber { .. }),
            "{value}: {error}"
        );
    }
}

#[test]
fn power_of_3000_percent_is_refused_with_the_range() {
    let file =
        "<workout_file><workout><SteadyState Duration='60' Power='30'/></workout></workout_file>";
    assert_eq!(
        parse(file.as_bytes()).expect_err("a refusal").to_string(),
        "Line 1, column 51: Power is 30, which is 3000 % of FTP; it can be 0 to 5 (0 to 500 %). Correct it; 90 % of FTP is written 0.9."
    );
    assert!(matches!(
        refused("<Ramp Duration='60' PowerLow='-0.1' PowerHigh='1'/>"),
        ZwoError::Power { .. }
    ));
}

#[test]
fn a_duration_below_nothing_or_over_a_day_is_refused() {
    for value in ["-1", "86401", "1e300"] {
        let error = refused(&format!("<FreeRide Duration='{value}'/>"));
        assert!(
            matches!(error, ZwoError::Duration { .. }),
            "{value}: {error}"
        );
    }
}

#[test]
fn a_cadence_or_repeat_out_of_range_is_refused() {
    let error = refused("<FreeRide Duration='5' Cadence='300'/>");
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
    let error = refused("<IntervalsT Repeat='1e9' OnDuration='1' OnPower='1'/>");
    assert!(
        matches!(error, ZwoError::Count { max: 2_000, .. }),
        "{error}"
    );
}

#[test]
fn ten_thousand_intervals_are_refused_at_the_first_too_many() {
    let file = file_of(&"<FreeRide Duration='1'/>\n".repeat(10_000));
    let error = refusal(file.as_bytes());
    assert_eq!(error.place().map(|place| place.line), Some(2_001));
    assert!(error.to_string().contains("more than 2,000"), "{error}");
    let set =
        "<IntervalsT Repeat='2000' OnDuration='1' OffDuration='1' OnPower='1' OffPower='0.5'/>";
    assert!(matches!(
        refused(&set.repeat(5)),
        ZwoError::Limit {
            error: WorkoutError::TooManyIntervals,
            ..
        }
    ));
}

#[test]
fn more_than_a_day_is_refused_where_it_gets_too_long() {
    let error = refused("<FreeRide Duration='86400'/><FreeRide Duration='1'/>");
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
fn an_entity_bomb_is_refused() {
    let bomb = r#"<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
        <workout_file><name>&b;</name></workout_file>"#;
    assert!(matches!(refusal(bomb.as_bytes()), ZwoError::Doctype { .. }));
}

#[test]
fn files_made_to_be_slow_are_refused_as_such() {
    let attributes: String = (0..80_000).map(|n| format!("a{n}='' ")).collect();
    let hidden = format!("<!-- <a ' --><workout_file {attributes}/>");
    let nested = "<a>".repeat(MAX_BYTES / 3);
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
        let error = refusal(file.as_bytes());
        assert_eq!(error, ZwoError::TooComplex);
    }
}

#[test]
fn a_full_file_with_a_wrong_number_is_refused_for_that() {
    let padding = format!("<!-- {} -->", "x\n".repeat(200_000));
    let good = "<SteadyState Duration='1' Power='0.5' Cadence='90'/>".repeat(1_999);
    let file = file_of(&format!(
        "{padding}{good}<SteadyState Duration='1' Power='x'/>"
    ));
    assert!(matches!(
        refusal(file.as_bytes()),
        ZwoError::NotANumber { .. }
    ));
}

#[test]
fn texts_that_are_too_long_are_refused() {
    let file = format!(
        "<workout_file><name>{}</name><workout><FreeRide Duration='5'/></workout></workout_file>",
        "x".repeat(201)
    );
    assert_eq!(
        parse(file.as_bytes()).expect_err("a refusal").to_string(),
        "The name of the workout is longer than 200 characters. Shorten it."
    );
}

proptest! {
    #[test]
    fn whatever_the_bytes_parsing_never_panics(bytes: Vec<u8>) {
        let _ = parse(&bytes);
    }

    #[test]
    fn whatever_the_values_parsing_never_panics(
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
