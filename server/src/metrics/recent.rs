use std::collections::VecDeque;
use std::time::Duration;

/// The time over which rates are taken.
const WINDOW: Duration = Duration::from_secs(10);

/// What the last ten seconds were like.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Messages and frames heard in a second.
    pub messages_per_second: f64,
    /// The share of refusals in all that was heard or refused, 0 to 1.
    pub error_rate: f64,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) heard: u64,
    pub(super) refused: u64,
}

/// The counts at some moments of the last ten seconds.
#[derive(Debug)]
pub(super) struct Recent {
    /// Oldest first, never empty.
    samples: VecDeque<(Duration, Totals)>,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            samples: VecDeque::from([(Duration::ZERO, Totals::default())]),
        }
    }
}

impl Recent {
    pub(super) fn sample(&mut self, now: Duration, totals: Totals) {
        self.samples.push_back((now, totals));
        while self.samples.len() > 1 && self.samples[0].0 + WINDOW < now {
            self.samples.pop_front();
        }
    }

    pub(super) fn rates(&self, now: Duration, totals: Totals) -> Rates {
        let within = |at: Duration| at + WINDOW >= now;
        let oldest = self.samples.iter().find(|(at, _)| within(*at));
        let (at, then) = oldest.or(self.samples.back()).copied().unwrap_or_default();
        let seconds = now.saturating_sub(at).as_secs_f64();
        let heard = (totals.heard - then.heard) as f64;
        let refused = (totals.refused - then.refused) as f64;
        Rates {
            messages_per_second: share(heard, seconds),
            error_rate: share(refused, heard + refused),
        }
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn totals(heard: u64, refused: u64) -> Totals {
        Totals { heard, refused }
    }

    #[test]
    fn rates_are_those_of_the_last_ten_seconds() {
        let mut recent = Recent::default();
        assert_eq!(recent.rates(seconds(0), totals(0, 0)), Rates::default());
        for second in 1..=60 {
            recent.sample(seconds(second), totals(second * 30, 0));
        }
        let now = recent.rates(seconds(60), totals(1_800, 100));
        assert_eq!(now.messages_per_second, 30.0);
        assert_eq!(now.error_rate, 0.25);
        assert!(recent.samples.len() <= 11);
    }

    #[test]
    fn a_server_that_has_just_started_has_rates_too() {
        let recent = Recent::default();
        let now = recent.rates(seconds(2), totals(10, 0));
        assert_eq!(now.messages_per_second, 5.0);
    }
}
