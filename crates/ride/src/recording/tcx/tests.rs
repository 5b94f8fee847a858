use core::time::Duration;
use std::sync::Arc;

use clock::WallTime;
use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::*;
use crate::recording::{Lap, Recording, SubSport, test_rides};
use crate::rider::Ftp;
use crate::workout::{Draft, Interval, Target, Workout};

/// 2027-01-15T08:00:00Z
const START: WallTime = WallTime::from_unix_ms(1_800_000_000_000);
const TRAINING_CENTER: &str = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2";
const EXTENSION: &str = "http://www.garmin.com/xmlschemas/ActivityExtension/v2";

fn at(second: u64) -> WallTime {
    START.after(Duration::from_secs(second))
}

fn sample(second: u64) -> Sample {
    Sample {
        at: at(second),
        power: Some(200),
        cadence: Some(90),
        heart_rate: Some(120),
        target: Some(150),
        speed: Some(9_000),
    }
}

fn lap(second: u64, interval: u32) -> Lap {
    Lap {
        at: at(second),
        interval: Some(interval),
        after_jump: false,
    }
}

/// Four seconds in two laps, with a pause in the second one.
fn recording() -> Recording {
    let empty = Sample {
        power: None,
        cadence: None,
        heart_rate: None,
        speed: None,
        ..sample(61)
    };
    Recording {
        samples: vec![sample(0), sample(1), sample(60), empty],
        laps: vec![lap(0, 0), lap(1, 1)],
        ..Recording::new(START, "Sets & <more>".into(), Ftp::default())
    }
}

fn activity(recording: Recording) -> Activity {
    let interval = |kind| Interval::new(Duration::from_secs(60), kind, Target::steady(0.5));
    let draft = Draft {
        name: recording.workout.clone(),
        intervals: vec![interval(IntervalKind::Work), interval(IntervalKind::Rest)],
        ..Draft::default()
    };
    Activity {
        workout: Workout::new(draft).ok().map(Arc::new),
        recording,
        serial_number: 0x1234_5678,
        sub_sport: SubSport::default(),
    }
}

fn written(recording: Recording) -> String {
    let file = encode(&activity(recording), 3_600).expect("a TCX file");
    String::from_utf8(file.bytes).expect("text")
}

/// Elements of this name, in any depth.
fn all<'a>(node: Node<'a, 'a>, name: &str) -> Vec<Node<'a, 'a>> {
    let elements = node.descendants();
    elements
        .filter(|element| element.tag_name().name() == name)
        .collect()
}

/// Texts of the elements of this name, in any depth.
fn texts<'a>(node: Node<'a, 'a>, name: &str) -> Vec<&'a str> {
    all(node, name)
        .iter()
        .map(|element| element.text().unwrap_or_default())
        .collect()
}

fn sum(node: Node<'_, '_>, name: &str) -> f64 {
    let laps = all(node, "Lap").into_iter();
    let values = laps.filter_map(|lap| {
        let child = lap
            .children()
            .find(|child| child.has_tag_name((TRAINING_CENTER, name)));
        child.and_then(|child| child.text()?.parse::<f64>().ok())
    });
    values.sum()
}

#[test]
fn a_ride_is_written_byte_for_byte() {
    let extension = |name: &str, content: &str| {
        format!("<Extensions><{name} xmlns=\"{EXTENSION}\">{content}</{name}></Extensions>")
    };
    let point = |time: &str, distance: &str| {
        let motion = extension("TPX", "<Speed>9.000</Speed><Watts>200</Watts>");
        format!(
            "<Trackpoint><Time>2027-01-15T{time}Z</Time><DistanceMeters>{distance}</DistanceMeters>\
             <HeartRateBpm><Value>120</Value></HeartRateBpm><Cadence>90</Cadence>{motion}\
             </Trackpoint>\n"
        )
    };
    let heart = "<AverageHeartRateBpm><Value>120</Value></AverageHeartRateBpm>\
                 <MaximumHeartRateBpm><Value>120</Value></MaximumHeartRateBpm>";
    let slower = extension("TPX", "<Speed>8.766</Speed>");
    let first = extension(
        "LX",
        "<AvgSpeed>9.000</AvgSpeed><MaxBikeCadence>90</MaxBikeCadence>\
         <AvgWatts>200</AvgWatts><MaxWatts>200</MaxWatts>",
    );
    let second = first.replace("<AvgSpeed>9.000", "<AvgSpeed>8.922");
    let expected = [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        &format!("<TrainingCenterDatabase xmlns=\"{TRAINING_CENTER}\" "),
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n",
        "<Activities>\n<Activity Sport=\"Biking\">\n<Id>2027-01-15T08:00:00Z</Id>",
        "<Lap StartTime=\"2027-01-15T08:00:00Z\">\n<TotalTimeSeconds>1</TotalTimeSeconds>",
        "<DistanceMeters>9.00</DistanceMeters><MaximumSpeed>9.000</MaximumSpeed>",
        "<Calories>0</Calories>",
        heart,
        "<Intensity>Active</Intensity><Cadence>90</Cadence>",
        "<TriggerMethod>Time</TriggerMethod>\n<Track>\n",
        &point("08:00:00", "9.00"),
        "</Track>\n",
        &first,
        "</Lap>\n<Lap StartTime=\"2027-01-15T08:00:01Z\">\n<TotalTimeSeconds>3</TotalTimeSeconds>",
        "<DistanceMeters>26.77</DistanceMeters><MaximumSpeed>9.000</MaximumSpeed>",
        "<Calories>1</Calories>",
        heart,
        "<Intensity>Resting</Intensity><Cadence>90</Cadence>",
        "<TriggerMethod>Manual</TriggerMethod>\n<Track>\n",
        &point("08:00:01", "18.00"),
        "</Track>\n<Track>\n",
        &point("08:01:00", "27.00"),
        "<Trackpoint><Time>2027-01-15T08:01:01Z</Time><DistanceMeters>35.77</DistanceMeters>",
        &slower,
        "</Trackpoint>\n</Track>\n",
        &second,
        "</Lap>\n<Notes>Sets &amp; &lt;more&gt;</Notes><Creator xsi:type=\"Device_t\">",
        "<Name>Gruppetto</Name><UnitId>305419896</UnitId><ProductID>0</ProductID>",
        "<Version><VersionMajor>0</VersionMajor><VersionMinor>1</VersionMinor></Version>",
        "</Creator>\n</Activity>\n</Activities>\n</TrainingCenterDatabase>\n",
    ];
    assert_eq!(written(recording()), expected.concat());
}

#[test]
fn the_name_has_the_local_date_and_the_times_are_utc() {
    // 2026-11-21T23:30:00Z
    let start = WallTime::from_unix_ms(1_795_303_800_000);
    let recording = Recording {
        started_at: start,
        samples: vec![Sample {
            at: start,
            ..sample(0)
        }],
        ..recording()
    };
    let file = encode(&activity(recording), 3_600).expect("a TCX file");
    assert_eq!(file.name, "gruppetto-sets-more-2026-11-22.tcx");
    let text = String::from_utf8(file.bytes).expect("text");
    assert!(text.contains("<Id>2026-11-21T23:30:00Z</Id>"));
}

#[test]
fn text_is_escaped_and_characters_that_xml_does_not_allow_are_left_out() {
    let name = "a<b>&amp;\"'\u{0}\u{8}\u{1b}\t\r\n\u{fffe}\u{ffff}\u{7f}ä\u{1f6b4}]]>";
    let recording = Recording {
        workout: name.into(),
        ..recording()
    };
    let activity = Activity {
        workout: None,
        ..activity(recording)
    };
    let file = encode(&activity, 0).expect("a TCX file");
    let text = String::from_utf8(file.bytes).expect("text");
    let document = Document::parse(&text).expect("XML");
    let read = texts(document.root(), "Notes");
    assert_eq!(read, ["a<b>&amp;\"'\t\r\n\u{7f}ä\u{1f6b4}]]>"]);
}

#[test]
fn a_ride_without_a_name_has_no_notes() {
    let recording = Recording {
        workout: String::new(),
        ..recording()
    };
    let activity = Activity {
        workout: None,
        ..activity(recording)
    };
    let bytes = encode(&activity, 0).expect("a TCX file").bytes;
    assert!(!String::from_utf8(bytes).expect("text").contains("Notes"));
}

#[test]
fn what_was_not_measured_is_left_out_but_what_the_schema_demands() {
    let mut recording = recording();
    for sample in &mut recording.samples {
        (sample.power, sample.cadence) = (None, None);
        (sample.heart_rate, sample.speed) = (None, None);
    }
    let text = written(recording);
    let document = Document::parse(&text).expect("XML");
    assert_eq!(texts(document.root(), "DistanceMeters"), ["0.00", "0.00"]);
    assert_eq!(texts(document.root(), "Calories"), ["0", "0"]);
    for missing in ["HeartRate", "Cadence", "Speed", "Watts", "Extensions"] {
        assert!(!text.contains(missing), "{missing}");
    }
}

#[test]
fn values_that_the_schema_does_not_allow_are_left_out_or_lowered() {
    let mut recording = recording();
    recording.samples[0].heart_rate = Some(0);
    recording.samples[0].cadence = Some(255);
    recording.samples.truncate(1);
    let text = written(recording);
    assert!(!text.contains("HeartRate"));
    assert!(text.contains("<Cadence>254</Cadence>"));
}

#[test]
fn a_ride_without_seconds_or_of_a_wrong_date_is_refused() {
    let encode = |recording| encode(&activity(recording), 0);
    let empty = Recording::new(START, String::new(), Ftp::default());
    assert_eq!(encode(empty), Err(ActivityError::Empty));
    let early = Recording {
        started_at: WallTime::from_unix_ms(0),
        ..recording()
    };
    assert_eq!(encode(early), Err(ActivityError::Date));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_ride_is_well_formed_with_ascending_times_and_totals_that_agree(
        script in test_rides::script(),
        name: String,
    ) {
        let recording = Recording {
            workout: name,
            ..test_rides::recording(&script)
        };
        let activity = Activity {
            workout: None,
            ..activity(recording)
        };
        let Ok(file) = encode(&activity, 0) else {
            return Ok(());
        };
        let text = String::from_utf8(file.bytes).expect("text");
        let document = Document::parse(&text).expect("XML");
        let root = document.root();
        let times = texts(root, "Time");
        prop_assert!(times.is_sorted_by(|one, next| one < next));
        // A lap begins with its first trackpoint, and has a track for each stretch.
        for lap in all(root, "Lap") {
            let start = lap.attribute("StartTime").expect("a time");
            prop_assert_eq!(texts(lap, "Time")[0], start);
            prop_assert!(all(lap, "Track").iter().all(|track| !all(*track, "Time").is_empty()));
        }
        prop_assert_eq!(sum(root, "TotalTimeSeconds"), times.len() as f64);
        let points = all(root, "Trackpoint");
        let distance = points.last().and_then(|last| texts(*last, "DistanceMeters").pop());
        let distance = distance.and_then(|it| it.parse::<f64>().ok()).unwrap_or_default();
        prop_assert!((sum(root, "DistanceMeters") - distance).abs() < 0.001);
        let metres: f64 = texts(root, "Speed").iter().filter_map(|it| it.parse::<f64>().ok()).sum();
        prop_assert!((metres - distance).abs() < 0.006, "{} and {}", metres, distance);
        let watts: f64 = texts(root, "Watts").iter().filter_map(|it| it.parse::<f64>().ok()).sum();
        prop_assert!((sum(root, "Calories") - watts / 1_000.0).abs() <= 0.5);
        let extensions = all(root, "TPX").into_iter().chain(all(root, "LX"));
        prop_assert!(extensions.into_iter().all(|it| it.tag_name().namespace() == Some(EXTENSION)));
    }
}
