//! Figures of a recording, as pure functions.
//!
//! Layout: this file holds the [`Summary`] and the [`PlannedLoad`], [`zones`] the time in power and
//! heart rate zones, [`w_balance`] the work left above critical power, [`mean_max`] the best mean
//! powers, [`intervals`] the figures of each interval, [`compliance`] the share of the time at the
//! target, `laps` the samples of each lap.
//!
//! Contract: a sample is one second. Seconds without a sample, which are pauses and sleeps, are a gap;
//! the functions say how they count it. Samples that are not in order of time, as in a damaged
//! recording, give figures without a meaning, but no panic: a sample that is not later than the one
//! before it follows it without a gap.
//!
//! Normalised power (NP), intensity factor (IF) and stress score follow Allen and Coggan, *Training
//! and Racing with a Power Meter*: NP is the fourth root of the mean of the fourth powers of the
//! rolling mean of power over 30 s, IF is NP divided by FTP, and the stress score is 100 for an hour
//! at FTP.

pub mod compliance;
pub mod intervals;
pub(crate) mod laps;
pub mod mean_max;
pub mod w_balance;
pub mod zones;

use core::time::Duration;

use crate::player;
use crate::recording::{Recording, Sample};
use crate::rider::Ftp;
use crate::workout::{FtpTest, Workout};

/// Window of the rolling mean in seconds.
const WINDOW: usize = 30;

/// Figures of a ride; `None` without readings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Recorded time, without pauses.
    pub duration: Duration,
    /// Mean power in W of the seconds with a reading, as readers of files compute it.
    pub average_power: Option<f32>,
    /// Normalised power in W; the mean power for a ride shorter than 30 s.
    pub normalised_power: Option<f32>,
    /// Mean cadence in rpm of the seconds with a cadence above 0.
    pub average_cadence: Option<f32>,
    /// Mean heart rate in beats per minute of the seconds with a reading.
    pub average_heart_rate: Option<f32>,
    /// Work in kJ.
    pub work_kj: f32,
    /// Highest power of one second in W.
    pub max_power: Option<u16>,
    /// Intensity factor: NP divided by FTP.
    pub intensity_factor: Option<f32>,
    /// Stress score: 100 for an hour at FTP. Seconds without a reading score nothing.
    pub stress_score: Option<f32>,
}

impl Summary {
    /// Figures of a recording.
    pub fn of(recording: &Recording) -> Self {
        Self::of_samples(&recording.samples, recording.ftp)
    }

    /// Figures of a part of a recording, for example a lap.
    pub(crate) fn of_samples(samples: &[Sample], ftp: Ftp) -> Self {
        let max_power = samples.iter().filter_map(|sample| sample.power).max();
        let power: Vec<f64> = samples
            .iter()
            .filter_map(|sample| sample.power.map(f64::from))
            .collect();
        // Not `sum()`, whose result for an empty list is a negative zero.
        let joules = power.iter().fold(0.0, |sum, watts| sum + watts);
        let measured = max_power.map(|_| normalised(&power));
        let intensity = measured.map(|np| np / f64::from(ftp.watts()));
        let hours = power.len() as f64 / 3_600.0;
        Self {
            duration: Duration::from_secs(samples.len() as u64),
            average_power: max_power.map(|_| (joules / power.len() as f64) as f32),
            normalised_power: measured.map(|np| np as f32),
            average_cadence: mean(
                samples
                    .iter()
                    .filter_map(|sample| sample.cadence)
                    .filter(|rpm| *rpm > 0),
            ),
            average_heart_rate: mean(samples.iter().filter_map(|sample| sample.heart_rate)),
            work_kj: (joules / 1_000.0) as f32,
            max_power,
            intensity_factor: intensity.map(|intensity| intensity as f32),
            stress_score: intensity.map(|intensity| (hours * intensity * intensity * 100.0) as f32),
        }
    }
}

/// Training load that a workout plans, if it is ridden exactly at its targets. Seconds without a
/// target score nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlannedLoad {
    /// Intensity factor: NP divided by FTP; 0 without a target.
    pub intensity_factor: f32,
    /// Stress score: 100 for an hour at FTP.
    pub stress_score: f32,
}

impl PlannedLoad {
    /// Load of a workout, by its target in the middle of each second.
    pub fn of(workout: &Workout) -> Self {
        let seconds = workout.duration().as_secs().max(1);
        let middle = |second| Duration::from_millis(second * 1_000 + 500).min(workout.duration());
        let targets = (0..seconds).map(middle);
        let targets = targets.filter_map(|at| player::position(workout, at).target);
        let targets: Vec<f64> = targets.map(f64::from).collect();
        if targets.is_empty() {
            return Self::default();
        }
        let intensity = normalised(&targets);
        let hours = targets.len() as f64 / 3_600.0;
        Self {
            intensity_factor: intensity as f32,
            stress_score: (hours * intensity * intensity * 100.0) as f32,
        }
    }
}

/// Highest mean power in W over this many seconds in a row; `None` in a shorter ride. Seconds without
/// a reading count as 0 W.
pub fn best_mean_power(samples: &[Sample], seconds: usize) -> Option<f32> {
    let watts = |sample: &Sample| u64::from(sample.power.unwrap_or_default());
    let seconds = seconds.max(1);
    let (first, rest) = samples.split_at_checked(seconds)?;
    let mut sum: u64 = first.iter().map(watts).sum();
    let mut best = sum;
    for (newest, oldest) in rest.iter().zip(samples) {
        sum = sum + watts(newest) - watts(oldest);
        best = best.max(sum);
    }
    Some(best as f32 / seconds as f32)
}

/// FTP that a test has measured: 75 % of the best minute of a ramp test, 95 % of the best twenty
/// minutes of the other (Allen and Coggan). `None` for a ride that is too short, or an FTP outside
/// of the range.
pub fn measured_ftp(test: FtpTest, recording: &Recording) -> Option<Ftp> {
    let (seconds, share) = match test {
        FtpTest::Ramp => (60, 0.75),
        FtpTest::TwentyMinutes => (1_200, 0.95),
    };
    let best = best_mean_power(&recording.samples, seconds)?;
    Ftp::new((best * share).round() as u16).ok()
}

fn mean(values: impl Iterator<Item = impl Into<u64>>) -> Option<f32> {
    let (sum, count) = values.fold((0_u64, 0_u64), |(sum, count), value| {
        (sum + value.into(), count + 1)
    });
    (count > 0).then(|| (sum as f64 / count as f64) as f32)
}

/// Length of the gap between a sample and the next one in seconds; 0 if that one is not later.
const fn gap_seconds(sample: &Sample, next: &Sample) -> u64 {
    let (from, to) = (sample.at.unix_seconds(), next.at.unix_seconds());
    to.saturating_sub(from).saturating_sub(1)
}

/// Normalised power of a non-empty list of powers per second.
fn normalised(power: &[f64]) -> f64 {
    let window = WINDOW.min(power.len());
    let mut sum: f64 = power[..window].iter().sum();
    let mut fourths = (sum / window as f64).powi(4);
    for (newest, oldest) in power[window..].iter().zip(power) {
        sum += newest - oldest;
        fourths += (sum / window as f64).powi(4);
    }
    let windows = power.len() - window + 1;
    (fourths / windows as f64).powf(0.25)
}

#[cfg(test)]
mod tests;
