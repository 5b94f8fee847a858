use std::time::Duration;

use crate::random::Random;

/// Delays between retries: doubled from `base` up to `limit`, or `limit` after a number of short
/// ones.
///
/// Each delay is shortened by up to half at random, so that pages that lost the same server do not
/// all return at once.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    base: Duration,
    limit: Duration,
    /// Number of delays after which each further one is the limit.
    short_delays: u32,
    attempt: u32,
    random: Random,
}

impl Backoff {
    pub(crate) fn new(base: Duration, limit: Duration, seed: u64) -> Self {
        Self {
            base,
            limit,
            short_delays: u32::MAX,
            attempt: 0,
            random: Random::new(seed),
        }
    }

    /// Limits the doubled delays to a number of them; each further one is the limit.
    #[must_use]
    pub(crate) fn with_short_delays(self, short_delays: u32) -> Self {
        Self {
            short_delays,
            ..self
        }
    }

    /// Number of delays since the start or the last success.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    pub(crate) fn next_delay(&mut self) -> Duration {
        let doubled = self.base.saturating_mul(1 << self.attempt.min(20));
        let delay = match self.attempt < self.short_delays {
            true => doubled.min(self.limit),
            false => self.limit,
        };
        self.attempt = self.attempt.saturating_add(1);
        delay.mul_f64(1.0 - self.random.fraction() / 2.0)
    }

    /// Starts from `base` again, after a success.
    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn delays(seed: u64) -> Vec<Duration> {
        let mut backoff = Backoff::new(SECOND, 30 * SECOND, seed);
        (0..60).map(|_| backoff.next_delay()).collect()
    }

    #[test]
    fn delays_double_up_to_the_limit_and_keep_at_least_half() {
        for (attempt, delay) in delays(7).into_iter().enumerate() {
            let full = (1u64 << attempt.min(20)).min(30) as f64;
            let delay = delay.as_secs_f64();
            assert!((full / 2.0..=full).contains(&delay), "{attempt}: {delay}");
        }
    }

    #[test]
    fn after_the_short_delays_each_one_is_the_limit() {
        let mut backoff = Backoff::new(SECOND, 30 * SECOND, 7).with_short_delays(3);
        for full in [1, 2, 4, 30, 30] {
            let delay = backoff.next_delay();
            assert!((full * SECOND / 2..=full * SECOND).contains(&delay));
        }
    }

    #[test]
    fn delays_depend_on_the_seed_alone() {
        assert_ne!(delays(1), delays(2));
        assert_eq!(delays(1), delays(1));
    }

    #[test]
    fn a_success_starts_from_the_base_again() {
        let mut backoff = Backoff::new(SECOND, 30 * SECOND, 1);
        (0..5).for_each(|_| assert!(!backoff.next_delay().is_zero()));
        backoff.reset();
        assert!(backoff.next_delay() <= SECOND);
    }
}
