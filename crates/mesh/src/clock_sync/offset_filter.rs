use std::{collections::VecDeque, time::Duration};

use super::{LIMIT, nth_smallest};

/// Number of samples that are kept.
const WINDOW: usize = 16;
/// Number of samples below which none is an outlier.
const MIN_SAMPLES: usize = 4;
/// Number of consecutive outliers after which they are accepted: the path has become slower.
const MAX_REJECTED: u32 = 8;
/// Difference in microseconds that drift may cause between two samples, beyond their round trips.
const DRIFT_TOLERANCE: u64 = 10_000;
/// Longest round trip of a sample, in microseconds.
const MAX_ROUND_TRIP: i64 = 10_000_000;

/// Timestamps of a heartbeat in each direction, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RoundTrip {
    /// Own clock when the own heartbeat was sent.
    pub(crate) sent: i64,
    /// Time from its arrival at the peer until the peer's heartbeat was sent.
    pub(crate) peer_delay: u32,
    /// Peer's clock when its heartbeat was sent.
    pub(crate) peer_sent: i64,
    /// Own clock when that heartbeat arrived.
    pub(crate) received: i64,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    offset: i64,
    round_trip: i64,
}

/// Offset of a peer's clock from the own one.
#[derive(Clone, Debug, Default)]
pub(crate) struct OffsetFilter {
    samples: VecDeque<Sample>,
    /// Median of the round trips in the window, kept because it is read far more often than it
    /// changes.
    median: Option<i64>,
    rejected: u32,
}

impl OffsetFilter {
    /// Adds a sample. Round trips over twice the median are rejected, unless nothing else arrives;
    /// implausible timestamps are ignored.
    pub(crate) fn add(&mut self, round_trip: RoundTrip) {
        let Some(sample) = round_trip.sample() else {
            return;
        };
        if self.best().is_some_and(|best| sample.contradicts(best)) {
            self.samples.clear();
            self.rejected = 0;
        } else if !self.is_outlier(sample) {
            self.rejected = 0;
        } else if self.rejected < MAX_REJECTED {
            self.rejected += 1;
            return;
        }
        self.samples.push_back(sample);
        if self.samples.len() > WINDOW {
            self.samples.pop_front();
        }
        let round_trips = self.samples.iter().map(|sample| sample.round_trip);
        let round_trips: Vec<_> = round_trips.collect();
        self.median = nth_smallest(&round_trips, round_trips.len() / 2);
    }

    /// Peer's clock minus the own one, in microseconds.
    pub(crate) fn offset(&self) -> Option<i64> {
        self.best().map(|best| best.offset)
    }

    /// Largest error of the offset: half the lowest round trip.
    pub(crate) fn error(&self) -> Option<Duration> {
        let half = |best: Sample| best.round_trip.unsigned_abs() / 2;
        self.best().map(|best| Duration::from_micros(half(best)))
    }

    /// Median of the round trips in the window.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        let median = self.median?;
        Some(Duration::from_micros(median.unsigned_abs()))
    }

    fn best(&self) -> Option<Sample> {
        let samples = self.samples.iter();
        samples.min_by_key(|sample| sample.round_trip).copied()
    }

    fn is_outlier(&self, sample: Sample) -> bool {
        let is_slow = |median| sample.round_trip > 2 * median;
        self.samples.len() >= MIN_SAMPLES && self.median.is_some_and(is_slow)
    }
}

impl RoundTrip {
    fn sample(self) -> Option<Sample> {
        let stamps = [self.sent, self.peer_sent, self.received];
        let is_implausible = |stamp: &i64| stamp.unsigned_abs() > LIMIT.unsigned_abs();
        if stamps.iter().any(is_implausible) {
            return None;
        }
        let peer_delay = i64::from(self.peer_delay);
        let round_trip = self.received - self.sent - peer_delay;
        let peer_received = self.peer_sent - peer_delay;
        let offset = ((peer_received - self.sent) + (self.peer_sent - self.received)) / 2;
        // The drift of two clocks can make a very short round trip slightly negative.
        let is_plausible = (-1_000..=MAX_ROUND_TRIP).contains(&round_trip);
        is_plausible.then_some(Sample {
            offset,
            round_trip: round_trip.max(0),
        })
    }
}

impl Sample {
    /// The true offset lies within half a round trip of each sample. When the ranges of two samples
    /// do not overlap, a clock was set or a machine slept.
    fn contradicts(self, other: Self) -> bool {
        let difference = self.offset.abs_diff(other.offset);
        let tolerance = (self.round_trip + other.round_trip).unsigned_abs() / 2;
        difference > tolerance + DRIFT_TOLERANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const MS: i64 = 1_000;

    /// Round trip that took `there` and `back` milliseconds, to a clock that is `ahead`
    /// milliseconds ahead.
    fn round_trip(ahead: i64, there: i64, back: i64) -> RoundTrip {
        let (sent, delay) = (5_000 * MS, 40 * MS);
        RoundTrip {
            sent,
            peer_delay: delay as u32,
            peer_sent: sent + there * MS + delay + ahead * MS,
            received: sent + (there + back) * MS + delay,
        }
    }

    #[test]
    fn symmetric_round_trips_give_the_exact_offset() {
        let mut filter = OffsetFilter::default();
        filter.add(round_trip(300_000, 20, 20));
        assert_eq!(filter.offset(), Some(300_000 * MS));
        assert_eq!(filter.error(), Some(Duration::from_millis(20)));
        assert_eq!(filter.round_trip(), Some(Duration::from_millis(40)));
    }

    #[test]
    fn the_error_of_an_asymmetric_round_trip_is_within_half_of_it() {
        let mut filter = OffsetFilter::default();
        filter.add(round_trip(0, 120, 80));
        let offset = Duration::from_micros(filter.offset().unwrap().unsigned_abs());
        assert!(offset <= filter.error().unwrap(), "{offset:?}");
    }

    #[test]
    fn the_lowest_round_trip_counts_and_outliers_do_not() {
        let mut filter = OffsetFilter::default();
        for back in [50, 10, 60, 70, 400] {
            filter.add(round_trip(0, 10, back));
        }
        assert_eq!(filter.offset(), Some(0));
        assert_eq!(filter.samples.len(), 4);
    }

    #[test]
    fn a_path_that_became_slower_is_accepted_after_a_while() {
        let mut filter = OffsetFilter::default();
        (0..16).for_each(|_| filter.add(round_trip(0, 5, 5)));
        (0..30).for_each(|_| filter.add(round_trip(0, 50, 50)));
        assert_eq!(filter.round_trip(), Some(Duration::from_millis(100)));
    }

    #[test]
    fn a_clock_that_slept_is_noticed_at_once() {
        let mut filter = OffsetFilter::default();
        (0..16).for_each(|_| filter.add(round_trip(0, 5, 5)));
        filter.add(round_trip(60_000, 6, 6));
        assert_eq!(filter.offset(), Some(60_000 * MS));
    }

    #[test]
    fn a_clock_that_slept_is_noticed_even_when_the_path_became_slower() {
        let mut filter = OffsetFilter::default();
        (0..16).for_each(|_| filter.add(round_trip(0, 5, 5)));
        filter.add(round_trip(60_000, 50, 50));
        assert_eq!(filter.offset(), Some(60_000 * MS));
    }

    proptest! {
        #[test]
        fn no_timestamps_make_it_panic(stamps in vec(any::<(i64, u32, i64, i64)>(), 1..40)) {
            let mut filter = OffsetFilter::default();
            for (sent, peer_delay, peer_sent, received) in stamps {
                filter.add(RoundTrip { sent, peer_delay, peer_sent, received });
                let _ = (filter.offset(), filter.error(), filter.round_trip());
            }
        }
    }
}
