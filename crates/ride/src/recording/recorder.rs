//! Making a recording while riding.

use super::{Lap, MAX_SAMPLES, Pause, Recording, Sample};
use crate::rider::Ftp;
use crate::trainer::Reading;
use crate::wire;

/// How many seconds without a reading the last one stands in for.
const HOLD: u64 = 3;

/// Records a ride: takes readings as often as they come and makes exactly one sample of each
/// second.
///
/// Times are Unix time in milliseconds. They should come from one origin plus a monotonic clock:
/// readings from a second that is over are ignored, a jump forward is a gap.
#[derive(Clone, Debug)]
pub struct Recorder {
    recording: Recording,
    /// The second being filled, counted from the start of the recording.
    second: u64,
    filling: Filling,
    held: Held,
    paused: bool,
    /// The interval of the lap that is being ridden; the outer none before the first.
    lap: Option<Option<u32>>,
    saved_samples: usize,
    saved_laps: usize,
    /// Whether a pause or the end is not yet stored.
    unsaved_marks: bool,
}

impl Recorder {
    /// Starts recording now.
    pub const fn new(now: u64, workout: String, ftp: Ftp) -> Self {
        Self {
            recording: Recording::new(now, workout, ftp),
            second: 0,
            filling: Filling::NOTHING,
            held: Held::NOTHING,
            paused: false,
            lap: None,
            saved_samples: 0,
            saved_laps: 0,
            unsaved_marks: true,
        }
    }

    /// Goes on with a recording that was interrupted, by a reload for example. What is missing
    /// becomes a gap.
    pub fn resume_from(recording: Recording) -> Self {
        let next = recording.samples.last().map_or(0, |sample| sample.at + 1);
        Self {
            second: next.saturating_sub(recording.started_at / 1_000),
            paused: recording
                .pauses
                .last()
                .is_some_and(|pause| pause.to.is_none()),
            lap: recording.laps.last().map(|lap| lap.interval),
            saved_samples: recording.samples.len(),
            saved_laps: recording.laps.len(),
            unsaved_marks: false,
            recording,
            filling: Filling::NOTHING,
            held: Held::NOTHING,
        }
    }

    /// What is recorded so far, without the second being filled.
    pub const fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Records a reading, the target at that moment in watts, and the interval being ridden.
    /// Without readings, call it with an empty one about once a second. Ignored while paused and
    /// after the end.
    pub fn record(
        &mut self,
        now: u64,
        reading: Reading,
        target: Option<u16>,
        interval: Option<u32>,
    ) {
        if self.is_still() {
            return;
        }
        self.fill_until(self.second_of(now));
        // A reading in a second that a pause has cut off belongs to nobody.
        if self.second_of(now) < self.second {
            return;
        }
        if self.lap != Some(interval) {
            self.lap = Some(interval);
            self.recording.laps.push(Lap {
                at: self.unix(self.second),
                interval,
            });
        }
        self.filling.add(reading, target);
    }

    /// What is recorded next begins a lap even if it is of the same interval: it is ridden again.
    pub const fn begin_lap(&mut self) {
        self.lap = None;
    }

    /// The ride is paused: nothing is recorded until [`Recorder::resume`].
    pub fn pause(&mut self, now: u64) {
        if self.is_still() {
            return;
        }
        self.fill_until(self.nearest_second(now));
        self.forget_readings();
        self.paused = true;
        self.unsaved_marks = true;
        self.recording.pauses.push(Pause {
            from: self.unix(self.second),
            to: None,
        });
    }

    /// The ride goes on after a pause.
    pub fn resume(&mut self, now: u64) {
        if !self.paused || self.recording.finished_at.is_some() {
            return;
        }
        self.paused = false;
        self.unsaved_marks = true;
        self.second = self.nearest_second(now).max(self.second);
        let to = self.unix(self.second);
        if let Some(pause) = self.recording.pauses.last_mut() {
            pause.to = Some(to);
        }
    }

    /// The ride is over. The second being filled counts if at least half of it is over.
    pub fn finish(&mut self, now: u64) -> &Recording {
        if self.recording.finished_at.is_none() {
            if !self.paused {
                self.fill_until(self.nearest_second(now));
            }
            let end = self.unix(self.nearest_second(now).max(self.second));
            self.recording.finished_at = Some(end.max(self.recording.end()));
            self.unsaved_marks = true;
        }
        &self.recording
    }

    /// The ride goes on after all: what ended it was overtaken by what the host had decided
    /// before. The seconds since then hold nothing.
    pub const fn reopen(&mut self) {
        if self.recording.finished_at.take().is_some() {
            self.forget_readings();
            self.unsaved_marks = true;
        }
    }

    /// What is not stored yet, as a chunk for [`Recording::from_chunks`]; none if that is nothing.
    /// Store it: it is not given again.
    pub fn take_unsaved(&mut self) -> Option<Vec<u8>> {
        let samples = &self.recording.samples[self.saved_samples..];
        let laps = &self.recording.laps[self.saved_laps..];
        if samples.is_empty() && laps.is_empty() && !self.unsaved_marks {
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
        self.unsaved_marks = false;
        Some(wire::to_vec(&(super::VERSION, chunk)))
    }

    const fn is_still(&self) -> bool {
        self.paused || self.recording.finished_at.is_some()
    }

    const fn second_of(&self, now: u64) -> u64 {
        now.saturating_sub(self.recording.started_at) / 1_000
    }

    const fn nearest_second(&self, now: u64) -> u64 {
        (now.saturating_sub(self.recording.started_at) + 500) / 1_000
    }

    const fn unix(&self, second: u64) -> u64 {
        self.recording.started_at / 1_000 + second
    }

    /// Makes a sample of every second before this one.
    fn fill_until(&mut self, second: u64) {
        while self.second < second && self.recording.samples.len() < MAX_SAMPLES {
            let sample = self
                .held
                .sample(self.unix(self.second), core::mem::take(&mut self.filling));
            self.recording.samples.push(sample);
            self.second += 1;
        }
        self.second = self.second.max(second);
    }

    const fn forget_readings(&mut self) {
        self.filling = Filling::NOTHING;
        self.held = Held::NOTHING;
    }
}

/// The readings of one second.
#[derive(Clone, Copy, Debug, Default)]
struct Filling {
    power: Mean,
    cadence: Mean,
    heart_rate: Mean,
    /// The newest; the outer none before the first reading.
    target: Option<Option<u16>>,
}

impl Filling {
    const NOTHING: Self = Self {
        power: Mean::NOTHING,
        cadence: Mean::NOTHING,
        heart_rate: Mean::NOTHING,
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
    const NOTHING: Self = Self { sum: 0, count: 0 };

    fn add(&mut self, value: Option<u32>) {
        if let Some(value) = value {
            self.sum += u64::from(value);
            self.count += 1;
        }
    }

    /// Rounded; none of nothing.
    fn value(self) -> Option<u32> {
        // The mean of values of u16 is one.
        (self.count > 0).then(|| ((self.sum + self.count / 2) / self.count) as u32)
    }
}

/// A value, and how long it has stood in for missing ones.
#[derive(Clone, Copy, Debug)]
struct Hold {
    value: Option<u32>,
    age: u64,
}

impl Hold {
    const NOTHING: Self = Self {
        value: None,
        age: 0,
    };

    fn next(&mut self, value: Option<u32>) -> Option<u32> {
        match value {
            Some(_) => *self = Self { value, age: 0 },
            None => self.age += 1,
        }
        self.value.filter(|_| self.age <= HOLD)
    }
}

/// The last values of a rider.
#[derive(Clone, Copy, Debug)]
struct Held {
    power: Hold,
    cadence: Hold,
    heart_rate: Hold,
    target: Option<u16>,
}

impl Held {
    const NOTHING: Self = Self {
        power: Hold::NOTHING,
        cadence: Hold::NOTHING,
        heart_rate: Hold::NOTHING,
        target: None,
    };

    fn sample(&mut self, at: u64, filling: Filling) -> Sample {
        // A target is not measured: it stays until another one comes.
        self.target = filling.target.unwrap_or(self.target);
        Sample {
            at,
            power: self.power.next(filling.power.value()).map(narrow16),
            cadence: self.cadence.next(filling.cadence.value()).map(narrow8),
            heart_rate: self
                .heart_rate
                .next(filling.heart_rate.value())
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
