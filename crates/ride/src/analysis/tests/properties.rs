//! Properties of the figures of any recording, by naive implementations that go from second to second.

use proptest::prelude::*;

use super::*;
use crate::analysis::compliance::compliance;
use crate::analysis::intervals::interval_results;
use crate::analysis::mean_max::mean_max_curve;
use crate::analysis::w_balance::{DEFAULT_W_PRIME, w_balance};
use crate::analysis::zones::{
    heart_rate_zone_limits, power_zone_limits, time_in_heart_rate_zones, time_in_power_zones,
};
use crate::recording::Pause;

/// Start of the random rides in seconds.
const START: u64 = 1_700_000_000;

/// Seconds in a row of a random ride, and the gap before them.
#[derive(Clone, Debug)]
struct Part {
    gap: u64,
    is_paused: bool,
    /// Lap that begins in the gap, this many seconds before the part.
    lap: Option<(u64, Option<u32>)>,
    target: Option<u16>,
    /// Power and heart rate.
    seconds: Vec<(Option<u16>, Option<u8>)>,
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let gap = prop_oneof![
        4 => Just(0_u64),
        4 => 1_u64..40,
        1 => 3_600_u64..20_000,
    ];
    let lap = prop::option::of((0_u64..3, prop::option::of(0_u32..10)));
    let target = prop::option::of(prop_oneof![50_u16..400, Just(0), Just(u16::MAX)]);
    let part = (gap, any::<bool>(), lap, target).prop_flat_map(|(gap, is_paused, lap, target)| {
        // Near to the target, or anything.
        let near = target.unwrap_or(200);
        let near = near.saturating_sub(25)..=near.saturating_add(25);
        let power = prop_oneof![4 => near, 2 => 0_u16..1_500, 1 => Just(u16::MAX)];
        let second = (prop::option::weighted(0.9, power), any::<Option<u8>>());
        let seconds = prop::collection::vec(second, 1..80);
        seconds.prop_map(move |seconds| Part {
            gap,
            is_paused,
            lap,
            target,
            seconds,
        })
    });
    prop::collection::vec(part, 0..8)
}

/// Recording within the rules: samples, laps and pauses in order of time.
fn rides() -> impl Strategy<Value = Recording> {
    (parts(), Ftp::MIN..=Ftp::MAX).prop_map(|(parts, watts)| {
        let mut ride = Recording::new(at(START), String::new(), ftp(watts));
        let mut second = START;
        for part in parts {
            let before = second;
            second += part.gap;
            if part.is_paused && part.gap > 0 {
                ride.pauses.push(Pause {
                    from: at(before),
                    to: Some(at(second)),
                });
            }
            if let Some((lead, interval)) = part.lap {
                let begin = second.saturating_sub(lead).max(before);
                ride.laps.push(lap(begin, interval));
            }
            for (power, heart_rate) in part.seconds {
                ride.samples.push(Sample {
                    at: at(second),
                    power,
                    cadence: None,
                    heart_rate,
                    target: part.target,
                    ..Sample::default()
                });
                second += 1;
            }
        }
        ride
    })
}

/// Recording as damaged bytes may hold it: any values in any order.
fn damaged_rides() -> impl Strategy<Value = Recording> {
    let time = prop_oneof![4 => 0_u64..200_000, 1 => any::<u64>()];
    let time = time.prop_map(WallTime::from_unix_ms);
    let values = any::<(Option<u16>, Option<u8>, Option<u8>, Option<u16>)>();
    let sample =
        (time.clone(), values).prop_map(|(at, (power, cadence, heart_rate, target))| Sample {
            at,
            power,
            cadence,
            heart_rate,
            target,
            ..Sample::default()
        });
    let lap = (time, any::<Option<u32>>()).prop_map(|(at, interval)| Lap {
        at,
        interval,
        after_jump: false,
    });
    let (samples, laps) = (
        prop::collection::vec(sample, 0..60),
        prop::collection::vec(lap, 0..10),
    );
    (samples, laps).prop_map(|(samples, laps)| {
        let mut ride = recording([]);
        (ride.samples, ride.laps) = (samples, laps);
        ride
    })
}

/// Power in every second from the first sample to the last, with 0 W in gaps and without a reading.
fn all_seconds(samples: &[Sample]) -> Vec<u16> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return vec![];
    };
    let start = first.at.unix_seconds();
    let length = last.at.unix_seconds() - start + 1;
    let mut seconds = vec![0; length as usize];
    for sample in samples {
        let second = sample.at.unix_seconds() - start;
        seconds[second as usize] = sample.power.unwrap_or(0);
    }
    seconds
}

/// Best mean power over windows of `length` of these seconds.
fn naive_best(seconds: &[u16], length: usize) -> f64 {
    // Work until each second, so that long windows do not take long.
    let mut work = vec![0_u64];
    for watts in seconds {
        work.push(work[work.len() - 1] + u64::from(*watts));
    }
    let windows = work.iter().zip(&work[length..]);
    let best = windows.map(|(from, to)| to - from).max();
    best.expect("a window") as f64 / length as f64
}

/// Index of the lap of a sample; 0 before the first one.
fn naive_lap(recording: &Recording, sample: &Sample) -> usize {
    let begun = recording.laps.iter().filter(|lap| lap.at <= sample.at);
    begun.count().saturating_sub(1)
}

fn naive_compliance<'a>(samples: impl Iterator<Item = &'a Sample>) -> Option<f64> {
    let at_target: Vec<bool> = samples
        .filter_map(|sample| {
            let target = f64::from(sample.target?);
            let allowed = (target * 5.0 / 100.0).max(10.0);
            let power = sample.power.map(f64::from);
            Some(power.is_some_and(|power| (target - allowed..=target + allowed).contains(&power)))
        })
        .collect();
    let met = at_target.iter().filter(|met| **met).count();
    (!at_target.is_empty()).then(|| met as f64 / at_target.len() as f64)
}

fn is_close(value: f64, expected: f64) -> bool {
    (value - expected).abs() <= 1e-6 * expected.abs().max(1_000.0)
}

proptest! {
    #[test]
    fn the_zones_share_the_seconds_with_a_reading(ride in rides(), threshold: u8) {
        let ftp = ride.ftp;
        let power: Vec<u16> = ride.samples.iter().filter_map(|sample| sample.power).collect();
        let limits = power_zone_limits(ftp);
        prop_assert!(limits.is_sorted());
        let times = time_in_power_zones(&ride.samples, ftp);
        prop_assert_eq!(times.iter().sum::<Duration>(), Duration::from_secs(power.len() as u64));
        for (index, time) in times.iter().enumerate() {
            let above = |watts: &&u16| index == 0 || **watts > limits[index - 1];
            let up_to = |watts: &&u16| index == 6 || **watts <= limits[index];
            let inside = power.iter().filter(above).filter(up_to).count();
            prop_assert_eq!(*time, Duration::from_secs(inside as u64));
        }
        prop_assert!(heart_rate_zone_limits(threshold).is_sorted());
        let times = time_in_heart_rate_zones(&ride.samples, threshold);
        let readings = ride.samples.iter().filter(|sample| sample.heart_rate.is_some());
        let readings = Duration::from_secs(readings.count() as u64);
        prop_assert_eq!(times.iter().sum::<Duration>(), readings);
    }

    #[test]
    fn the_mean_max_curve_is_that_of_all_seconds(ride in rides()) {
        let seconds = all_seconds(&ride.samples);
        let curve = mean_max_curve(&ride.samples);
        let has_power = ride.samples.iter().any(|sample| sample.power.is_some());
        prop_assert_eq!(curve.is_empty(), !has_power);
        prop_assert!(curve.is_sorted_by(|shorter, longer| shorter.seconds < longer.seconds));
        for best in &curve {
            let length = best.seconds as usize;
            prop_assert_eq!(best.watts, naive_best(&seconds, length) as f32);
            // The window from `from` on has this mean.
            let from = best.from.since(at(START)).as_secs() as usize;
            let first = ride.samples[0].at.since(at(START)).as_secs() as usize;
            let window = &seconds[from - first..][..length];
            let work: u64 = window.iter().map(|watts| u64::from(*watts)).sum();
            prop_assert_eq!(best.watts, (work as f64 / length as f64) as f32);
        }
        // Every duration of the list that fits.
        let fitting = [1, 60, 3_600, 14_400].iter().filter(|length| **length <= seconds.len());
        let of_them = curve.iter().filter(|best| [1, 60, 3_600, 14_400].contains(&best.seconds));
        prop_assert!(!has_power || fitting.count() == of_them.count());
    }

    #[test]
    fn without_gaps_the_mean_max_is_the_best_mean_power(
        power in prop::collection::vec(any::<Option<u16>>(), 1..200),
    ) {
        let ride = recording(power);
        for best in mean_max_curve(&ride.samples) {
            let other = best_mean_power(&ride.samples, best.seconds as usize);
            prop_assert!(is_close(best.watts.into(), other.unwrap().into()));
        }
    }

    #[test]
    fn the_balance_is_that_of_a_loop_over_all_seconds(ride in rides(), w_prime in 5_000.0..40_000.0) {
        let critical_power = f64::from(ride.ftp.watts());
        let balances = w_balance(&ride.samples, ride.ftp, w_prime);
        prop_assert_eq!(balances.len(), ride.samples.len());
        let mut samples = ride.samples.iter().zip(&balances).peekable();
        let start = ride.samples.first().map_or(START, |first| first.at.unix_seconds());
        let mut expected = w_prime;
        for (second, power) in (start..).zip(all_seconds(&ride.samples)) {
            let power = f64::from(power);
            if power < critical_power {
                expected += (critical_power - power) * (w_prime - expected) / w_prime;
            } else {
                expected -= power - critical_power;
            }
            if let Some((_, balance)) = samples.next_if(|(sample, _)| sample.at == at(second)) {
                prop_assert!(is_close(f64::from(*balance), expected), "{balance}, not {expected}");
                prop_assert!(*balance <= w_prime as f32);
            }
        }
        prop_assert!(samples.next().is_none());
    }

    #[test]
    fn the_results_of_the_intervals_hold_all_samples_of_their_laps(ride in rides()) {
        let results = interval_results(&ride);
        let mut next = 0;
        for result in &results {
            prop_assert_eq!(result.samples.start, next);
            prop_assert!(result.samples.start < result.samples.end);
            next = result.samples.end;
            let samples = &ride.samples[result.samples.clone()];
            prop_assert_eq!(result.from, samples[0].at);
            prop_assert_eq!(result.duration, Duration::from_secs(samples.len() as u64));
            let lap = naive_lap(&ride, &samples[0]);
            prop_assert!(samples.iter().all(|sample| naive_lap(&ride, sample) == lap));
            prop_assert_eq!(result.interval, ride.laps.get(lap).and_then(|lap| lap.interval));
            let targets: Vec<f64> =
                samples.iter().filter_map(|sample| sample.target.map(f64::from)).collect();
            let mean = targets.iter().sum::<f64>() / targets.len() as f64;
            prop_assert_eq!(result.target, (!targets.is_empty()).then_some(mean as f32));
            let expected = naive_compliance(samples.iter()).map(|share| share as f32);
            prop_assert_eq!(result.compliance, expected);
        }
        prop_assert_eq!(next, ride.samples.len());
        // As many as there are laps with samples.
        let mut laps: Vec<usize> =
            ride.samples.iter().map(|sample| naive_lap(&ride, sample)).collect();
        laps.dedup();
        prop_assert_eq!(results.len(), laps.len());
    }

    #[test]
    fn compliance_is_that_of_each_second_by_itself(ride in rides()) {
        let workout = one_of_each_kind();
        let expected = naive_compliance(ride.samples.iter()).map(|share| share as f32);
        prop_assert_eq!(compliance(&ride, None), expected);
        // The kinds 0, 5, 6 and 7 do not count; 8 and 9 are beyond the workout.
        let counts = |sample: &&Sample| {
            let lap = ride.laps.get(naive_lap(&ride, sample));
            let interval = lap.and_then(|lap| lap.interval);
            interval.is_none_or(|interval| ![0, 5, 6, 7].contains(&interval))
        };
        let counted = ride.samples.iter().filter(counts);
        let expected = naive_compliance(counted).map(|share| share as f32);
        prop_assert_eq!(compliance(&ride, Some(&workout)), expected);
    }

    #[test]
    fn damaged_recordings_give_finite_figures(ride in damaged_rides(), w_prime: f64, seconds: u8) {
        let samples = &ride.samples;
        for w_prime in [DEFAULT_W_PRIME, w_prime.clamp(-1e9, 1e9)] {
            let balances = w_balance(samples, ride.ftp, w_prime);
            prop_assert_eq!(balances.len(), samples.len());
            prop_assert!(balances.iter().all(|joules| joules.is_finite()));
        }
        for best in mean_max_curve(samples) {
            prop_assert!((0.0..=65_535.0).contains(&best.watts));
        }
        let _ = best_mean_power(samples, seconds.into());
        let mut next = 0;
        for result in interval_results(&ride) {
            prop_assert_eq!(result.samples.start, next);
            next = result.samples.end;
            prop_assert!(result.compliance.is_none_or(|share| (0.0..=1.0).contains(&share)));
            prop_assert!(result.target.is_none_or(|watts| (0.0..=65_535.0).contains(&watts)));
            let score = result.figures.stress_score;
            prop_assert!(score.is_none_or(f32::is_finite));
        }
        prop_assert_eq!(next, samples.len());
        let workout = one_of_each_kind();
        for workout in [None, Some(&workout)] {
            let share = compliance(&ride, workout);
            prop_assert!(share.is_none_or(|share| (0.0..=1.0).contains(&share)));
        }
        let times = time_in_power_zones(samples, ride.ftp);
        let readings = samples.iter().filter(|sample| sample.power.is_some()).count();
        prop_assert_eq!(times.iter().sum::<Duration>(), Duration::from_secs(readings as u64));
    }
}
