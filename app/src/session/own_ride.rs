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
/// A browser that has not opened its storage by then has none.
const STORAGE_ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// What the rider rides on, and the recording of it.
pub(super) struct OwnRide {
    inbox: Inbox,
    source: Source,
    /// The number of the trainer in use: what others still say is dropped.
    generation: u32,
    /// The number of the newest attempt to have one.
    attempts: u32,
    /// How the trainer is doing, for the screen.
    pub(super) trainer: TrainerState,
    target: Option<u16>,
    recorder: Option<Recorder>,
    storage: Storage,
    /// When the storage was asked for.
    opened_at: Option<Duration>,
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
            attempts: 0,
            trainer: TrainerState::None,
            target: None,
            recorder: None,
            storage: Storage::Unopened,
            opened_at: None,
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
            let chosen = Trainer::connect(move |event| {
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
        chosen: Result<Trainer, TrainerFailure>,
    ) {
        if attempt != self.attempts {
            // The rider has decided otherwise since.
            return;
        }
        let trainer = match chosen {
            Ok(trainer) => trainer,
            Err(failure) => {
                self.trainer = match &self.source {
                    Source::None => TrainerState::Failed(failure),
                    Source::Simulated(_) => TrainerState::Simulated,
                    Source::Bluetooth(old) => TrainerState::Connected(old.trainer.name()),
                };
                return;
            }
        };
        self.generation = attempt;
        if let Source::Bluetooth(old) = &mut self.source {
            old.trainer.make_way_for(&trainer);
        }
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

    /// Whether what this browser has kept of this ride is still being read. A
    /// browser that does not answer keeps nobody waiting.
    pub(super) fn is_opening(&mut self, now: Duration) -> bool {
        if !matches!(self.storage, Storage::Unopened) {
            return false;
        }
        let since = *self.opened_at.get_or_insert(now);
        if now.saturating_sub(since) < STORAGE_ANSWERS_WITHIN {
            return true;
        }
        self.storage = Storage::Missing;
        false
    }

    /// Records a moment of the ride, starting the recording if need be.
    /// `pauses` are those of the ride so far, on the own clock: a page that
    /// slept through one leaves it out afterwards.
    pub(super) fn record(
        &mut self,
        now: Duration,
        reading: Reading,
        interval: u32,
        pauses: impl Iterator<Item = (Duration, Duration)>,
        begin: impl FnOnce() -> (String, Ftp),
    ) {
        if self.is_opening(now) {
            return;
        }
        let unix_ms = now.as_millis() as u64;
        let recorder = self.recorder.get_or_insert_with(|| {
            let (workout, ftp) = begin();
            Recorder::new(unix_ms, workout, ftp)
        });
        leave_out(recorder, pauses);
        recorder.resume(unix_ms);
        recorder.record(unix_ms, reading, self.target, Some(interval));
    }

    /// The ride stands still.
    pub(super) fn pause(&mut self, now: Duration) {
        if let Some(recorder) = &mut self.recorder {
            recorder.pause(now.as_millis() as u64);
        }
    }

    /// The ride was over for this rider at `at`: the figures of it, if anything
    /// was recorded.
    pub(super) fn finish(
        &mut self,
        at: Duration,
        pauses: impl Iterator<Item = (Duration, Duration)>,
    ) -> Option<(Summary, String)> {
        let recorder = self.recorder.as_mut()?;
        leave_out(recorder, pauses);
        let recording = recorder.finish(at.as_millis() as u64);
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
                    pieces.map(|pieces| (recordings, pieces))
                }
                None => None,
            };
            inbox.post(Event::Kept(kept));
        });
    }

    /// Rides on with what was kept.
    pub(super) fn kept(&mut self, kept: Option<(Recordings, Vec<Vec<u8>>)>) {
        if !matches!(self.storage, Storage::Unopened) {
            return;
        }
        let Some((recordings, pieces)) = kept else {
            self.storage = Storage::Missing;
            return;
        };
        self.storage = Storage::Open(recordings);
        // A damaged piece costs its own seconds, not the ride.
        let pieces = pieces.iter().map(Vec::as_slice);
        let readable = pieces.filter(|piece| Recording::decode(piece).is_ok());
        if let Ok(recording) = Recording::from_chunks(readable) {
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
        self.let_go();
    }

    /// Lets go of whatever was ridden on, and of what is being connected.
    fn let_go(&mut self) {
        self.attempts += 1;
        self.generation = self.attempts;
        self.source = Source::None;
        self.trainer = TrainerState::None;
    }

    /// The rider rides here from now on: what was recorded, in this tab or in
    /// another, is read again.
    pub(super) fn begin_anew(&mut self) {
        self.save();
        self.recorder = None;
        self.storage = Storage::Unopened;
        self.opened_at = None;
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

/// Leaves out the pauses that lie after what is recorded.
fn leave_out(recorder: &mut Recorder, pauses: impl Iterator<Item = (Duration, Duration)>) {
    for (from, to) in pauses {
        let recording = recorder.recording();
        let later = from.as_secs() >= recording.end();
        let left_out = recording.pauses.iter().any(|pause| {
            pause.from <= from.as_secs() + 1 && pause.to.is_some_and(|end| end + 1 >= to.as_secs())
        });
        if later && !left_out {
            recorder.pause(from.as_millis() as u64);
            recorder.resume(to.as_millis() as u64);
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
