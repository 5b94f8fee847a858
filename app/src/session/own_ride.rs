//! The own ride: what the rider rides on, what it is asked for, and the
//! recording. None of it needs anybody else: losing every link changes nothing
//! here.

use std::time::Duration;

use ride::{
    analysis::Summary,
    recording::{Recorder, Recording, fit},
    rider::{Ftp, TrainerKind},
    trainer::{
        Reading,
        ftms::{self, ControlPoint, PowerRange},
        simulator::Simulator,
    },
};

use super::inbox::{Event, Inbox};
use crate::{
    browser::{
        bluetooth::{Trainer, TrainerEvent},
        recordings::Recordings,
    },
    state::{TrainerFailure, TrainerState},
};

/// A reading of the trainer counts for this long.
const READING_HOLDS: Duration = Duration::from_secs(3);

/// What the rider rides on, and the recording of it.
pub(super) struct OwnRide {
    inbox: Inbox,
    source: Source,
    /// The number of the newest trainer: what older ones still say is dropped.
    generation: u32,
    /// How the trainer is doing, for the screen.
    pub(super) trainer: TrainerState,
    target: Option<u16>,
    recorder: Option<Recorder>,
    storage: Storage,
}

enum Source {
    None,
    Simulated(Box<Simulator>),
    Bluetooth(Box<Bluetooth>),
}

struct Bluetooth {
    trainer: Trainer,
    control: ControlPoint,
    reading: Reading,
    measured: Duration,
}

/// Where the recording is kept.
enum Storage {
    /// Not asked for yet, or being opened.
    Unopened,
    /// Open, with what an earlier page load has recorded of this ride.
    Open(Recordings),
    /// The browser has none: the recording lives as long as the page.
    Missing,
}

impl OwnRide {
    /// Nothing to ride on yet.
    pub(super) fn new(inbox: Inbox) -> Self {
        Self {
            inbox,
            source: Source::None,
            generation: 0,
            trainer: TrainerState::None,
            target: None,
            recorder: None,
            storage: Storage::Unopened,
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
        self.generation += 1;
        self.source = Source::Simulated(Box::new(Simulator::new(seed, ftp)));
        self.trainer = TrainerState::Simulated;
    }

    /// Lets the rider choose a trainer. Called from a tap.
    pub(super) fn connect_trainer(&mut self) {
        self.generation += 1;
        let (generation, inbox) = (self.generation, self.inbox.clone());
        self.trainer = TrainerState::Connecting;
        wasm_bindgen_futures::spawn_local(async move {
            let events = inbox.clone();
            let chosen = Trainer::connect(move |event| {
                events.post(Event::Trainer(generation, event));
            });
            inbox.post(Event::TrainerChosen(chosen.await));
        });
    }

    /// The chooser has closed.
    pub(super) fn trainer_chosen(
        &mut self,
        now: Duration,
        chosen: Result<Trainer, TrainerFailure>,
    ) {
        let trainer = match chosen {
            Ok(trainer) => trainer,
            Err(failure) => {
                // What was ridden on before goes on.
                self.trainer = match self.source {
                    Source::Simulated(_) => TrainerState::Simulated,
                    _ => TrainerState::Failed(failure),
                };
                return;
            }
        };
        let range = trainer
            .power_range()
            .and_then(|bytes| PowerRange::parse(bytes).ok());
        self.trainer = TrainerState::Connected(trainer.name());
        let mut control = ControlPoint::new();
        control.handle(now, ftms::Input::Connected { range });
        control.handle(now, ftms::Input::Target(self.target));
        self.source = Source::Bluetooth(Box::new(Bluetooth {
            trainer,
            control,
            reading: Reading::default(),
            measured: now,
        }));
        self.drain_control();
    }

    /// What the trainer says.
    pub(super) fn trainer(&mut self, now: Duration, generation: u32, event: TrainerEvent) {
        if generation != self.generation {
            return;
        }
        let Source::Bluetooth(bluetooth) = &mut self.source else {
            return;
        };
        match event {
            TrainerEvent::Data(bytes) => bluetooth.measure(now, &bytes),
            TrainerEvent::Indication(bytes) => {
                bluetooth
                    .control
                    .handle(now, ftms::Input::Indication(bytes));
            }
            TrainerEvent::Status(bytes) => {
                bluetooth.control.handle(now, ftms::Input::Status(bytes));
            }
            TrainerEvent::Written(done) => {
                bluetooth.control.handle(now, ftms::Input::Written(done));
            }
            TrainerEvent::Disconnected => {
                let name = bluetooth.trainer.name();
                self.source = Source::None;
                self.trainer = TrainerState::Lost(name);
            }
        }
        self.drain_control();
    }

    /// When the control point wants to be looked at.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        match &self.source {
            Source::Bluetooth(bluetooth) => bluetooth.control.poll_timeout(),
            _ => None,
        }
    }

    /// Asks for this target and gives what is measured now.
    pub(super) fn ride(&mut self, now: Duration, target: Option<u16>) -> Reading {
        let changed = self.target != target;
        self.target = target;
        let reading = match &mut self.source {
            Source::None => Reading::default(),
            Source::Simulated(simulator) => {
                simulator.set_target(target);
                simulator.advance(now)
            }
            Source::Bluetooth(bluetooth) => {
                if changed {
                    bluetooth.control.handle(now, ftms::Input::Target(target));
                }
                if bluetooth
                    .control
                    .poll_timeout()
                    .is_some_and(|due| due <= now)
                {
                    bluetooth.control.handle(now, ftms::Input::Timeout);
                }
                bluetooth.reading(now)
            }
        };
        self.drain_control();
        reading
    }

    /// Records a moment of the ride, starting the recording if need be.
    pub(super) fn record(
        &mut self,
        now: Duration,
        reading: Reading,
        interval: u32,
        begin: impl FnOnce() -> (String, Ftp),
    ) {
        if matches!(self.storage, Storage::Unopened) {
            // What is kept comes first; it is there within moments.
            return;
        }
        let unix_ms = now.as_millis() as u64;
        let recorder = self.recorder.get_or_insert_with(|| {
            let (workout, ftp) = begin();
            Recorder::new(unix_ms, workout, ftp)
        });
        recorder.resume(unix_ms);
        recorder.record(unix_ms, reading, self.target, Some(interval));
    }

    /// The ride stands still.
    pub(super) fn pause(&mut self, now: Duration) {
        if let Some(recorder) = &mut self.recorder {
            recorder.pause(now.as_millis() as u64);
        }
    }

    /// The ride is over for this rider: the figures of it, if anything was
    /// recorded.
    pub(super) fn finish(&mut self, now: Duration) -> Option<(Summary, String)> {
        let recorder = self.recorder.as_mut()?;
        let recording = recorder.finish(now.as_millis() as u64);
        let end = (Summary::of(recording), recording.workout.clone());
        self.save();
        Some(end)
    }

    /// The recording as a FIT file, with a name for it.
    pub(super) fn fit(&self) -> Option<Result<(String, Vec<u8>), fit::FitError>> {
        let recording = self.recorder.as_ref()?.recording();
        Some(fit::encode(recording).map(|bytes| (file_name(recording), bytes)))
    }

    /// Opens what this browser has kept of this ride.
    pub(super) fn open_recording(&mut self, ride: String) {
        if !matches!(self.storage, Storage::Unopened) {
            return;
        }
        let inbox = self.inbox.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let kept = match Recordings::open(ride).await {
                Some(mut recordings) => {
                    let pieces = recordings.load().await;
                    Some((recordings, pieces))
                }
                None => None,
            };
            inbox.post(Event::Kept(kept));
        });
    }

    /// Rides on with what was kept.
    pub(super) fn kept(&mut self, kept: Option<(Recordings, Vec<Vec<u8>>)>) {
        let Some((recordings, pieces)) = kept else {
            self.storage = Storage::Missing;
            return;
        };
        self.storage = Storage::Open(recordings);
        if let Ok(recording) = Recording::from_chunks(pieces.iter().map(Vec::as_slice)) {
            self.recorder = Some(Recorder::resume_from(recording));
        }
    }

    /// Keeps what was recorded since the last time.
    pub(super) fn save(&mut self) {
        if let (Storage::Open(recordings), Some(recorder)) = (&mut self.storage, &mut self.recorder)
            && let Some(piece) = recorder.take_unsaved()
        {
            recordings.append(piece);
        }
    }

    /// Lets go of the trainer and keeps what is recorded.
    pub(super) fn stand_down(&mut self) {
        self.save();
        self.generation += 1;
        self.source = Source::None;
        self.trainer = TrainerState::None;
    }

    /// Another tab records this ride now: what it has kept is read again if the
    /// ride comes back here.
    pub(super) fn hand_over(&mut self) {
        self.stand_down();
        self.recorder = None;
        self.storage = Storage::Unopened;
    }

    fn drain_control(&mut self) {
        let Source::Bluetooth(bluetooth) = &mut self.source else {
            return;
        };
        while let Some(output) = bluetooth.control.poll_output() {
            match output {
                ftms::Output::Write(bytes) => bluetooth.trainer.write(&bytes),
                ftms::Output::Event(ftms::Event::Ready) => {
                    self.trainer = TrainerState::Connected(bluetooth.trainer.name());
                }
                ftms::Output::Event(ftms::Event::Lost) => {
                    self.trainer = TrainerState::Lost(bluetooth.trainer.name());
                }
                // It still measures; only the target is not followed.
                ftms::Output::Event(ftms::Event::Refused { .. }) => {
                    self.trainer = TrainerState::Uncontrolled(bluetooth.trainer.name());
                }
            }
        }
    }
}

impl Bluetooth {
    /// Takes over a notification. Trainers split their numbers over several:
    /// what one leaves out stands.
    fn measure(&mut self, now: Duration, bytes: &[u8]) {
        if let Ok(data) = ftms::parse_indoor_bike_data(bytes) {
            let new = data.reading();
            self.reading = Reading {
                power: new.power.or(self.reading.power),
                cadence: new.cadence.or(self.reading.cadence),
                heart_rate: new.heart_rate.or(self.reading.heart_rate),
            };
            self.measured = now;
        }
    }

    fn reading(&mut self, now: Duration) -> Reading {
        if now.saturating_sub(self.measured) > READING_HOLDS {
            self.reading = Reading::default();
        }
        self.reading
    }
}

/// `gruppetto-sweet-spot-2026-11-21.fit`
fn file_name(recording: &Recording) -> String {
    let slug: String = recording
        .workout
        .to_lowercase()
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .flat_map(|word| ["-", word])
        .collect();
    let date = js_sys::Date::new(&(recording.started_at as f64).into());
    let day = String::from(date.to_iso_string());
    format!("gruppetto{slug}-{}.fit", day.get(..10).unwrap_or_default())
}
