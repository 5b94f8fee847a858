//! The own ride: what the rider rides on, and what it is asked for. None of it
//! needs anybody else: losing every link changes nothing here.

use std::time::Duration;

use clock::Moment;
use ride::{
    rider::{Ftp, TrainerKind},
    trainer::{
        Reading, TrainerEvent, TrainerInput, TrainerOutput, TrainerProfile, Uuid,
        easing::Easing,
        ftms::{self, FtmsProfile},
        simulator::Simulator,
    },
};

use super::inbox::{Event, Inbox};
use crate::{
    browser::bluetooth::{self, BluetoothError, BluetoothTrainer},
    state::{TrainerFailure, TrainerState},
};

/// What the rider rides on.
pub(super) struct OwnRide {
    inbox: Inbox,
    source: Source,
    /// The number of the trainer in use: what others still say is dropped.
    generation: u32,
    /// The number of the newest attempt to have one.
    attempts: u32,
    /// How the trainer is doing, for the screen.
    pub(super) trainer: TrainerState,
    /// What was asked for last, in watts.
    target: Option<u16>,
    easing: Easing,
    /// What was measured last.
    reading: Reading,
}

enum Source {
    None,
    Simulated(Box<Simulator>),
    Bluetooth(Box<Bluetooth>),
}

struct Bluetooth {
    trainer: BluetoothTrainer,
    profile: FtmsProfile,
    reading: Reading,
}

impl OwnRide {
    /// Nothing to ride on yet.
    pub(super) fn new(inbox: Inbox) -> Self {
        Self {
            inbox,
            source: Source::None,
            generation: 0,
            attempts: 0,
            trainer: TrainerState::None,
            target: None,
            easing: Easing::default(),
            reading: Reading::default(),
        }
    }

    /// What the rider rides on, for the others.
    pub(super) fn kind(&self) -> TrainerKind {
        match self.source {
            Source::None => TrainerKind::None,
            Source::Simulated(_) => TrainerKind::Simulated,
            Source::Bluetooth(_) => TrainerKind::Bluetooth,
        }
    }

    /// Whether the rider is on the simulator.
    pub(super) fn is_simulated(&self) -> bool {
        matches!(self.source, Source::Simulated(_))
    }

    /// Rides on the simulator.
    pub(super) fn simulate(&mut self, seed: u64, ftp: Ftp) {
        self.let_go();
        self.source = Source::Simulated(Box::new(Simulator::new(seed, ftp)));
        self.trainer = TrainerState::Simulated;
    }

    /// Lets the rider choose a trainer. Called from a tap. What is ridden on
    /// now goes on until another is connected.
    pub(super) fn connect_trainer(&mut self) {
        self.attempts += 1;
        let (attempt, inbox) = (self.attempts, self.inbox.clone());
        self.trainer = TrainerState::Connecting;
        wasm_bindgen_futures::spawn_local(async move {
            let events = inbox.clone();
            let chosen = BluetoothTrainer::connect(move |event| {
                events.post(Event::Trainer(attempt, event));
            });
            inbox.post(Event::TrainerChosen(attempt, chosen.await));
        });
    }

    /// The chooser has closed.
    pub(super) fn trainer_chosen(
        &mut self,
        now: Duration,
        attempt: u32,
        chosen: Result<BluetoothTrainer, BluetoothError>,
    ) {
        if attempt != self.attempts {
            // The rider has decided otherwise since.
            return;
        }
        let trainer = match chosen {
            Ok(trainer) => trainer,
            Err(failure) => {
                self.trainer = match &self.source {
                    Source::None => TrainerState::Failed(trainer_failure(failure)),
                    Source::Simulated(_) => TrainerState::Simulated,
                    Source::Bluetooth(old) => TrainerState::Connected(old.trainer.name()),
                };
                return;
            }
        };
        self.generation = attempt;
        if let Source::Bluetooth(old) = &mut self.source {
            old.trainer.hand_over_to(&trainer);
        }
        self.trainer = TrainerState::Connected(trainer.name());
        let mut profile = FtmsProfile::new();
        let now = Moment::from_origin(now);
        if let Some(bytes) = trainer.power_range() {
            profile.handle(now, value(ftms::SUPPORTED_POWER_RANGE, bytes.to_vec()));
        }
        profile.handle(now, TrainerInput::Connected);
        profile.handle(now, TrainerInput::SetTarget(self.target));
        self.source = Source::Bluetooth(Box::new(Bluetooth {
            trainer,
            profile,
            reading: Reading::default(),
        }));
        self.drain_profile();
    }

    /// What the trainer says.
    pub(super) fn trainer(
        &mut self,
        now: Duration,
        generation: u32,
        event: bluetooth::TrainerEvent,
    ) {
        if generation != self.generation {
            return;
        }
        let Source::Bluetooth(bluetooth) = &mut self.source else {
            return;
        };
        use bluetooth::TrainerEvent as Received;
        let input = match event {
            Received::IndoorBikeData(bytes) => value(ftms::INDOOR_BIKE_DATA, bytes),
            Received::Indication(bytes) => value(ftms::CONTROL_POINT, bytes),
            Received::Status(bytes) => value(ftms::STATUS, bytes),
            Received::WriteCompleted(ok) => TrainerInput::Written {
                characteristic: ftms::CONTROL_POINT,
                ok,
            },
            Received::Disconnected => {
                let name = bluetooth.trainer.name();
                self.source = Source::None;
                self.trainer = TrainerState::Lost(name);
                return;
            }
        };
        bluetooth.profile.handle(Moment::from_origin(now), input);
        self.drain_profile();
    }

    /// When the control point wants to be looked at.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        match &self.source {
            Source::Bluetooth(bluetooth) => {
                let due = bluetooth.profile.poll_timeout();
                due.map(Moment::since_origin)
            }
            _ => None,
        }
    }

    /// The next seconds lead from what was asked for, or ridden, to the target.
    pub(super) fn ease(&mut self, now: Duration) {
        let from = self.target.or(self.reading.power).unwrap_or_default();
        self.easing.begin(Moment::from_origin(now), from);
    }

    /// Rides toward this target: gives what is measured now, and what is asked
    /// for on the way there.
    pub(super) fn ride(&mut self, now: Duration, target: Option<u16>) -> (Reading, Option<u16>) {
        let target = self.easing.ease(Moment::from_origin(now), target);
        let changed = self.target != target;
        self.target = target;
        let reading = match &mut self.source {
            Source::None => Reading::default(),
            Source::Simulated(simulator) => {
                simulator.set_target(target);
                simulator.advance(Moment::from_origin(now))
            }
            Source::Bluetooth(bluetooth) => {
                let now = Moment::from_origin(now);
                if changed {
                    bluetooth
                        .profile
                        .handle(now, TrainerInput::SetTarget(target));
                }
                let due = bluetooth.profile.poll_timeout();
                if due.is_some_and(|due| due <= now) {
                    bluetooth.profile.handle(now, TrainerInput::Timeout);
                }
                self.drain_profile();
                self.bluetooth_reading()
            }
        };
        self.reading = reading;
        (reading, target)
    }

    /// Lets go of whatever was ridden on, and of what is being connected.
    pub(super) fn let_go(&mut self) {
        self.attempts += 1;
        self.generation = self.attempts;
        self.source = Source::None;
        self.trainer = TrainerState::None;
    }

    fn drain_profile(&mut self) {
        let Source::Bluetooth(bluetooth) = &mut self.source else {
            return;
        };
        while let Some(output) = bluetooth.profile.poll_output() {
            match output {
                TrainerOutput::Write { bytes, .. } => bluetooth.trainer.write(&bytes),
                TrainerOutput::Reading(reading) => bluetooth.reading = reading,
                TrainerOutput::Event(TrainerEvent::Controllable) => {
                    self.trainer = TrainerState::Connected(bluetooth.trainer.name());
                }
                TrainerOutput::Event(
                    TrainerEvent::ControlLost
                    | TrainerEvent::NotAnswering
                    | TrainerEvent::Disconnected,
                ) => {
                    self.trainer = TrainerState::Lost(bluetooth.trainer.name());
                }
                // It still measures; only the target is not followed.
                TrainerOutput::Event(TrainerEvent::Refused(_)) => {
                    self.trainer = TrainerState::Uncontrolled(bluetooth.trainer.name());
                }
            }
        }
    }

    fn bluetooth_reading(&self) -> Reading {
        match &self.source {
            Source::Bluetooth(bluetooth) => bluetooth.reading,
            Source::None | Source::Simulated(_) => Reading::default(),
        }
    }
}

const fn value(characteristic: Uuid, bytes: Vec<u8>) -> TrainerInput {
    TrainerInput::Value {
        characteristic,
        bytes,
    }
}

fn trainer_failure(error: BluetoothError) -> TrainerFailure {
    match error {
        BluetoothError::Unsupported => TrainerFailure::Unsupported,
        BluetoothError::Cancelled => TrainerFailure::Cancelled,
        BluetoothError::NotATrainer => TrainerFailure::NotATrainer,
    }
}
