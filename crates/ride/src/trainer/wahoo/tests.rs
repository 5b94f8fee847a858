use super::*;

#[test]
fn a_power_is_written_in_watts_within_plausible_limits() {
    assert_eq!(encode(Load::Power(250)), [vec![0x42, 250, 0]]);
    assert_eq!(encode(Load::Power(9_999)), [vec![0x42, 0xd0, 0x07]]);
}

#[test]
fn a_slope_is_written_after_the_mode_in_which_it_counts() {
    let slope = |slope| encode(Load::Slope(slope))[1].clone();
    assert_eq!(encode(Load::FREE)[0], SIMULATION);
    assert_eq!(slope(0), [0x46, 0x00, 0x80]);
    assert_eq!(slope(500), [0x46, 0x66, 0x86]);
    assert_eq!(slope(-500), [0x46, 0x9a, 0x79]);
}

#[test]
fn a_resistance_is_written_as_a_share_of_the_most() {
    assert_eq!(encode(Load::Resistance(0)), [vec![0x40, 0xff, 0x3f]]);
    assert_eq!(encode(Load::Resistance(100)), [vec![0x40, 0, 0]]);
}
