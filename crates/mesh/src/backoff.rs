//! How long to wait before trying again.

use std::time::Duration;

use crate::random::Random;

/// Doubles from a base up to a limit, or goes to the limit at once after a few
/// waits; each wait is shortened by up to half at random, so that those who lost
/// the same server do not return as one.
#[derive(Clone, Debug)]
pub struct Backoff {
    base: Duration,
    limit: Duration,
    doublings: u32,
    attempt: u32,
    random: Random,
}

impl Backoff {
    /// Waits from `base` up to `limit`, jittered from `seed`.
    pub fn new(base: Duration, limit: Duration, seed: u64) -> Self {
        let random = Random::new(seed);
        Self {
            base,
            limit,
            doublings: u32::MAX,
            attempt: 0,
            random,
        }
    }

    /// The same, but after so many waits each further one is the limit.
    #[must_use]
    pub fn then_limit(self, waits: u32) -> Self {
        Self {
            doublings: waits,
            ..self
        }
    }

    /// How many waits were given since the start or the last success.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        let doubled = self.base.saturating_mul(1 << self.attempt.min(20));
        let full = match self.attempt < self.doublings {
            true => doubled.min(self.limit),
            false => self.limit,
        };
        self.attempt = self.attempt.saturating_add(1);
        full.mul_f64(1.0 - self.random.fraction() / 2.0)
    }

    /// It worked: start from the base again.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(seed: u64) -> Vec<Duration> {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 30 * second, seed);
        (0..60).map(|_| backoff.wait()).collect()
    }

    #[test]
    fn waits_double_up_to_the_limit_and_keep_at_least_half() {
        for (attempt, wait) in waits(7).into_iter().enumerate() {
            let full = (1u64 << attempt.min(20)).min(30) as f64;
            let wait = wait.as_secs_f64();
            assert!((full / 2.0..=full).contains(&wait), "{attempt}: {wait}");
        }
    }

    #[test]
    fn after_a_few_waits_all_are_long() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 30 * second, 7).then_limit(3);
        for full in [1, 2, 4, 30, 30] {
            let wait = backoff.wait();
            assert!((full * second / 2..=full * second).contains(&wait));
        }
    }

    #[test]
    fn two_seeds_wait_differently() {
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(1), waits(1));
    }

    #[test]
    fn success_starts_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30), 1);
        (0..5).for_each(|_| assert!(!backoff.wait().is_zero()));
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_secs(1));
    }
}
