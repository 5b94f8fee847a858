use proptest::prelude::*;

use super::*;

fn range(min: i16, max: i16, step: u16) -> Result<PowerRange, SensorError> {
    let [min, max] = [min, max].map(i16::to_le_bytes);
    PowerRange::parse(&[min, max, step.to_le_bytes()].concat())
}

#[test]
fn targets_are_limited_to_the_range_and_its_steps() {
    let range = range(25, 800, 10).expect("a range");
    for (target, clamped) in [
        (0, 25),
        (25, 25),
        (29, 25),
        (31, 35),
        (200, 205),
        (794, 795),
        (800, 795),
        (u16::MAX, 795),
    ] {
        assert_eq!(range.clamp(target), clamped, "{target}");
    }
}

#[test]
fn without_a_range_targets_are_limited_to_2000_watts() {
    assert_eq!(PowerRange::default().clamp(3_000), 2_000);
    assert_eq!(PowerRange::default().clamp(213), 213);
}

#[test]
fn an_implausible_range_is_rejected() {
    for (min, max) in [
        (0, 0),
        (0, 5),
        (1, 32),
        (0, 99),
        (800, 25),
        (-800, -25),
        (100, 100),
        (101, 800),
        (0, -1),
    ] {
        assert_eq!(
            range(min, max, 1),
            Err(SensorError::BadRange),
            "{min} {max}"
        );
    }
    assert_eq!(PowerRange::parse(&[0; 5]), Err(SensorError::Truncated));
}

#[test]
fn the_narrowest_plausible_ranges_are_believed() {
    for (min, max) in [(0, 100), (50, 100), (100, 101), (-100, 4_000)] {
        let clamped = range(min, max, 1).map(|range| range.clamp(u16::MAX));
        assert_eq!(clamped, Ok(max));
    }
}

#[test]
fn a_step_wider_than_what_counts_as_on_target_is_ignored() {
    let range = range(0, 800, 500).expect("a range");
    assert_eq!(range.clamp(213), 213);
}

#[test]
fn a_negative_minimum_counts_as_zero_and_a_step_of_zero_as_one() {
    let range = range(-1_000, 1_000, 0).expect("a range");
    assert_eq!((range.clamp(0), range.clamp(7)), (0, 7));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = PowerRange::parse(&bytes);
    }

    #[test]
    fn targets_stay_within_any_range(min: i16, max: i16, step: u16, target: u16) {
        if let Ok(range) = range(min, max, step) {
            prop_assert!((min.max(0)..=max).contains(&range.clamp(target)));
        }
    }
}
