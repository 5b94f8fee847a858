use clock::WallTime;

use super::*;
use crate::recording::Lap;
use crate::workout::{Draft, Interval, IntervalKind, Target};

mod properties;

pub(super) fn ftp(watts: u16) -> Ftp {
    Ftp::new(watts).expect("an FTP")
}

pub(super) const fn at(second: u64) -> WallTime {
    WallTime::from_unix_ms(1_000 * second)
}

pub(super) const fn lap(second: u64, interval: Option<u32>) -> Lap {
    Lap {
        at: at(second),
        interval,
        after_jump: false,
    }
}

/// Workout of the intervals of [`IntervalKind::ALL`], in this order.
pub(super) fn one_of_each_kind() -> Workout {
    let minute = |kind| Interval::new(Duration::from_secs(60), kind, Target::steady(1.0));
    let draft = Draft {
        intervals: IntervalKind::ALL.map(minute).to_vec(),
        ..Draft::default()
    };
    Workout::new(draft).expect("a workout")
}

/// Ride at an FTP of 200 W, of a sample in every second from 1970 on.
pub(super) fn recording(power: impl IntoIterator<Item = Option<u16>>) -> Recording {
    let mut recording = Recording::new(WallTime::default(), String::new(), ftp(200));
    let sample = |(second, power)| Sample {
        at: at(second as u64),
        power,
        cadence: None,
        heart_rate: None,
        target: None,
        speed: None,
    };
    recording.samples = power.into_iter().enumerate().map(sample).collect();
    recording
}

pub(super) fn assert_close(value: Option<f32>, expected: f32) {
    let value = value.expect("a value");
    assert!(
        (value - expected).abs() < 1e-4 * expected,
        "{value} is not {expected}"
    );
}

#[test]
fn an_hour_at_ftp_scores_100() {
    let summary = Summary::of(&recording(vec![Some(200); 3_600]));
    assert_eq!(summary.duration, Duration::from_secs(3_600));
    assert_close(summary.average_power, 200.0);
    assert_close(summary.normalised_power, 200.0);
    assert_close(summary.intensity_factor, 1.0);
    assert_close(summary.stress_score, 100.0);
    assert_close(Some(summary.work_kj), 720.0);
    assert_eq!(summary.max_power, Some(200));
}

#[test]
fn half_an_hour_at_75_percent_scores_28() {
    let summary = Summary::of(&recording(vec![Some(150); 1_800]));
    assert_close(summary.intensity_factor, 0.75);
    // 0.5 h x 0.75 x 0.75 x 100
    assert_close(summary.stress_score, 28.125);
}

#[test]
fn normalised_power_of_a_step_follows_the_fourth_powers() {
    // The means of the 31 windows go from 100 to 300 W in steps of 20/3 W. With the sums of the
    // powers of 0 to 30 (31, 465, 9455, 216225, 5273999) the sum of their fourth powers is 31 x 1e8
    // + 465 x 4e6 x 20/3 + 9455 x 6e4 x 400/9 + 216225 x 4e2 x 8000/27 + 5273999 x 160000/81 =
    // 7.67578e10. The fourth root of 1/31 of it is 223.07.
    let power = [vec![Some(100); 30], vec![Some(300); 30]].concat();
    let summary = Summary::of(&recording(power));
    assert_close(summary.average_power, 200.0);
    assert_close(summary.normalised_power, 223.07);
    // 223.07 / 200 = 1.11535; 60 / 3600 x 1.11535 x 1.11535 x 100 = 2.0733
    assert_close(summary.intensity_factor, 1.11535);
    assert_close(summary.stress_score, 2.0733);
}

#[test]
fn normalised_power_of_a_short_ride_is_its_mean() {
    let summary = Summary::of(&recording([Some(100), Some(300)]));
    assert_close(summary.normalised_power, 200.0);
}

#[test]
fn means_are_those_of_the_seconds_with_power_as_readers_of_the_file_compute_them() {
    let summary = Summary::of(&recording([Some(100), None, Some(200), None]));
    assert_eq!(summary.duration, Duration::from_secs(4));
    assert_close(summary.average_power, 150.0);
    assert_close(summary.normalised_power, 150.0);
    assert_close(Some(summary.work_kj), 0.3);
}

#[test]
fn half_an_hour_without_power_scores_nothing() {
    let ridden = recording(vec![Some(150); 1_800]);
    let with_gap = recording([vec![Some(150); 1_800], vec![None; 1_800]].concat());
    let scores = [ridden, with_gap].map(|recording| Summary::of(&recording).stress_score);
    assert_close(scores[0], 28.125);
    assert_eq!(scores[0], scores[1]);
}

#[test]
fn figures_without_readings_are_empty() {
    let summary = Summary::of(&recording([None, None]));
    assert_eq!(
        summary,
        Summary {
            duration: Duration::from_secs(2),
            ..Summary::default()
        }
    );
    assert_eq!(Summary::of(&recording([])), Summary::default());
}

// The summary showed "-0 kJ" after leaving within the first second.
#[test]
fn the_work_of_an_empty_ride_is_not_a_negative_zero() {
    let summary = Summary::of(&recording([]));
    assert!(summary.work_kj.is_sign_positive());
    assert_eq!(summary.work_kj, 0.0);
}

#[test]
fn mean_cadence_leaves_out_zero_and_mean_heart_rate_leaves_out_missing_readings() {
    let mut recording = recording([Some(1); 4]);
    for (sample, (cadence, heart_rate)) in recording.samples.iter_mut().zip([
        (Some(90), Some(120)),
        (Some(0), None),
        (Some(80), Some(130)),
        (None, None),
    ]) {
        (sample.cadence, sample.heart_rate) = (cadence, heart_rate);
    }
    let summary = Summary::of(&recording);
    assert_close(summary.average_cadence, 85.0);
    assert_close(summary.average_heart_rate, 125.0);
}

fn planned(intervals: Vec<Interval>) -> PlannedLoad {
    let draft = Draft {
        intervals,
        ..Draft::default()
    };
    PlannedLoad::of(&Workout::new(draft).unwrap())
}

#[test]
fn an_hour_at_ftp_plans_a_stress_score_of_100() {
    let hour = Interval::new(
        Duration::from_secs(3_600),
        IntervalKind::Steady,
        Target::steady(1.0),
    );
    let load = planned(vec![hour]);
    assert!((load.intensity_factor - 1.0).abs() < 0.001);
    assert!((load.stress_score - 100.0).abs() < 0.1);
}

#[test]
fn hard_intervals_weigh_more_than_their_mean_power() {
    let interval = |seconds, fraction| {
        Interval::new(
            Duration::from_secs(seconds),
            IntervalKind::Steady,
            Target::steady(fraction),
        )
    };
    let even = planned(vec![interval(1_200, 0.8)]);
    let hard = planned(vec![interval(600, 1.2), interval(600, 0.4)]);
    assert!(hard.intensity_factor > even.intensity_factor + 0.1);
}

#[test]
fn seconds_without_a_target_plan_nothing() {
    let free = |seconds| {
        Interval::new(
            Duration::from_secs(seconds),
            IntervalKind::FreeRide,
            Target::Free,
        )
    };
    assert_eq!(planned(vec![free(600)]), PlannedLoad::default());
    let half = Interval::new(
        Duration::from_secs(1_800),
        IntervalKind::Steady,
        Target::steady(1.0),
    );
    let load = planned(vec![half, free(1_800)]);
    assert!((load.stress_score - 50.0).abs() < 0.1);
}

#[test]
fn a_ramp_test_measures_three_quarters_of_the_best_minute() {
    let minutes = [150, 200, 300, 240].map(|watts| [Some(watts); 60]);
    let ridden = recording(minutes.concat());
    assert_eq!(measured_ftp(FtpTest::Ramp, &ridden), Some(ftp(225)));
    let short = recording([Some(300); 59]);
    assert_eq!(measured_ftp(FtpTest::Ramp, &short), None);
    let idle = recording([None; 300]);
    assert_eq!(measured_ftp(FtpTest::Ramp, &idle), None);
}

#[test]
fn a_twenty_minute_test_measures_95_percent_of_the_twenty_minutes() {
    let before = [Some(100); 600];
    let test = [Some(260); 1_200];
    let ridden = recording(before.into_iter().chain(test));
    assert_eq!(
        measured_ftp(FtpTest::TwentyMinutes, &ridden),
        Some(ftp(247))
    );
    assert_eq!(
        measured_ftp(FtpTest::TwentyMinutes, &recording([Some(260); 900])),
        None
    );
}
