//! Ride prepared for writing as an activity file of any format: the seconds that count, their speed
//! and distance, the laps, and totals that agree with each other.
//!
//! What all formats share:
//! - Seconds without any reading are left out if there are more than [`MAX_SILENCE`] in a row. In
//!   shorter runs they stay, without values, and means do not count them.
//! - The timer runs exactly while there are seconds: its time is their number. The ride ends with the
//!   last of them, so a pause or a sleep at the end does not count.
//! - The speed is that of the trainer, if it has ever turned its wheel in this ride. In its seconds
//!   without one, and in rides without a trainer that tells its speed, it is that of a virtual rider
//!   on a flat road, see [`virtual_speed`](super::virtual_speed). Files hold it in mm/s, and the
//!   distance is the sum of these whole numbers, so that a reader who adds up the speeds gets the distance.
//! - The distance of a second is that at its end. Distance, work and energy of a lap are differences
//!   of rounded totals since the start, so that the laps add up to the ride exactly.

use core::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use super::virtual_speed::VirtualRider;
use super::{Lap, Recording, Sample};
use crate::analysis::{Summary, laps::lap_samples};
use crate::trainer::MAX_SPEED;
use crate::workout::{Interval, Workout};

/// Name of this application as the creator of a file.
pub(super) const CREATOR: &str = "Gruppetto";
/// Unix time of the origin of FIT times: the last day of 1989, at midnight UTC.
pub(super) const FIT_EPOCH: u64 = 631_065_600;
/// Smallest FIT time that is a date: smaller ones, up to mid-1998, count from power on.
const FIRST_FIT_DATE: u64 = 0x1000_0000;
/// Largest number of seconds without any reading that are written.
const MAX_SILENCE: usize = 10;
/// Largest number of characters of the workout's name in the name of a file.
const MAX_SLUG: usize = 60;
/// Largest offset of local time from UTC in seconds, more than on any clock.
const MAX_UTC_OFFSET: u32 = 18 * 3_600;

/// Kind of ride, which services treat differently: Strava shows a virtual ride on its own tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubSport {
    /// Indoor cycling.
    #[default]
    IndoorCycling,
    /// Virtual ride.
    VirtualActivity,
}

/// Ride to write as a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// The recording.
    pub recording: Recording,
    /// Workout that its laps refer to.
    pub workout: Option<Arc<Workout>>,
    /// Number that no other rider has, so that two riders who start together have different files.
    pub serial_number: u32,
    /// Kind of ride. TCX has no place for it.
    pub sub_sport: SubSport,
}

/// File to save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityFile {
    /// Name with the local date: `gruppetto-sweet-spot-2026-11-21.fit`.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Reason why a recording cannot be written as a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActivityError {
    /// There is not a single second in it.
    #[error("This ride has no recorded seconds yet. Ride for a moment, then download it.")]
    Empty,
    /// It starts before 1998 or ends after 2125, which FIT cannot say.
    #[error("The date of this ride is wrong. Check the clock of this device.")]
    Date,
    /// The encoder of FIT refused it.
    #[error("This ride could not be written as a FIT file ({0}). Please report this.")]
    Encoder(String),
}

/// Ride prepared for writing.
pub(super) struct Ride<'a> {
    pub(super) activity: &'a Activity,
    /// Seconds to write, in ascending order.
    pub(super) samples: Vec<Sample>,
    /// What was reached at the end of each of them.
    progress: Vec<Progress>,
    /// False if neither speed nor power was measured: then there is no speed and no distance.
    has_motion: bool,
    /// Laps with at least one second, in ascending order. Together they hold all seconds.
    pub(super) laps: Vec<RideLap>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Mean speed of the second in mm/s, at most [`MAX_SPEED`].
    speed: u16,
    /// Distance since the start in mm.
    distance: u64,
    /// Work since the start in J.
    work: u64,
}

/// Speed and distance of one second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    /// Mean speed in mm/s, at most [`MAX_SPEED`].
    pub(super) speed: u16,
    /// Distance from the start of the ride to the end of the second in cm.
    pub(super) distance: u32,
}

/// Lap with at least one second.
pub(super) struct RideLap {
    /// Unix time of the start in seconds.
    pub(super) from: u64,
    /// Unix time of the end in seconds: the start of the next lap.
    pub(super) to: u64,
    pub(super) samples: Range<usize>,
    interval: Option<u32>,
    /// The ride has jumped from it to another place.
    pub(super) is_cut_off: bool,
}

/// Figures of a lap or of the ride; `None` without readings.
pub(super) struct Totals {
    pub(super) figures: Summary,
    /// Time of the timer in seconds.
    pub(super) seconds: u32,
    /// Work in J.
    pub(super) work: u32,
    /// Energy in kcal.
    pub(super) calories: Option<u16>,
    /// Distance in cm.
    pub(super) distance: Option<u32>,
    /// Mean speed in mm/s.
    pub(super) average_speed: Option<u16>,
    /// Highest speed in mm/s.
    pub(super) max_speed: Option<u16>,
    /// Highest cadence in rpm.
    pub(super) max_cadence: Option<u8>,
    /// Highest heart rate in beats per minute.
    pub(super) max_heart_rate: Option<u8>,
}

impl<'a> Ride<'a> {
    pub(super) fn new(activity: &'a Activity) -> Result<Self, ActivityError> {
        let recording = &activity.recording;
        let samples = recorded(&recording.samples);
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            return Err(ActivityError::Empty);
        };
        let dates = [recording.started_at, first.at, last.at, recording.end()];
        let valid = FIT_EPOCH + FIRST_FIT_DATE..FIT_EPOCH + u64::from(u32::MAX);
        if !dates.iter().all(|at| valid.contains(&at.unix_seconds())) {
            return Err(ActivityError::Date);
        }
        let has_speed = samples.iter().any(|sample| sample.speed > Some(0));
        Ok(Self {
            progress: progress(&samples, has_speed),
            has_motion: has_speed || samples.iter().any(|sample| sample.power.is_some()),
            laps: laps(&recording.laps, &samples),
            activity,
            samples,
        })
    }

    /// Unix time of the first second.
    pub(super) fn start(&self) -> u64 {
        self.samples.first().map_or(0, |it| it.at.unix_seconds())
    }

    /// Unix time of the second after the last one.
    pub(super) fn end(&self) -> u64 {
        self.samples.last().map_or(0, |it| it.at.unix_seconds() + 1)
    }

    /// Name of the workout; empty if there was none.
    pub(super) fn workout_name(&self) -> &str {
        match &self.activity.workout {
            Some(workout) => workout.name(),
            None => &self.activity.recording.workout,
        }
    }

    /// Number and content of the interval that a lap belongs to; `None` outside of a workout.
    pub(super) fn interval(&self, lap: &RideLap) -> Option<(u32, &Interval)> {
        let index = lap.interval?;
        let workout = self.activity.workout.as_ref()?;
        Some((index, workout.intervals().get(index as usize)?))
    }

    /// Speed and distance of a second; `None` without them.
    pub(super) fn motion(&self, index: usize) -> Option<Motion> {
        let progress = self.progress.get(index).filter(|_| self.has_motion)?;
        Some(Motion {
            speed: progress.speed,
            distance: centimetres(progress.distance),
        })
    }

    /// Figures of a range of seconds.
    pub(super) fn totals(&self, range: Range<usize>) -> Totals {
        let samples = &self.samples[range.clone()];
        let figures = Summary::of_samples(samples, self.activity.recording.ftp);
        let reached = |seconds: usize| {
            let last = seconds.checked_sub(1);
            let progress = last.and_then(|last| self.progress.get(last));
            progress.copied().unwrap_or_default()
        };
        let (from, to) = (reached(range.start), reached(range.end));
        let motion = Some(()).filter(|()| self.has_motion);
        let speeds = self.progress[range].iter().map(|second| second.speed);
        let highest = |value: fn(&Sample) -> Option<u8>| samples.iter().filter_map(value).max();
        Totals {
            seconds: samples.len() as u32,
            work: u32::try_from(to.work - from.work).unwrap_or(u32::MAX),
            calories: figures.max_power.map(|_| {
                let calories = kilocalories(to.work) - kilocalories(from.work);
                u16::try_from(calories).unwrap_or(u16::MAX)
            }),
            distance: motion.map(|()| centimetres(to.distance) - centimetres(from.distance)),
            average_speed: motion.map(|()| {
                let seconds = (samples.len() as u64).max(1);
                // A mean is at most as high as the highest speed.
                ((to.distance - from.distance + seconds / 2) / seconds) as u16
            }),
            max_speed: speeds.max().filter(|_| self.has_motion),
            max_cadence: highest(|sample| sample.cadence),
            max_heart_rate: highest(|sample| sample.heart_rate),
            figures,
        }
    }
}

/// Samples in ascending order, without runs of more than [`MAX_SILENCE`] that have no reading. A ride
/// without any reading keeps all.
fn recorded(samples: &[Sample]) -> Vec<Sample> {
    let has_reading = |sample: &Sample| {
        sample.power.is_some()
            || sample.cadence.is_some()
            || sample.heart_rate.is_some()
            || sample.speed.is_some()
    };
    let has_readings = samples.iter().any(has_reading);
    let runs = samples.chunk_by(|one, next| has_reading(one) == has_reading(next));
    let runs = runs.filter(|run| {
        let is_silent = run.first().is_some_and(|sample| !has_reading(sample));
        !has_readings || !is_silent || run.len() <= MAX_SILENCE
    });
    let mut recorded: Vec<Sample> = vec![];
    for sample in runs.flatten() {
        if recorded.last().is_none_or(|last| last.at < sample.at) {
            recorded.push(*sample);
        }
    }
    recorded
}

/// Speed, distance and work of each second. The virtual rider has the speed of the trainer in the
/// last second that tells it, begins at rest after each gap, and rides a second without power at 0 W.
fn progress(samples: &[Sample], has_speed: bool) -> Vec<Progress> {
    let (mut rider, mut reached) = (VirtualRider::default(), Progress::default());
    let mut next = None;
    let seconds = samples.iter().map(|sample| {
        let at = sample.at.unix_seconds();
        if next != Some(at) {
            rider = VirtualRider::default();
        }
        next = Some(at + 1);
        let power = sample.power.unwrap_or_default();
        reached.speed = match sample.speed.filter(|_| has_speed) {
            Some(speed) => {
                rider = VirtualRider::at(f64::from(speed) / 1_000.0);
                speed
            }
            // The cast saturates.
            None => (rider.ride(power) * 1_000.0).round() as u16,
        };
        reached.speed = reached.speed.min(MAX_SPEED);
        reached.distance += u64::from(reached.speed);
        reached.work += u64::from(power);
        reached
    });
    seconds.collect()
}

/// Laps with at least one second; the whole ride where no lap was recorded. What was left out before the
/// first second of a lap belongs to the lap before.
fn laps(laps: &[Lap], samples: &[Sample]) -> Vec<RideLap> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return vec![];
    };
    let (start, end) = (first.at.unix_seconds(), last.at.unix_seconds() + 1);
    let time_at = |at: usize| {
        samples
            .get(at)
            .map_or(end, |sample| sample.at.unix_seconds())
    };
    let parts = lap_samples(laps, samples).into_iter();
    let parts = parts.map(|part| RideLap {
        from: time_at(part.samples.start).max(start),
        to: time_at(part.samples.end),
        samples: part.samples,
        interval: laps.get(part.lap).and_then(|lap| lap.interval),
        is_cut_off: laps.get(part.lap + 1).is_some_and(|next| next.after_jump),
    });
    parts.collect()
}

/// Energy that a rider burns, by the usual estimate: about 24 % of it reaches the pedals, which
/// cancels out the 4.18 kJ of a kilocalorie.
fn kilocalories(joules: u64) -> u64 {
    (joules + 500) / 1_000
}

fn centimetres(millimetres: u64) -> u32 {
    u32::try_from((millimetres + 5) / 10).unwrap_or(u32::MAX)
}

/// Major and minor version of the app.
pub(super) fn version() -> (u16, u16) {
    let part = |text: &str| text.parse().unwrap_or_default();
    (
        part(env!("CARGO_PKG_VERSION_MAJOR")),
        part(env!("CARGO_PKG_VERSION_MINOR")),
    )
}

/// Whole number that is next to a figure. The cast saturates.
pub(super) fn whole(value: f32) -> u16 {
    value.round() as u16
}

/// As [`whole`], for cadence and heart rate.
pub(super) fn byte(value: f32) -> u8 {
    value.round() as u8
}

/// Offset of local time from UTC in seconds: that of the ride where it is known, otherwise that of the
/// computer that writes the file.
pub(super) fn utc_offset(recording: &Recording, of_writer: i32) -> i32 {
    let recorded = recording.utc_offset;
    let recorded = recorded.filter(|offset| offset.unsigned_abs() <= MAX_UTC_OFFSET);
    recorded.unwrap_or(of_writer)
}

/// Name of a file with the local date of its start.
pub(super) fn file_name(recording: &Recording, utc_offset: i32, extension: &str) -> String {
    let slug: String = recording
        .workout
        .chars()
        .take(MAX_SLUG)
        .collect::<String>()
        .to_lowercase()
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .flat_map(|word| ["-", word])
        .collect();
    let local = recording.started_at.unix_seconds() as i64 + i64::from(utc_offset);
    let (year, month, day) = civil_date(local.div_euclid(24 * 3_600));
    format!("gruppetto{slug}-{year:04}-{month:02}-{day:02}.{extension}")
}

/// Gregorian date of a day counted from 1970-01-01. In years of 365.2425 days that begin in March,
/// after Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms* (`civil_from_days`).
pub(super) fn civil_date(day: i64) -> (i64, i64, i64) {
    let since_march_0000 = day + 719_468;
    let era = since_march_0000.div_euclid(146_097);
    let day_of_era = since_march_0000.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}
