//! Samples of each lap of a recording.

use core::ops::Range;

use crate::recording::{Lap, Sample};

/// Samples of a lap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LapSamples {
    /// Index of the lap; 0 where no lap was recorded.
    pub(crate) lap: usize,
    /// Indices of its samples; at least one.
    pub(crate) samples: Range<usize>,
}

/// Laps with at least one sample; the whole ride where no lap was recorded. A lap begins with its first
/// sample, and the first lap with the ride. The ranges follow each other and hold all samples, even if
/// the laps or the samples are not in order of time.
pub(crate) fn lap_samples(laps: &[Lap], samples: &[Sample]) -> Vec<LapSamples> {
    let mut from = 0;
    let parts = (0..laps.len().max(1)).map(|lap| {
        let to = laps.get(lap + 1).map_or(samples.len(), |next| {
            let first = samples.partition_point(|sample| sample.at < next.at);
            first.max(from)
        });
        let samples = core::mem::replace(&mut from, to)..to;
        LapSamples { lap, samples }
    });
    parts.filter(|part| !part.samples.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, lap, recording};
    use super::*;

    fn ranges(laps: &[Lap], samples: &[Sample]) -> Vec<(usize, Range<usize>)> {
        let parts = lap_samples(laps, samples).into_iter();
        parts.map(|part| (part.lap, part.samples)).collect()
    }

    #[test]
    fn a_lap_ends_where_the_next_one_begins() {
        let ride = recording([None; 10]);
        let laps = [lap(0, Some(0)), lap(4, Some(1)), lap(9, None)];
        assert_eq!(
            ranges(&laps, &ride.samples),
            [(0, 0..4), (1, 4..9), (2, 9..10)]
        );
    }

    #[test]
    fn the_whole_ride_is_a_lap_where_none_was_recorded() {
        let ride = recording([None; 10]);
        assert_eq!(ranges(&[], &ride.samples), [(0, 0..10)]);
        assert_eq!(ranges(&[lap(3, None)], &ride.samples), [(0, 0..10)]);
        assert_eq!(ranges(&[], &[]), []);
    }

    #[test]
    fn a_lap_without_samples_is_left_out() {
        let mut ride = recording([None; 4]);
        ride.samples[2].at = at(20);
        ride.samples[3].at = at(21);
        let laps = [0, 10, 15, 30].map(|second| lap(second, None));
        assert_eq!(ranges(&laps, &ride.samples), [(0, 0..2), (2, 2..4)]);
    }

    #[test]
    fn laps_out_of_order_do_not_overlap() {
        let ride = recording([None; 10]);
        let laps = [0, 6, 2, 8].map(|second| lap(second, None));
        assert_eq!(
            ranges(&laps, &ride.samples),
            [(0, 0..6), (2, 6..8), (3, 8..10)]
        );
    }
}
