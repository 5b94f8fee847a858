//! The recording of the own ride, and where this browser keeps it.

use std::time::Duration;

use clock::WallTime;
use ride::{
    analysis::Summary,
    recording::{Recorder, Recording, Sample, fit},
    rider::Ftp,
    trainer::Reading,
};

use super::inbox::{Event, Inbox};
use crate::browser::recordings::Recordings;

/// A browser that has not opened its storage by then has none.
const STORAGE_ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// A recording of so many samples, one a second, is never thrown away.
const A_RIDE: usize = 60;

/// The recording.
pub(super) struct OwnRecording {
    inbox: Inbox,
    recorder: Option<Recorder>,
    storage: Storage,
    /// When the storage was asked for.
    opened_at: Option<Duration>,
    /// The skips and backs before the last moment; none before the first.
    moves: Option<usize>,
}

/// What is recorded of a moment.
pub(super) struct Moment {
    /// What is measured.
    pub(super) reading: Reading,
    /// What is asked for, in watts.
    pub(super) target: Option<u16>,
    /// The interval being ridden.
    pub(super) interval: u32,
    /// How many skips and backs there have been.
    pub(super) moves: usize,
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

impl OwnRecording {
    /// Nothing recorded yet.
    pub(super) const fn new(inbox: Inbox) -> Self {
        Self {
            inbox,
            recorder: None,
            storage: Storage::Unopened,
            opened_at: None,
            moves: None,
        }
    }

    /// What is recorded so far.
    pub(super) fn samples(&self) -> &[Sample] {
        let recorder = self.recorder.as_ref();
        recorder.map_or(&[], |recorder| &recorder.recording().samples)
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
        moment: Moment,
        pauses: impl Iterator<Item = (Duration, Duration)>,
        begin: impl FnOnce() -> (String, Ftp),
    ) {
        if self.is_opening(now) {
            return;
        }
        let unix_ms = WallTime::from_unix_ms(now.as_millis() as u64);
        let now = monotonic(now);
        let recorder = self.recorder.get_or_insert_with(|| {
            let (workout, ftp) = begin();
            Recorder::new(now, unix_ms, workout, ftp)
        });
        recorder.reopen();
        recorder.add_missed_pauses(on_clock(pauses));
        recorder.resume(now);
        if self
            .moves
            .replace(moment.moves)
            .is_some_and(|before| before != moment.moves)
        {
            recorder.begin_lap();
        }
        recorder.record(now, moment.reading, moment.target, Some(moment.interval));
    }

    /// The ride stands still.
    pub(super) fn pause(&mut self, now: Duration) {
        if let Some(recorder) = &mut self.recorder {
            recorder.pause(monotonic(now));
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
        recorder.add_missed_pauses(on_clock(pauses));
        let recording = recorder.finish(monotonic(at));
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
    pub(super) fn open(&mut self, ride: String) {
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
            let wall = recording.started_at;
            let moment = monotonic(Duration::from_millis(wall.unix_ms()));
            self.recorder = Some(Recorder::resume_from(recording, moment, wall));
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

    /// Forgets a recording that is too short to be anybody's ride.
    pub(super) fn discard_moments(&mut self) {
        if self.samples().len() >= A_RIDE {
            return;
        }
        self.recorder = None;
        self.moves = None;
        if let Storage::Open(recordings) = &mut self.storage {
            recordings.clear();
        }
    }

    /// The rider rides here from now on: what was recorded, in this tab or in
    /// another, is read again.
    pub(super) fn begin_anew(&mut self) {
        self.save();
        self.recorder = None;
        self.storage = Storage::Unopened;
        self.opened_at = None;
        self.moves = None;
    }
}

fn on_clock(
    pauses: impl Iterator<Item = (Duration, Duration)>,
) -> impl Iterator<Item = (clock::Moment, clock::Moment)> {
    pauses.map(|(from, to)| (monotonic(from), monotonic(to)))
}

/// The page's clock counts from the Unix epoch.
const fn monotonic(now: Duration) -> clock::Moment {
    clock::Moment::from_origin(now)
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
    let date = js_sys::Date::new(&(recording.started_at.unix_ms() as f64).into());
    let day = String::from(date.to_iso_string());
    format!("gruppetto{slug}-{}.fit", day.get(..10).unwrap_or_default())
}
