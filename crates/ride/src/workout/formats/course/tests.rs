use super::*;
use crate::workout::Cue;
use crate::workout::formats::{self, Imported};

fn read_as(file_name: &str, file: &str) -> Imported {
    formats::read(file.as_bytes(), file_name, Ftp::new(200).unwrap()).expect(file)
}

/// Seconds and percent of FTP at both ends of each interval.
fn intervals(imported: &Imported) -> Vec<(u64, i32, i32)> {
    let intervals = imported.workout.intervals().iter();
    let ends = intervals.map(|interval| match interval.target {
        Target::Power { from, to } => {
            let [from, to] = [from, to].map(|end| (end * 100.0).round() as i32);
            (interval.duration.as_secs(), from, to)
        }
        target => panic!("{target:?}"),
    });
    ends.collect()
}

fn kinds(imported: &Imported) -> Vec<RemarkKind> {
    imported
        .remarks
        .iter()
        .map(|remark| remark.kind.clone())
        .collect()
}

fn file(header: &str, data: &str) -> String {
    format!(
        "[COURSE HEADER]\n{header}\n[END COURSE HEADER]\n[COURSE DATA]\n{data}\n[END COURSE DATA]\n"
    )
}

#[test]
fn steps_and_ramps_are_read() {
    let data = "0.00\t45\n5.00\t75\n5.00\t90\n15.00\t90\n15.00\t50\n20.00\t50";
    let imported = read_as("a.mrc", &file("VERSION = 2\nMINUTES PERCENT", data));
    assert_eq!(
        intervals(&imported),
        [(300, 45, 75), (600, 90, 90), (300, 50, 50)]
    );
    assert_eq!(imported.workout.intervals()[0].kind, IntervalKind::Warmup);
    assert_eq!(imported.remarks, []);
}

#[test]
fn watts_are_shares_of_the_ftp_of_the_file_or_else_of_the_rider() {
    let data = "0 125\n10 125\n10 250\n20 250";
    for header in [
        "FTP = 250\nMINUTES WATTS",
        "MINUTES  WATTS\nFTP=250",
        "MINUTES\tWATTS\nftp =250",
    ] {
        let imported = read_as("a.erg", &file(header, data));
        assert_eq!(intervals(&imported), [(600, 50, 50), (600, 100, 100)]);
        assert_eq!(imported.remarks, []);
    }
    let imported = read_as("a.erg", &file("MINUTES WATTS", data));
    assert_eq!(intervals(&imported), [(600, 63, 63), (600, 125, 125)]);
    assert_eq!(kinds(&imported), [RemarkKind::Watts { ftp: 200 }]);
}

#[test]
fn a_file_without_a_unit_is_read_by_its_ending_and_its_powers() {
    let data = "0 125\n10 125\n10 180\n20 180";
    let unit = |name: &str, data: &str| {
        let kinds = kinds(&read_as(name, &file("VERSION = 2", data)));
        kinds.into_iter().find_map(|kind| match kind {
            RemarkKind::AssumedUnit(unit) => Some(unit),
            _ => None,
        })
    };
    assert_eq!(unit("a.mrc", data), Some(PowerUnit::Percent));
    assert_eq!(unit("a.erg", data), Some(PowerUnit::Watts));
    assert_eq!(unit("a.txt", data), Some(PowerUnit::Percent));
    assert_eq!(unit("a.txt", "0 250\n10 250"), Some(PowerUnit::Watts));
}

#[test]
fn minutes_with_two_decimals_mean_whole_seconds() {
    let data = "0.00 50\n0.33 50\n0.33 120\n0.67 120\n0.67 50\n1.17 50\n1.17 80\n1.5 80";
    let imported = read_as("a.mrc", &file("MINUTES PERCENT", data));
    let seconds: Vec<u64> = intervals(&imported).iter().map(|it| it.0).collect();
    assert_eq!(seconds, [20, 20, 30, 20]);
}

#[test]
fn three_points_at_one_minute_are_one_step() {
    let data = "0 50\n10 50\n10 70\n10 90\n20 90";
    let imported = read_as("a.mrc", &file("MINUTES PERCENT", data));
    assert_eq!(intervals(&imported), [(600, 50, 50), (600, 90, 90)]);
}

#[test]
fn a_course_of_single_points_is_stepped_unless_it_holds_a_power() {
    let stepped = read_as(
        "a.mrc",
        &file("MINUTES PERCENT", "0 50\n10 90\n20 55\n25 95\n35 50"),
    );
    assert_eq!(
        intervals(&stepped),
        [(600, 50, 50), (600, 90, 90), (300, 55, 55), (600, 95, 95)]
    );
    assert_eq!(kinds(&stepped), [RemarkKind::AssumedSteps]);
    let ramped = read_as(
        "a.mrc",
        &file("MINUTES PERCENT", "0 50\n10 50\n11 90\n20 90"),
    );
    assert_eq!(
        intervals(&ramped),
        [(600, 50, 50), (60, 50, 90), (540, 90, 90)]
    );
    assert_eq!(kinds(&ramped), [RemarkKind::AssumedRamps]);
}

#[test]
fn laps_name_intervals_and_texts_become_cues() {
    let text = format!(
        "{}[COURSE TEXT]\n0\tWelcome\t12\n65 Half way there 20\n30\t\"Quoted\"\t8\n9999\tToo late\t10\nnonsense\n[END COURSE TEXT]\n",
        file(
            "MINUTES PERCENT",
            "0 50\n0 LAP Spin easily\n1 50\n1 90\n2 90\n1 LAP Go"
        )
    );
    let imported = read_as("a.mrc", &text);
    let names: Vec<&str> = imported
        .workout
        .intervals()
        .iter()
        .map(|it| &*it.name)
        .collect();
    assert_eq!(names, ["Spin easily", "Go"]);
    let cue = |at, shown_for, text: &str| Cue {
        at: Duration::from_secs(at),
        shown_for: Duration::from_secs(shown_for),
        text: text.to_owned(),
    };
    assert_eq!(
        imported.workout.cues(),
        [
            cue(0, 12, "Welcome"),
            cue(30, 8, "Quoted"),
            cue(65, 20, "Half way there")
        ]
    );
    assert_eq!(imported.remarks.len(), 2);
}

#[test]
fn untidy_headers_and_numbers_are_read() {
    let text = "\u{feff}[course header]\r\nDESCRIPTION = Ein Berg\r\nFILE NAME = Hügel.mrc\r\nMINUTES PERCENTAGE\r\n[end course header]\r\n[course data]\r\n0,00 45,5\r\n10,00 45,5\r\n10,00;90%\r\n20,00;90%\r\n[end course data]";
    let imported = read_as("x.mrc", text);
    assert_eq!(imported.workout.name(), "Hügel");
    assert_eq!(imported.workout.description(), "Ein Berg");
    assert_eq!(intervals(&imported), [(600, 46, 46), (600, 90, 90)]);
    assert_eq!(imported.remarks, []);
}

#[test]
fn a_file_without_sections_is_read_if_its_name_says_what_it_is() {
    let imported = read_as("plain.erg", "MINUTES WATTS\n0 100\n10 100\n");
    assert_eq!(imported.workout.name(), "plain");
    assert_eq!(intervals(&imported), [(600, 50, 50)]);
}

#[test]
fn lines_that_cannot_be_read_are_left_out_with_their_place() {
    let imported = read_as(
        "a.mrc",
        &file(
            "MINUTES PERCENT",
            "0 50\nfive 60\n10 50\n9 80\n10 900\n11 900",
        ),
    );
    assert_eq!(intervals(&imported), [(600, 50, 50), (60, 500, 500)]);
    let places: Vec<_> = imported.remarks.iter().map(|remark| remark.place).collect();
    let at = |line| Place::Text { line, column: 1 };
    assert_eq!(places, [at(6), at(8), at(9)]);
}

#[test]
fn a_course_without_points_is_refused() {
    let error = |text: &str| formats::read(text.as_bytes(), "a.erg", Ftp::default()).unwrap_err();
    assert!(matches!(
        error(&file("MINUTES WATTS", "")),
        FileError::NoWorkout { .. }
    ));
    assert!(matches!(
        error(&file("MINUTES WATTS", "0 100")),
        FileError::NothingToRide { .. }
    ));
    let long = error(&file("MINUTES WATTS", "0 100\n1441 100"));
    assert!(matches!(long, FileError::Limit { .. }), "{long}");
}

#[test]
fn a_course_with_more_intervals_than_can_be_ridden_is_refused() {
    let point = |n: u32| {
        let (from, to, power) = (f64::from(n) / 10.0, f64::from(n + 1) / 10.0, 50 + n % 2);
        format!("{from:.1} {power}\n{to:.1} {power}\n")
    };
    let points: String = (0..6_000).map(point).collect();
    let error = formats::read(
        file("MINUTES PERCENT", &points).as_bytes(),
        "a",
        Ftp::default(),
    );
    assert!(matches!(error, Err(FileError::Limit { .. })));
}
