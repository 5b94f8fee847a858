//! Limits of what each other rider can make this page do, as token buckets on virtual time.

use clock::{Duration, Moment};

/// Size of a bucket in tokens, and milliseconds in which it gains one.
pub(crate) type Limit = (u32, u64);

/// `N` token buckets of one rider. A bucket is stored as the moment at which it is full again.
#[derive(Clone, Debug)]
pub(crate) struct TokenBuckets<const N: usize> {
    full_at: [Moment; N],
}

impl<const N: usize> Default for TokenBuckets<N> {
    fn default() -> Self {
        Self {
            full_at: [Moment::default(); N],
        }
    }
}

impl<const N: usize> TokenBuckets<N> {
    /// Takes a token from a bucket. Returns false if there is none.
    pub(crate) fn take(&mut self, now: Moment, bucket: usize, limits: &[Limit; N]) -> bool {
        let (burst, interval) = limits[bucket];
        let interval = Duration::from_millis(interval);
        let full_at = &mut self.full_at[bucket];
        let has_token = full_at.since(now) <= interval * (burst - 1);
        if has_token {
            *full_at = now.max(*full_at) + interval;
        }
        has_token
    }

    /// Takes tokens from a bucket, also those that it gains later.
    pub(crate) fn charge(&mut self, now: Moment, bucket: usize, limits: &[Limit; N], tokens: u32) {
        let interval = Duration::from_millis(limits[bucket].1);
        let full_at = &mut self.full_at[bucket];
        *full_at = now.max(*full_at) + interval * tokens;
    }
}
