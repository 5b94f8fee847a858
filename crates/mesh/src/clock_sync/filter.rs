//! How far another's clock is from ours, from beats there and back.

use std::{collections::VecDeque, time::Duration};

use super::LIMIT;

const WINDOW: usize = 16;
/// A sample needs company before it can be called an outlier.
const FEW: usize = 4;
const REJECTED_IN_A_ROW: u32 = 8;
/// What two honest samples may disagree by beyond their round trips: drift.
const SLACK: u64 = 10_000;
const LONGEST_TRIP: i64 = 10_000_000;

/// The time stamps of one beat there and one back, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Ours, when our beat went.
    pub sent: i64,
    /// How long the other held it before its own beat went.
    pub held: u32,
    /// The other's, when its beat went.
    pub replied: i64,
    /// Ours, when that came.
    pub received: i64,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    offset: i64,
    trip: i64,
}

/// How far another's clock is from ours.
#[derive(Clone, Debug, Default)]
pub struct OffsetFilter {
    samples: VecDeque<Sample>,
    /// Of the round trips in the window; asked for far more often than it changes.
    median: Option<i64>,
    rejected: u32,
}

impl OffsetFilter {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns from one beat there and back. Round trips over twice the median
    /// are left out, unless that is all that comes; time stamps that make no
    /// sense are ignored.
    pub fn add(&mut self, echo: Echo) {
        let Some(sample) = echo.sample() else {
            return;
        };
        if self.best().is_some_and(|best| sample.contradicts(best)) {
            self.samples.clear();
            self.rejected = 0;
        } else if !self.is_outlier(sample) {
            self.rejected = 0;
        } else if self.rejected < REJECTED_IN_A_ROW {
            self.rejected += 1;
            return;
        }
        self.samples.push_back(sample);
        if self.samples.len() > WINDOW {
            self.samples.pop_front();
        }
        let mut trips: Vec<_> = self.samples.iter().map(|sample| sample.trip).collect();
        trips.sort_unstable();
        self.median = trips.get(trips.len() / 2).copied();
    }

    /// The other's clock minus ours.
    pub fn offset(&self) -> Option<i64> {
        self.best().map(|best| best.offset)
    }

    /// By how much the offset may be wrong: half the lowest round trip.
    pub fn error(&self) -> Option<u64> {
        self.best().map(|best| best.trip.unsigned_abs() / 2)
    }

    /// The usual round trip: the median of the window.
    pub fn round_trip(&self) -> Option<Duration> {
        self.median
            .map(|trip| Duration::from_micros(trip.unsigned_abs()))
    }

    fn best(&self) -> Option<Sample> {
        self.samples
            .iter()
            .min_by_key(|sample| sample.trip)
            .copied()
    }

    fn is_outlier(&self, sample: Sample) -> bool {
        self.samples.len() >= FEW && self.median.is_some_and(|median| sample.trip > 2 * median)
    }
}

impl Echo {
    fn sample(self) -> Option<Sample> {
        let stamps = [self.sent, self.replied, self.received];
        if stamps
            .iter()
            .any(|stamp| stamp.unsigned_abs() > LIMIT.unsigned_abs())
        {
            return None;
        }
        let held = i64::from(self.held);
        let trip = self.received - self.sent - held;
        let came = self.replied - held;
        let offset = ((came - self.sent) + (self.replied - self.received)) / 2;
        // A little below nothing is what two clocks' drift makes of nothing.
        (-1_000..=LONGEST_TRIP).contains(&trip).then_some(Sample {
            offset,
            trip: trip.max(0),
        })
    }
}

impl Sample {
    /// The true offset lies within half a round trip of each sample: two that
    /// leave no common ground mean that a clock was set or slept.
    fn contradicts(self, other: Self) -> bool {
        let apart = self.offset.abs_diff(other.offset);
        apart > (self.trip + other.trip).unsigned_abs() / 2 + SLACK
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const MS: i64 = 1_000;

    /// A beat there in `there` and back in `back` milliseconds, to a clock
    /// that is `ahead` milliseconds ahead.
    fn echo(ahead: i64, there: i64, back: i64) -> Echo {
        let (sent, held) = (5_000 * MS, 40 * MS);
        let replied = sent + there * MS + held + ahead * MS;
        let received = sent + (there + back) * MS + held;
        Echo {
            sent,
            held: held as u32,
            replied,
            received,
        }
    }

    #[test]
    fn symmetric_trips_give_the_offset_exactly() {
        let mut filter = OffsetFilter::new();
        filter.add(echo(300_000, 20, 20));
        assert_eq!(filter.offset(), Some(300_000 * MS));
        assert_eq!(filter.error(), Some(20_000));
        assert_eq!(filter.round_trip(), Some(Duration::from_millis(40)));
    }

    #[test]
    fn the_error_of_an_asymmetric_trip_is_within_half_of_it() {
        let mut filter = OffsetFilter::new();
        filter.add(echo(0, 120, 80));
        let offset = filter.offset().unwrap().unsigned_abs();
        assert!(offset <= filter.error().unwrap(), "{offset}");
    }

    #[test]
    fn the_lowest_round_trip_counts_and_outliers_do_not() {
        let mut filter = OffsetFilter::new();
        for back in [50, 10, 60, 70, 400] {
            filter.add(echo(0, 10, back));
        }
        assert_eq!(filter.offset(), Some(0));
        assert_eq!(filter.samples.len(), 4);
    }

    #[test]
    fn a_path_that_became_slow_is_believed_after_a_while() {
        let mut filter = OffsetFilter::new();
        (0..16).for_each(|_| filter.add(echo(0, 5, 5)));
        (0..30).for_each(|_| filter.add(echo(0, 50, 50)));
        assert_eq!(filter.round_trip(), Some(Duration::from_millis(100)));
    }

    #[test]
    fn a_clock_that_slept_is_noticed_at_once() {
        let mut filter = OffsetFilter::new();
        (0..16).for_each(|_| filter.add(echo(0, 5, 5)));
        filter.add(echo(60_000, 6, 6));
        assert_eq!(filter.offset(), Some(60_000 * MS));
    }

    #[test]
    fn a_clock_that_slept_is_noticed_on_a_path_that_became_slow_too() {
        let mut filter = OffsetFilter::new();
        (0..16).for_each(|_| filter.add(echo(0, 5, 5)));
        filter.add(echo(60_000, 50, 50));
        assert_eq!(filter.offset(), Some(60_000 * MS));
    }

    proptest! {
        #[test]
        fn any_time_stamps_are_survived(stamps in vec(any::<(i64, u32, i64, i64)>(), 1..40)) {
            let mut filter = OffsetFilter::new();
            for (sent, held, replied, received) in stamps {
                filter.add(Echo { sent, held, replied, received });
                let _ = (filter.offset(), filter.error(), filter.round_trip());
            }
        }
    }
}
