use std::collections::VecDeque;
use std::time::Duration;

/// Time over which rates are computed.
const RATE_SPAN: Duration = Duration::from_secs(10);

/// Rates over the last ten seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Messages and frames received per second.
    pub messages_per_second: f64,
    /// Share of refusals in everything that was received or refused, 0 to 1.
    pub error_rate: f64,
}

/// Totals since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) received: u64,
    pub(super) refused: u64,
}

/// Samples of the totals over the last ten seconds.
#[derive(Debug)]
pub(super) struct RecentTotals {
    /// Oldest first, never empty.
    samples: VecDeque<(Duration, Totals)>,
}

impl Default for RecentTotals {
    fn default() -> Self {
        Self {
            samples: VecDeque::from([(Duration::ZERO, Totals::default())]),
        }
    }
}

impl RecentTotals {
    pub(super) fn sample(&mut self, now: Duration, totals: Totals) {
        self.samples.push_back((now, totals));
        while self.samples.len() > 1 && self.samples[0].0 + RATE_SPAN < now {
            self.samples.pop_front();
        }
    }

    pub(super) fn rates(&self, now: Duration, totals: Totals) -> Rates {
        let is_recent = |at: Duration| at + RATE_SPAN >= now;
        let oldest = self.samples.iter().find(|(at, _)| is_recent(*at));
        let (at, then) = oldest.or(self.samples.back()).copied().unwrap_or_default();
        let seconds = now.saturating_sub(at).as_secs_f64();
        let received = (totals.received - then.received) as f64;
        let refused = (totals.refused - then.refused) as f64;
        Rates {
            messages_per_second: ratio(received, seconds),
            error_rate: ratio(refused, received + refused),
        }
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn totals(received: u64, refused: u64) -> Totals {
        Totals { received, refused }
    }

    #[test]
    fn rates_cover_the_last_ten_seconds() {
        let mut recent = RecentTotals::default();
        assert_eq!(recent.rates(seconds(0), totals(0, 0)), Rates::default());
        for second in 1..=60 {
            recent.sample(seconds(second), totals(second * 30, 0));
        }
        let rates = recent.rates(seconds(60), totals(1_800, 100));
        assert_eq!(rates.messages_per_second, 30.0);
        assert_eq!(rates.error_rate, 0.25);
        assert!(recent.samples.len() <= 11);
    }

    #[test]
    fn rates_before_the_first_sample_cover_the_time_since_the_start() {
        let recent = RecentTotals::default();
        let rates = recent.rates(seconds(2), totals(10, 0));
        assert_eq!(rates.messages_per_second, 5.0);
    }
}
