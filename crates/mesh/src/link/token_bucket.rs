use std::time::Duration;

use clock::Moment;
use protocol::peer::DeliveryClass;

/// Bytes that the server counts for a relayed frame at least.
const MIN_FRAME: usize = 4 * 1024;

/// Bytes that may be relayed now, so that the server never closes the socket for exceeding its
/// limit. The bucket holds one second's worth and fills evenly; bulk may take only its upper half,
/// so that control does not wait behind it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TokenBucket {
    /// Bytes per second, and size of the bucket; none where the server has no limit.
    rate: Option<u32>,
    bytes: f64,
    filled_at: Moment,
}

impl TokenBucket {
    /// Bucket for half of the server's limit: the rest is for heartbeats, telemetry and signals,
    /// which do not wait.
    pub(crate) fn new(now: Moment, limit: Option<u32>) -> Self {
        let rate = limit.map(|limit| (limit / 2).max(1));
        Self {
            rate,
            bytes: rate.map_or(0.0, f64::from),
            filled_at: now,
        }
    }

    pub(crate) fn fill(&mut self, now: Moment) {
        if let Some(rate) = self.rate.map(f64::from) {
            let passed = now.since(self.filled_at).as_secs_f64();
            self.bytes = (self.bytes + passed * rate).min(rate);
            self.filled_at = now.max(self.filled_at);
        }
    }

    pub(crate) fn allows(&self, class: DeliveryClass) -> bool {
        self.missing(class) <= 0.0
    }

    /// Moment from which a frame of the class is allowed.
    pub(crate) fn allows_at(&self, class: DeliveryClass) -> Moment {
        let rate = self.rate.map_or(1.0, f64::from);
        let wait = (self.missing(class).max(0.0) / rate).min(1.0);
        // Rounding must not make the moment too early, which would cause several timeouts.
        self.filled_at + Duration::from_secs_f64(wait) + Duration::from_millis(1)
    }

    pub(crate) fn spend(&mut self, bytes: usize) {
        if self.rate.is_some() {
            self.bytes -= bytes.max(MIN_FRAME) as f64;
        }
    }

    fn missing(&self, class: DeliveryClass) -> f64 {
        let reserve = match (self.rate, class) {
            (None, _) => return 0.0,
            (Some(rate), DeliveryClass::Bulk) => f64::from(rate) / 2.0,
            (Some(_), _) => 0.0,
        };
        reserve - self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent_within(seconds: u64, class: DeliveryClass) -> usize {
        let mut bucket = TokenBucket::new(Moment::ZERO, Some(64 * 1024));
        let end = Moment::ZERO + Duration::from_secs(seconds);
        let (mut now, mut bytes) = (Moment::ZERO, 0);
        while now < end {
            bucket.fill(now);
            if bucket.allows(class) {
                bucket.spend(8 * 1024);
                bytes += 8 * 1024;
            } else {
                now = bucket.allows_at(class);
            }
        }
        bytes
    }

    #[test]
    fn half_of_the_servers_limit_is_used() {
        let bytes = sent_within(10, DeliveryClass::Bulk);
        assert!((300_000..360_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn bulk_leaves_half_of_the_bucket_to_control() {
        let mut bucket = TokenBucket::new(Moment::ZERO, Some(64 * 1024));
        while bucket.allows(DeliveryClass::Bulk) {
            bucket.spend(1);
        }
        assert!(bucket.allows(DeliveryClass::Control));
    }

    #[test]
    fn without_a_limit_everything_is_allowed() {
        let mut bucket = TokenBucket::new(Moment::ZERO, None);
        (0..1_000).for_each(|_| bucket.spend(15_000));
        assert!(bucket.allows(DeliveryClass::Bulk));
    }
}
