use core::time::Duration;

use crate::{Moment, WallTime};

/// Readings of the monotonic clock and of the wall clock at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic clock, for durations and group time.
    pub moment: Moment,
    /// Wall clock, for everything that is written down or kept over a reload.
    pub wall: WallTime,
}

impl Now {
    /// Wall time of a moment, assuming that the wall clock has run evenly between the two.
    pub fn wall_time_of(self, at: Moment) -> WallTime {
        if at < self.moment {
            self.wall.before(self.moment - at)
        } else {
            self.wall.after(at - self.moment)
        }
    }

    /// Moment of a wall time, assuming that the wall clock has run evenly between the two.
    pub fn moment_of(self, at: WallTime) -> Moment {
        if at < self.wall {
            self.moment.before(self.wall.since(at))
        } else {
            self.moment + at.since(self.wall)
        }
    }

    /// Time by which the wall clock has advanced more than the monotonic clock since `earlier`: the
    /// computer slept, and its monotonic clock with it, or the wall clock was set forward. The two
    /// cannot be told apart. Zero if the wall clock was set back.
    pub fn wall_gain_since(self, earlier: Self) -> Duration {
        self.wall.since(earlier.wall_time_of(self.moment))
    }

    /// Time since `earlier` by the clock that has advanced further.
    pub fn longest_since(self, earlier: Self) -> Duration {
        let by_moment = self.moment - earlier.moment;
        by_moment.max(self.wall.since(earlier.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn now(moment: u64, wall: u64) -> Now {
        Now {
            moment: Moment::from_origin(Duration::from_secs(moment)),
            wall: WallTime::from_unix_ms(wall * 1_000),
        }
    }

    #[test]
    fn a_computer_that_slept_gains_wall_time() {
        let before = now(100, 5_000);
        assert_eq!(now(103, 5_003).wall_gain_since(before), Duration::ZERO);
        let slept = Duration::from_secs(28_800);
        assert_eq!(now(101, 33_801).wall_gain_since(before), slept);
    }

    #[test]
    fn a_wall_clock_that_is_set_back_gains_nothing() {
        let before = now(100, 5_000);
        assert_eq!(now(101, 1_400).wall_gain_since(before), Duration::ZERO);
    }

    #[test]
    fn the_longest_time_is_that_of_the_clock_that_ran_on() {
        let before = now(100, 5_000);
        assert_eq!(now(101, 5_060).longest_since(before).as_secs(), 60);
        assert_eq!(now(160, 5_001).longest_since(before).as_secs(), 60);
        assert_eq!(now(101, 4_000).longest_since(before).as_secs(), 1);
    }

    #[test]
    fn times_are_converted_in_both_directions() {
        let now = now(100, 5_000);
        for at in [40, 100, 130] {
            let moment = Moment::from_origin(Duration::from_secs(at));
            let wall = now.wall_time_of(moment);
            assert_eq!(wall.unix_seconds(), 4_900 + at);
            assert_eq!(now.moment_of(wall), moment);
        }
    }
}
