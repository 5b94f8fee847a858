use proptest::prelude::*;

use super::*;

#[test]
fn the_vector_of_a_real_trainer_is_read() {
    let bytes = [
        0xfe, 0x02, 0x71, 0x07, 0x17, 0x07, 0x7a, 0x00, 0x7a, 0x00, 0x05, 0x00, 0x00, 0x14, 0x00,
        0x61, 0x00, 0x61, 0x00, 0x00,
    ];
    let data = parse_indoor_bike_data(&bytes).expect("indoor bike data");
    assert_eq!(
        data.speed.map(|speed| (speed * 100.0).round()),
        Some(1_905.0)
    );
    assert_eq!(
        (data.cadence, data.distance, data.resistance),
        (Some(61.0), Some(5), Some(20))
    );
    assert_eq!((data.power, data.heart_rate), (Some(97), Some(0)));
    assert_eq!(
        data.reading(),
        Reading {
            power: Some(97),
            cadence: Some(61),
            heart_rate: None
        }
    );
}

#[test]
fn speed_is_there_when_its_bit_is_clear() {
    assert_eq!(
        parse_indoor_bike_data(&[0x01, 0x00]),
        Ok(IndoorBikeData::default())
    );
    assert_eq!(
        parse_indoor_bike_data(&[0x00, 0x00, 100, 0]).map(|data| data.speed),
        Ok(Some(1.0))
    );
}

#[test]
fn power_is_signed_and_negative_power_is_none() {
    let data = parse_indoor_bike_data(&[0x41, 0x00, 0xff, 0xff]).expect("indoor bike data");
    assert_eq!(data.power, Some(-1));
    assert_eq!(data.reading().power, Some(0));
}

#[test]
fn energy_is_skipped_before_heart_rate() {
    let data = parse_indoor_bike_data(&[0x01, 0x03, 1, 2, 3, 4, 5, 150]).expect("indoor bike data");
    assert_eq!(data.reading().heart_rate, Some(150));
}

#[test]
fn a_cut_message_is_refused() {
    for bytes in [
        &[][..],
        &[0x00],
        &[0x00, 0x00, 1],
        &[0x11, 0x00, 1, 2],
        &[0x01, 0x03, 1, 2, 3, 4, 5],
    ] {
        assert_eq!(parse_indoor_bike_data(bytes), Err(SensorError::Truncated));
    }
}

fn range(min: i16, max: i16, step: u16) -> Result<PowerRange, SensorError> {
    let [min, max] = [min, max].map(i16::to_le_bytes);
    PowerRange::parse(&[min, max, step.to_le_bytes()].concat())
}

#[test]
fn every_target_is_clamped_to_the_range_and_its_steps() {
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
fn without_a_range_targets_go_up_to_2000_watts() {
    assert_eq!(PowerRange::default().clamp(3_000), 2_000);
    assert_eq!(PowerRange::default().clamp(213), 213);
}

#[test]
fn a_range_that_makes_no_sense_is_refused() {
    assert_eq!(range(800, 25, 1), Err(SensorError::BadRange));
    assert_eq!(range(-800, -25, 1), Err(SensorError::BadRange));
    assert_eq!(PowerRange::parse(&[0; 5]), Err(SensorError::Truncated));
}

#[test]
fn a_range_below_nothing_starts_at_nothing_and_a_step_of_0_is_1() {
    let range = range(-1_000, 1_000, 0).expect("a range");
    assert_eq!((range.clamp(0), range.clamp(7)), (0, 7));
}

proptest! {
    #[test]
    fn whatever_the_bytes_parsing_never_panics(bytes: Vec<u8>) {
        let _ = parse_indoor_bike_data(&bytes).map(|data| data.reading());
        let _ = crate::trainer::parse_heart_rate(&bytes);
        let _ = PowerRange::parse(&bytes);
    }

    #[test]
    fn whatever_the_range_targets_stay_in_it(min: i16, max: i16, step: u16, target: u16) {
        if let Ok(range) = range(min, max, step) {
            prop_assert!((min.max(0)..=max).contains(&range.clamp(target)));
        }
    }
}
