use proptest::prelude::*;

use super::*;

#[test]
fn the_vector_of_a_real_trainer_is_read() {
    let bytes = [
        0xfe, 0x02, 0x71, 0x07, 0x17, 0x07, 0x7a, 0x00, 0x7a, 0x00, 0x05, 0x00, 0x00, 0x14, 0x00,
        0x61, 0x00, 0x61, 0x00, 0x00,
    ];
    let data = parse_indoor_bike_data(&bytes).expect("indoor bike data");
    assert_eq!(data.speed, Some(1_905));
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
            heart_rate: None,
            // 19.05 km/h
            speed: Some(5_292)
        }
    );
}

#[test]
fn speed_is_present_when_its_bit_is_clear() {
    assert_eq!(
        parse_indoor_bike_data(&[0x01, 0x00]),
        Ok(IndoorBikeData::default())
    );
    assert_eq!(
        parse_indoor_bike_data(&[0x00, 0x00, 100, 0]).map(|data| data.speed),
        Ok(Some(100))
    );
}

#[test]
fn the_speed_is_read_in_millimetres_per_second_up_to_what_a_bike_can_reach() {
    let speed = |speed: u16| {
        let [low, high] = speed.to_le_bytes();
        let data = parse_indoor_bike_data(&[0x00, 0x00, low, high]);
        data.expect("indoor bike data").reading().speed
    };
    assert_eq!(speed(0), Some(0));
    assert_eq!(speed(3_600), Some(10_000));
    assert_eq!(speed(23_592), Some(65_533));
    assert_eq!(speed(23_593), None);
    assert_eq!(speed(u16::MAX), None);
}

#[test]
fn a_message_of_more_data_has_no_speed() {
    let data = parse_indoor_bike_data(&[0x41, 0x00, 0xfa, 0x00]).expect("indoor bike data");
    assert_eq!(
        (data.reading().power, data.reading().speed),
        (Some(250), None)
    );
}

#[test]
fn power_is_signed_and_negative_power_counts_as_zero() {
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
fn fields_before_the_end_of_a_short_message_are_used() {
    // Cadence, power and heart rate are announced; the message ends after the power.
    let short = [0x45, 0x02, 180, 0, 0xfa, 0x00];
    let reading = Reading {
        power: Some(250),
        cadence: Some(90),
        heart_rate: None,
        speed: None,
    };
    let data = parse_indoor_bike_data(&short).map(|data| data.reading());
    assert_eq!(data, Ok(reading));
    // The end cuts the power in two.
    let data = parse_indoor_bike_data(&short[..5]).map(|data| data.reading());
    let reading = Reading {
        power: None,
        ..reading
    };
    assert_eq!(data, Ok(reading));
}

#[test]
fn a_message_without_all_flags_is_rejected() {
    for bytes in [&[][..], &[0x00]] {
        assert_eq!(parse_indoor_bike_data(bytes), Err(SensorError::Truncated));
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = parse_indoor_bike_data(&bytes).map(|data| data.reading());
    }
}
