//! Group time: one clock for a ride, on machines whose clocks differ by minutes.
//!
//! - [`OffsetFilter`]: how far another rider's clock is from ours, over one
//!   link, from the four time stamps of two beats (RFC 5905, section 8). The
//!   sample of the lowest round trip counts, for its error is bounded by half
//!   that round trip.
//! - [`GroupClock`]: our own idea of the host's clock, steered towards the
//!   newest estimate.
//!
//! Law: group time never runs back. Small errors are slewed; it may jump
//! forward right after it is first known, and after the machine slept.
//!
//! All times are microseconds, all clocks monotonic with any origin. Offsets
//! beyond ±2^53 are never taken.

use std::{collections::VecDeque, time::Duration};

const WINDOW: usize = 16;
/// A sample needs company before it can be called an outlier.
const FEW: usize = 4;
const REJECTED_IN_A_ROW: u32 = 8;
/// What two honest samples may disagree by beyond their round trips: drift.
const SLACK: u64 = 10_000;
const LONGEST_TRIP: i64 = 10_000_000;
const LIMIT: i64 = 1 << 53;

const SETTLING: Duration = Duration::from_secs(2);
const JUMP_SETTLING: i64 = 250_000;
/// Behind by more than this is no drift: the machine slept.
pub(crate) const JUMP: i64 = 1_000_000;
/// How much of the time that passes goes into catching up, by how far it is
/// off: a hundredth is not seen in a second's tick, and riders who are further
/// apart than a blink rather meet soon.
const SLEW: [(i64, i64); 3] = [(250_000, 10), (20_000, 25), (0, 100)];

/// A monotonic clock's reading as it goes over the wire, in microseconds.
pub fn micros(now: Duration) -> i64 {
    i64::try_from(now.as_micros())
        .unwrap_or(i64::MAX)
        .min(LIMIT)
}

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

/// Our own idea of the host's clock.
#[derive(Clone, Debug, Default)]
pub struct GroupClock {
    course: Option<Course>,
}

/// From `at` on, the offset moves from `offset` towards `target`.
#[derive(Clone, Copy, Debug)]
struct Course {
    since: Duration,
    at: Duration,
    offset: i64,
    target: i64,
    error: u64,
}

impl GroupClock {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steers towards `target`, group time minus our clock, which may be wrong
    /// by `error`; both in microseconds. Beyond ±2^54 it is ignored.
    pub fn steer(&mut self, now: Duration, target: i64, error: u64) {
        if target.unsigned_abs() > 2 * LIMIT.unsigned_abs() {
            return;
        }
        let course = match self.course {
            None => Course {
                since: now,
                at: now,
                offset: target,
                target,
                error,
            },
            Some(course) => course.towards(now, target, error),
        };
        self.course = Some(course);
    }

    /// Carries on as it is: we are the host, and what we show is group time.
    pub fn hold(&mut self, now: Duration) {
        if let Some(offset) = self.offset(now) {
            self.steer(now, offset, 0);
        }
    }

    /// How long group time has been known.
    pub fn age(&self, now: Duration) -> Option<Duration> {
        self.course.map(|course| now.saturating_sub(course.since))
    }

    /// Group time minus our clock, in microseconds.
    pub fn offset(&self, now: Duration) -> Option<i64> {
        self.course.map(|course| course.offset(now))
    }

    /// Group time in microseconds.
    pub fn group_time(&self, now: Duration) -> Option<i64> {
        self.offset(now).map(|offset| micros(now) + offset)
    }

    /// By how much group time may be off the host's, what is not slewed yet
    /// included.
    pub fn error(&self, now: Duration) -> Option<Duration> {
        let course = self.course?;
        let left = course.target.abs_diff(course.offset(now));
        Some(Duration::from_micros(left.saturating_add(course.error)))
    }
}

impl Course {
    fn towards(self, now: Duration, target: i64, error: u64) -> Self {
        let offset = self.offset(now);
        let settling = now.saturating_sub(self.since) <= SETTLING;
        let jump = if settling { JUMP_SETTLING } else { JUMP };
        // However wrong the target is, we are late.
        let certain = i64::try_from(error).map_or(i64::MAX, |error| error.saturating_add(jump));
        let offset = if target - offset > certain {
            target
        } else {
            offset
        };
        Self {
            since: self.since,
            at: now,
            offset,
            target,
            error,
        }
    }

    fn offset(self, now: Duration) -> i64 {
        let left = self.target - self.offset;
        let far = |step: &&(i64, i64)| left.abs() > step.0;
        let slew = SLEW.iter().find(far).map_or(1, |step| step.1);
        let most = micros(now.saturating_sub(self.at)) / slew;
        self.offset + left.clamp(-most, most)
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

    #[test]
    fn it_does_not_jump_to_a_time_that_may_be_wrong_by_as_much() {
        let at = |ms: u64| Duration::from_millis(ms);
        let mut clock = GroupClock::new();
        clock.steer(at(0), 0, 0);
        clock.steer(at(5_000), 3_000 * MS, 2_500_000);
        assert_eq!(clock.offset(at(5_000)), Some(0));
        clock.steer(at(5_000), 3_000 * MS, 500_000);
        assert_eq!(clock.offset(at(5_000)), Some(3_000 * MS));
    }

    #[test]
    fn a_small_error_is_slewed_by_a_hundredth() {
        let mut clock = GroupClock::new();
        let at = |ms: u64| Duration::from_millis(ms);
        clock.steer(at(0), 0, 0);
        clock.steer(at(10_000), -20 * MS, 5_000);
        assert_eq!(clock.group_time(at(10_000)), Some(10_000 * MS));
        assert_eq!(clock.group_time(at(11_000)), Some(10_990 * MS));
        assert_eq!(clock.group_time(at(20_000)), Some(19_980 * MS));
        assert_eq!(clock.error(at(10_000)), Some(at(25)));
    }

    #[test]
    fn it_jumps_forward_early_and_after_a_sleep_only() {
        let at = |ms: u64| Duration::from_millis(ms);
        let mut clock = GroupClock::new();
        clock.steer(at(0), 0, 0);
        clock.steer(at(1_000), 300 * MS, 0);
        assert_eq!(clock.offset(at(1_000)), Some(300 * MS));
        clock.steer(at(5_000), 700 * MS, 0);
        assert_eq!(clock.offset(at(5_000)), Some(300 * MS));
        clock.steer(at(6_000), 60_000 * MS, 0);
        assert_eq!(clock.offset(at(6_000)), Some(60_000 * MS));
    }

    proptest! {
        #[test]
        fn group_time_never_runs_back(
            steps in vec((0..3_000u64, -400_000_000..400_000_000i64), 1..60)
        ) {
            let mut clock = GroupClock::new();
            let mut now = Duration::from_secs(1);
            let mut last = i64::MIN;
            for (wait, target) in steps {
                now += Duration::from_millis(wait);
                let before = clock.group_time(now).unwrap_or(last);
                prop_assert!(before >= last);
                clock.steer(now, target, 0);
                last = clock.group_time(now).unwrap();
                prop_assert!(last >= before);
            }
        }

        #[test]
        fn any_time_stamps_are_survived(stamps in vec(any::<(i64, u32, i64, i64)>(), 1..40)) {
            let mut filter = OffsetFilter::new();
            let mut clock = GroupClock::new();
            for (sent, held, replied, received) in stamps {
                filter.add(Echo { sent, held, replied, received });
                clock.steer(Duration::from_micros(held.into()), replied, 1);
                if let Some(offset) = filter.offset() {
                    clock.steer(Duration::MAX, offset, u64::MAX);
                    let _ = (clock.group_time(Duration::MAX), clock.error(Duration::MAX));
                }
            }
        }
    }
}
