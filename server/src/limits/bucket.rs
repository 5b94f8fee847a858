use std::time::Duration;

/// An allowance that fills evenly, measured in the time that refills it: what
/// costs a tenth of the hour's allowance costs six minutes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bucket {
    used: Duration,
    at: Duration,
}

impl Bucket {
    /// Takes `cost` at `now` out of an allowance of `whole`.
    ///
    /// # Errors
    /// The time after which it would fit; then nothing is taken.
    pub fn take(&mut self, now: Duration, cost: Duration, whole: Duration) -> Result<(), Duration> {
        let used = self.used(now) + cost;
        if used > whole {
            return Err(used - whole);
        }
        *self = Self { used, at: now };
        Ok(())
    }

    /// What is used of it at `now`.
    pub fn used(&self, now: Duration) -> Duration {
        self.used.saturating_sub(now.saturating_sub(self.at))
    }
}
