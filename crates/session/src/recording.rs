//! Recording of the own ride, and its storage in the browser.

use clock::{Moment, Now};
use ride::{
    analysis::Summary,
    recording::{Recorder, Recording, Sample},
    rider::Ftp,
    trainer::Reading,
};

use crate::{api::Output, recording_store::RecordingStore, view::RideSummary};

/// Number of samples, one per second, from which a recording is never discarded.
const RIDE_SAMPLES: usize = 60;

/// Recording of the own ride.
#[derive(Debug, Default)]
pub(crate) struct RecordingSession {
    recorder: Option<Recorder>,
    store: RecordingStore,
    /// The stored recording of an earlier page load has been read.
    is_loaded: bool,
    /// The stored recording has to be deleted.
    must_clear: bool,
    /// Number of jumps (skips and backs) at the last sample; `None` before the first.
    jumps: Option<usize>,
}

/// Values recorded at one moment.
pub(crate) struct RecordedMoment {
    pub(crate) reading: Reading,
    /// True while the recording waits for the rider to pedal.
    pub(crate) is_paused: bool,
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

    /// Tells whether the stored recording is still being read. A browser that does not answer in time
    /// may answer later: then what it had stored is put in front.
    pub(crate) fn is_opening(&self, now: Moment) -> bool {
        self.store.is_opening(now)
    }

    /// Tells whether the browser does not store the recording, although it should.
    pub(crate) fn is_at_risk(&self) -> bool {
        self.store.is_failing()
    }

    /// Records a moment, measured by the devices with these names, and begins the recording if there is none. Pauses that a sleeping page
    /// missed are left out afterwards.
    pub(crate) fn record(
        &mut self,
        now: Now,
        moment: RecordedMoment,
        devices: &[&str],
        pauses: Pauses,
        (workout, ftp): (&str, Ftp),
    ) {
        let recorder = self
            .recorder
            .get_or_insert_with(|| Recorder::new(now, workout.to_owned(), ftp));
        recorder.follow_clocks(now);
        recorder.reopen();
        recorder.add_missed_pauses(pauses);
        recorder.resume(now.moment);
        let jumps_before = self.jumps.replace(moment.jumps);
        if jumps_before.is_some_and(|before| before != moment.jumps) {
            recorder.begin_lap();
        }
        for device in devices {
            recorder.add_sensor(device);
        }
        let interval = Some(moment.interval);
        recorder.record(now.moment, moment.reading, moment.target, interval);
    }

    /// Pauses the recording.
    pub(crate) fn pause(&mut self, now: Now) {
        if let Some(recorder) = &mut self.recorder {
            recorder.follow_clocks(now);
            recorder.pause(now.moment);
        }
    }

    /// Ends the recording at `at` and returns its summary, if anything was recorded.
    pub(crate) fn finish(&mut self, now: Now, at: Moment, pauses: Pauses) -> Option<RideSummary> {
        let recorder = self.recorder.as_mut()?;
        recorder.follow_clocks(now);
        recorder.add_missed_pauses(pauses);
        let recording = recorder.finish(at);
        Some(RideSummary {
            figures: Summary::of(recording),
            workout: recording.workout.clone(),
        })
    }

    /// Stores nothing of this ride.
    pub(crate) fn keep_in_memory(&mut self) {
        self.store.disable();
    }

    /// Opens the storage of the recording with this key, unless this was done before.
    pub(crate) fn open(&mut self, now: Moment, key: String, outputs: &mut impl Extend<Output>) {
        self.store.open(now, key, outputs);
    }

    /// Takes the stored chunks, continues their recording, and writes what is missing.
    pub(crate) fn opened(
        &mut self,
        now: Now,
        chunks: Option<Vec<Vec<u8>>>,
        outputs: &mut impl Extend<Output>,
    ) {
        self.store.opened(now.moment, chunks.is_some());
        let is_first = self.store.is_open() && !std::mem::replace(&mut self.is_loaded, true);
        if is_first && !self.must_clear {
            self.load(now, &chunks.unwrap_or_default());
        }
        self.write(now.moment, false, outputs);
    }

    fn load(&mut self, now: Now, chunks: &[Vec<u8>]) {
        // A damaged chunk costs its own seconds only.
        let chunks = chunks.iter().map(Vec::as_slice);
        let readable = chunks.filter(|chunk| Recording::decode(chunk).is_ok());
        let Ok(recording) = Recording::from_chunks(readable) else {
            return;
        };
        match &mut self.recorder {
            Some(recorder) => recorder.prepend(recording),
            None => self.recorder = Some(Recorder::resume_from(recording, now)),
        }
    }

    /// Takes the result of a write.
    pub(crate) fn written(
        &mut self,
        now: Moment,
        write: u32,
        is_stored: bool,
        outputs: &mut impl Extend<Output>,
    ) {
        match self.store.written(now, write, is_stored) {
            Some(Some(point)) => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.mark_saved(point);
                }
            }
            Some(None) => {
                self.must_clear = false;
                self.write(now, false, outputs);
            }
            None => {}
        }
    }

    /// Stores what is not stored yet, and tries again what has failed. With `at_once`, as before the
    /// page is closed, it does not wait for the confirmation of earlier writes.
    pub(crate) fn save(&mut self, now: Moment, at_once: bool, outputs: &mut impl Extend<Output>) {
        self.store.handle_timeout(now, outputs);
        self.write(now, at_once, outputs);
    }

    fn write(&mut self, now: Moment, at_once: bool, outputs: &mut impl Extend<Output>) {
        if !self.store.is_open() {
            return;
        }
        if self.must_clear && !self.store.is_clearing() {
            self.store.clear(now, outputs);
        }
        if self.store.is_writing() && !at_once {
            return;
        }
        if let Some(unsaved) = self.recorder.as_ref().and_then(Recorder::unsaved) {
            self.store.append(now, unsaved, outputs);
        }
    }

    /// Discards a recording that is too short to be a ride.
    pub(crate) fn discard_if_short(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if self.samples().count() >= RIDE_SAMPLES {
            return;
        }
        self.recorder = None;
        self.jumps = None;
        self.must_clear = true;
        self.write(now, true, outputs);
    }

    /// Stores the recording and begins anew: the rider rides in this tab from now on, and what was
    /// recorded, here or in another tab, is read from the storage again.
    pub(crate) fn reset(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        self.save(now, true, outputs);
        *self = Self::default();
    }
}
