//! Figures of each interval of a ride.

use core::ops::Range;
use core::time::Duration;

use clock::WallTime;

use super::compliance::share_at_target;
use super::laps::lap_samples;
use super::{Summary, mean};
use crate::recording::Recording;

/// Figures of an interval as it was ridden: of one lap of the recording. An interval that the ride has
/// jumped back into has a lap for each time.
#[derive(Clone, Debug, PartialEq)]
pub struct IntervalResult {
    /// Interval of the workout, counted from 0; `None` outside of a workout.
    pub interval: Option<u32>,
    /// Time of the first sample.
    pub from: WallTime,
    /// Indices of the samples in the recording; at least one.
    pub samples: Range<usize>,
    /// Recorded time, without gaps: a second per sample.
    pub duration: Duration,
    /// Mean target in W of the seconds with a target, for this rider with the bias; `None` without a
    /// target.
    pub target: Option<f32>,
    /// Figures of the samples.
    pub figures: Summary,
    /// Share (0 to 1) of the seconds with a target in which power is at the target, as
    /// [`compliance`](super::compliance::compliance) says, whatever the kind of the interval; `None`
    /// without a target.
    pub compliance: Option<f32>,
}

/// Figures of each lap with at least one sample, in the order of the laps; of the whole ride where no
/// lap was recorded. The samples of all results together are those of the recording, in order.
pub fn interval_results(recording: &Recording) -> Vec<IntervalResult> {
    let parts = lap_samples(&recording.laps, &recording.samples).into_iter();
    let results = parts.map(|part| {
        let samples = &recording.samples[part.samples.clone()];
        let figures = Summary::of_samples(samples, recording.ftp);
        let lap = recording.laps.get(part.lap);
        IntervalResult {
            interval: lap.and_then(|lap| lap.interval),
            // The range has at least one sample.
            from: samples[0].at,
            samples: part.samples,
            duration: figures.duration,
            target: mean(samples.iter().filter_map(|sample| sample.target)),
            figures,
            compliance: share_at_target(samples.iter()),
        }
    });
    results.collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_close, at, ftp, lap, recording};
    use super::*;

    #[test]
    fn each_lap_has_its_figures() {
        let mut ride = recording([100, 120, 210, 190, 230, 300].map(Some));
        let targets = [100, 100, 200, 200, 204].map(Some);
        for (sample, target) in ride.samples.iter_mut().zip(targets) {
            sample.target = target;
        }
        ride.laps = vec![lap(0, Some(0)), lap(2, Some(1)), lap(5, None)];
        let results = interval_results(&ride);
        let ranges = [0..2, 2..5, 5..6];
        assert_eq!(results.len(), 3);
        for (result, range) in results.iter().zip(ranges) {
            assert_eq!(result.from, at(range.start as u64));
            assert_eq!(result.duration.as_secs(), range.len() as u64);
            let figures = Summary::of_samples(&ride.samples[range.clone()], ftp(200));
            assert_eq!(result.figures, figures);
            assert_eq!(result.samples, range);
        }
        let intervals = results.iter().map(|result| result.interval);
        assert!(intervals.eq([Some(0), Some(1), None]));
        // (200 + 200 + 204) / 3, and (210 + 190 + 230) / 3.
        assert_close(results[1].target, 201.333);
        assert_close(results[1].figures.average_power, 210.0);
        // 120 W are not within 10 W of 100 W, 230 W not within 5 % of 204 W.
        assert_eq!(results[0].compliance, Some(0.5));
        assert_close(results[1].compliance, 2.0 / 3.0);
        assert_eq!((results[2].target, results[2].compliance), (None, None));
    }

    #[test]
    fn a_pause_does_not_lengthen_an_interval() {
        let mut ride = recording([Some(100); 4]);
        ride.samples[2].at = at(602);
        ride.samples[3].at = at(603);
        ride.laps = vec![lap(0, Some(0)), lap(603, Some(1))];
        let results = interval_results(&ride);
        assert_eq!(results[0].duration, Duration::from_secs(3));
        assert_eq!(results[1].from, at(603));
    }

    #[test]
    fn a_ride_without_laps_is_one_result() {
        let ride = recording([Some(100); 4]);
        let results = interval_results(&ride);
        assert_eq!(results.len(), 1);
        assert_eq!(results[0].interval, None);
        assert_eq!(results[0].figures, Summary::of(&ride));
        assert_eq!(interval_results(&recording([])), []);
    }

    // The sum of a day at the highest target does not fit into 32 bits.
    #[test]
    fn the_mean_of_the_highest_targets_of_a_day_is_theirs() {
        let mut ride = recording(vec![None; 86_400]);
        for sample in &mut ride.samples {
            sample.target = Some(u16::MAX);
        }
        assert_eq!(interval_results(&ride)[0].target, Some(65_535.0));
    }
}
