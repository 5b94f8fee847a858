//! Balance of W' over a ride: the work above critical power (CP) that a rider has left.
//!
//! The model is the differential form of Skiba, Fulford, Clarke, Vanhatalo and Jones, *Intramuscular
//! determinants of the ability to recover work capacity above critical power* (European Journal of
//! Applied Physiology 115, 2015), in steps of a second: above CP, W' falls by P - CP; below, it rises
//! by (CP - P)(W'0 - W')/W'0, where W'0 is W' of a rested rider.

use super::gap_seconds;
use crate::recording::Sample;
use crate::rider::Ftp;

/// W' in J of a rested rider of whom it is not known.
pub const DEFAULT_W_PRIME: f64 = 20_000.0;

/// Balance of W' in J after each sample, for a rider who is rested before the first. `w_prime` is W'
/// in J of the rested rider, finite and at least 1; less counts as 1.
///
/// Seconds without a reading, and all seconds of a gap, count as 0 W. The balance is at most `w_prime`.
/// It falls below zero if the rider does more than the model allows: then CP or W' is set too low.
pub fn w_balance(samples: &[Sample], critical_power: Ftp, w_prime: f64) -> Vec<f32> {
    let critical_power = f64::from(critical_power.watts());
    let w_prime = w_prime.max(1.0);
    // A second at `power` W below CP multiplies what is spent by this factor. A W' below CP, which no
    // rider has, is restored within a second.
    let factor = |power: f64| (1.0 - (critical_power - power) / w_prime).max(0.0);
    let mut spent = 0.0;
    let mut before: Option<&Sample> = None;
    let balances = samples.iter().map(|sample| {
        let gap = before.map_or(0, |before| gap_seconds(before, sample));
        if gap > 0 {
            spent *= factor(0.0).powf(gap as f64);
        }
        before = Some(sample);
        let power = f64::from(sample.power.unwrap_or_default());
        if power > critical_power {
            spent += power - critical_power;
        } else {
            spent *= factor(power);
        }
        (w_prime - spent) as f32
    });
    balances.collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, ftp, recording};
    use super::*;

    #[test]
    fn work_above_critical_power_is_spent() {
        // 20000 - 100, and 100 more in the second after.
        let ride = recording([Some(300), Some(300)]);
        let balance = w_balance(&ride.samples, ftp(200), DEFAULT_W_PRIME);
        assert_eq!(balance, [19_900.0, 19_800.0]);
    }

    #[test]
    fn a_rested_rider_stays_rested_up_to_critical_power() {
        let ride = recording([Some(200), Some(0), None, Some(150)]);
        assert_eq!(w_balance(&ride.samples, ftp(200), 15_000.0), [15_000.0; 4]);
    }

    #[test]
    fn recovery_is_slower_the_less_is_missing() {
        // 10000 J are spent in a second. At 100 W, 100 x 10000 / 20000 = 50 J come back, then 100 x
        // 9950 / 20000 = 49.75 J. Without a reading, 200 x 9900.25 / 20000 = 99.0025 J.
        let ride = recording([Some(10_200), Some(100), Some(100), None]);
        let balance = w_balance(&ride.samples, ftp(200), DEFAULT_W_PRIME);
        assert_eq!(balance[..3], [10_000.0, 10_050.0, 10_099.75]);
        assert!((balance[3] - 10_198.753).abs() < 0.002, "{balance:?}");
    }

    #[test]
    fn a_gap_recovers_as_at_0_watts() {
        let mut ride = recording([Some(10_200), Some(200)]);
        ride.samples[1].at = at(101);
        let balance = w_balance(&ride.samples, ftp(200), DEFAULT_W_PRIME);
        // In 100 s, 10000 J x 0.99^100 = 3660.32 J remain spent.
        assert!((balance[1] - 16_339.68).abs() < 0.01, "{balance:?}");
        // A day later nothing is.
        ride.samples[1].at = at(86_400);
        let balance = w_balance(&ride.samples, ftp(200), DEFAULT_W_PRIME);
        assert_eq!(balance[1], 20_000.0);
    }

    #[test]
    fn the_balance_falls_below_zero() {
        // 20000 - 101 x 200
        let ride = recording(vec![Some(400); 101]);
        let balance = w_balance(&ride.samples, ftp(200), DEFAULT_W_PRIME);
        assert_eq!(balance.last(), Some(&-200.0));
    }

    #[test]
    fn a_w_prime_out_of_range_gives_finite_values() {
        let ride = recording([Some(300), Some(0), Some(0), None, Some(300)]);
        for w_prime in [f64::NAN, f64::NEG_INFINITY, -20_000.0, 0.0, 1.0, 50.0] {
            let balance = w_balance(&ride.samples, ftp(200), w_prime);
            assert!(balance.iter().all(|joules| joules.is_finite()));
            assert_eq!(balance[3], w_prime.max(1.0) as f32);
        }
    }
}
