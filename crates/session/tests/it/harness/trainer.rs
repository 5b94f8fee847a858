//! A trainer over Bluetooth that speaks the Fitness Machine Service.

use ride::trainer::{
    Uuid,
    ftms::{CONTROL_POINT, INDOOR_BIKE_DATA, SUPPORTED_POWER_RANGE},
};
use session::{
    Input,
    trainer::{DeviceCommand, DeviceEvent, DeviceInput},
    view::TrainerFailure,
};

use super::{World, ms, world::Packet};

/// Opcode of Set Target Power (FTMS 1.0, section 4.16.1).
const SET_TARGET_POWER: u8 = 0x05;
/// Response Code, and its results Success and Operation Failed (section 4.16.2.22).
const RESPONSE: u8 = 0x80;
const SUCCESS: u8 = 0x01;
const FAILED: u8 = 0x04;

/// Answer of the browser's device chooser.
#[derive(Clone, Debug)]
pub enum Chooser {
    /// The rider has not chosen yet.
    StaysOpen,
    /// The rider chooses this trainer.
    Chooses(FakeTrainer),
    /// There is no trainer.
    Fails(TrainerFailure),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrainerBehaviour {
    #[default]
    Obeys,
    /// It gives control, but refuses every target.
    RefusesTargets,
    /// It measures, and answers no command.
    NeverAnswers,
}

#[derive(Clone, Debug)]
pub struct FakeTrainer {
    pub name: String,
    pub behaviour: TrainerBehaviour,
    /// Range of supported targets in watts.
    pub range: (u16, u16),
    /// Power in watts and cadence in rpm that it measures.
    pub pedalling: Option<(u16, u8)>,
    /// Commands that were written to the control point.
    pub commands: Vec<Vec<u8>>,
}

impl FakeTrainer {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            behaviour: TrainerBehaviour::Obeys,
            range: (0, 2_000),
            pedalling: None,
            commands: Vec::new(),
        }
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

    fn answer(&self, opcode: u8) -> Option<u8> {
        match self.behaviour {
            TrainerBehaviour::Obeys => Some(SUCCESS),
            TrainerBehaviour::RefusesTargets if opcode == 0 => Some(SUCCESS),
            TrainerBehaviour::RefusesTargets => Some(FAILED),
            TrainerBehaviour::NeverAnswers => None,
        }
    }
}

impl World {
    /// The rider chooses a trainer, and it is connected.
    pub fn connect_trainer(&mut self, at: usize, trainer: FakeTrainer) {
        self.tabs[at].chooser = Chooser::Chooses(trainer);
        self.intend(at, session::Intent::ConnectTrainer);
        self.run(ms(800));
    }

    /// The trainer that was connected last.
    pub fn fake_trainer(&self, at: usize) -> &FakeTrainer {
        let mut trainers = self.tabs[at].trainers.values();
        trainers.next_back().expect("a connected trainer")
    }

    fn fake_trainer_mut(&mut self, at: usize) -> &mut FakeTrainer {
        let mut trainers = self.tabs[at].trainers.values_mut();
        trainers.next_back().expect("a connected trainer")
    }

    /// The rider pedals from now on.
    pub fn pedal(&mut self, at: usize, watts: u16, rpm: u8) {
        self.fake_trainer_mut(at).pedalling = Some((watts, rpm));
    }

    /// The trainer measures nothing any more.
    pub fn stop_pedalling(&mut self, at: usize) {
        self.fake_trainer_mut(at).pedalling = None;
    }

    pub fn set_trainer_behaviour(&mut self, at: usize, behaviour: TrainerBehaviour) {
        self.fake_trainer_mut(at).behaviour = behaviour;
    }

    /// The Bluetooth connection breaks.
    pub fn drop_trainer(&mut self, at: usize) {
        if let Some((attempt, _)) = self.tabs[at].trainers.pop_last() {
            self.device_event(at, attempt, 0, DeviceEvent::Disconnected);
            self.run(ms(1));
        }
    }

    /// The rider chooses a trainer in the chooser of an attempt that the session may have given up.
    pub fn choose_late(&mut self, at: usize, attempt: u32, trainer: FakeTrainer) {
        self.connected_device(at, attempt, trainer);
        self.run(ms(800));
    }

    /// The chooser of an attempt that the session may have given up fails.
    pub fn fail_late(&mut self, at: usize, attempt: u32, failure: TrainerFailure) {
        self.device_event(at, attempt, 0, DeviceEvent::Failed(failure));
        self.run(ms(300));
    }

    pub(super) fn device_command(&mut self, at: usize, command: DeviceCommand) {
        match command {
            DeviceCommand::Choose { attempt, .. } => match self.tabs[at].chooser.clone() {
                Chooser::StaysOpen => {}
                Chooser::Fails(failure) => {
                    self.device_event(at, attempt, 300, DeviceEvent::Failed(failure));
                }
                Chooser::Chooses(trainer) => self.connected_device(at, attempt, trainer),
            },
            DeviceCommand::Write {
                attempt,
                characteristic,
                bytes,
            } => self.write_to_trainer(at, attempt, characteristic, bytes),
            DeviceCommand::Release { attempt } => {
                self.tabs[at].released.push(attempt);
                self.tabs[at].trainers.remove(&attempt);
            }
        }
    }

    fn connected_device(&mut self, at: usize, attempt: u32, trainer: FakeTrainer) {
        let [low, high] = [trainer.range.0, trainer.range.1].map(u16::to_le_bytes);
        let bytes = [low, high, [1, 0]].concat();
        let range = DeviceEvent::Value {
            characteristic: SUPPORTED_POWER_RANGE,
            bytes,
        };
        self.device_event(at, attempt, 250, range);
        let name = trainer.name.clone();
        self.device_event(at, attempt, 300, DeviceEvent::Connected { name });
        self.tabs[at].trainers.insert(attempt, trainer);
        let page = self.tabs[at].page;
        self.after(ms(400), Packet::TrainerTick(at, page, attempt));
    }

    fn write_to_trainer(&mut self, at: usize, attempt: u32, characteristic: Uuid, bytes: Vec<u8>) {
        let Some(trainer) = self.tabs[at].trainers.get_mut(&attempt) else {
            return;
        };
        let opcode = bytes[0];
        trainer.commands.push(bytes);
        let answer = trainer.answer(opcode);
        let ok = true;
        self.device_event(at, attempt, 15, DeviceEvent::Written { characteristic, ok });
        if let Some(result) = answer {
            let indication = DeviceEvent::Value {
                characteristic: CONTROL_POINT,
                bytes: vec![RESPONSE, opcode, result],
            };
            self.device_event(at, attempt, 30, indication);
        }
    }

    /// Notifies Indoor Bike Data twice a second, while the rider pedals.
    pub(super) fn trainer_tick(&mut self, at: usize, attempt: u32) {
        let Some(trainer) = self.tabs[at].trainers.get(&attempt) else {
            return;
        };
        if let Some((watts, rpm)) = trainer.pedalling {
            // Speed is missing; cadence and power are present.
            let flags: u16 = 1 | 1 << 2 | 1 << 6;
            let fields = [flags, u16::from(rpm) * 2, watts];
            let value = DeviceEvent::Value {
                characteristic: INDOOR_BIKE_DATA,
                bytes: fields.map(u16::to_le_bytes).concat(),
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
