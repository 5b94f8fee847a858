//! A trainer over Bluetooth that speaks the Fitness Machine Service, with switches for the ways in
//! which real ones are untidy.

use std::collections::BTreeMap;

use ride::trainer::{
    DeviceKind, ProfileFactory, ProfileSpec, Uuid, battery,
    ftms::{
        CONTROL_POINT, FEATURE, INDOOR_BIKE_DATA, STATUS, SUPPORTED_POWER_RANGE,
        SUPPORTED_RESISTANCE_RANGE,
    },
    profiles,
};
use session::{
    Input,
    devices::{ChooserError, ConnectError, DeviceCommand, DeviceEvent, DeviceInput},
};

use super::{World, ms, world::Packet};

/// Opcodes of the control point (FTMS 1.0, section 4.16.1).
pub const REQUEST_CONTROL: u8 = 0x00;
pub const SET_TARGET_POWER: u8 = 0x05;
pub const START: u8 = 0x07;
pub const SET_SIMULATION: u8 = 0x11;
/// Response Code, and its results Success and Operation Failed (section 4.16.2.22).
const RESPONSE: u8 = 0x80;
const SUCCESS: u8 = 0x01;
pub const FAILED: u8 = 0x04;

/// Answer of the browser's device chooser.
#[derive(Clone, Debug)]
pub enum Chooser {
    /// The rider has not chosen yet.
    StaysOpen,
    /// The rider chooses this trainer.
    Chooses(FakeTrainer),
    /// The browser gives no trainer.
    Fails(ChooserError),
}

/// The rider closes the chooser after two seconds.
pub fn cancelled() -> ChooserError {
    ChooserError::Rejected {
        name: "NotFoundError".to_owned(),
        message: "User cancelled the requestDevice() chooser.".to_owned(),
        after: ms(2_000),
        available: true,
    }
}

#[derive(Clone, Debug)]
pub struct FakeTrainer {
    pub name: String,
    /// Result for each opcode; `None` for no answer. Opcodes that are not listed succeed.
    pub answers: BTreeMap<u8, Option<u8>>,
    /// Bytes of Supported Power Range, and of Fitness Machine Feature.
    pub range: Vec<u8>,
    pub features: Vec<u8>,
    /// Characteristics that it has, and those of them that it lacks after all.
    pub characteristics: Vec<Uuid>,
    pub missing: Vec<Uuid>,
    /// Notifications that it sends twice a second beside Indoor Bike Data.
    pub notifications: Vec<(Uuid, Vec<u8>)>,
    /// State of charge in percent.
    pub battery: Option<u8>,
    /// Power in watts and cadence in rpm that it measures; `None` for sending no data.
    pub pedalling: Option<(u16, u8)>,
    /// Indoor Bike Data to send instead.
    pub packet: Option<Vec<u8>>,
    /// It sends no data before this opcode is written.
    pub sends_after: Option<u8>,
    /// It sends no data any more once this opcode is written.
    pub stops_after: Option<u8>,
    /// Number of attempts to connect that fail.
    pub failing_connects: u32,
    /// Error of those.
    pub connect_error: ConnectError,
    pub is_connected: bool,
    /// Attempts to connect it.
    pub connects: u32,
    /// Commands that were written to the control point.
    pub commands: Vec<Vec<u8>>,
    /// Place in `commands` at which the newest connection began.
    connection_begin: usize,
}

impl FakeTrainer {
    /// Trainer that obeys, and on which no one pedals.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            answers: BTreeMap::new(),
            range: [0, 2_000, 1].map(u16::to_le_bytes).concat(),
            features: vec![0; 8],
            characteristics: vec![
                FEATURE,
                SUPPORTED_POWER_RANGE,
                SUPPORTED_RESISTANCE_RANGE,
                CONTROL_POINT,
                INDOOR_BIKE_DATA,
                STATUS,
            ],
            missing: Vec::new(),
            notifications: Vec::new(),
            battery: None,
            pedalling: Some((0, 0)),
            packet: None,
            sends_after: None,
            stops_after: None,
            failing_connects: 0,
            connect_error: ConnectError::Unreachable,
            is_connected: false,
            connects: 0,
            commands: Vec::new(),
            connection_begin: 0,
        }
    }

    /// Device that has this characteristic, and notifies these bytes.
    pub fn sensor(name: &str, characteristic: Uuid, bytes: &[u8]) -> Self {
        Self {
            characteristics: vec![characteristic],
            notifications: vec![(characteristic, bytes.to_vec())],
            pedalling: None,
            ..Self::new(name)
        }
    }

    /// Trainer that answers an opcode with this result; `None` for no answer.
    pub fn answering(name: &str, opcode: u8, result: Option<u8>) -> Self {
        let mut trainer = Self::new(name);
        trainer.answers.insert(opcode, result);
        trainer
    }

    /// Targets in watts that it was given, in order.
    pub fn targets(&self) -> Vec<u16> {
        let targets = self
            .commands
            .iter()
            .filter_map(|command| match command[..] {
                [SET_TARGET_POWER, low, high] => Some(u16::from_le_bytes([low, high])),
                _ => None,
            });
        targets.collect()
    }

    /// Opcodes that were written to it, in order.
    pub fn opcodes(&self) -> Vec<u8> {
        self.commands.iter().map(|command| command[0]).collect()
    }

    fn measurement(&self) -> Option<Vec<u8>> {
        let since = &self.commands[self.connection_begin..];
        let was_written = |opcode| since.iter().any(|command| command[0] == opcode);
        if self.sends_after.is_some_and(|opcode| !was_written(opcode))
            || self.stops_after.is_some_and(was_written)
        {
            return None;
        }
        // Speed is missing; cadence and power are present.
        let flags: u16 = 1 | 1 << 2 | 1 << 6;
        let fields = |(watts, rpm): (u16, u8)| [flags, u16::from(rpm) * 2, watts];
        let measured = self.pedalling.map(fields);
        self.packet
            .clone()
            .or_else(|| Some(measured?.map(u16::to_le_bytes).concat()))
    }
}

impl World {
    /// The rider chooses a trainer, and it is connected.
    pub fn connect_trainer(&mut self, at: usize, trainer: FakeTrainer) {
        self.pair(at, DeviceKind::Trainer, trainer);
    }

    /// The rider chooses a device, and it is connected.
    pub fn pair(&mut self, at: usize, kind: DeviceKind, device: FakeTrainer) {
        self.tabs[at].chooser = Chooser::Chooses(device);
        self.intend(at, session::Intent::Pair(kind));
        self.run(ms(800));
    }

    /// The trainer that was chosen last.
    pub fn fake_trainer(&self, at: usize) -> &FakeTrainer {
        let mut trainers = self.tabs[at].trainers.values();
        trainers.next_back().expect("a chosen trainer")
    }

    pub fn fake_trainer_mut(&mut self, at: usize) -> &mut FakeTrainer {
        let mut trainers = self.tabs[at].trainers.values_mut();
        trainers.next_back().expect("a chosen trainer")
    }

    /// The rider pedals from now on.
    pub fn pedal(&mut self, at: usize, watts: u16, rpm: u8) {
        self.fake_trainer_mut(at).pedalling = Some((watts, rpm));
    }

    /// The trainer sends no data any more.
    pub fn stop_data(&mut self, at: usize) {
        self.fake_trainer_mut(at).pedalling = None;
    }

    /// The Bluetooth connection breaks, and the trainer is out of reach.
    pub fn drop_trainer(&mut self, at: usize) {
        if let Some((attempt, trainer)) = self.tabs[at].trainers.iter_mut().next_back() {
            trainer.is_connected = false;
            trainer.failing_connects = u32::MAX;
            let attempt = *attempt;
            self.device_event(at, attempt, 0, DeviceEvent::Disconnected);
            self.run(ms(1));
        }
    }

    /// The trainer is within reach again.
    pub fn wake_trainer(&mut self, at: usize) {
        self.fake_trainer_mut(at).failing_connects = 0;
    }

    /// The rider chooses a trainer in the chooser of an attempt that the session may have given up.
    pub fn choose_late(&mut self, at: usize, attempt: u32, trainer: FakeTrainer) {
        self.chosen_device(at, attempt, trainer);
        self.run(ms(800));
    }

    /// The chooser of an attempt that the session may have given up fails.
    pub fn fail_late(&mut self, at: usize, attempt: u32, error: ChooserError) {
        self.device_event(at, attempt, 0, DeviceEvent::NotChosen(error));
        self.run(ms(300));
    }

    pub(super) fn device_command(&mut self, at: usize, command: DeviceCommand) {
        match command {
            DeviceCommand::Choose { attempt, .. } => match self.tabs[at].chooser.clone() {
                Chooser::StaysOpen => {}
                Chooser::Fails(error) => {
                    self.device_event(at, attempt, 300, DeviceEvent::NotChosen(error));
                }
                Chooser::Chooses(trainer) => self.chosen_device(at, attempt, trainer),
            },
            DeviceCommand::Find { attempt, id, .. } => {
                let known = self.tabs[at].known_devices.iter();
                let found = known.rev().find(|device| device.name == id).cloned();
                match found {
                    Some(device) => self.chosen_device(at, attempt, device),
                    None => self.device_event(at, attempt, 50, DeviceEvent::NotRemembered),
                }
            }
            DeviceCommand::Connect { attempt, spec } => self.connect_device(at, attempt, spec),
            DeviceCommand::Write {
                attempt,
                characteristic,
                bytes,
            } => self.write_to_trainer(at, attempt, characteristic, bytes),
            DeviceCommand::Release { attempt, forget } => {
                self.tabs[at].released.push(attempt);
                let trainer = self.tabs[at].trainers.remove(&attempt);
                if let Some(trainer) = trainer.as_ref().filter(|_| forget) {
                    let known = &mut self.tabs[at].known_devices;
                    known.retain(|device| device.name != trainer.name);
                }
                self.tabs[at].released_trainers.extend(trainer);
            }
        }
    }

    fn chosen_device(&mut self, at: usize, attempt: u32, trainer: FakeTrainer) {
        let name = trainer.name.clone();
        self.tabs[at].known_devices.push(trainer.clone());
        self.tabs[at].trainers.insert(attempt, trainer);
        let chosen = DeviceEvent::Chosen {
            id: name.clone(),
            name,
            profiles: ProfileFactory(profiles),
        };
        self.device_event(at, attempt, 200, chosen);
        let page = self.tabs[at].page;
        self.after(ms(400), Packet::TrainerTick(at, page, attempt));
    }

    fn connect_device(&mut self, at: usize, attempt: u32, spec: &'static ProfileSpec) {
        let trainer = self.tabs[at].trainers.get_mut(&attempt);
        let trainer = trainer.expect("a chosen trainer");
        trainer.connects += 1;
        trainer.is_connected = false;
        if trainer.failing_connects > 0 {
            trainer.failing_connects -= 1;
            let failed = DeviceEvent::ConnectFailed(trainer.connect_error);
            return self.device_event(at, attempt, 100, failed);
        }
        let (has_all, lacks) = (trainer.characteristics.clone(), trainer.missing.clone());
        let has = |uuid: &Uuid| has_all.contains(uuid) && !lacks.contains(uuid);
        let mut required = spec.characteristics.iter().filter(|it| it.required);
        if !required.all(|it| has(&it.uuid)) {
            let failed = DeviceEvent::ConnectFailed(ConnectError::WrongKind);
            return self.device_event(at, attempt, 100, failed);
        }
        trainer.is_connected = true;
        trainer.connection_begin = trainer.commands.len();
        let wanted = spec.characteristics.iter().map(|it| it.uuid);
        let missing = wanted.filter(|uuid| !has(uuid)).collect();
        let features = has(&FEATURE).then(|| trainer.features.clone());
        let range = has(&SUPPORTED_POWER_RANGE).then(|| trainer.range.clone());
        let read = [
            (FEATURE, features),
            (SUPPORTED_POWER_RANGE, range),
            (battery::LEVEL, trainer.battery.map(|percent| vec![percent])),
        ];
        for (characteristic, bytes) in read {
            let Some(bytes) = bytes else { continue };
            let value = DeviceEvent::Value {
                characteristic,
                bytes,
            };
            self.device_event(at, attempt, 50, value);
        }
        self.device_event(at, attempt, 100, DeviceEvent::Connected { missing });
    }

    fn write_to_trainer(&mut self, at: usize, attempt: u32, characteristic: Uuid, bytes: Vec<u8>) {
        let trainer = self.tabs[at].trainers.get_mut(&attempt);
        let Some(trainer) = trainer.filter(|trainer| trainer.is_connected) else {
            return;
        };
        let opcode = bytes[0];
        trainer.commands.push(bytes);
        let answer = trainer.answers.get(&opcode).copied();
        let ok = true;
        self.device_event(at, attempt, 15, DeviceEvent::Written { characteristic, ok });
        if let Some(result) = answer.unwrap_or(Some(SUCCESS)) {
            let indication = DeviceEvent::Value {
                characteristic: CONTROL_POINT,
                bytes: vec![RESPONSE, opcode, result],
            };
            self.device_event(at, attempt, 30, indication);
        }
    }

    /// Notifies Indoor Bike Data twice a second.
    pub(super) fn trainer_tick(&mut self, at: usize, attempt: u32) {
        let Some(trainer) = self.tabs[at].trainers.get(&attempt) else {
            return;
        };
        if let Some(bytes) = trainer.measurement().filter(|_| trainer.is_connected) {
            let value = DeviceEvent::Value {
                characteristic: INDOOR_BIKE_DATA,
                bytes,
            };
            self.device_event(at, attempt, 0, value);
        }
        let trainer = self.tabs[at].trainers.get(&attempt);
        let trainer = trainer.filter(|trainer| trainer.is_connected);
        let notifications = trainer.map(|trainer| trainer.notifications.clone());
        for (characteristic, bytes) in notifications.unwrap_or_default() {
            let value = DeviceEvent::Value {
                characteristic,
                bytes,
            };
            self.device_event(at, attempt, 0, value);
        }
        let page = self.tabs[at].page;
        self.after(ms(500), Packet::TrainerTick(at, page, attempt));
    }

    fn device_event(&mut self, at: usize, attempt: u32, delay: u64, event: DeviceEvent) {
        let input = Input::Device(DeviceInput { attempt, event });
        self.feed_later(at, ms(delay), input);
    }
}
