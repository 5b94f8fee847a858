//! Courses of points in time: ERG (minutes and W) and MRC (minutes and percent of FTP).
//!
//! There is no official specification; this follows the description by TrainerRoad ("Creating a
//! workout from an ERG or MRC file"), GoldenCheetah's reader, and public files.
//!
//! A file has a header with the unit of the powers, `[COURSE DATA]` with one point per line, and
//! perhaps `[COURSE TEXT]` with cues. Between two points the power changes evenly; two points at one
//! minute are a step.
//!
//! Layout: `lines` reads the lines of a file, this file makes intervals of the points, `write` writes
//! a file.

mod lines;
mod write;

use core::time::Duration;

use super::error::{FileError, Place};
use super::remark::{PowerUnit, RemarkKind, Remarks};
use super::{clamp_power, push_interval};
use crate::rider::Ftp;
use crate::workout::{Draft, Interval, IntervalKind, Target};
use lines::{Course, Point};

pub(super) use lines::has_section;
pub(super) use write::write;

/// Largest difference of two powers of the file that count as the same, in W or percent.
const SAME: f64 = 0.01;

/// Reads the workout of a file.
pub(super) fn read(
    file_name: &str,
    ftp: Ftp,
    remarks: &mut Remarks<'_>,
) -> Result<Draft, FileError> {
    let text = remarks.text();
    let course = lines::read(remarks);
    let Some(first) = course.points.first() else {
        return Err(FileError::NoWorkout {
            place: Place::at(text, 0),
            expected: "[COURSE DATA]",
        });
    };
    let first_at = first.at;
    let unit = course.unit.unwrap_or_else(|| {
        let unit = assumed_unit(file_name, &course.points);
        remarks.add(first_at, RemarkKind::AssumedUnit(unit));
        unit
    });
    let full = match (unit, course.ftp) {
        (PowerUnit::Percent, _) => 100.0,
        (PowerUnit::Watts, Some(ftp)) => ftp,
        (PowerUnit::Watts, None) => {
            remarks.add(first_at, RemarkKind::Watts { ftp: ftp.watts() });
            f64::from(ftp.watts())
        }
    };
    let mut draft = Draft {
        name: course.name.clone(),
        description: course.description.clone(),
        ..Draft::default()
    };
    let mut end = Duration::ZERO;
    for piece in pieces(&course, remarks) {
        let power = |value: f64, remarks: &mut Remarks<'_>| {
            clamp_power(value / full, piece.at, unit_name(unit), remarks)
        };
        let target = Target::Power {
            from: power(piece.from, remarks),
            to: power(piece.to, remarks),
        };
        let interval = Interval {
            name: lap_at(&course, piece.start),
            ..Interval::new(piece.end - piece.start, IntervalKind::Steady, target)
        };
        let place = || Place::at(text, piece.at);
        push_interval(&mut draft, interval, &mut end, place)?;
    }
    if draft.intervals.is_empty() {
        return Err(FileError::NothingToRide {
            place: Place::at(text, first_at),
            remarks: remarks.take(),
        });
    }
    set_kinds(&mut draft.intervals);
    for (at, cue) in course.cues {
        if cue.at < end {
            draft.cues.push(cue);
        } else {
            remarks.ignore(at, "COURSE TEXT");
        }
    }
    Ok(draft)
}

const fn unit_name(unit: PowerUnit) -> &'static str {
    match unit {
        PowerUnit::Watts => "WATTS",
        PowerUnit::Percent => "PERCENT",
    }
}

/// Unit of a file that does not name it: by its ending, or else by its largest power.
fn assumed_unit(file_name: &str, points: &[Point]) -> PowerUnit {
    let ending = file_name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let largest = points.iter().map(|point| point.value).fold(0.0, f64::max);
    if ending.eq_ignore_ascii_case("mrc") {
        PowerUnit::Percent
    } else if ending.eq_ignore_ascii_case("erg") || largest > 200.0 {
        PowerUnit::Watts
    } else {
        PowerUnit::Percent
    }
}

/// Part of the course between two points.
struct Piece {
    /// Place of its first point, in bytes.
    at: usize,
    start: Duration,
    end: Duration,
    from: f64,
    to: f64,
}

/// Parts of the course, in order of time, without empty ones.
fn pieces(course: &Course, remarks: &mut Remarks<'_>) -> Vec<Piece> {
    let points = &course.points;
    let pairs = || points.windows(2).map(|pair| (&pair[0], &pair[1]));
    let has_steps = pairs().any(|(a, b)| a.minute == b.minute);
    let is_flat = |(a, b): (&Point, &Point)| (a.value - b.value).abs() <= SAME;
    let has_flat = pairs().any(is_flat);
    // Without a single step or flat part, each point is meant as the start of an interval.
    let is_stepped = points.len() > 3 && !has_steps && !has_flat;
    if let Some(first) = points.first().filter(|_| !has_steps && points.len() > 2) {
        let is_ramped = pairs().any(|pair| !is_flat(pair));
        if is_stepped {
            remarks.add(first.at, RemarkKind::AssumedSteps);
        } else if is_ramped {
            remarks.add(first.at, RemarkKind::AssumedRamps);
        }
    }
    let origin = points.first().map_or(Duration::ZERO, |point| point.minute);
    let pieces = pairs().map(|(a, b)| Piece {
        at: a.at,
        start: a.minute - origin,
        end: b.minute - origin,
        from: a.value,
        to: if is_stepped { a.value } else { b.value },
    });
    pieces.filter(|piece| piece.start < piece.end).collect()
}

/// Name of the lap that begins at this time.
fn lap_at(course: &Course, start: Duration) -> String {
    let origin = course.points.first().map_or(Duration::ZERO, |it| it.minute);
    let mut laps = course.laps.iter();
    let lap = laps.find(|(minute, _)| *minute == start + origin);
    lap.map(|(_, name)| name.clone()).unwrap_or_default()
}

/// Kinds of the intervals: a rising start is a warm-up, a falling end a cool-down.
fn set_kinds(intervals: &mut [Interval]) {
    let last = intervals.len() - 1;
    for (index, interval) in intervals.iter_mut().enumerate() {
        if let Target::Power { from, to } = interval.target {
            interval.kind = if index == 0 && from < to {
                IntervalKind::Warmup
            } else if index == last && from > to {
                IntervalKind::Cooldown
            } else if from == to {
                IntervalKind::Steady
            } else {
                IntervalKind::Ramp
            };
        }
    }
}

#[cfg(test)]
mod tests;
