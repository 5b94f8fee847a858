//! Making of a recording during the ride.

use core::time::Duration;

use clock::{Moment, WallTime};

use super::{Lap, MAX_SAMPLES, Pause, Recording, STORED_VERSION, Sample};
use crate::rider::Ftp;
use crate::trainer::Reading;
use crate::wire;

/// Number of seconds without a reading for which the last one is repeated.
const MAX_HOLD: u64 = 3;

/// Records a ride: takes readings at any rate and makes exactly one sample of each second.
///
/// Times are moments of the monotonic clock, so that a clock that is set during the ride does not
/// shift the samples. The wall time is read once, when the recorder is made, and the dates of all
/// samples are counted from it. Readings of a second that is complete are ignored; a jump forward
/// becomes a gap. The clock's origin has to lie before the ride, or pauses from before a reload
/// cannot be told to the recorder.
#[derive(Clone, Debug)]
pub struct Recorder {
    recording: Recording,
    clock: RecordingClock,
    /// Second that is being filled, counted from the start of the recording.
    second: u64,
    filling: SecondAverage,
    held: HeldValues,
    paused: bool,
    /// Interval of the current lap; the outer `None` before the first lap.
    lap: Option<Option<u32>>,
    saved_samples: usize,
    saved_laps: usize,
    /// A pause or the end has changed since the last chunk.
    has_unsaved_marks: bool,
}

/// Conversion from the monotonic clock to wall time.
#[derive(Clone, Copy, Debug)]
struct RecordingClock {
    moment: Moment,
    wall: WallTime,
}

impl RecordingClock {
    fn wall_time(self, at: Moment) -> WallTime {
        if at < self.moment {
            self.wall.before(self.moment - at)
        } else {
            self.wall.after(at - self.moment)
        }
    }

    fn moment(self, at: WallTime) -> Moment {
        if at < self.wall {
            self.moment.before(self.wall.since(at))
        } else {
            self.moment + at.since(self.wall)
        }
    }
}

impl Recorder {
    /// Starts a recording at `now`. `wall` is the wall time of that moment.
    pub const fn new(now: Moment, wall: WallTime, workout: String, ftp: Ftp) -> Self {
        Self {
            recording: Recording::new(wall, workout, ftp),
            clock: RecordingClock { moment: now, wall },
            second: 0,
            filling: SecondAverage::EMPTY,
            held: HeldValues::EMPTY,
            paused: false,
            lap: None,
            saved_samples: 0,
            saved_laps: 0,
            has_unsaved_marks: true,
        }
    }

    /// Continues a recording after an interruption, for example a reload. The time in between
    /// becomes a gap. `wall` is the wall time of `now`.
    pub fn resume_from(recording: Recording, now: Moment, wall: WallTime) -> Self {
        let first = recording.started_at.unix_seconds();
        let last = recording.samples.last();
        let next = last.map_or(0, |sample| sample.at.unix_seconds() + 1);
        let pause = recording.pauses.last();
        Self {
            clock: RecordingClock { moment: now, wall },
            second: next.saturating_sub(first),
            paused: pause.is_some_and(|pause| pause.to.is_none()),
            lap: recording.laps.last().map(|lap| lap.interval),
            saved_samples: recording.samples.len(),
            saved_laps: recording.laps.len(),
            has_unsaved_marks: false,
            recording,
            filling: SecondAverage::EMPTY,
            held: HeldValues::EMPTY,
        }
    }

    /// Recording so far, without the second that is being filled.
    pub const fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Moment of a time in the recording, for example of a sample.
    pub fn moment_of(&self, at: WallTime) -> Moment {
        self.clock.moment(at)
    }

    /// Records a reading, the target in W, and the current interval. Without readings, it is called
    /// with an empty one about once a second. Ignored while paused and after the end.
    pub fn record(
        &mut self,
        now: Moment,
        reading: Reading,
        target: Option<u16>,
        interval: Option<u32>,
    ) {
        if self.is_stopped() {
            return;
        }
        let second = self.second_of(now);
        self.fill_until(second);
        // The rest of a second that a pause has cut off is not recorded.
        if second < self.second {
            return;
        }
        if self.lap != Some(interval) {
            self.lap = Some(interval);
            self.recording.laps.push(Lap {
                at: self.time_of(self.second),
                interval,
            });
        }
        self.filling.add(reading, target);
    }

    /// Makes the next record begin a lap, even in the same interval: it is ridden again.
    pub const fn begin_lap(&mut self) {
        self.lap = None;
    }

    /// Pauses the recording until [`Recorder::resume`].
    pub fn pause(&mut self, now: Moment) {
        if self.is_stopped() {
            return;
        }
        self.fill_until(self.nearest_second(now));
        self.forget_readings();
        self.paused = true;
        self.has_unsaved_marks = true;
        self.recording.pauses.push(Pause {
            from: self.time_of(self.second),
            to: None,
        });
    }

    /// Resumes the recording after a pause.
    pub fn resume(&mut self, now: Moment) {
        if !self.paused || self.recording.finished_at.is_some() {
            return;
        }
        self.paused = false;
        self.has_unsaved_marks = true;
        self.second = self.nearest_second(now).max(self.second);
        let to = self.time_of(self.second);
        if let Some(pause) = self.recording.pauses.last_mut() {
            pause.to = Some(to);
        }
    }

    /// Adds completed pauses of the ride that the recording does not contain: those that lie after
    /// its last sample, because the page slept or was not loaded. A pause that is recorded already,
    /// up to a second apart, is ignored.
    pub fn add_missed_pauses(&mut self, pauses: impl IntoIterator<Item = (Moment, Moment)>) {
        for (from, to) in pauses {
            let start = self.clock.wall_time(from).unix_seconds();
            let end = self.clock.wall_time(to).unix_seconds();
            let is_later = start >= self.recording.end().unix_seconds();
            let is_recorded = self.recording.pauses.iter().any(|pause| {
                let ends_later = |to: WallTime| to.unix_seconds() + 1 >= end;
                pause.from.unix_seconds() <= start + 1 && pause.to.is_some_and(ends_later)
            });
            if is_later && !is_recorded {
                self.pause(from);
                self.resume(to);
            }
        }
    }

    /// Ends the recording. The second that is being filled counts if at least half of it has
    /// passed.
    pub fn finish(&mut self, now: Moment) -> &Recording {
        if self.recording.finished_at.is_none() {
            if !self.paused {
                self.fill_until(self.nearest_second(now));
            }
            let end = self.time_of(self.nearest_second(now).max(self.second));
            self.recording.finished_at = Some(end.max(self.recording.end()));
            self.has_unsaved_marks = true;
        }
        &self.recording
    }

    /// Continues the recording after its end: the event that ended the ride was superseded by
    /// another branch of the timeline. The time in between becomes a gap.
    pub const fn reopen(&mut self) {
        if self.recording.finished_at.take().is_some() {
            self.forget_readings();
            self.has_unsaved_marks = true;
        }
    }

    /// Chunk of everything since the last call, for [`Recording::from_chunks`]; `None` if nothing
    /// has changed. The caller has to store it: it is not returned again.
    pub fn take_unsaved(&mut self) -> Option<Vec<u8>> {
        let samples = &self.recording.samples[self.saved_samples..];
        let laps = &self.recording.laps[self.saved_laps..];
        if samples.is_empty() && laps.is_empty() && !self.has_unsaved_marks {
            return None;
        }
        let chunk = Recording {
            workout: self.recording.workout.clone(),
            samples: samples.to_vec(),
            laps: laps.to_vec(),
            pauses: self.recording.pauses.clone(),
            ..self.recording
        };
        self.saved_samples = self.recording.samples.len();
        self.saved_laps = self.recording.laps.len();
        self.has_unsaved_marks = false;
        Some(wire::to_vec(&(STORED_VERSION, chunk)))
    }

    const fn is_stopped(&self) -> bool {
        self.paused || self.recording.finished_at.is_some()
    }

    fn ms_since_start(&self, now: Moment) -> u64 {
        let started_at = self.recording.started_at.unix_ms();
        let now = self.clock.wall_time(now).unix_ms();
        now.saturating_sub(started_at)
    }

    fn second_of(&self, now: Moment) -> u64 {
        self.ms_since_start(now) / 1_000
    }

    fn nearest_second(&self, now: Moment) -> u64 {
        self.ms_since_start(now).saturating_add(500) / 1_000
    }

    fn time_of(&self, second: u64) -> WallTime {
        self.recording
            .first_second()
            .after(Duration::from_secs(second))
    }

    /// Makes a sample of every second before `second`.
    fn fill_until(&mut self, second: u64) {
        while self.second < second && self.recording.samples.len() < MAX_SAMPLES {
            let average = core::mem::take(&mut self.filling);
            let sample = self.held.sample(self.time_of(self.second), average);
            self.recording.samples.push(sample);
            self.second += 1;
        }
        self.second = self.second.max(second);
    }

    const fn forget_readings(&mut self) {
        self.filling = SecondAverage::EMPTY;
        self.held = HeldValues::EMPTY;
    }
}

/// Averages of the readings of one second.
#[derive(Clone, Copy, Debug, Default)]
struct SecondAverage {
    power: Mean,
    cadence: Mean,
    heart_rate: Mean,
    /// Newest target; the outer `None` before the first reading.
    target: Option<Option<u16>>,
}

impl SecondAverage {
    const EMPTY: Self = Self {
        power: Mean::EMPTY,
        cadence: Mean::EMPTY,
        heart_rate: Mean::EMPTY,
        target: None,
    };

    fn add(&mut self, reading: Reading, target: Option<u16>) {
        self.power.add(reading.power.map(u32::from));
        self.cadence.add(reading.cadence.map(u32::from));
        self.heart_rate.add(reading.heart_rate.map(u32::from));
        self.target = Some(target);
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: u64,
    count: u64,
}

impl Mean {
    const EMPTY: Self = Self { sum: 0, count: 0 };

    fn add(&mut self, value: Option<u32>) {
        if let Some(value) = value {
            self.sum += u64::from(value);
            self.count += 1;
        }
    }

    /// Rounded mean; `None` without a value.
    fn value(self) -> Option<u32> {
        // The mean of `u16` values fits.
        (self.count > 0).then(|| ((self.sum + self.count / 2) / self.count) as u32)
    }
}

/// Value that is repeated for a number of seconds without readings.
#[derive(Clone, Copy, Debug)]
struct HeldValue {
    value: Option<u32>,
    age: u64,
}

impl HeldValue {
    const EMPTY: Self = Self {
        value: None,
        age: 0,
    };

    fn next(&mut self, value: Option<u32>) -> Option<u32> {
        match value {
            Some(_) => *self = Self { value, age: 0 },
            None => self.age += 1,
        }
        self.value.filter(|_| self.age <= MAX_HOLD)
    }
}

/// Last values of all readings.
#[derive(Clone, Copy, Debug)]
struct HeldValues {
    power: HeldValue,
    cadence: HeldValue,
    heart_rate: HeldValue,
    target: Option<u16>,
}

impl HeldValues {
    const EMPTY: Self = Self {
        power: HeldValue::EMPTY,
        cadence: HeldValue::EMPTY,
        heart_rate: HeldValue::EMPTY,
        target: None,
    };

    fn sample(&mut self, at: WallTime, average: SecondAverage) -> Sample {
        // A target is not measured: it is valid until the next one.
        self.target = average.target.unwrap_or(self.target);
        Sample {
            at,
            power: self.power.next(average.power.value()).map(narrow16),
            cadence: self.cadence.next(average.cadence.value()).map(narrow8),
            heart_rate: self
                .heart_rate
                .next(average.heart_rate.value())
                .map(narrow8),
            target: self.target,
        }
    }
}

fn narrow16(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn narrow8(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
