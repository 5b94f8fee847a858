//! Commands to the control point and results from it (FTMS 1.0, section 4.16).

use super::{PowerRange, ResistanceRange};

pub(super) const REQUEST_CONTROL: u8 = 0x00;
pub(super) const RESET: u8 = 0x01;
pub(super) const SET_RESISTANCE: u8 = 0x04;
pub(super) const SET_POWER: u8 = 0x05;
pub(super) const START: u8 = 0x07;
pub(super) const SET_SIMULATION: u8 = 0x11;
pub(super) const RESPONSE: u8 = 0x80;
pub(super) const SUCCESS: u8 = 0x01;
pub(super) const NOT_SUPPORTED: u8 = 0x02;
pub(super) const NOT_PERMITTED: u8 = 0x05;
/// Fitness Machine Status: control is lost.
pub(super) const STATUS_CONTROL_LOST: u8 = 0xff;

/// Target power in W, within the trainer's range.
pub(super) fn power(range: PowerRange, watts: u16) -> Vec<u8> {
    let [low, high] = range.clamp(watts).to_le_bytes();
    vec![SET_POWER, low, high]
}

/// Level of resistance at a share in percent of the trainer's range.
pub(super) fn resistance(range: ResistanceRange, percent: u8) -> Vec<u8> {
    [vec![SET_RESISTANCE], range.level(percent)].concat()
}

/// Simulation of a road without wind: slope in 0.01 %, rolling resistance 0.004, wind resistance
/// 0.51 kg/m. It replaces the target in parts of a workout without one, and lets the rider shift
/// gears.
pub(super) fn road(slope: i16) -> Vec<u8> {
    let [low, high] = slope.to_le_bytes();
    vec![SET_SIMULATION, 0, 0, low, high, 40, 51]
}
