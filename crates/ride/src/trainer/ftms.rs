//! Profile of the Fitness Machine Service 0x1826 (Bluetooth SIG, FTMS 1.0).
//!
//! Layout: [`FtmsProfile`] connects the parts; `bike_data` reads Indoor Bike Data, `power_range` the
//! supported range of targets, `control_point` requests control and sets targets.

mod bike_data;
mod control_point;
mod power_range;

use std::collections::VecDeque;

use core::time::Duration;

use clock::Moment;

pub use bike_data::{IndoorBikeData, parse_indoor_bike_data};
pub use power_range::PowerRange;

use super::{
    CharacteristicAccess, CharacteristicSpec, ProfileSpec, Reading, TrainerInput, TrainerOutput,
    TrainerProfile, Uuid,
};
use control_point::{ControlInput, ControlOutput, ControlPoint};

/// Fitness Machine Service.
pub const SERVICE: Uuid = Uuid::from_u16(0x1826);
/// Indoor Bike Data: notifies the readings.
pub const INDOOR_BIKE_DATA: Uuid = Uuid::from_u16(0x2ad2);
/// Supported Power Range: read once.
pub const SUPPORTED_POWER_RANGE: Uuid = Uuid::from_u16(0x2ad8);
/// Fitness Machine Control Point: takes commands, and indicates the answers.
pub const CONTROL_POINT: Uuid = Uuid::from_u16(0x2ad9);
/// Fitness Machine Status: notifies, among other things, that another app has taken control.
pub const STATUS: Uuid = Uuid::from_u16(0x2ada);

/// Services and characteristics of the profile. The control point comes first among the
/// subscriptions, since the answer to the first command must not be missed.
pub const SPEC: ProfileSpec = ProfileSpec {
    advertised_service: SERVICE,
    characteristics: &[
        characteristic(SUPPORTED_POWER_RANGE, CharacteristicAccess::Read, false),
        characteristic(CONTROL_POINT, CharacteristicAccess::Subscribe, true),
        characteristic(INDOOR_BIKE_DATA, CharacteristicAccess::Subscribe, true),
        characteristic(STATUS, CharacteristicAccess::Subscribe, false),
    ],
};

const fn characteristic(
    uuid: Uuid,
    access: CharacteristicAccess,
    required: bool,
) -> CharacteristicSpec {
    CharacteristicSpec {
        service: SERVICE,
        uuid,
        access,
        required,
    }
}

/// Time after the last Indoor Bike Data at which its readings become invalid.
pub const READING_TIMEOUT: Duration = Duration::from_secs(3);

/// Profile of one trainer.
#[derive(Debug, Default)]
pub struct FtmsProfile {
    control: ControlPoint,
    range: Option<PowerRange>,
    reading: Reading,
    /// Time at which the readings become invalid; `None` without readings.
    reading_expires_at: Option<Moment>,
    outputs: VecDeque<TrainerOutput>,
}

impl FtmsProfile {
    /// Profile without a device.
    pub fn new() -> Self {
        Self::default()
    }

    fn handle_value(&mut self, now: Moment, characteristic: Uuid, bytes: Vec<u8>) {
        match characteristic {
            INDOOR_BIKE_DATA => self.measure(now, &bytes),
            SUPPORTED_POWER_RANGE => self.range = PowerRange::parse(&bytes).ok(),
            CONTROL_POINT => self.control.handle(now, ControlInput::Indication(bytes)),
            STATUS => self.control.handle(now, ControlInput::Status(bytes)),
            _ => {}
        }
    }

    /// Merges a notification into the readings. Trainers distribute their fields over several
    /// notifications, so a missing field keeps its value.
    fn measure(&mut self, now: Moment, bytes: &[u8]) {
        let Ok(data) = parse_indoor_bike_data(bytes) else {
            return;
        };
        self.expire_reading(now);
        let new = data.reading();
        self.reading = Reading {
            power: new.power.or(self.reading.power),
            cadence: new.cadence.or(self.reading.cadence),
            heart_rate: new.heart_rate.or(self.reading.heart_rate),
        };
        self.reading_expires_at = Some(now + READING_TIMEOUT);
        self.outputs.push_back(TrainerOutput::Reading(self.reading));
    }

    fn expire_reading(&mut self, now: Moment) {
        if self.reading_expires_at.is_some_and(|at| at <= now) {
            self.clear_reading();
        }
    }

    fn clear_reading(&mut self) {
        if self.reading_expires_at.take().is_some() {
            self.reading = Reading::default();
            self.outputs.push_back(TrainerOutput::Reading(self.reading));
        }
    }

    fn drain_control(&mut self) {
        while let Some(output) = self.control.poll_output() {
            self.outputs.push_back(match output {
                ControlOutput::Write(bytes) => TrainerOutput::Write {
                    characteristic: CONTROL_POINT,
                    bytes,
                },
                ControlOutput::Event(event) => TrainerOutput::Event(event),
            });
        }
    }
}

impl TrainerProfile for FtmsProfile {
    fn spec(&self) -> &'static ProfileSpec {
        &SPEC
    }

    fn handle(&mut self, now: Moment, input: TrainerInput) {
        match input {
            TrainerInput::Connected => {
                let range = self.range;
                self.control.handle(now, ControlInput::Connected { range });
            }
            TrainerInput::Value {
                characteristic,
                bytes,
            } => self.handle_value(now, characteristic, bytes),
            TrainerInput::Written { ok, .. } => {
                self.control.handle(now, ControlInput::Written(ok));
            }
            TrainerInput::Disconnected => {
                self.range = None;
                self.clear_reading();
                self.control.handle(now, ControlInput::Disconnected);
            }
            TrainerInput::SetTarget(target) => {
                self.control.handle(now, ControlInput::Target(target));
            }
            TrainerInput::Timeout => {
                self.expire_reading(now);
                self.control.handle(now, ControlInput::Timeout);
            }
        }
        self.drain_control();
    }

    fn poll_output(&mut self) -> Option<TrainerOutput> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        let timeouts = [self.control.poll_timeout(), self.reading_expires_at];
        timeouts.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
