use core::time::Duration;

/// Unix time in milliseconds, as the machine's wall clock shows it.
///
/// It is read when something is written into a file, a name or a list, or kept over a reload. The
/// wall clock can be set while the program runs, so a difference of two readings is no measured
/// duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(u64);

impl WallTime {
    /// Wall time from milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_unix_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn unix_ms(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    pub const fn unix_seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// Time since `earlier` by the calendar; zero if that one is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Wall time that lies `duration` before this one; 1970 at the earliest.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(ms))
    }

    /// Wall time that lies `duration` after this one.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_gives_no_negative_duration() {
        let before = WallTime::from_unix_ms(5_000);
        let after = WallTime::from_unix_ms(2_000);
        assert_eq!(after.since(before), Duration::ZERO);
        assert_eq!(before.since(after), Duration::from_secs(3));
    }

    #[test]
    fn seconds_are_whole_seconds() {
        assert_eq!(WallTime::from_unix_ms(1_999).unix_seconds(), 1);
    }
}
