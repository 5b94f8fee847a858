//! Writing of courses.

use core::fmt::Write as _;
use core::time::Duration;

use crate::rider::Ftp;
use crate::workout::formats::remark::PowerUnit;
use crate::workout::{Target, Workout, zone};

/// Writes a workout. A free ride and a maximal effort, which a course cannot hold, are written with
/// the powers that the profile shows.
pub(in crate::workout::formats) fn write(workout: &Workout, unit: PowerUnit, ftp: Ftp) -> String {
    let mut file = String::from("[COURSE HEADER]\r\nVERSION = 2\r\nUNITS = METRIC\r\n");
    let description = one_line(workout.description());
    let _ = write!(file, "DESCRIPTION = {description}\r\n");
    let _ = write!(file, "FILE NAME = {}\r\n", workout.name());
    if unit == PowerUnit::Watts {
        let _ = write!(file, "FTP = {}\r\n", ftp.watts());
    }
    file += match unit {
        PowerUnit::Watts => "MINUTES WATTS\r\n",
        PowerUnit::Percent => "MINUTES PERCENT\r\n",
    };
    file += "[END COURSE HEADER]\r\n[COURSE DATA]\r\n";
    let mut start = Duration::ZERO;
    for interval in workout.intervals() {
        let (from, to) = match interval.target {
            Target::Power { from, to } => (from, to),
            Target::Free => (zone::FREE_HEIGHT, zone::FREE_HEIGHT),
            Target::Max => (zone::MAX_HEIGHT, zone::MAX_HEIGHT),
        };
        if !interval.name.is_empty() {
            let _ = write!(file, "{}\tLAP {}\r\n", minutes(start), interval.name);
        }
        let end = start + interval.duration;
        for (at, fraction) in [(start, from), (end, to)] {
            let _ = write!(file, "{}\t{}\r\n", minutes(at), value(fraction, unit, ftp));
        }
        start = end;
    }
    file += "[END COURSE DATA]\r\n";
    if !workout.cues().is_empty() {
        file += "[COURSE TEXT]\r\n";
        for cue in workout.cues() {
            let [at, shown_for] = [cue.at, cue.shown_for].map(|time| time.as_secs_f64());
            let _ = write!(file, "{at}\t{}\t{shown_for}\r\n", one_line(&cue.text));
        }
        file += "[END COURSE TEXT]\r\n";
    }
    file
}

/// Whole seconds have two decimals, as in other programs' files. Others have more, so that nothing
/// is lost.
fn minutes(time: Duration) -> String {
    let minutes = time.as_secs_f64() / 60.0;
    if time.subsec_nanos() == 0 {
        format!("{minutes:.2}")
    } else {
        format!("{minutes:.6}")
    }
}

fn value(fraction: f32, unit: PowerUnit, ftp: Ftp) -> String {
    let fraction = f64::from(fraction);
    let value = match unit {
        PowerUnit::Watts => (fraction * f64::from(ftp.watts())).round(),
        PowerUnit::Percent => (fraction * 100_000.0).round() / 1_000.0,
    };
    value.to_string()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
