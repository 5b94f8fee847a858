//! Recording of the own ride, and its storage in the browser.

use clock::{Duration, Moment, Now, WallTime};
use ride::{
    analysis::Summary,
    recording::{Recorder, Recording, Sample, stored::RideState},
    rider::Ftp,
    trainer::Reading,
};

use crate::{
    api::{OpenedRecording, Output, RecordingChange},
    recording_store::{RecordingStore, Write},
    view::RideSummary,
};

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
    /// State of the ride, to be stored with the recording.
    state: Vec<u8>,
    /// The state is stored.
    is_state_stored: bool,
    /// Write that stores the state.
    state_write: Option<u32>,
    /// State of the finished ride, which has to be stored as such.
    finished: Option<RideState>,
    /// Ride time has stood still since the last stored second.
    has_waited: bool,
    /// First second after those recorded before such an absence, and its length.
    waited: Option<(WallTime, Duration)>,
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
    /// Samples recorded so far, each with its moment. Those from before an absence in which the ride
    /// waited are moved to its end.
    pub(crate) fn samples(&self) -> impl Iterator<Item = (Moment, &Sample)> {
        let recorders = self.recorder.iter();
        recorders.flat_map(|recorder| {
            let samples = recorder.recording().samples.iter();
            samples.map(|sample| {
                let at = recorder.moment_of(sample.at);
                match self.waited {
                    Some((until, absence)) if sample.at < until => (at + absence, sample),
                    _ => (at, sample),
                }
            })
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

    /// Records a moment, measured by the devices with these names, and begins the recording if there is
    /// none. Pauses that a sleeping page missed are left out afterwards.
    pub(crate) fn record(
        &mut self,
        now: Now,
        moment: RecordedMoment,
        devices: &[&str],
        pauses: Pauses,
        (workout, ftp, utc_offset): (&str, Ftp, i32),
    ) {
        let recorder = self.recorder.get_or_insert_with(|| {
            let mut recorder = Recorder::new(now, workout.to_owned(), ftp);
            recorder.set_utc_offset(utc_offset);
            recorder
        });
        recorder.follow_clocks(now);
        recorder.reopen();
        self.finished = None;
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

    /// Ends the recording at `at` and returns its summary, if anything was recorded. The ride is then
    /// stored as finished, with this state.
    pub(crate) fn finish(
        &mut self,
        now: Now,
        at: Moment,
        pauses: Pauses,
        state: RideState,
    ) -> Option<RideSummary> {
        let recorder = self.recorder.as_mut()?;
        recorder.follow_clocks(now);
        recorder.add_missed_pauses(pauses);
        let recording = recorder.finish(at);
        self.finished = Some(state);
        Some(RideSummary {
            figures: Summary::of(recording),
            workout: recording.workout.clone(),
        })
    }

    /// Notes the state of the ride, which is stored with the next write.
    pub(crate) fn set_state(&mut self, state: Vec<u8>) {
        if self.state != state {
            self.state = state;
            (self.is_state_stored, self.state_write) = (false, None);
        }
    }

    /// Ride time has stood still since the last second of the stored recording, which is opened next.
    pub(crate) fn set_waited(&mut self) {
        self.has_waited = true;
    }

    /// Opens the storage of the recording with this key, unless this was done before.
    pub(crate) fn open(&mut self, now: Moment, key: String, outputs: &mut impl Extend<Output>) {
        self.store.open(now, key, outputs);
    }

    /// Takes the stored recording, continues it, and writes what is missing.
    pub(crate) fn opened(
        &mut self,
        now: Now,
        open: u32,
        opened: OpenedRecording,
        outputs: &mut impl Extend<Output>,
    ) {
        if !self.store.is_own(open) {
            return;
        }
        let is_open = opened != OpenedRecording::Failed;
        self.store.opened(now.moment, is_open);
        let is_first = self.store.is_open() && !std::mem::replace(&mut self.is_loaded, true);
        if let OpenedRecording::Stored(recording) = opened
            && is_first
            && !self.must_clear
        {
            self.load(now, *recording);
        }
        self.write(now.moment, false, outputs);
    }

    fn load(&mut self, now: Now, recording: Recording) {
        match &mut self.recorder {
            Some(recorder) => recorder.prepend(recording),
            None => {
                let end = recording.end();
                let mut recorder = Recorder::resume_from(recording, now);
                if self.has_waited {
                    let since = recorder.moment_of(end);
                    recorder.pause(since);
                    self.waited = Some((end, now.moment - since));
                }
                self.recorder = Some(recorder);
            }
        }
    }

    /// Key of the finished ride, once it is stored.
    pub(crate) fn kept(&self) -> Option<&str> {
        let recording = self.recorder.as_ref().map(Recorder::recording)?;
        let is_kept = recording.finished_at.is_some() && self.finished.is_none();
        self.store.key().filter(|_| is_kept)
    }

    /// Takes the result of a write.
    pub(crate) fn written(
        &mut self,
        now: Moment,
        write: u32,
        is_stored: bool,
        outputs: &mut impl Extend<Output>,
    ) {
        let Some(done) = self.store.written(now, write, is_stored) else {
            return;
        };
        self.is_state_stored |= self.state_write == Some(write);
        match done {
            Write::Append(point) | Write::Keep(point) => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.mark_saved(point);
                    if matches!(done, Write::Keep(_)) && recorder.unsaved().is_none() {
                        self.finished = None;
                    }
                }
            }
            Write::Clear => {
                self.must_clear = false;
                self.write(now, false, outputs);
            }
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
            let change = RecordingChange::Clear;
            self.store.write(now, Write::Clear, change, outputs);
        }
        let Some(recorder) = &self.recorder else {
            return;
        };
        if self.store.is_writing() && !at_once {
            return;
        }
        // Also at the end, since there may be room for the last seconds and not for the whole ride.
        if let Some((chunk, point)) = recorder.unsaved() {
            let state = (!self.is_state_stored).then(|| self.state.clone());
            let change = RecordingChange::Append { chunk, state };
            let write = Write::Append(point);
            let write = self.store.write(now, write, change, outputs);
            if !self.is_state_stored {
                self.state_write = Some(write);
            }
        }
        if let Some(state) = &self.finished {
            let ride = (recorder.recording().clone(), state.clone());
            let change = RecordingChange::Keep(Box::new(ride));
            let write = Write::Keep(recorder.save_point());
            self.store.write(now, write, change, outputs);
        }
    }

    /// Discards a recording that is too short to be a ride.
    pub(crate) fn discard_if_short(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if self.samples().count() >= RIDE_SAMPLES {
            return;
        }
        self.recorder = None;
        self.finished = None;
        self.jumps = None;
        self.must_clear = true;
        self.write(now, true, outputs);
    }

    /// Stores the recording and begins anew: the rider rides in this tab from now on, and what was
    /// recorded, here or in another tab, is read from the storage again.
    pub(crate) fn reset(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        self.save(now, true, outputs);
        *self = Self {
            store: self.store.next(),
            ..Self::default()
        };
    }
}
