use std::time::Duration;

/// Rate limiter for a reader that waits instead of refusing: each piece is taken at once, and the
/// next one is to be read after a wait. What was taken may exceed the burst by one piece of each
/// reader.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Bytes per second; 0: unlimited.
    rate: u32,
    burst: Duration,
    /// Time at which nothing of the allowance is used any more.
    free_at: Duration,
}

impl Pace {
    /// Limiter for `rate` bytes per second (0: unlimited), with bursts of `burst` at that rate.
    pub fn new(rate: u32, burst: Duration) -> Self {
        Self {
            rate,
            burst,
            free_at: Duration::ZERO,
        }
    }

    /// Takes bytes at `now`, and returns the time after which the next piece may be read.
    pub fn take(&mut self, now: Duration, bytes: usize) -> Duration {
        if self.rate == 0 {
            return Duration::ZERO;
        }
        let nanoseconds = (bytes as u64).saturating_mul(1_000_000_000) / u64::from(self.rate);
        self.free_at = self.free_at.max(now) + Duration::from_nanos(nanoseconds);
        self.free_at.saturating_sub(now + self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_passes_at_once_and_the_rest_at_the_rate() {
        let mut pace = Pace::new(1_000, SECOND);
        assert_eq!(pace.take(SECOND, 1_000), Duration::ZERO);
        assert_eq!(pace.take(SECOND, 500), SECOND / 2);
        assert_eq!(
            pace.take(SECOND, 500),
            SECOND,
            "readers share the allowance"
        );
        assert_eq!(pace.take(SECOND * 10, 1_000), Duration::ZERO);
    }

    #[test]
    fn a_reader_that_keeps_to_the_waits_gets_the_rate() {
        let mut pace = Pace::new(1_000, SECOND);
        let mut now = Duration::ZERO;
        for _ in 0..110 {
            now += pace.take(now, 100);
        }
        assert_eq!(
            now,
            SECOND * 10,
            "11,000 bytes, of which 1,000 are the burst"
        );
    }

    #[test]
    fn a_rate_of_zero_is_unlimited() {
        let mut pace = Pace::new(0, SECOND);
        assert_eq!(pace.take(SECOND, usize::MAX), Duration::ZERO);
    }
}
