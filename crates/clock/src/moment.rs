use core::{
    ops::{Add, AddAssign, Sub},
    time::Duration,
};

/// Reading of a monotonic clock, counted from an origin that the driver chooses.
///
/// It never runs backwards. In a browser it stands still while the computer sleeps, so it measures
/// durations only and is never written down: see [`WallTime`](crate::WallTime) for that.
///
/// Arithmetic saturates: the difference to a later moment is zero, and sums end at the largest
/// representable moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(Duration);

impl Moment {
    /// Origin of the clock.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// Moment at a distance from the origin, as the driver's clock gives it.
    pub const fn from_origin(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// Distance from the origin.
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// Time passed since `earlier`; zero if that moment is later.
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// Moment that lies `duration` before this one; the origin if it would lie before that.
    #[must_use]
    pub const fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

impl AddAssign<Duration> for Moment {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_difference_to_a_later_moment_is_zero() {
        let later = Moment::ZERO + SECOND;
        assert_eq!(later - Moment::ZERO, SECOND);
        assert_eq!(Moment::ZERO - later, Duration::ZERO);
    }

    #[test]
    fn sums_saturate_at_both_ends() {
        let last = Moment::from_origin(Duration::MAX);
        assert_eq!(last + SECOND, last);
        assert_eq!(Moment::ZERO.before(SECOND), Moment::ZERO);
    }
}
