//! Making of a recording during the ride.

use core::time::Duration;

use clock::{Moment, Now, WallTime};

use super::{Lap, MAX_SAMPLES, MAX_SENSORS, Pause, Recording, Sample};
use crate::rider::Ftp;
use crate::trainer::Reading;

/// Number of seconds without a reading for which the last one is repeated.
const MAX_HOLD: u64 = 3;
/// Largest number of seconds between two calls that become samples, as those of a reload. In a longer
/// time the computer slept or the page was closed, so it is left out.
const MAX_SHORT_GAP: u64 = 30;
/// Lead of the wall clock over the dates of the samples from which they follow it.
const MAX_WALL_LEAD: Duration = Duration::from_secs(2);
/// Largest length of a sensor's name in characters.
const MAX_SENSOR_CHARS: usize = 60;

/// Records a ride: takes readings at any rate and makes exactly one sample of each second.
///
/// Times are moments of the monotonic clock. Samples are dated by the recording's own clock: it is
/// set to the wall clock at the start, runs evenly, and never runs back. Where the wall clock is
/// ahead of it by more than [`MAX_WALL_LEAD`], since the computer slept or its clock was set, it
/// follows at once, see [`Recorder::follow_clocks`]. A wall clock that was set back is ignored, so
/// that the samples stay in order. Readings of a second that is complete are ignored.
///
/// The monotonic clock's origin has to lie before the ride, or pauses from before a reload cannot be
/// told to the recorder.
#[derive(Clone, Debug)]
pub struct Recorder {
    recording: Recording,
    /// Date of a moment by the recording's clock.
    clock: Now,
    /// Second that is being filled, counted from the start of the recording.
    second: u64,
    filling: SecondAverage,
    held: HeldValues,
    paused: bool,
    /// Interval of the current lap; the outer `None` before the first lap.
    lap: Option<Option<u32>>,
    /// The next lap begins with a jump in the workout.
    has_jumped: bool,
    /// Number of changes of pauses, sensors and the end.
    marks: u64,
    saved: SavePoint,
}

/// Extent of what is stored. Ordered: a later chunk leads to a higher one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SavePoint {
    samples: usize,
    laps: usize,
    marks: u64,
}

impl Recorder {
    /// Starts a recording.
    pub const fn new(now: Now, workout: String, ftp: Ftp) -> Self {
        Self {
            recording: Recording::new(now.wall, workout, ftp),
            clock: now,
            second: 0,
            filling: SecondAverage::EMPTY,
            held: HeldValues::EMPTY,
            paused: false,
            lap: None,
            has_jumped: false,
            marks: 1,
            saved: SavePoint {
                samples: 0,
                laps: 0,
                marks: 0,
            },
        }
    }

    /// Notes the offset of local time from UTC at the start, in seconds.
    pub const fn set_utc_offset(&mut self, seconds: i32) {
        self.recording.utc_offset = Some(seconds);
    }

    /// Continues a stored recording after an interruption, for example a reload. If the wall clock
    /// was set back before its last sample, the recording goes on after that sample.
    pub fn resume_from(recording: Recording, now: Now) -> Self {
        let next = recording.after_last_sample();
        let first = recording.first_second();
        let pause = recording.pauses.last();
        Self {
            clock: Now {
                wall: now.wall.max(next),
                ..now
            },
            second: next.since(first).as_secs(),
            paused: pause.is_some_and(|pause| pause.to.is_none()),
            lap: recording.laps.last().map(|lap| lap.interval),
            has_jumped: false,
            marks: 0,
            saved: SavePoint {
                samples: recording.samples.len(),
                laps: recording.laps.len(),
                marks: 0,
            },
            recording,
            filling: SecondAverage::EMPTY,
            held: HeldValues::EMPTY,
        }
    }

    /// Puts an earlier part in front: it was stored before a reload, and could not be read until now.
    /// Nothing of this recorder may have been stored before.
    pub fn prepend(&mut self, earlier: Recording) {
        // The wall clock was set back meanwhile: this part goes on after the earlier one.
        let overlap = earlier
            .after_last_sample()
            .since(self.recording.first_second());
        if overlap > MAX_WALL_LEAD {
            self.shift(overlap);
        }
        let start = self.recording.first_second();
        let Some(shift) = start
            .unix_seconds()
            .checked_sub(earlier.first_second().unix_seconds())
        else {
            return;
        };
        let own = core::mem::replace(&mut self.recording, earlier);
        let whole = &mut self.recording;
        whole.samples.retain(|sample| sample.at < start);
        whole.laps.retain(|lap| lap.at < start);
        whole.pauses.retain(|pause| pause.from < start);
        for pause in &mut whole.pauses {
            pause.to = Some(pause.to.unwrap_or(start).min(start));
        }
        self.saved = SavePoint {
            samples: whole.samples.len(),
            laps: whole.laps.len(),
            marks: 0,
        };
        whole.samples.extend(own.samples);
        whole.samples.truncate(MAX_SAMPLES);
        whole.laps.extend(own.laps);
        whole.pauses.extend(own.pauses);
        whole.finished_at = own.finished_at;
        self.second += shift;
        own.sensors.iter().for_each(|name| self.add_sensor(name));
        self.marks += 1;
    }

    /// Dates everything later.
    fn shift(&mut self, by: Duration) {
        // Whole seconds, so that the samples stay at full seconds.
        let by = Duration::from_secs(by.as_secs() + 1);
        let recording = &mut self.recording;
        self.clock.wall = self.clock.wall.after(by);
        recording.started_at = recording.started_at.after(by);
        for sample in &mut recording.samples {
            sample.at = sample.at.after(by);
        }
        for lap in &mut recording.laps {
            lap.at = lap.at.after(by);
        }
        for pause in &mut recording.pauses {
            pause.from = pause.from.after(by);
            pause.to = pause.to.map(|to| to.after(by));
        }
        recording.finished_at = recording.finished_at.map(|at| at.after(by));
    }

    /// Recording so far, without the second that is being filled.
    pub const fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Moment of a time in the recording, for example of a sample.
    pub fn moment_of(&self, at: WallTime) -> Moment {
        self.clock.moment_of(at)
    }

    /// Compares the clocks: where the wall clock is ahead of the recording's, the recording follows
    /// it. To be called before any other method with a moment.
    pub fn follow_clocks(&mut self, now: Now) {
        if now.wall_gain_since(self.clock) > MAX_WALL_LEAD {
            self.clock = now;
        }
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
        self.complete_until(second);
        // The rest of a second that a pause has cut off is not recorded.
        if second < self.second {
            return;
        }
        if self.lap != Some(interval) {
            self.lap = Some(interval);
            // A second that both laps have readings of belongs to the one that has more of it.
            let begun = match self.filling.has_readings() {
                true => self.nearest_second(now).max(self.second),
                false => self.second,
            };
            self.recording.laps.push(Lap {
                at: self.time_of(begun),
                interval,
                after_jump: core::mem::take(&mut self.has_jumped),
            });
        }
        // The rest of a second before the lap belongs to the lap before.
        let second_at = self.time_of(self.second);
        let is_of_lap = self
            .recording
            .laps
            .last()
            .is_none_or(|lap| lap.at <= second_at);
        self.filling.add(reading, target, is_of_lap);
    }

    /// Notes the name of a sensor that the readings come from, once.
    pub fn add_sensor(&mut self, name: &str) {
        let name: String = name.chars().take(MAX_SENSOR_CHARS).collect();
        let sensors = &mut self.recording.sensors;
        if sensors.len() < MAX_SENSORS && !sensors.contains(&name) {
            sensors.push(name);
            self.marks += 1;
        }
    }

    /// Makes the next record begin a lap, even in the same interval: the ride has jumped to another
    /// place in the workout.
    pub const fn begin_lap(&mut self) {
        self.lap = None;
        self.has_jumped = true;
    }

    /// Pauses the recording until [`Recorder::resume`].
    pub fn pause(&mut self, now: Moment) {
        if self.is_stopped() {
            return;
        }
        self.complete_until(self.nearest_second(now));
        self.forget_readings();
        self.paused = true;
        self.marks += 1;
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
        self.marks += 1;
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
            let start = self.clock.wall_time_of(from).unix_seconds();
            let end = self.clock.wall_time_of(to).unix_seconds();
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
                self.complete_until(self.nearest_second(now));
            }
            let end = self.time_of(self.nearest_second(now).max(self.second));
            self.recording.finished_at = Some(end.max(self.recording.end()));
            self.marks += 1;
        }
        &self.recording
    }

    /// Continues the recording after its end: the event that ended the ride was superseded by
    /// another branch of the timeline. The time in between becomes a gap.
    pub const fn reopen(&mut self) {
        if self.recording.finished_at.take().is_some() {
            self.forget_readings();
            self.marks += 1;
        }
    }

    /// Extent of the recording.
    pub const fn save_point(&self) -> SavePoint {
        SavePoint {
            samples: self.recording.samples.len(),
            laps: self.recording.laps.len(),
            marks: self.marks,
        }
    }

    /// Chunk of everything that is not stored yet, for [`Recording::from_chunks`], and its extent for
    /// [`Recorder::mark_saved`]; `None` if everything is stored.
    pub fn unsaved(&self) -> Option<(Vec<u8>, SavePoint)> {
        let point = self.save_point();
        if point == self.saved {
            return None;
        }
        let chunk = Recording {
            workout: self.recording.workout.clone(),
            samples: self.recording.samples[self.saved.samples..].to_vec(),
            laps: self.recording.laps[self.saved.laps..].to_vec(),
            pauses: self.recording.pauses.clone(),
            sensors: self.recording.sensors.clone(),
            ..self.recording
        };
        Some((chunk.encode(), point))
    }

    /// Notes that a chunk of [`Recorder::unsaved`] is stored.
    pub fn mark_saved(&mut self, point: SavePoint) {
        self.saved = self.saved.max(point);
    }

    const fn is_stopped(&self) -> bool {
        self.paused || self.recording.finished_at.is_some()
    }

    fn ms_since_start(&self, now: Moment) -> u64 {
        let now = self.clock.wall_time_of(now);
        let since = now.since(self.recording.started_at).as_millis();
        u64::try_from(since).unwrap_or(u64::MAX)
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

    /// Makes a sample of every second before `second`, or of the current one only if the others are
    /// a gap.
    fn complete_until(&mut self, second: u64) {
        if second <= self.second.saturating_add(MAX_SHORT_GAP) {
            while self.second < second {
                self.complete_second();
            }
            return;
        }
        if self.filling.has_readings() {
            self.complete_second();
        }
        self.forget_readings();
        self.second = second;
    }

    fn complete_second(&mut self) {
        let average = core::mem::take(&mut self.filling);
        let sample = self.held.sample(self.time_of(self.second), average);
        if self.recording.samples.len() < MAX_SAMPLES {
            self.recording.samples.push(sample);
        }
        self.second += 1;
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
    speed: Mean,
    /// Newest target of the lap that the second belongs to; the outer `None` before the first reading.
    target: Option<Option<u16>>,
    /// Newest target, also of a lap that begins after the second; the outer `None` as above.
    newest_target: Option<Option<u16>>,
}

impl SecondAverage {
    const EMPTY: Self = Self {
        power: Mean::EMPTY,
        cadence: Mean::EMPTY,
        heart_rate: Mean::EMPTY,
        speed: Mean::EMPTY,
        target: None,
        newest_target: None,
    };

    /// Reports whether anything was recorded in this second, be it the target alone.
    const fn has_readings(&self) -> bool {
        self.newest_target.is_some()
    }

    fn add(&mut self, reading: Reading, target: Option<u16>, is_of_lap: bool) {
        self.power.add(reading.power.map(u32::from));
        self.cadence.add(reading.cadence.map(u32::from));
        self.heart_rate.add(reading.heart_rate.map(u32::from));
        self.speed.add(reading.speed.map(u32::from));
        self.newest_target = Some(target);
        if is_of_lap {
            self.target = Some(target);
        }
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
    speed: HeldValue,
    target: Option<u16>,
}

impl HeldValues {
    const EMPTY: Self = Self {
        power: HeldValue::EMPTY,
        cadence: HeldValue::EMPTY,
        heart_rate: HeldValue::EMPTY,
        speed: HeldValue::EMPTY,
        target: None,
    };

    fn sample(&mut self, at: WallTime, average: SecondAverage) -> Sample {
        // A target is not measured: it is valid until the next one.
        let target = average.target.unwrap_or(self.target);
        self.target = average.newest_target.unwrap_or(target);
        Sample {
            at,
            power: self.power.next(average.power.value()).map(narrow16),
            cadence: self.cadence.next(average.cadence.value()).map(narrow8),
            heart_rate: self
                .heart_rate
                .next(average.heart_rate.value())
                .map(narrow8),
            target,
            speed: self.speed.next(average.speed.value()).map(narrow16),
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
