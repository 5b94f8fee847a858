//! How much may be handed to the server in a second, so that it never has to
//! cut us off, and large things leave room for small ones.

use clock::Moment;

use std::time::Duration;

use protocol::peer::DeliveryClass;

/// What the server counts a relayed frame as, at least.
const LEAST: usize = 4 * 1024;

/// Bytes that may be relayed now: a second's worth, filled up evenly. Bulk may
/// take the upper half of it only.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    /// A second's worth; nothing where there is no limit.
    rate: Option<u32>,
    left: f64,
    at: Moment,
}

impl Budget {
    /// Half of what the server takes: the rest is for beats, telemetry and
    /// signals, which do not wait.
    pub(crate) fn new(now: Moment, limit: Option<u32>) -> Self {
        let rate = limit.map(|limit| (limit / 2).max(1));
        let left = rate.map_or(0.0, f64::from);
        Self {
            rate,
            left,
            at: now,
        }
    }

    pub(crate) fn fill(&mut self, now: Moment) {
        if let Some(rate) = self.rate.map(f64::from) {
            let passed = now.since(self.at).as_secs_f64();
            self.left = (self.left + passed * rate).min(rate);
            self.at = now.max(self.at);
        }
    }

    /// Whether a frame of the class may go now.
    pub(crate) fn allows(&self, class: DeliveryClass) -> bool {
        self.missing(class) <= 0.0
    }

    /// When a frame of the class may go.
    pub(crate) fn allows_at(&self, class: DeliveryClass) -> Moment {
        let rate = self.rate.map_or(1.0, f64::from);
        let wait = (self.missing(class).max(0.0) / rate).min(1.0);
        // A little later rather than too early, again and again.
        self.at + Duration::from_secs_f64(wait) + Duration::from_millis(1)
    }

    pub(crate) fn spend(&mut self, bytes: usize) {
        if self.rate.is_some() {
            self.left -= bytes.max(LEAST) as f64;
        }
    }

    fn missing(&self, class: DeliveryClass) -> f64 {
        let floor = match (self.rate, class) {
            (None, _) => return 0.0,
            (Some(rate), DeliveryClass::Bulk) => f64::from(rate) / 2.0,
            (Some(_), _) => 0.0,
        };
        floor - self.left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(class: DeliveryClass, seconds: u64) -> usize {
        let mut budget = Budget::new(Moment::ZERO, Some(64 * 1024));
        let (mut now, mut bytes) = (Moment::ZERO, 0);
        while now < Moment::from_origin(Duration::from_secs(seconds)) {
            budget.fill(now);
            if budget.allows(class) {
                budget.spend(8 * 1024);
                bytes += 8 * 1024;
            } else {
                now = budget.allows_at(class);
            }
        }
        bytes
    }

    #[test]
    fn half_of_what_the_server_takes_is_used() {
        let bytes = sent(DeliveryClass::Bulk, 10);
        assert!((300_000..360_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn bulk_leaves_control_its_half() {
        let mut budget = Budget::new(Moment::ZERO, Some(64 * 1024));
        while budget.allows(DeliveryClass::Bulk) {
            budget.spend(1);
        }
        assert!(budget.allows(DeliveryClass::Control));
    }

    #[test]
    fn without_a_limit_everything_goes() {
        let mut budget = Budget::new(Moment::ZERO, None);
        (0..1_000).for_each(|_| budget.spend(15_000));
        assert!(budget.allows(DeliveryClass::Bulk));
    }
}
