//! Simulated rider on a trainer, to try the app without hardware and to test it.
//!
//! Power follows the target as a first-order lag of about 2 s, with noise of up to 3 %. Cadence
//! drifts around 90 rpm. Heart rate follows power over about a minute.

use core::time::Duration;
use std::collections::VecDeque;

use clock::Moment;

use super::{
    Capabilities, DeviceProfile, Load, ProfileEvent, ProfileInput, ProfileOutput, ProfileSpec,
    Reading,
};
use crate::rider::Ftp;

/// Time constant of power in seconds.
const POWER_LAG: f64 = 2.0;
/// Largest relative noise of power.
const NOISE: f64 = 0.03;
/// Power on a flat road, as a fraction of FTP.
const FREE_RIDE: f64 = 0.6;
/// Power for each percent of slope beside it.
const CLIMBING: f64 = 0.05;
/// Power without and with all resistance.
const RESISTANCE: (f64, f64) = (0.3, 1.2);
/// Least power on a road, as a fraction of FTP.
const MIN_POWER: f64 = 0.2;
/// Time constant of cadence in seconds.
const CADENCE_LAG: f64 = 1.5;
/// Mean cadence in rpm.
const CADENCE: f64 = 90.0;
/// Largest drift of cadence in rpm.
const MAX_DRIFT: f64 = 5.0;
/// Time constant of heart rate in seconds: 90 % of a change takes one minute.
const HEART_RATE_LAG: f64 = 26.0;
/// Heart rate at rest in beats per minute.
const RESTING_HEART_RATE: f64 = 65.0;
/// Increase of heart rate at FTP in beats per minute.
const HEART_RATE_GAIN: f64 = 100.0;
/// Highest heart rate in beats per minute.
const MAX_HEART_RATE: f64 = 195.0;

/// Simulated rider. The same seed and the same calls give the same readings.
#[derive(Clone, Debug)]
pub struct Simulator {
    random: SplitMix,
    ftp: Ftp,
    load: Load,
    advanced_at: Option<Moment>,
    power: f64,
    cadence: f64,
    drift: f64,
    heart_rate: f64,
}

impl Simulator {
    /// Rider at rest.
    pub const fn new(seed: u64, ftp: Ftp) -> Self {
        Self {
            random: SplitMix(seed),
            ftp,
            load: Load::FREE,
            advanced_at: None,
            power: 0.0,
            cadence: 0.0,
            drift: 0.0,
            heart_rate: RESTING_HEART_RATE,
        }
    }

    /// Sets the load. At 0 W the rider stops pedalling; on a flat road the rider rides at 60 % of FTP.
    pub const fn set_load(&mut self, load: Load) {
        self.load = load;
    }

    /// Advances the simulation to `now` and returns the readings.
    pub fn advance(&mut self, now: Moment) -> Reading {
        let passed = (now - self.advanced_at.unwrap_or(now)).as_secs_f64();
        self.advanced_at = Some(now.max(self.advanced_at.unwrap_or(now)));
        self.update(passed);
        let power = self.power * (1.0 + NOISE * self.random.signed());
        Reading {
            power: Some(power.round() as u16),
            cadence: Some(self.cadence.round() as u8),
            heart_rate: Some(self.heart_rate.round() as u8),
            // Its speed is the virtual one of its power.
            speed: None,
        }
    }

    fn update(&mut self, passed: f64) {
        let ftp = f64::from(self.ftp.watts());
        let goal = match self.load {
            Load::Power(watts) => f64::from(watts),
            Load::Slope(slope) => {
                let climbing = CLIMBING * f64::from(slope) / 100.0;
                ftp * (FREE_RIDE + climbing).max(MIN_POWER)
            }
            Load::Resistance(percent) => {
                let (least, most) = RESISTANCE;
                ftp * (least + (most - least) * f64::from(percent) / 100.0)
            }
        };
        approach(&mut self.power, goal, passed, POWER_LAG);
        self.drift =
            (self.drift + self.random.signed() * passed.min(1.0)).clamp(-MAX_DRIFT, MAX_DRIFT);
        let pedalling = if self.load == Load::Power(0) {
            0.0
        } else {
            CADENCE + self.drift
        };
        approach(&mut self.cadence, pedalling, passed, CADENCE_LAG);
        let heart = (RESTING_HEART_RATE + HEART_RATE_GAIN * self.power / ftp).min(MAX_HEART_RATE);
        approach(&mut self.heart_rate, heart, passed, HEART_RATE_LAG);
    }
}

/// Moves a value towards a goal with a first-order lag.
fn approach(value: &mut f64, goal: f64, passed: f64, lag: f64) {
    *value += (goal - *value) * (1.0 - (-passed / lag).exp());
}

/// SplitMix64 generator (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Clone, Debug)]
struct SplitMix(u64);

impl SplitMix {
    /// Uniform number from -1 to 1.
    fn signed(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// Time between two readings.
const READING_INTERVAL: Duration = Duration::from_millis(250);

/// Nothing: the simulator is no device.
const SPEC: ProfileSpec = ProfileSpec {
    advertised_service: super::ftms::SERVICE,
    characteristics: &[],
};

/// The simulated rider behind the interface of real trainers.
#[derive(Debug)]
pub struct SimulatedProfile {
    simulator: Simulator,
    next: Option<Moment>,
    outputs: VecDeque<ProfileOutput>,
}

impl SimulatedProfile {
    /// Rider at rest, see [`Simulator::new`].
    pub const fn new(seed: u64, ftp: Ftp) -> Self {
        Self {
            simulator: Simulator::new(seed, ftp),
            next: None,
            outputs: VecDeque::new(),
        }
    }

    fn measure(&mut self, now: Moment) {
        let reading = self.simulator.advance(now);
        self.outputs.push_back(ProfileOutput::Reading(reading));
        self.next = Some(now + READING_INTERVAL);
    }
}

impl DeviceProfile for SimulatedProfile {
    fn spec(&self) -> &'static ProfileSpec {
        &SPEC
    }

    fn handle(&mut self, now: Moment, input: ProfileInput) {
        match input {
            ProfileInput::Connected { .. } => {
                let capable = ProfileEvent::Capable(Capabilities {
                    resistance: false,
                    ..Capabilities::ALL
                });
                for event in [capable, ProfileEvent::Controllable] {
                    self.outputs.push_back(ProfileOutput::Event(event));
                }
                self.measure(now);
            }
            ProfileInput::SetLoad(load) => self.simulator.set_load(load),
            ProfileInput::Timeout if self.next.is_some_and(|next| next <= now) => self.measure(now),
            ProfileInput::Disconnected => self.next = None,
            ProfileInput::Timeout
            | ProfileInput::Value { .. }
            | ProfileInput::Written { .. }
            | ProfileInput::Release => {}
        }
    }

    fn poll_output(&mut self) -> Option<ProfileOutput> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        self.next
    }
}

#[cfg(test)]
mod tests;
