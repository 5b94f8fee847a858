use core::time::Duration;

use crate::rider::Ftp;
use crate::workout::formats::{
    self, FileError, Imported, MAX_FILE_BYTES, Malformation, Place, Quantity, RemarkKind,
};
use crate::workout::{Interval, IntervalKind, Target};

mod errors;
mod repairs;

fn file_of(elements: &str) -> String {
    format!("<workout_file><name>Test</name><workout>{elements}</workout></workout_file>")
}

fn read(file: &[u8]) -> Result<Imported, FileError> {
    formats::read(file, "workout.zwo", Ftp::default())
}

fn imported(elements: &str) -> Imported {
    read(file_of(elements).as_bytes()).expect(elements)
}

/// Line and subject of each remark.
fn remarks(imported: Imported) -> Vec<(u32, RemarkKind)> {
    let remarks = imported.remarks.into_iter();
    remarks
        .map(|remark| (line_of(remark.place), remark.kind))
        .collect()
}

fn line_of(place: Place) -> u32 {
    match place {
        Place::Text { line, .. } => line,
        Place::Byte(_) => panic!("a text has lines"),
    }
}

fn left_out(name: &str) -> RemarkKind {
    let name = name.to_owned();
    RemarkKind::Ignored { name }
}

fn intervals(elements: &str) -> Vec<Interval> {
    imported(elements).workout.intervals().to_vec()
}

fn only(elements: &str) -> Interval {
    let mut intervals = intervals(elements);
    assert_eq!(intervals.len(), 1, "{elements}");
    intervals.remove(0)
}

const fn power(from: f32, to: f32) -> Target {
    Target::Power { from, to }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_real_file_is_read_completely() {
    let bytes = include_bytes!("../../../../tests/data/sweet-spot-intervals.zwo");
    let Imported { workout, remarks } = read(bytes).expect("a real file");
    assert_eq!(workout.name(), "Sweet Spot Intervals");
    assert_eq!(workout.author(), "Zwift Hub Controller");
    assert!(workout.description().starts_with("Classic 4x10 minute"));
    assert_eq!(workout.intervals().len(), 10);
    assert_eq!(workout.duration(), seconds(4_800));
    assert_eq!(
        workout.intervals()[0],
        Interval::new(seconds(600), IntervalKind::Warmup, power(0.5, 0.7))
    );
    assert_eq!(
        workout.intervals()[9],
        Interval::new(seconds(600), IntervalKind::Cooldown, power(0.6, 0.4))
    );
    assert_eq!(remarks, []);
}

#[test]
fn slopes_go_from_low_to_high_in_time_even_where_low_is_larger() {
    for (element, kind) in [
        ("Warmup", IntervalKind::Warmup),
        ("Ramp", IntervalKind::Ramp),
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
fn a_cool_down_goes_down_whichever_of_its_powers_is_larger() {
    let slope = |low: f32, high: f32| {
        let cooldown = format!(r#"<Cooldown Duration="60" PowerLow="{low}" PowerHigh="{high}"/>"#);
        let imported = imported(&cooldown);
        let interval = imported.workout.intervals()[0].clone();
        assert_eq!(interval.kind, IntervalKind::Cooldown);
        (interval.target, remarks(imported))
    };
    assert_eq!(slope(0.75, 0.25), (power(0.75, 0.25), vec![]));
    let swapped = (1, RemarkKind::RisingCooldown);
    assert_eq!(slope(0.25, 0.75), (power(0.75, 0.25), vec![swapped]));
}

#[test]
fn a_ramp_may_have_a_constant_power() {
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
fn a_set_is_repeated_with_a_cadence_for_each_part() {
    let set = r#"<IntervalsT Repeat="3" OnDuration="30" OffDuration="15" OnPower="1.2" OffPower="0.5"
        Cadence="100" CadenceResting="80"/>"#;
    let on = Interval {
        cadence: Some(100),
        ..Interval::new(seconds(30), IntervalKind::Work, Target::steady(1.2))
    };
    let off = Interval {
        cadence: Some(80),
        ..Interval::new(seconds(15), IntervalKind::Rest, Target::steady(0.5))
    };
    assert_eq!(
        intervals(set),
        [on.clone(), off.clone(), on.clone(), off.clone(), on, off]
    );
}

#[test]
fn a_set_without_repeat_is_ridden_once_and_may_have_slopes() {
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
        ("FreeRide", IntervalKind::FreeRide, Target::Free),
        ("Freeride", IntervalKind::FreeRide, Target::Free),
        ("MaxEffort", IntervalKind::MaxEffort, Target::Max),
    ] {
        let interval = only(&format!(
            r#"<{element} Duration="60" FlatRoad="1" ftptest="1"/>"#
        ));
        assert_eq!((interval.kind, interval.target), (kind, target));
    }
}

#[test]
fn durations_are_rounded_to_milliseconds() {
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
fn a_cadence_may_be_a_range_and_0_minus_1_or_nothing_is_none() {
    assert_eq!(
        only(r#"<FreeRide Duration="9" Cadence="95"/>"#).cadence,
        Some(95)
    );
    assert_eq!(
        only(r#"<FreeRide Duration="9" CadenceLow="80" CadenceHigh="90"/>"#).cadence,
        Some(85)
    );
    for none in ["0", "-1", "", " "] {
        let imported = imported(&format!(r#"<FreeRide Duration="9" Cadence="{none}"/>"#));
        assert_eq!(imported.workout.intervals()[0].cadence, None);
        assert_eq!(imported.remarks, []);
    }
}

#[test]
fn cues_are_timed_from_the_start_of_their_element_which_may_be_a_set() {
    let workout = imported(
        r#"<SteadyState Duration="60" Power="0.5"><textevent timeoffset="5" message="One" duration="7"/></SteadyState>
        <IntervalsT Repeat="2" OnDuration="30" OffDuration="30" OnPower="1" OffPower="0.5">
            <TextEvent TimeOffset="65.5" message="Three"/><textevent message="Two"/>
        </IntervalsT>"#,
    );
    assert_eq!(workout.remarks, []);
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
fn unknown_parts_are_left_out_and_counted() {
    let elements = r#"<Warmup Duration="60" PowerLow="0.4" PowerHigh="0.6" pace="1" Quantize="1">
            <gameplayevent timeoffset="1"/><gameplayevent timeoffset="2"/></Warmup>
        <Teleport/><SteadyState Duration="60" Power="0.5" pace="2"><textevent distoffset="5" message="!"/></SteadyState>"#;
    let ignored: Vec<(u32, usize, RemarkKind)> = imported(elements)
        .remarks
        .into_iter()
        .map(|remark| (line_of(remark.place), remark.count, remark.kind))
        .collect();
    let expected = [
        (1, 2, "pace"),
        (1, 1, "Quantize"),
        (2, 2, "gameplayevent"),
        (3, 1, "Teleport"),
        (3, 1, "textevent"),
    ];
    assert_eq!(
        ignored,
        expected.map(|(line, count, name)| (line, count, left_out(name)))
    );
}

#[test]
fn parts_that_do_not_affect_the_ride_are_not_worth_a_remark() {
    let file = r#"<workout_file><uniqueId>1</uniqueId><OverUnder>1</OverUnder><durationType>time</durationType>
        <sportType>bike</sportType><tags/><workout>
        <SteadyState Duration="60" Power="0.5" pace="0" FlatRoad="1" OverUnder="1"/></workout></workout_file>"#;
    assert_eq!(read(file.as_bytes()).expect("a workout").remarks, []);
}

#[test]
fn a_cue_after_the_end_is_left_out() {
    let imported = imported(
        "<FreeRide Duration='60'>\n<textevent timeoffset='60' message='Late'/></FreeRide>",
    );
    assert_eq!(imported.workout.cues(), []);
    assert_eq!(remarks(imported), [(2, left_out("textevent"))]);
}

#[test]
fn an_element_without_length_is_ignored() {
    assert_eq!(
        intervals(r#"<FreeRide Duration="0"/><FreeRide Duration="5"/>"#).len(),
        1
    );
    let set = r#"<IntervalsT Repeat="2" OnDuration="30" OffDuration="0" OnPower="1"/>"#;
    assert_eq!(intervals(set).len(), 2);
}

#[test]
fn a_workout_without_a_name_is_called_like_its_file() {
    let name = |name_element: &str, file_name: &str| {
        let file = format!(
            "<workout_file>{name_element}<workout><FreeRide Duration='5'/></workout></workout_file>"
        );
        let imported =
            formats::read(file.as_bytes(), file_name, Ftp::default()).expect("a workout");
        imported.workout.name().to_owned()
    };
    assert_eq!(name("<name>Sweet</name><n>S</n>", "a.zwo"), "Sweet");
    assert_eq!(name("<n>Short</n>", "a.zwo"), "Short");
    assert_eq!(
        name("<name> </name>", "Sweet spot 2.1.zwo"),
        "Sweet spot 2.1"
    );
    assert_eq!(name("", "download"), "download");
    assert_eq!(name("", ".zwo"), "Untitled workout");
    assert_eq!(name("", &"x".repeat(300)).chars().count(), 200);
}

#[test]
fn names_are_plain_text() {
    let file = "<workout_file><name>&lt;img onerror&gt; \u{202e}evil</name><workout><FreeRide Duration='5'/></workout>\
        </workout_file>";
    assert_eq!(
        read(file.as_bytes()).expect("a workout").workout.name(),
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
        assert!(read(&file).is_ok());
    }
}
