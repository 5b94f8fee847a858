//! Recording of the own ride, and its storage in the browser.

use clock::{Duration, Moment};
use ride::{
    analysis::Summary,
    recording::{Recorder, Recording, Sample},
    rider::Ftp,
    trainer::Reading,
};

use crate::{
    api::{Now, Output},
    view::RideSummary,
};

/// Time within which the browser has to open its storage; after that the recording is kept in
/// memory only.
const STORAGE_TIMEOUT: Duration = Duration::from_secs(3);
/// Number of samples, one per second, from which a recording is never discarded.
const RIDE_SAMPLES: usize = 60;

/// Recording of the own ride.
#[derive(Debug, Default)]
pub(crate) struct RecordingSession {
    recorder: Option<Recorder>,
    storage: Storage,
    /// Time of the first attempt to record while the storage was not open.
    waiting_since: Option<Moment>,
    /// Number of jumps (skips and backs) at the last sample; `None` before the first.
    jumps: Option<usize>,
}

/// Storage of the recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Storage {
    /// Not opened yet.
    #[default]
    Pending,
    /// Open; what an earlier page load recorded has been read.
    Open,
    /// The browser has none: the recording lives as long as the page.
    Unavailable,
}

/// Values recorded at one moment.
pub(crate) struct RecordedMoment {
    pub(crate) reading: Reading,
    /// Target in watts.
    pub(crate) target: Option<u16>,
    pub(crate) interval: u32,
    /// Number of jumps (skips and backs) so far.
    pub(crate) jumps: usize,
}

/// Pauses of the ride that are over.
pub(crate) type Pauses = Vec<(Moment, Moment)>;

impl RecordingSession {
    /// Samples recorded so far, each with its moment.
    pub(crate) fn samples(&self) -> impl Iterator<Item = (Moment, &Sample)> {
        let recorders = self.recorder.iter();
        recorders.flat_map(|recorder| {
            let samples = recorder.recording().samples.iter();
            samples.map(|sample| (recorder.moment_of(sample.at), sample))
        })
    }

    /// The recording, once something was recorded.
    pub(crate) fn recording(&self) -> Option<&Recording> {
        self.recorder.as_ref().map(Recorder::recording)
    }

    /// Tells whether the stored recording is still being read. A browser that does not answer within
    /// [`STORAGE_TIMEOUT`] counts as one without storage.
    pub(crate) fn is_opening(&mut self, now: Moment) -> bool {
        if self.storage != Storage::Pending {
            return false;
        }
        let since = *self.waiting_since.get_or_insert(now);
        if now - since < STORAGE_TIMEOUT {
            return true;
        }
        self.storage = Storage::Unavailable;
        false
    }

    /// Records a moment, and begins the recording if there is none. Pauses that a sleeping page
    /// missed are left out afterwards.
    pub(crate) fn record(
        &mut self,
        now: Now,
        moment: RecordedMoment,
        pauses: Pauses,
        (workout, ftp): (&str, Ftp),
    ) {
        let recorder = self
            .recorder
            .get_or_insert_with(|| Recorder::new(now.moment, now.wall, workout.to_owned(), ftp));
        recorder.reopen();
        recorder.add_missed_pauses(pauses);
        recorder.resume(now.moment);
        let jumps_before = self.jumps.replace(moment.jumps);
        if jumps_before.is_some_and(|before| before != moment.jumps) {
            recorder.begin_lap();
        }
        let interval = Some(moment.interval);
        recorder.record(now.moment, moment.reading, moment.target, interval);
    }

    /// Pauses the recording.
    pub(crate) fn pause(&mut self, now: Moment) {
        if let Some(recorder) = &mut self.recorder {
            recorder.pause(now);
        }
    }

    /// Ends the recording at `at` and returns its summary, if anything was recorded.
    pub(crate) fn finish(&mut self, at: Moment, pauses: Pauses) -> Option<RideSummary> {
        let recorder = self.recorder.as_mut()?;
        recorder.add_missed_pauses(pauses);
        let recording = recorder.finish(at);
        Some(RideSummary {
            figures: Summary::of(recording),
            workout: recording.workout.clone(),
        })
    }

    /// Takes the stored chunks, and continues their recording.
    pub(crate) fn opened(&mut self, now: Now, chunks: Option<Vec<Vec<u8>>>) {
        if self.storage != Storage::Pending {
            return;
        }
        let Some(chunks) = chunks else {
            self.storage = Storage::Unavailable;
            return;
        };
        self.storage = Storage::Open;
        // A damaged chunk costs its own seconds only.
        let chunks = chunks.iter().map(Vec::as_slice);
        let readable = chunks.filter(|chunk| Recording::decode(chunk).is_ok());
        if let Ok(recording) = Recording::from_chunks(readable) {
            self.recorder = Some(Recorder::resume_from(recording, now.moment, now.wall));
        }
    }

    /// Tells whether the storage has to be opened.
    pub(crate) fn needs_opening(&self) -> bool {
        self.storage == Storage::Pending
    }

    /// Stores what was recorded since the last time.
    pub(crate) fn save(&mut self, outputs: &mut impl Extend<Output>) {
        if self.storage == Storage::Open
            && let Some(chunk) = self.recorder.as_mut().and_then(Recorder::take_unsaved)
        {
            outputs.extend([Output::AppendRecording(chunk)]);
        }
    }

    /// Discards a recording that is too short to be a ride.
    pub(crate) fn discard_if_short(&mut self, outputs: &mut impl Extend<Output>) {
        if self.samples().count() >= RIDE_SAMPLES {
            return;
        }
        self.recorder = None;
        self.jumps = None;
        if self.storage == Storage::Open {
            outputs.extend([Output::ClearRecording]);
        }
    }

    /// Stores the recording and begins anew: the rider rides in this tab from now on, and what was
    /// recorded, here or in another tab, is read from the storage again.
    pub(crate) fn reset(&mut self, outputs: &mut impl Extend<Output>) {
        self.save(outputs);
        *self = Self::default();
    }
}
