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
fn an_invalid_range_is_rejected() {
    assert_eq!(range(800, 25, 1), Err(SensorError::BadRange));
    assert_eq!(range(-800, -25, 1), Err(SensorError::BadRange));
    assert_eq!(PowerRange::parse(&[0; 5]), Err(SensorError::Truncated));
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
