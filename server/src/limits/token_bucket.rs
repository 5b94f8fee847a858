use std::time::Duration;

/// Allowance that refills evenly, measured in refill time: an action that takes
/// a tenth of the hourly allowance costs six minutes.
#[derive(Debug, Clone, Copy, Default)]
pub struct TokenBucket {
    used: Duration,
    updated_at: Duration,
}

impl TokenBucket {
    /// Takes `cost` at `now` from an allowance of `capacity`.
    ///
    /// # Errors
    /// The time until `cost` is available; nothing is taken then.
    pub fn take(
        &mut self,
        now: Duration,
        cost: Duration,
        capacity: Duration,
    ) -> Result<(), Duration> {
        let used = self.used(now) + cost;
        if used > capacity {
            return Err(used - capacity);
        }
        *self = Self {
            used,
            updated_at: now,
        };
        Ok(())
    }

    /// Used part of the allowance at `now`.
    pub fn used(&self, now: Duration) -> Duration {
        let elapsed = now.saturating_sub(self.updated_at);
        self.used.saturating_sub(elapsed)
    }
}
