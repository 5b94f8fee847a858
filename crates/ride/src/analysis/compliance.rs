//! Compliance: the share of the time in which a rider rode at the target.

use super::laps::lap_samples;
use crate::recording::{Recording, Sample};
use crate::workout::{IntervalKind, Workout};

/// Allowed difference from the target in percent of it.
const TOLERANCE_PERCENT: u32 = 5;
/// Smallest allowed difference from the target in W.
const MIN_TOLERANCE: u32 = 10;

/// Share (0 to 1) of the seconds with a target in which power is within ±5 % of the target, or within
/// ±10 W where that is more. A second without a power reading is not within them. `None` if no
/// second counts.
///
/// The laps in warm-ups, cooldowns, free rides and maximal efforts of `workout` do not count. Without a
/// workout, and in laps outside of it, all seconds with a target count.
///
/// Power follows a target that has changed with a delay of seconds, and there is no grace period for
/// it: short intervals are complied with less than long ones.
pub fn compliance(recording: &Recording, workout: Option<&Workout>) -> Option<f32> {
    let kind = |lap: usize| {
        let index = recording.laps.get(lap)?.interval?;
        let interval = workout?.intervals().get(index as usize)?;
        Some(interval.kind)
    };
    let parts = lap_samples(&recording.laps, &recording.samples).into_iter();
    let parts = parts.filter(|part| kind(part.lap).is_none_or(counts));
    share_at_target(parts.flat_map(|part| &recording.samples[part.samples]))
}

/// Share of the samples with a target that are at the target; `None` if there are none.
pub(super) fn share_at_target<'a>(samples: impl Iterator<Item = &'a Sample>) -> Option<f32> {
    let (mut met, mut count) = (0_u32, 0_u32);
    for sample in samples {
        let Some(target) = sample.target else {
            continue;
        };
        count += 1;
        met += u32::from(sample.power.is_some_and(|power| is_met(power, target)));
    }
    (count > 0).then(|| (f64::from(met) / f64::from(count)) as f32)
}

const fn is_met(power: u16, target: u16) -> bool {
    let difference = power.abs_diff(target) as u32;
    difference <= MIN_TOLERANCE || difference * 100 <= target as u32 * TOLERANCE_PERCENT
}

const fn counts(kind: IntervalKind) -> bool {
    match kind {
        IntervalKind::Steady | IntervalKind::Ramp | IntervalKind::Work | IntervalKind::Rest => true,
        IntervalKind::Warmup
        | IntervalKind::Cooldown
        | IntervalKind::FreeRide
        | IntervalKind::MaxEffort => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{lap, one_of_each_kind, recording};
    use super::*;

    /// Ride with these pairs of power and target.
    fn ride(seconds: impl IntoIterator<Item = (Option<u16>, Option<u16>)>) -> Recording {
        let (power, targets): (Vec<_>, Vec<_>) = seconds.into_iter().unzip();
        let mut ride = recording(power);
        for (sample, target) in ride.samples.iter_mut().zip(targets) {
            sample.target = target;
        }
        ride
    }

    fn share(power: u16, target: u16) -> Option<f32> {
        compliance(&ride([(Some(power), Some(target))]), None)
    }

    #[test]
    fn a_high_target_allows_5_percent() {
        // 5 % of 300 W are 15 W, of 310 W 15.5 W.
        for (power, target, expected) in [
            (285, 300, 1.0),
            (284, 300, 0.0),
            (315, 300, 1.0),
            (316, 300, 0.0),
            (325, 310, 1.0),
            (326, 310, 0.0),
        ] {
            assert_eq!(share(power, target), Some(expected), "{power} W");
        }
    }

    #[test]
    fn a_low_target_allows_10_watts() {
        for (power, expected) in [(90, 1.0), (89, 0.0), (110, 1.0), (111, 0.0)] {
            assert_eq!(share(power, 100), Some(expected), "{power} W");
        }
        assert_eq!(share(0, 10), Some(1.0));
        assert_eq!(share(u16::MAX, 0), Some(0.0));
        assert_eq!(share(u16::MAX, u16::MAX), Some(1.0));
    }

    #[test]
    fn a_second_without_power_is_not_at_the_target() {
        let seconds = [(Some(200), Some(200)), (None, Some(200))];
        assert_eq!(compliance(&ride(seconds), None), Some(0.5));
        assert_eq!(compliance(&ride([(None, Some(0))]), None), Some(0.0));
    }

    #[test]
    fn a_second_without_a_target_does_not_count() {
        let seconds = [(Some(200), Some(200)), (Some(200), None), (None, None)];
        assert_eq!(compliance(&ride(seconds), None), Some(1.0));
        assert_eq!(compliance(&ride([(Some(200), None)]), None), None);
        assert_eq!(compliance(&ride([]), None), None);
    }

    #[test]
    fn the_delay_after_a_change_of_the_target_counts() {
        let seconds = [(150, 150), (150, 200), (170, 200), (190, 200)];
        let seconds = seconds.map(|(power, target)| (Some(power), Some(target)));
        assert_eq!(compliance(&ride(seconds), None), Some(0.5));
    }

    #[test]
    fn warm_ups_cooldowns_free_rides_and_maximal_efforts_do_not_count() {
        let workout = one_of_each_kind();
        for (index, kind) in (0..).zip(IntervalKind::ALL) {
            let mut ride = ride([(Some(200), Some(200))]);
            ride.laps = vec![lap(0, Some(index))];
            let is_counted = matches!(
                kind,
                IntervalKind::Steady | IntervalKind::Ramp | IntervalKind::Work | IntervalKind::Rest
            );
            let expected = is_counted.then_some(1.0);
            assert_eq!(compliance(&ride, Some(&workout)), expected, "{kind:?}");
            assert_eq!(compliance(&ride, None), Some(1.0));
        }
    }

    #[test]
    fn each_second_has_the_kind_of_its_lap() {
        let workout = one_of_each_kind();
        // Two seconds of warm-up, four of a steady interval, two outside of the workout.
        let power = [0, 0, 200, 200, 200, 0, 200, 0];
        let mut ride = ride(power.map(|power| (Some(power), Some(200))));
        ride.laps = vec![lap(0, Some(0)), lap(2, Some(1)), lap(6, None)];
        assert_eq!(compliance(&ride, Some(&workout)), Some(4.0 / 6.0));
        assert_eq!(compliance(&ride, None), Some(0.5));
        // An interval that the workout does not have.
        ride.laps = vec![lap(0, Some(100))];
        assert_eq!(compliance(&ride, Some(&workout)), Some(0.5));
    }
}
