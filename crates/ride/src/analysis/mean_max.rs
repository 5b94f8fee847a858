//! Mean-maximal power: the best mean power of a ride over each of some durations.
//!
//! A window of time covers the seconds of gaps too, and they count as 0 W, like those without a
//! reading. GoldenCheetah does the same; a pause would otherwise raise the best mean of an hour.
//! [`best_mean_power`](super::best_mean_power), which measures FTP, leaves gaps out instead.

use core::time::Duration;

use clock::WallTime;

use super::gap_seconds;
use crate::recording::Sample;

/// Durations in seconds: 1, 2, 5, 10, 15, 20, 30 s, 1, 2, 3, 5, 8, 10, 15, 20, 30, 45 min, 1, 1.5, 2, 3,
/// 4, 6, 8, 12 and 24 h. Ascending.
const DURATIONS: [u32; 26] = [
    1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 480, 600, 900, 1_200, 1_800, 2_700, 3_600, 5_400,
    7_200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400,
];

/// Best mean power over a duration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanMax {
    /// Duration in seconds.
    pub seconds: u32,
    /// Mean power in W.
    pub watts: f32,
    /// Start of the window with this mean. Of several such windows, it is the first that begins with
    /// a sample; a window that ends with the ride may begin within a gap.
    pub from: WallTime,
}

/// Best mean powers of a ride, in ascending order of duration: 1, 2, 5, 10, 15, 20, 30 s, 1, 2, 3, 5, 8,
/// 10, 15, 20, 30, 45 min, 1, 1.5, 2, 3, 4, 6, 8, 12 and 24 h, as far as they fit between the start of
/// the first sample and the end of the last. Empty without a power reading.
///
/// Seconds without a reading, and all seconds of a gap, count as 0 W.
pub fn mean_max_curve(samples: &[Sample]) -> Vec<MeanMax> {
    if samples.iter().all(|sample| sample.power.is_none()) {
        return vec![];
    }
    let marks = marks(samples);
    let curve = DURATIONS.into_iter();
    curve
        .map_while(|seconds| best(samples, &marks, seconds))
        .collect()
}

/// Beginning of a sample, or the end of the last one.
#[derive(Clone, Copy, Default)]
struct Mark {
    /// Time since the first sample in seconds. A gap counts at most the longest of [`DURATIONS`], so
    /// that damaged times do not overflow. No window reaches over such a gap.
    offset: u64,
    /// Work before it in J.
    joules: u64,
}

/// Beginnings of all samples, and the end of the last one.
fn marks(samples: &[Sample]) -> Vec<Mark> {
    let longest = u64::from(DURATIONS[DURATIONS.len() - 1]);
    let mut mark = Mark::default();
    let mut marks = Vec::with_capacity(samples.len() + 1);
    let nexts = samples.iter().skip(1).map(Some).chain([None]);
    for (sample, next) in samples.iter().zip(nexts) {
        marks.push(mark);
        let gap = next.map_or(0, |next| gap_seconds(sample, next));
        mark.offset += 1 + gap.min(longest);
        mark.joules += u64::from(sample.power.unwrap_or_default());
    }
    marks.push(mark);
    marks
}

/// Best mean over a duration above 0; `None` in a shorter ride. The best window either begins with a
/// sample or ends with the ride: any other one begins in a gap and loses nothing if it begins later.
fn best(samples: &[Sample], marks: &[Mark], seconds: u32) -> Option<MeanMax> {
    let (first, last, end) = (samples.first()?, samples.last()?, marks.last()?);
    let length = u64::from(seconds);
    let latest = end.offset.checked_sub(length)?;
    let (mut best, mut from) = (0, first.at);
    // First mark that is not before the end of the window.
    let mut to = 0;
    let beginnings = samples.iter().zip(marks);
    for (sample, mark) in beginnings.take_while(|(_, mark)| mark.offset <= latest) {
        // The last mark is the end of the ride, which is not before the end of the window.
        while marks[to].offset < mark.offset + length {
            to += 1;
        }
        let joules = marks[to].joules - mark.joules;
        if best < joules {
            (best, from) = (joules, sample.at);
        }
    }
    // The last mark is not before the latest window.
    let to_latest = marks.partition_point(|mark| mark.offset < latest);
    let joules = end.joules - marks[to_latest].joules;
    if best < joules {
        let after_ride = last.at.after(Duration::from_secs(1));
        (best, from) = (joules, after_ride.before(Duration::from_secs(length)));
    }
    Some(MeanMax {
        seconds,
        watts: (best as f64 / f64::from(seconds)) as f32,
        from,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, recording};
    use super::*;

    /// Seconds, watts and the second of the start.
    fn curve(samples: &[Sample]) -> Vec<(u32, f32, u64)> {
        let curve = mean_max_curve(samples).into_iter();
        curve
            .map(|best| (best.seconds, best.watts, best.from.unix_seconds()))
            .collect()
    }

    #[test]
    fn each_duration_has_its_own_best_window() {
        let ride = recording([90, 400, 0, 300, 200, 150].map(Some));
        // 400; 300 + 200 = 500; 400 + 0 + 300 + 200 + 150 = 1050.
        assert_eq!(
            curve(&ride.samples),
            [(1, 400.0, 1), (2, 250.0, 3), (5, 210.0, 1)]
        );
    }

    #[test]
    fn a_second_without_a_reading_counts_as_0_watts() {
        let ride = recording([Some(200), None, Some(100)]);
        assert_eq!(curve(&ride.samples), [(1, 200.0, 0), (2, 100.0, 0)]);
    }

    #[test]
    fn a_gap_counts_as_0_watts() {
        let mut ride = recording([Some(300), Some(200), Some(300), Some(300)]);
        ride.samples[2].at = at(5);
        ride.samples[3].at = at(6);
        // Over 5 s: 300 + 200 + 0 + 0 + 0 = 500, or the last ones, 0 + 0 + 0 + 300 + 300 = 600.
        assert_eq!(
            curve(&ride.samples),
            [(1, 300.0, 0), (2, 300.0, 5), (5, 120.0, 2)]
        );
    }

    #[test]
    fn a_sleep_of_a_day_separates_two_rides() {
        let mut ride = recording([Some(300), Some(100)]);
        ride.samples[1].at = at(86_401);
        let curve = mean_max_curve(&ride.samples);
        // The ride has 86402 s, so that every duration fits; no window holds both samples.
        assert_eq!(curve.len(), DURATIONS.len());
        for best in curve {
            assert_eq!(best.watts, 300.0 / best.seconds as f32);
            assert_eq!(best.from, at(0));
        }
        // One second less, and the longest window holds both.
        ride.samples[1].at = at(86_399);
        let longest = mean_max_curve(&ride.samples).pop();
        assert_eq!(longest.map(|best| best.watts), Some(400.0 / 86_400.0));
    }

    #[test]
    fn the_durations_are_those_that_fit_into_the_ride() {
        let longest = |seconds| {
            let ride = recording(vec![Some(1); seconds]);
            mean_max_curve(&ride.samples).pop().unwrap().seconds
        };
        assert_eq!(longest(599), 480);
        assert_eq!(longest(600), 600);
        assert_eq!(longest(86_400), 86_400);
    }

    #[test]
    fn a_ride_without_power_has_no_curve() {
        assert_eq!(mean_max_curve(&[]), []);
        assert_eq!(mean_max_curve(&recording([None; 10]).samples), []);
        let idle = recording([Some(0)]);
        assert_eq!(curve(&idle.samples), [(1, 0.0, 0)]);
    }
}
