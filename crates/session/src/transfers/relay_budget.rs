use clock::{Duration, Moment};

/// Bytes that the server counts for a relayed frame at least.
const MIN_FRAME: usize = 4 * 1024;
/// Bytes that the mesh adds to a message that fits into one frame: link frame and envelope.
const FRAME_OVERHEAD: usize = 32;
/// Time whose bytes may be sent at once.
const BURST: Duration = Duration::from_millis(250);
/// Limit of the server that is assumed where none is known, in bytes per second.
const UNKNOWN_LIMIT: u32 = 64 * 1024;
/// Bytes of the largest message, which the budget must be able to hold.
const LARGEST: f64 = 16.0 * 1024.0;

/// Bytes that all transfers of this page may send over the server's relay now: half of the limit
/// that the server announces. The rest is for the numbers of the ride, which go first.
///
/// Chunks wait until they fit. The few small messages of transfers do not wait, and chunks wait
/// longer for them.
#[derive(Debug)]
pub(super) struct RelayBudget {
    /// Bytes per second.
    rate: f64,
    bytes: f64,
    filled_at: Moment,
}

impl RelayBudget {
    pub(super) fn new() -> Self {
        Self {
            rate: f64::from(UNKNOWN_LIMIT / 2),
            bytes: LARGEST,
            filled_at: Moment::ZERO,
        }
    }

    /// Takes over the server's limit for this page in bytes per second; 0 where none is known.
    pub(super) fn set_limit(&mut self, limit: u32) {
        let limit = if limit == 0 { UNKNOWN_LIMIT } else { limit };
        self.rate = f64::from(limit.max(2)) / 2.0;
        self.bytes = self.bytes.min(self.capacity());
    }

    /// Bytes per second.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    pub(super) fn fill(&mut self, now: Moment) {
        let passed = now.since(self.filled_at).as_secs_f64();
        self.bytes = (self.bytes + passed * self.rate).min(self.capacity());
        self.filled_at = self.filled_at.max(now);
    }

    /// True if a chunk in a message of this size may be sent.
    pub(super) fn allows(&self, message: usize) -> bool {
        self.bytes >= cost(message)
    }

    /// Moment from which a message of this size is allowed.
    pub(super) fn allows_at(&self, message: usize) -> Moment {
        let missing = (cost(message) - self.bytes).max(0.0);
        // Rounding must not make the moment too early, which would cause several timeouts.
        let wait = Duration::try_from_secs_f64(missing / self.rate).unwrap_or(Duration::MAX);
        self.filled_at + wait.saturating_add(Duration::from_millis(1))
    }

    pub(super) fn spend(&mut self, message: usize) {
        self.bytes -= cost(message);
    }

    fn capacity(&self) -> f64 {
        (self.rate * BURST.as_secs_f64()).max(LARGEST)
    }
}

fn cost(message: usize) -> f64 {
    (message + FRAME_OVERHEAD).max(MIN_FRAME) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_limit_is_sent_and_small_messages_count() {
        let mut budget = RelayBudget::new();
        budget.set_limit(256 * 1024);
        let (mut now, mut bytes, mut small) = (Moment::ZERO, 0, 0);
        while now < Moment::ZERO + Duration::from_secs(10) {
            budget.fill(now);
            if budget.allows(15_000) {
                budget.spend(15_000);
                budget.spend(10);
                bytes += 15_000;
                small += MIN_FRAME;
            } else {
                now = budget.allows_at(15_000);
            }
        }
        let sent = bytes + small;
        assert!((1_280_000..=1_370_000).contains(&sent), "{sent}");
    }

    #[test]
    fn a_limit_below_one_chunk_per_second_still_lets_chunks_through() {
        let mut budget = RelayBudget::new();
        budget.set_limit(1);
        budget.spend(15_000);
        budget.fill(Moment::ZERO);
        let at = budget.allows_at(15_000);
        assert!(at > Moment::ZERO);
        budget.fill(at);
        assert!(budget.allows(15_000));
    }
}
