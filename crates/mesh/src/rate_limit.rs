use std::time::Duration;

use clock::Moment;

/// Size of a token bucket and time in which it gains one token.
///
/// A bucket is stored as the moment at which it is full again (the generic cell rate algorithm of
/// ITU-T I.371), so its arithmetic is exact.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RateLimit {
    burst: u32,
    interval: Duration,
}

impl RateLimit {
    pub(crate) const fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval }
    }

    /// Returns true if a bucket that is full again at a moment holds a token now.
    pub(crate) fn allows(self, now: Moment, full_at: Moment) -> bool {
        full_at.since(now) <= self.interval * (self.burst - 1)
    }

    /// Moment from which a bucket that is full again at a moment holds a token.
    pub(crate) fn allows_at(self, full_at: Moment) -> Moment {
        full_at.before(self.interval * (self.burst - 1))
    }

    /// Moment at which a bucket is full again after one more token was taken.
    pub(crate) fn after_one(self, now: Moment, full_at: Moment) -> Moment {
        now.max(full_at) + self.interval
    }
}
