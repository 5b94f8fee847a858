//! A rider on a trainer, simulated: for trying the app without hardware, and for its tests.
//!
//! Power follows the target as a first-order lag of about two seconds, with noise of up to 3 %.
//! Cadence drifts around 90 rpm. Heart rate follows the effort over about a minute.

use clock::Moment;

use super::Reading;
use crate::rider::Ftp;

/// The time constant of power, in seconds.
const POWER_LAG: f64 = 2.0;
/// The share by which power is off at most.
const NOISE: f64 = 0.03;
/// What the rider rides at without a target, a fraction of FTP.
const FREE_RIDE: f64 = 0.6;
/// The time constant of cadence, in seconds.
const CADENCE_LAG: f64 = 1.5;
/// What cadence drifts around, in rpm, and how far it gets.
const CADENCE: f64 = 90.0;
const DRIFT: f64 = 5.0;
/// The time constant of heart rate, in seconds: nine tenths of the way after a minute.
const HEART_LAG: f64 = 26.0;
/// Heart rate without effort, and what an effort at FTP adds, in beats a minute.
const HEART_AT_REST: f64 = 65.0;
const HEART_AT_FTP: f64 = 100.0;
const HEART_MAX: f64 = 195.0;

/// A simulated rider. The same seed and the same calls give the same readings.
#[derive(Clone, Debug)]
pub struct Simulator {
    random: SplitMix,
    ftp: Ftp,
    target: Option<u16>,
    last: Option<Moment>,
    power: f64,
    cadence: f64,
    drift: f64,
    heart_rate: f64,
}

impl Simulator {
    /// A rider of this FTP at rest.
    pub const fn new(seed: u64, ftp: Ftp) -> Self {
        Self {
            random: SplitMix(seed),
            ftp,
            target: None,
            last: None,
            power: 0.0,
            cadence: 0.0,
            drift: 0.0,
            heart_rate: HEART_AT_REST,
        }
    }

    /// What to ride at, in watts; 0 is to stop pedalling, none to ride freely at about 60 % of FTP.
    pub const fn set_target(&mut self, watts: Option<u16>) {
        self.target = watts;
    }

    /// Advances the simulation to `now` and returns the readings.
    pub fn advance(&mut self, now: Moment) -> Reading {
        let passed = (now - self.last.unwrap_or(now)).as_secs_f64();
        self.last = Some(now.max(self.last.unwrap_or(now)));
        self.follow(passed);
        let power = self.power * (1.0 + NOISE * self.random.signed());
        Reading {
            power: Some(power.round() as u16),
            cadence: Some(self.cadence.round() as u8),
            heart_rate: Some(self.heart_rate.round() as u8),
        }
    }

    fn follow(&mut self, passed: f64) {
        let ftp = f64::from(self.ftp.watts());
        let goal = self.target.map_or(ftp * FREE_RIDE, f64::from);
        approach(&mut self.power, goal, passed, POWER_LAG);
        self.drift = (self.drift + self.random.signed() * passed.min(1.0)).clamp(-DRIFT, DRIFT);
        let pedalling = if self.target == Some(0) {
            0.0
        } else {
            CADENCE + self.drift
        };
        approach(&mut self.cadence, pedalling, passed, CADENCE_LAG);
        let heart = (HEART_AT_REST + HEART_AT_FTP * self.power / ftp).min(HEART_MAX);
        approach(&mut self.heart_rate, heart, passed, HEART_LAG);
    }
}

/// A first-order lag.
fn approach(value: &mut f64, goal: f64, passed: f64, lag: f64) {
    *value += (goal - *value) * (1.0 - (-passed / lag).exp());
}

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Clone, Debug)]
struct SplitMix(u64);

impl SplitMix {
    /// Evenly in -1 to 1.
    fn signed(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests;
