use super::*;

fn decode(page: Page) -> Option<Decoded> {
    Fec.decode(Moment::ZERO, MESSAGES, &message(page))
}

#[test]
fn loads_are_pages_with_a_checksum() {
    let power = [
        0xa4, 9, 0x4f, 5, 0x31, 0xff, 0xff, 0xff, 0xff, 0xff, 0xe8, 0x03,
    ];
    let sum = power.iter().fold(0, |sum, byte| sum ^ byte);
    assert_eq!(encode(Load::Power(250))[..12], power);
    assert_eq!(encode(Load::Power(250))[12], sum);
    assert_eq!(
        parse_page(&encode(Load::Slope(0))).unwrap()[5..7],
        [0x20, 0x4e]
    );
    assert_eq!(
        parse_page(&encode(Load::Slope(-150))).unwrap()[5..7],
        [0x8a, 0x4d]
    );
    assert_eq!(parse_page(&encode(Load::Resistance(50))).unwrap()[7], 100);
}

#[test]
fn a_page_of_the_trainer_has_power_and_cadence() {
    let reading = decode([0x19, 1, 90, 0, 0, 0x2c, 0x61, 0x30])
        .unwrap()
        .reading;
    assert_eq!((reading.power, reading.cadence), (Some(300), Some(90)));
    let reading = decode([0x19, 1, 0xff, 0, 0, 0xff, 0x0f, 0])
        .unwrap()
        .reading;
    assert_eq!(reading, Reading::default());
}

#[test]
fn a_general_page_has_a_heart_rate_or_says_that_there_is_none() {
    let decoded = decode([0x10, 25, 0, 0, 0, 0, 150, 0]).unwrap();
    assert_eq!(decoded.reading.heart_rate, Some(150));
    for none in [0, 0xff] {
        let decoded = decode([0x10, 25, 0, 0, 0, 0, none, 0]).unwrap();
        assert_eq!(
            (decoded.reading.heart_rate, decoded.has_no_heart_rate),
            (None, true)
        );
    }
    assert_eq!(decode([0x50, 0, 0, 0, 0, 0, 0, 0]), None);
}

#[test]
fn a_general_page_has_the_speed_or_an_invalid_one() {
    let speed = |low, high| {
        let decoded = decode([0x10, 25, 4, 7, low, high, 0xff, 0x24]).unwrap();
        decoded.reading.speed
    };
    // 8.123 m/s
    assert_eq!(speed(0xbb, 0x1f), Some(8_123));
    assert_eq!(speed(0, 0), Some(0));
    assert_eq!(speed(0xff, 0xff), None);
}

#[test]
fn damaged_messages_are_left_out() {
    let whole = message([0x19, 1, 90, 0, 0, 0x2c, 0x01, 0]);
    for length in 0..13 {
        assert_eq!(parse_page(&whole[..length]), None);
    }
    for at in 0..13 {
        let mut damaged = whole;
        damaged[at] ^= 0x11;
        assert_eq!(parse_page(&damaged), None);
    }
}
