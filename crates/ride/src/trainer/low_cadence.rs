//! Low-cadence guard. A trainer that holds a power brakes harder the slower the pedals turn, until
//! they stop: the target is released before, and comes back once the rider has got going again.

use core::time::Duration;

use clock::Moment;

use super::Reading;

/// Cadence in rpm below which the rider is being stopped.
const LOW_CADENCE: u8 = 50;
/// Percent of the target below which the power of a rider without a cadence is too low.
const LOW_POWER: u32 = 50;
/// Time of low cadence after which the target is released.
const TOLERATED: Duration = Duration::from_secs(5);
/// Time for which the target is released.
const RELEASED: Duration = Duration::from_secs(10);

/// State of the guard.
#[derive(Clone, Copy, Debug, Default)]
pub struct LowCadenceGuard {
    low_since: Option<Moment>,
    released_until: Option<Moment>,
}

impl LowCadenceGuard {
    /// Follows the ride to now, and tells whether the target is released. `target` is the power in W
    /// that the trainer is to hold.
    pub fn follow(&mut self, now: Moment, reading: Reading, target: Option<u16>) -> bool {
        let Some(target) = target else {
            *self = Self::default();
            return false;
        };
        if let Some(until) = self.released_until {
            if now < until {
                return true;
            }
            // The trainer needs time to brake again before the cadence counts.
            *self = Self::default();
            return false;
        }
        if !is_low(reading, target) {
            self.low_since = None;
            return false;
        }
        let since = *self.low_since.get_or_insert(now);
        let is_released = now - since >= TOLERATED;
        if is_released {
            self.released_until = Some(now + RELEASED);
        }
        is_released
    }
}

fn is_low(reading: Reading, target: u16) -> bool {
    match (reading.cadence, reading.power) {
        (Some(cadence), _) => cadence < LOW_CADENCE,
        (None, Some(power)) => u32::from(power) * 100 < u32::from(target) * LOW_POWER,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::ZERO + Duration::from_secs(seconds)
    }

    fn cadence(rpm: u8) -> Reading {
        Reading {
            power: Some(150),
            cadence: Some(rpm),
            heart_rate: None,
            speed: None,
        }
    }

    #[test]
    fn five_seconds_of_low_cadence_release_the_target_for_ten() {
        let mut guard = LowCadenceGuard::default();
        let released: Vec<u64> = (0..40)
            .filter(|second| {
                let rpm = if (10..20).contains(second) { 45 } else { 85 };
                guard.follow(at(*second), cadence(rpm), Some(200))
            })
            .collect();
        assert_eq!(released, (15..25).collect::<Vec<u64>>());
    }

    #[test]
    fn a_short_dip_and_a_free_ride_release_nothing() {
        let mut guard = LowCadenceGuard::default();
        for second in 0..60 {
            let rpm = if second % 5 == 0 { 60 } else { 40 };
            assert!(!guard.follow(at(second), cadence(rpm), Some(200)));
        }
        for second in 60..100 {
            assert!(!guard.follow(at(second), cadence(30), None));
        }
    }

    #[test]
    fn without_a_cadence_the_power_counts_and_without_either_nothing() {
        let power = |power| Reading {
            power,
            ..Reading::default()
        };
        let releases = |reading| {
            let mut guard = LowCadenceGuard::default();
            (0..6).any(|second| guard.follow(at(second), reading, Some(200)))
        };
        assert!(releases(power(Some(99))));
        assert!(!releases(power(Some(100))));
        assert!(!releases(power(None)));
    }
}
