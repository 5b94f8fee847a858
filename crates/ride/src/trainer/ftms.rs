//! Profile of the Fitness Machine Service 0x1826 (Bluetooth SIG, FTMS 1.0).
//!
//! Layout: [`FtmsProfile`] connects the parts and notices silence of the device; `bike_data` reads
//! Indoor Bike Data, `power_range` the supported range of targets, `control_point` requests control
//! and sets targets.

mod bike_data;
mod control_point;
mod power_range;
mod resistance_range;

use std::collections::VecDeque;

use core::time::Duration;

use clock::Moment;

pub use bike_data::{IndoorBikeData, parse_indoor_bike_data};
pub use power_range::PowerRange;
pub use resistance_range::ResistanceRange;

use super::{
    Capabilities,
    CharacteristicAccess::{Read, Subscribe},
    CharacteristicSpec, ControlProblem, DeviceProfile, ProfileEvent, ProfileInput, ProfileOutput,
    ProfileSpec, READING_TIMEOUT, Uuid,
    measurements::Measurements,
};
use control_point::{ControlInput, ControlOutput, ControlPoint};

/// Fitness Machine Service.
pub const SERVICE: Uuid = Uuid::from_u16(0x1826);
/// Fitness Machine Feature: read once, tells what the device can do.
pub const FEATURE: Uuid = Uuid::from_u16(0x2acc);
/// Indoor Bike Data: notifies the readings.
pub const INDOOR_BIKE_DATA: Uuid = Uuid::from_u16(0x2ad2);
/// Supported Resistance Level Range: read once.
pub const SUPPORTED_RESISTANCE_RANGE: Uuid = Uuid::from_u16(0x2ad6);
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
        CharacteristicSpec::optional(SERVICE, FEATURE, Read),
        CharacteristicSpec::optional(SERVICE, SUPPORTED_POWER_RANGE, Read),
        CharacteristicSpec::optional(SERVICE, SUPPORTED_RESISTANCE_RANGE, Read),
        CharacteristicSpec::optional(SERVICE, CONTROL_POINT, Subscribe),
        CharacteristicSpec::required(SERVICE, INDOOR_BIKE_DATA, Subscribe),
        CharacteristicSpec::optional(SERVICE, STATUS, Subscribe),
    ],
};

/// Largest time between a request for control and the last data of a device that stops sending
/// because of it.
const CONTROL_EFFECT: Duration = Duration::from_secs(5);

/// Profile of one trainer.
#[derive(Debug)]
pub struct FtmsProfile {
    control: ControlPoint,
    control_use: ControlUse,
    range: Option<PowerRange>,
    resistance: Option<ResistanceRange>,
    /// Loads that the Feature characteristic names.
    capabilities: Capabilities,
    measurements: Measurements,
    connection: Option<Connection>,
    /// Newest Indoor Bike Data of this connection.
    newest: Option<Newest>,
    outputs: VecDeque<ProfileOutput>,
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
            resistance: None,
            capabilities: Capabilities::ALL,
            measurements: Measurements::default(),
            connection: None,
            newest: None,
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
            control_requested_at: None,
        });
        self.measurements.connected(now);
        if !has_control_point {
            self.emit(ProfileEvent::Uncontrolled(ControlProblem::MeasuresOnly));
            return;
        }
        self.emit(ProfileEvent::Capable(self.capabilities));
        if self.control_use == ControlUse::Never {
            let problem = ControlProblem::StopsWhenControlled;
            self.emit(ProfileEvent::Uncontrolled(problem));
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
        let connected = ControlInput::Connected {
            range: self.range,
            resistance: self.resistance,
            capabilities: self.capabilities,
        };
        self.control(now, connected);
    }

    fn disconnected(&mut self, now: Moment) {
        self.control_use = self.next_control_use();
        self.range = None;
        self.resistance = None;
        self.capabilities = Capabilities::ALL;
        self.connection = None;
        self.newest = None;
        self.control(now, ControlInput::Disconnected);
        self.outputs.extend(self.measurements.disconnected());
    }

    /// Use of the control point in the next connection.
    fn next_control_use(&self) -> ControlUse {
        let requested_at = self.connection.and_then(|it| it.control_requested_at);
        let Some(requested_at) = requested_at.filter(|_| self.measurements.is_silent()) else {
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
            FEATURE => self.capabilities = capabilities(&bytes),
            SUPPORTED_POWER_RANGE => self.range = PowerRange::parse(&bytes).ok(),
            SUPPORTED_RESISTANCE_RANGE => self.resistance = ResistanceRange::parse(&bytes).ok(),
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
        let reading = data.reading();
        self.newest = Some(Newest {
            at: now,
            is_riding: reading.power > Some(0) || reading.cadence > Some(0),
        });
        let has_no_heart_rate = data.heart_rate == Some(0);
        let outputs = self.measurements.update(now, reading, has_no_heart_rate);
        self.request_control(now);
        self.outputs.extend(outputs);
    }

    /// A silent device is told to start: some consoles send nothing before.
    fn notice_silence(&mut self, now: Moment) {
        if !self.measurements.falls_silent(now) {
            return;
        }
        self.emit(ProfileEvent::Silent);
        self.request_control(now);
        self.control(now, ControlInput::Start);
    }

    fn control(&mut self, now: Moment, input: ControlInput) {
        let is_recent = |newest: Newest| now < newest.at + READING_TIMEOUT;
        self.control.data_flows = self.newest.is_some_and(is_recent);
        self.control.handle(now, input);
    }

    fn emit(&mut self, event: ProfileEvent) {
        self.outputs.push_back(ProfileOutput::Event(event));
    }

    fn drain_control(&mut self) {
        while let Some(output) = self.control.poll_output() {
            self.outputs.push_back(match output {
                ControlOutput::Write(bytes) => ProfileOutput::Write {
                    characteristic: CONTROL_POINT,
                    bytes,
                },
                ControlOutput::Event(event) => ProfileOutput::Event(event),
            });
        }
    }
}

impl DeviceProfile for FtmsProfile {
    fn spec(&self) -> &'static ProfileSpec {
        &SPEC
    }

    fn handle(&mut self, now: Moment, input: ProfileInput) {
        match input {
            ProfileInput::Connected { missing } => self.connected(now, &missing),
            ProfileInput::Value {
                characteristic,
                bytes,
            } => self.handle_value(now, characteristic, bytes),
            ProfileInput::Written { ok, .. } => self.control(now, ControlInput::Written(ok)),
            ProfileInput::Disconnected => self.disconnected(now),
            ProfileInput::SetLoad(load) => self.control(now, ControlInput::Load(load)),
            ProfileInput::Release => self.control(now, ControlInput::Release),
            ProfileInput::Timeout => {
                self.outputs.extend(self.measurements.expire(now));
                self.notice_silence(now);
                self.control(now, ControlInput::Timeout);
            }
        }
        self.drain_control();
    }

    fn poll_output(&mut self) -> Option<ProfileOutput> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        let timeouts = [
            self.control.poll_timeout(),
            self.measurements.poll_timeout(),
        ];
        timeouts.into_iter().flatten().min()
    }
}

/// Reads Fitness Machine Feature 0x2ACC (FTMS 1.0, section 4.3): the second word tells which targets
/// are taken. A device that announces none at all, or sends too few bytes, has not filled in the
/// characteristic, and is tried.
fn capabilities(bytes: &[u8]) -> Capabilities {
    let [_, _, _, _, targets @ ..] = bytes else {
        return Capabilities::ALL;
    };
    let bits = targets
        .iter()
        .take(4)
        .rev()
        .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    if bits == 0 {
        return Capabilities::ALL;
    }
    Capabilities {
        resistance: bits & 1 << 2 != 0,
        power: bits & 1 << 3 != 0,
        slope: bits & 1 << 13 != 0,
    }
}

#[cfg(test)]
mod tests;
