use core::time::Duration;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::workout::{Interval, Kind, MAX_CADENCE, Target, WorkoutError};

fn file_of(elements: &str) -> String {
    format!("<workout_file><name>Test</name><workout>{elements}</workout></workout_file>")
}

fn imported(elements: &str) -> Imported {
    parse(file_of(elements).as_bytes()).expect(elements)
}

fn intervals(elements: &str) -> Vec<Interval> {
    imported(elements).workout.intervals().to_vec()
}

fn only(elements: &str) -> Interval {
    let mut intervals = intervals(elements);
    assert_eq!(intervals.len(), 1, "{elements}");
    intervals.remove(0)
}

fn refused(elements: &str) -> ZwoError {
    parse(file_of(elements).as_bytes()).expect_err(elements)
}

/// Refuses a file, and sees that this is quick. The limit is wide of what a rider notices (100 ms), because tests are
/// not optimised and share their machine.
fn refused_quickly(bytes: &[u8]) -> ZwoError {
    let start = Instant::now();
    let error = parse(bytes).expect_err("a file to refuse");
    assert!(
        start.elapsed() < Duration::from_millis(500),
        "{:?}: {error}",
        start.elapsed()
    );
    error
}

const fn power(from: f32, to: f32) -> Target {
    Target::Power { from, to }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_real_file_is_read_whole() {
    let bytes = include_bytes!("../../../tests/data/sweet-spot-intervals.zwo");
    let Imported { workout, ignored } = parse(bytes).expect("a real file");
    assert_eq!(workout.name(), "Sweet Spot Intervals");
    assert_eq!(workout.author(), "Zwift Hub Controller");
    assert!(workout.description().starts_with("Classic 4x10 minute"));
    assert_eq!(workout.intervals().len(), 10);
    assert_eq!(workout.duration(), seconds(4_800));
    assert_eq!(
        workout.intervals()[0],
        Interval::new(seconds(600), Kind::Warmup, power(0.5, 0.7))
    );
    assert_eq!(
        workout.intervals()[9],
        Interval::new(seconds(600), Kind::Cooldown, power(0.6, 0.4))
    );
    assert_eq!(ignored, []);
}

#[test]
fn slopes_go_from_low_to_high_in_time_and_are_never_sorted() {
    for (element, kind) in [
        ("Warmup", Kind::Warmup),
        ("Cooldown", Kind::Cooldown),
        ("Ramp", Kind::Ramp),
    ] {
        for (from, to) in [(0.75, 0.25), (0.25, 0.75)] {
            let interval = only(&format!(
                r#"<{element} Duration="60" PowerLow="{from}" PowerHigh="{to}"/>"#
            ));
            assert_eq!((interval.kind, interval.target), (kind, power(from, to)));
        }
    }
}

#[test]
fn a_ramp_may_carry_one_power() {
    assert_eq!(
        only(r#"<Ramp Duration="60" Power="0.7"/>"#).target,
        Target::steady(0.7)
    );
}

#[test]
fn a_steady_state_takes_the_middle_of_a_range() {
    assert_eq!(
        only(r#"<SteadyState Duration="60" Power="0.9"/>"#).target,
        Target::steady(0.9)
    );
    assert_eq!(
        only(r#"<SteadyState Duration="60" PowerLow="0.5" PowerHigh="1"/>"#).target,
        Target::steady(0.75)
    );
}

#[test]
fn a_set_is_repeated_on_then_off_with_a_cadence_for_each() {
    let set = r#"<IntervalsT Repeat="3" OnDuration="30" OffDuration="15" OnPower="1.2" OffPower="0.5"
        Cadence="100" CadenceResting="80"/>"#;
    let on = Interval {
        cadence: Some(100),
        ..Interval::new(seconds(30), Kind::Work, Target::steady(1.2))
    };
    let off = Interval {
        cadence: Some(80),
        ..Interval::new(seconds(15), Kind::Rest, Target::steady(0.5))
    };
    assert_eq!(
        intervals(set),
        [on.clone(), off.clone(), on.clone(), off.clone(), on, off]
    );
}

#[test]
fn a_set_without_repeat_is_ridden_once_and_may_slope() {
    let set = r#"<IntervalsT OnDuration="30" OffDuration="15" PowerOnLow="0.9" PowerOnHigh="1.1" PowerOffLow="0.6"
        PowerOffHigh="0.4"/>"#;
    let targets: Vec<Target> = intervals(set)
        .iter()
        .map(|interval| interval.target)
        .collect();
    assert_eq!(targets, [power(0.9, 1.1), power(0.6, 0.4)]);
}

#[test]
fn free_rides_and_maximal_efforts_have_no_target() {
    for (element, kind, target) in [
        ("FreeRide", Kind::FreeRide, Target::Free),
        ("Freeride", Kind::FreeRide, Target::Free),
        ("MaxEffort", Kind::MaxEffort, Target::Max),
    ] {
        let interval = only(&format!(
            r#"<{element} Duration="60" FlatRoad="1" ftptest="1"/>"#
        ));
        assert_eq!((interval.kind, interval.target), (kind, target));
    }
}

#[test]
fn decimals_of_seconds_are_kept_to_the_millisecond() {
    assert_eq!(
        only(r#"<SteadyState Duration="60.0004" Power="0.5"/>"#).duration,
        seconds(60)
    );
    assert_eq!(
        only(r#"<SteadyState Duration="0.25" Power="0.5"/>"#).duration,
        Duration::from_millis(250)
    );
}

#[test]
fn a_cadence_may_be_a_range_and_0_is_none() {
    assert_eq!(
        only(r#"<FreeRide Duration="9" Cadence="95"/>"#).cadence,
        Some(95)
    );
    assert_eq!(
        only(r#"<FreeRide Duration="9" CadenceLow="80" CadenceHigh="90"/>"#).cadence,
        Some(85)
    );
    assert_eq!(
        only(r#"<FreeRide Duration="9" Cadence="0"/>"#).cadence,
        None
    );
}

#[test]
fn messages_count_from_the_start_of_their_element_which_may_be_a_whole_set() {
    let workout = imported(
        r#"<SteadyState Duration="60" Power="0.5"><textevent timeoffset="5" message="One" duration="7"/></SteadyState>
        <IntervalsT Repeat="2" OnDuration="30" OffDuration="30" OnPower="1" OffPower="0.5">
            <TextEvent TimeOffset="65.5" message="Three"/><textevent message="Two"/>
        </IntervalsT>"#,
    );
    assert_eq!(workout.ignored, []);
    let cues: Vec<(u64, u64, &str)> = (workout.workout.cues().iter())
        .map(|cue| {
            (
                cue.at.as_millis() as u64,
                cue.shown_for.as_secs(),
                cue.text.as_str(),
            )
        })
        .collect();
    assert_eq!(
        cues,
        [
            (5_000, 7, "One"),
            (60_000, 10, "Two"),
            (125_500, 10, "Three")
        ]
    );
}

#[test]
fn what_is_unknown_is_left_out_and_counted() {
    let elements = r#"<Warmup Duration="60" PowerLow="0.4" PowerHigh="0.6" pace="1" Quantize="1">
            <gameplayevent timeoffset="1"/><gameplayevent timeoffset="2"/></Warmup>
        <Teleport/><SteadyState Duration="60" Power="0.5" pace="2"><textevent distoffset="5" message="!"/></SteadyState>"#;
    let ignored: Vec<(String, usize)> = imported(elements)
        .ignored
        .into_iter()
        .map(|ignored| (ignored.what, ignored.count))
        .collect();
    let expected = [
        ("Quantize", 1),
        ("Teleport", 1),
        ("gameplayevent", 2),
        ("pace", 2),
        ("textevent", 1),
    ];
    assert_eq!(
        ignored,
        expected.map(|(what, count)| (what.to_owned(), count))
    );
}

#[test]
fn a_message_after_the_end_is_left_out_and_counted() {
    let imported = imported(
        r#"<FreeRide Duration="60"><textevent timeoffset="60" message="Late"/></FreeRide>"#,
    );
    assert_eq!(imported.workout.cues(), []);
    assert_eq!(
        imported.ignored,
        [Ignored {
            what: "textevent".into(),
            count: 1
        }]
    );
}

#[test]
fn an_element_of_no_length_is_left_out() {
    assert_eq!(
        intervals(r#"<FreeRide Duration="0"/><FreeRide Duration="5"/>"#).len(),
        1
    );
    let set = r#"<IntervalsT Repeat="2" OnDuration="30" OffDuration="0" OnPower="1"/>"#;
    assert_eq!(intervals(set).len(), 2);
}

#[test]
fn a_file_without_a_name_is_given_one() {
    let file = "<workout_file><workout><FreeRide Duration='5'/></workout></workout_file>";
    assert_eq!(
        parse(file.as_bytes()).expect("a workout").workout.name(),
        "Untitled workout"
    );
}

#[test]
fn names_are_text_whatever_they_look_like() {
    let file = "<workout_file><name>&lt;img onerror&gt; \u{202e}evil</name><workout><FreeRide Duration='5'/></workout>\
        </workout_file>";
    assert_eq!(
        parse(file.as_bytes()).expect("a workout").workout.name(),
        "<img onerror> evil"
    );
}

#[test]
fn byte_order_marks_and_utf_16_are_read() {
    let text = file_of("<FreeRide Duration='5'/>");
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let files = [
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        [b"\xff\xfe", little.as_slice()].concat(),
        [b"\xfe\xff", big.as_slice()].concat(),
        little,
        big,
    ];
    for file in files {
        assert!(parse(&file).is_ok());
    }
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
        refused_quickly(&bytes),
        ZwoError::TooLarge {
            bytes: MAX_BYTES + 1
        }
    );
}

#[test]
fn what_is_not_text_is_refused_with_its_place() {
    assert_eq!(
        parse(b"<workout_file>\n ab\xff")
            .map_err(|error| error.to_string())
            .unwrap_err(),
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
            .unwrap_err()
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
        parse(cut.as_bytes()).unwrap_err().to_string(),
        "Line 3, column 24: the XML is broken: the file ends too early. Export the workout again."
    );
    let mismatch = "<workout_file>\n  <workout></name></workout_file>";
    assert_eq!(
        parse(mismatch.as_bytes()).unwrap_err().to_string(),
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
        parse(file.as_bytes()).unwrap_err().to_string(),
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
        parse(file.as_bytes()).unwrap_err().to_string(),
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
        parse(file.as_bytes()).unwrap_err().to_string(),
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
    let error = refused_quickly(file.as_bytes());
    assert_eq!(error.place().map(|place| place.line), Some(2_001));
    assert!(error.to_string().contains("at most 2,000"), "{error}");
    let set =
        "<IntervalsT Repeat='2000' OnDuration='1' OffDuration='1' OnPower='1' OffPower='0.5'/>";
    assert!(matches!(
        refused(&set.repeat(5)),
        ZwoError::Limit {
            error: WorkoutError::TooManyIntervals { .. },
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
    assert!(matches!(
        refused_quickly(bomb.as_bytes()),
        ZwoError::Doctype { .. }
    ));
}

#[test]
fn files_made_to_be_slow_are_refused_quickly() {
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
    ] {
        let error = refused_quickly(file.as_bytes());
        assert!(
            matches!(
                error,
                ZwoError::Xml {
                    fault: XmlFault::TooComplex,
                    ..
                }
            ),
            "{error}"
        );
    }
    refused_quickly(nested.as_bytes());
}

#[test]
fn a_full_file_of_wrong_numbers_is_refused_quickly() {
    let padding = format!("<!-- {} -->", "x\n".repeat(200_000));
    let good = "<SteadyState Duration='1' Power='0.5' Cadence='90'/>".repeat(1_999);
    let file = file_of(&format!(
        "{padding}{good}<SteadyState Duration='1' Power='x'/>"
    ));
    assert!(matches!(
        refused_quickly(file.as_bytes()),
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
        parse(file.as_bytes()).unwrap_err().to_string(),
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
