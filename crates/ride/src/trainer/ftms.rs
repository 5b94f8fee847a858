//! Profile of the Fitness Machine Service 0x1826 (Bluetooth SIG, FTMS 1.0).
//!
//! Layout: [`FtmsProfile`] connects the parts and notices silence of the device; `bike_data` reads
//! Indoor Bike Data, `power_range` the supported range of targets, `control_point` requests control
//! and sets targets.

mod bike_data;
mod control_point;
mod power_range;

use std::collections::VecDeque;

use core::time::Duration;

use clock::Moment;

pub use bike_data::{IndoorBikeData, parse_indoor_bike_data};
pub use power_range::PowerRange;

use super::{
    AgingReading, CharacteristicAccess, CharacteristicSpec, ControlProblem, ProfileSpec,
    READING_TIMEOUT, TrainerEvent, TrainerInput, TrainerOutput, TrainerProfile, Uuid,
};
use control_point::{ControlInput, ControlOutput, ControlPoint};

/// Fitness Machine Service.
pub const SERVICE: Uuid = Uuid::from_u16(0x1826);
/// Fitness Machine Feature: read once, tells what the device can do.
pub const FEATURE: Uuid = Uuid::from_u16(0x2acc);
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
        characteristic(FEATURE, CharacteristicAccess::Read, false),
        characteristic(SUPPORTED_POWER_RANGE, CharacteristicAccess::Read, false),
        characteristic(CONTROL_POINT, CharacteristicAccess::Subscribe, false),
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

/// Time without Indoor Bike Data after which the device counts as silent. Devices notify once a
/// second or more often.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest time between a request for control and the last data of a device that stops sending
/// because of it.
const CONTROL_EFFECT: Duration = Duration::from_secs(5);

/// Profile of one trainer.
#[derive(Debug)]
pub struct FtmsProfile {
    control: ControlPoint,
    control_use: ControlUse,
    range: Option<PowerRange>,
    /// False if the Feature characteristic says that the device takes no target power.
    takes_power: bool,
    reading: AgingReading,
    connection: Option<Connection>,
    /// Newest Indoor Bike Data of this connection.
    newest: Option<Newest>,
    silent: bool,
    outputs: VecDeque<TrainerOutput>,
}

/// Use of the control point. Some consoles stop sending data when control is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ControlUse {
    /// Control is requested with the connection.
    AtOnce,
    /// Data stopped after control was requested: in the next connection it is requested when data
    /// flow, to see whether they stop again.
    AfterData,
    /// They did.
    Never,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    has_control_point: bool,
    /// Time at which the device counts as silent; `None` once it does.
    silence_at: Option<Moment>,
    /// Time at which control was requested; `None` before.
    control_requested_at: Option<Moment>,
}

/// Newest Indoor Bike Data.
#[derive(Clone, Copy, Debug)]
struct Newest {
    at: Moment,
    /// True if the rider was pedalling.
    is_riding: bool,
}

impl Default for FtmsProfile {
    fn default() -> Self {
        Self {
            control: ControlPoint::default(),
            control_use: ControlUse::AtOnce,
            range: None,
            takes_power: true,
            reading: AgingReading::default(),
            connection: None,
            newest: None,
            silent: false,
            outputs: VecDeque::new(),
        }
    }
}

impl FtmsProfile {
    /// Profile without a device.
    pub fn new() -> Self {
        Self::default()
    }

    fn connected(&mut self, now: Moment, missing: &[Uuid]) {
        let has_control_point = !missing.contains(&CONTROL_POINT);
        self.connection = Some(Connection {
            has_control_point,
            silence_at: Some(now + SILENCE_TIMEOUT),
            control_requested_at: None,
        });
        if !has_control_point {
            self.emit(TrainerEvent::Uncontrolled(ControlProblem::MeasuresOnly));
        } else if self.control_use == ControlUse::Never {
            let problem = ControlProblem::StopsWhenControlled;
            self.emit(TrainerEvent::Uncontrolled(problem));
        } else if self.control_use == ControlUse::AtOnce || self.newest.is_some() {
            self.request_control(now);
        }
    }

    /// Requests control, once in a connection.
    fn request_control(&mut self, now: Moment) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        if !connection.has_control_point
            || connection.control_requested_at.is_some()
            || self.control_use == ControlUse::Never
        {
            return;
        }
        connection.control_requested_at = Some(now);
        let (range, takes_power) = (self.range, self.takes_power);
        self.control(now, ControlInput::Connected { range, takes_power });
    }

    fn disconnected(&mut self, now: Moment) {
        self.control_use = self.next_control_use();
        self.range = None;
        self.takes_power = true;
        self.connection = None;
        self.newest = None;
        self.control(now, ControlInput::Disconnected);
        if std::mem::take(&mut self.reading).expires_at().is_some() {
            self.push_reading();
        }
    }

    /// Use of the control point in the next connection.
    fn next_control_use(&self) -> ControlUse {
        let requested_at = self.connection.and_then(|it| it.control_requested_at);
        let Some(requested_at) = requested_at.filter(|_| self.silent) else {
            return self.control_use;
        };
        // A rider who stops pedalling silences some devices, too.
        let has_stopped =
            |newest: Newest| newest.is_riding && newest.at <= requested_at + CONTROL_EFFECT;
        match (self.control_use, self.newest) {
            (ControlUse::AtOnce, newest) if newest.is_none_or(has_stopped) => ControlUse::AfterData,
            (ControlUse::AfterData, Some(newest)) if has_stopped(newest) => ControlUse::Never,
            (control_use, _) => control_use,
        }
    }

    fn handle_value(&mut self, now: Moment, characteristic: Uuid, bytes: Vec<u8>) {
        match characteristic {
            INDOOR_BIKE_DATA => self.measure(now, &bytes),
            FEATURE => self.takes_power = takes_power(&bytes),
            SUPPORTED_POWER_RANGE => self.range = PowerRange::parse(&bytes).ok(),
            CONTROL_POINT => self.control(now, ControlInput::Indication(bytes)),
            STATUS => self.control(now, ControlInput::Status(bytes)),
            _ => {}
        }
    }

    /// Merges a notification into the readings. Trainers distribute their fields over several
    /// notifications, so a missing field keeps its value until that is too old.
    fn measure(&mut self, now: Moment, bytes: &[u8]) {
        let Ok(data) = parse_indoor_bike_data(bytes) else {
            return;
        };
        self.expire_reading(now);
        let reading = data.reading();
        self.reading.update(now, reading);
        if data.heart_rate == Some(0) {
            self.reading.clear_heart_rate();
        }
        self.newest = Some(Newest {
            at: now,
            is_riding: reading.power > Some(0) || reading.cadence > Some(0),
        });
        if let Some(connection) = &mut self.connection {
            connection.silence_at = Some(now + SILENCE_TIMEOUT);
        }
        if std::mem::take(&mut self.silent) {
            self.emit(TrainerEvent::Measuring);
        }
        self.request_control(now);
        self.push_reading();
    }

    fn expire_reading(&mut self, now: Moment) {
        if self.reading.expire(now) {
            self.push_reading();
        }
    }

    /// A silent device is told to start: some consoles send nothing before.
    fn notice_silence(&mut self, now: Moment) {
        let silence_at = self.connection.as_mut().map(|it| &mut it.silence_at);
        let due = silence_at.and_then(|at| at.take_if(|at| *at <= now));
        if due.is_none() {
            return;
        }
        self.silent = true;
        self.emit(TrainerEvent::Silent);
        self.request_control(now);
        self.control(now, ControlInput::Start);
    }

    fn control(&mut self, now: Moment, input: ControlInput) {
        let is_recent = |newest: Newest| now < newest.at + READING_TIMEOUT;
        self.control.data_flows = self.newest.is_some_and(is_recent);
        self.control.handle(now, input);
    }

    fn push_reading(&mut self) {
        let reading = self.reading.reading();
        self.outputs.push_back(TrainerOutput::Reading(reading));
    }

    fn emit(&mut self, event: TrainerEvent) {
        self.outputs.push_back(TrainerOutput::Event(event));
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
            TrainerInput::Connected { missing } => self.connected(now, &missing),
            TrainerInput::Value {
                characteristic,
                bytes,
            } => self.handle_value(now, characteristic, bytes),
            TrainerInput::Written { ok, .. } => self.control(now, ControlInput::Written(ok)),
            TrainerInput::Disconnected => self.disconnected(now),
            TrainerInput::SetTarget(target) => self.control(now, ControlInput::Target(target)),
            TrainerInput::Release => self.control(now, ControlInput::Release),
            TrainerInput::Timeout => {
                self.expire_reading(now);
                self.notice_silence(now);
                self.control(now, ControlInput::Timeout);
            }
        }
        self.drain_control();
    }

    fn poll_output(&mut self) -> Option<TrainerOutput> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        let timeouts = [
            self.control.poll_timeout(),
            self.reading.expires_at(),
            self.connection.and_then(|it| it.silence_at),
        ];
        timeouts.into_iter().flatten().min()
    }
}

/// Reads Fitness Machine Feature 0x2ACC (FTMS 1.0, section 4.3): bit 3 of the second word tells
/// whether a target power is taken. A device that announces no target setting at all, or too few
/// bytes, has not filled in the characteristic.
fn takes_power(bytes: &[u8]) -> bool {
    match bytes {
        [_, _, _, _, first, rest @ ..] => {
            first & 1 << 3 != 0 || (*first == 0 && rest.iter().all(|byte| *byte == 0))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
