//! Files that are not workouts, and hostile files.

use proptest::prelude::*;

use super::*;
use crate::workout::WorkoutError;

fn error_of(elements: &str) -> FileError {
    read(file_of(elements).as_bytes()).expect_err(elements)
}

fn file_error(bytes: &[u8]) -> FileError {
    read(bytes).expect_err("an invalid file")
}

#[test]
fn an_empty_file_is_rejected() {
    for bytes in [&b""[..], b"  \n ", b"\xef\xbb\xbf"] {
        assert_eq!(read(bytes), Err(FileError::Empty));
    }
}

#[test]
fn a_file_over_one_mebibyte_is_rejected() {
    let bytes = vec![b' '; MAX_FILE_BYTES + 1];
    assert_eq!(
        file_error(&bytes),
        FileError::TooLarge {
            bytes: MAX_FILE_BYTES + 1
        }
    );
}

#[test]
fn bytes_that_are_not_text_are_rejected_with_their_place() {
    assert_eq!(
        file_error(b"<workout_file>\n ab\xff\x00").to_string(),
        "Line 2, column 5: this is not text. Choose a workout file."
    );
}

#[test]
fn a_file_of_another_format_is_rejected_with_its_root_element() {
    assert_eq!(
        file_error(b"<?xml version='1.0'?>\n<gpx/>").to_string(),
        "Line 2, column 1: this is not a workout: <workout_file> was expected but <gpx> was found. Choose a workout file."
    );
    for text in ["a gpx file", "5 < 6", "\u{feff}\u{feff}"] {
        assert_eq!(
            file_error(text.as_bytes()),
            FileError::UnknownFormat,
            "{text}"
        );
    }
}

#[test]
fn a_file_without_anything_to_ride_is_rejected_with_its_remarks() {
    assert!(matches!(
        file_error(b"<workout_file><name>A</name></workout_file>"),
        FileError::NoWorkout { .. }
    ));
    let cut = b"<workout_file>\n  <workout>\n    <Warmup Duration=\"6";
    for (file, line) in [
        (file_of(""), None),
        (file_of("<FreeRide Duration='0'/>"), None),
        (file_of("\n<Unknown/>"), Some(2)),
        (file_of("\n<FreeRide Duration='-1'/>"), Some(2)),
        (file_of("\n\n<SteadyState Power='1'/>"), Some(3)),
        (String::from_utf8_lossy(cut).into_owned(), Some(3)),
    ] {
        let FileError::NothingToRide { remarks, .. } = file_error(file.as_bytes()) else {
            panic!("{file}");
        };
        assert_eq!(
            remarks.first().map(|remark| line_of(remark.place)),
            line,
            "{file}"
        );
    }
}

#[test]
fn ten_thousand_intervals_are_rejected_at_the_first_one_beyond_the_limit() {
    let file = file_of(&"<FreeRide Duration='1'/>\n".repeat(10_000));
    let error = file_error(file.as_bytes());
    assert!(
        matches!(error, FileError::Limit { place, .. } if line_of(place) == 5_001),
        "{error}"
    );
    assert!(error.to_string().contains("more than 5,000"), "{error}");
    let set =
        "<IntervalsT Repeat='3000' OnDuration='1' OffDuration='1' OnPower='1' OffPower='0.5'/>";
    for sets in [set.repeat(5), set.replace("3000", "1e9")] {
        assert!(matches!(
            error_of(&sets),
            FileError::Limit {
                error: WorkoutError::TooManyIntervals,
                ..
            }
        ));
    }
}

#[test]
fn more_than_24_hours_are_rejected_at_the_element_that_exceeds_them() {
    let error = error_of("<FreeRide Duration='86400'/><FreeRide Duration='1'/>");
    assert!(
        matches!(
            error,
            FileError::Limit {
                error: WorkoutError::TooLong,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn entities_of_a_document_type_are_never_expanded() {
    let bomb = r#"<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;>">]>
        <workout_file><name>&b;</name><workout><FreeRide Duration='5'/></workout></workout_file>"#;
    assert_eq!(
        read(bomb.as_bytes()).expect("a workout").workout.name(),
        "&b;"
    );
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
        assert_eq!(error, FileError::TooComplex);
    }
}

/// Pieces of markup that look for an end far away. A reader that looks for it anew at every piece
/// would need hours for each of these files.
#[test]
fn a_file_full_of_one_piece_of_broken_markup_is_read_in_one_pass() {
    for piece in [
        "<",
        "<!",
        "<!--",
        "<![CDATA[",
        "<?",
        "</",
        "<a",
        "<a b",
        "<a b=",
        "<a b='",
        "&",
        "&#",
        "'",
        "<a b='<",
        "<!-->",
        "<a b=>",
        "</a>",
        "<a/><!--x--",
        "<?x>",
        "<b c='&'/>",
        "<!DOCTYPE [",
    ] {
        let start = "<workout_file><workout><FreeRide Duration='5'/>";
        let file = start.to_owned() + &piece.repeat((MAX_FILE_BYTES - start.len()) / piece.len());
        match read(file.as_bytes()) {
            Ok(imported) => assert_eq!(imported.workout.intervals().len(), 1, "{piece}"),
            Err(error) => assert_eq!(error, FileError::TooComplex, "{piece}"),
        }
    }
}

#[test]
fn the_number_of_remarks_is_limited() {
    let unknown: String = (0..1_000).map(|n| format!("<a{n}/>\n")).collect();
    let remarks = imported(&format!("{unknown}<FreeRide Duration='5'/>")).remarks;
    assert_eq!(remarks.len(), 51);
    let rest = &remarks[50];
    assert_eq!((rest.count, &rest.kind), (950, &RemarkKind::More));
}

proptest! {
    #[test]
    fn parsing_arbitrary_bytes_never_panics(bytes: Vec<u8>) {
        let _ = read(&bytes);
    }

    #[test]
    fn parsing_arbitrary_markup_never_panics(
        pieces in prop::collection::vec("<[/!?]?|-{1,3}|[>\\]\\[\"'=&;]|&#x?[0-9f]{1,9};|CDATA|é|😀|[a-z: \n]{1,4}|</?workout(_file)?>", 0..60),
    ) {
        let text = pieces.concat();
        let _ = read(text.as_bytes());
        let _ = read(file_of(&text).as_bytes());
    }

    #[test]
    fn parsing_arbitrary_values_never_panics(
        element in "Warmup|Ramp|SteadyState|IntervalsT|FreeRide|textevent|x",
        attributes in prop::collection::vec(("(On|Off)?(Duration|Power)|PowerLow|PowerHigh|Repeat|Cadence|timeoffset|Zone", "[-0-9.e<&aN %,]{0,6}"), 0..6),
        tail in "[<>/a!\\[\\]\"'? -]{0,12}",
    ) {
        let attributes: String = attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
        let file = file_of(&format!("<{element}{attributes}/>{tail}"));
        if let Ok(imported) = read(file.as_bytes()) {
            prop_assert!(imported.workout.duration() > Duration::ZERO);
        }
    }
}
