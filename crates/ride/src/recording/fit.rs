//! Writing a recording as a FIT activity file (Garmin FIT protocol 2.0, profile 21).
//!
//! The file holds, in the order of time: who made it, the timer's start, one record a second, the
//! timer's stops and starts around pauses, its last stop; then one lap for each interval, the
//! session and the activity.

use clock::WallTime;
use embedded_io_adapters::std::FromStd;
use rustyfit::Encoder;
use rustyfit::profile::mesgdef;
use rustyfit::profile::typedef::{self, DateTime, LocalDateTime};
use rustyfit::proto::{FIT, Message};
use thiserror::Error;

use super::{Recording, Sample};
use crate::analysis::Summary;

/// Why a recording cannot be written as a FIT file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FitError {
    /// There is not a single second in it.
    #[error("This ride has no recorded seconds yet. Ride for a moment, then download it.")]
    Empty,
    /// It starts before 1990 or ends after 2125, which FIT cannot say.
    #[error("The date of this ride is wrong. Check the clock of this device.")]
    Date,
    /// The encoder refused it.
    #[error("This ride could not be written as a FIT file ({0}). Please report this.")]
    Encoder(String),
}

/// The recording as the bytes of a FIT file.
///
/// # Errors
/// [`FitError`].
pub fn encode(recording: &Recording) -> Result<Vec<u8>, FitError> {
    if recording.samples.is_empty() {
        return Err(FitError::Empty);
    }
    if !is_fit_time(recording.started_at) || !is_fit_time(recording.end()) {
        return Err(FitError::Date);
    }
    let mut messages = vec![file_id(recording)];
    messages.extend(timed(recording));
    messages.extend(laps(recording));
    messages.push(session(recording));
    messages.push(activity(recording));
    write(messages)
}

fn write(messages: Vec<Message>) -> Result<Vec<u8>, FitError> {
    let mut fit = FIT {
        messages,
        ..FIT::default()
    };
    let mut writer = FromStd::new(std::io::Cursor::new(vec![]));
    match Encoder::new().encode(&mut writer, &mut fit) {
        Ok(()) => Ok(writer.into_inner().into_inner()),
        Err(error) => Err(FitError::Encoder(error.to_string())),
    }
}

/// FIT counts seconds from the last day of 1989; below 0x10000000 (mid-1998) they mean time since
/// power on.
fn is_fit_time(at: WallTime) -> bool {
    i64::try_from(at.unix_seconds()).is_ok_and(|unix| {
        let time = DateTime::from_unix_timestamp(unix);
        time != DateTime::default() && time.0 >= DateTime::MIN.0
    })
}

fn time(at: WallTime) -> DateTime {
    // `encode` has checked that start and end are times of FIT; everything else lies between.
    DateTime::from_unix_timestamp(at.unix_seconds() as i64)
}

fn file_id(recording: &Recording) -> Message {
    let mut file = mesgdef::FileId::new();
    file.r#type = typedef::File::ACTIVITY;
    file.manufacturer = typedef::Manufacturer::DEVELOPMENT;
    file.product = 0;
    file.product_name = "Gruppetto".into();
    // Tells files of one device apart; the start of the ride does.
    file.serial_number = time(recording.first_second()).0;
    file.time_created = time(recording.first_second());
    file.into()
}

/// Records and timer events in the order of time.
fn timed(recording: &Recording) -> Vec<Message> {
    let mut timed: Vec<(WallTime, Message)> = vec![(
        recording.first_second(),
        timer(recording.first_second(), typedef::EventType::START),
    )];
    timed.extend(
        recording
            .samples
            .iter()
            .map(|sample| (sample.at, record(sample))),
    );
    for pause in &recording.pauses {
        timed.push((pause.from, timer(pause.from, typedef::EventType::STOP)));
        if let Some(to) = pause.to {
            timed.push((to, timer(to, typedef::EventType::START)));
        }
    }
    // Stable: the record of a second follows the event that starts it.
    timed.sort_by_key(|(at, message)| (*at, message.num == typedef::MesgNum::RECORD));
    let end = recording.end();
    timed.push((end, timer(end, typedef::EventType::STOP_ALL)));
    timed.into_iter().map(|(_, message)| message).collect()
}

fn timer(at: WallTime, kind: typedef::EventType) -> Message {
    let mut event = mesgdef::Event::new();
    event.timestamp = time(at);
    event.event = typedef::Event::TIMER;
    event.event_type = kind;
    event.event_group = 0;
    event.into()
}

fn record(sample: &Sample) -> Message {
    let mut record = mesgdef::Record::new();
    record.timestamp = time(sample.at);
    if let Some(power) = sample.power {
        record.power = power.min(u16::MAX - 1);
    }
    if let Some(cadence) = sample.cadence {
        record.cadence = cadence.min(u8::MAX - 1);
    }
    if let Some(heart_rate) = sample.heart_rate {
        record.heart_rate = heart_rate.min(u8::MAX - 1);
    }
    record.into()
}

/// A part of the ride: from one second up to another, and the samples in it.
struct Part<'a> {
    from: WallTime,
    to: WallTime,
    samples: &'a [Sample],
}

impl Part<'_> {
    fn elapsed_millis(&self) -> u32 {
        millis(self.to.since(self.from).as_secs())
    }

    fn timer_millis(&self) -> u32 {
        millis(self.samples.len() as u64)
    }

    fn max(&self, value: impl Fn(&Sample) -> Option<u8>) -> Option<u8> {
        self.samples.iter().filter_map(value).max()
    }
}

fn millis(seconds: u64) -> u32 {
    u32::try_from(seconds.saturating_mul(1_000)).unwrap_or(u32::MAX - 1)
}

/// One part for each lap, or the whole ride where no lap was recorded. Laps without a single second
/// are left out.
fn parts(recording: &Recording) -> Vec<Part<'_>> {
    let mut starts = vec![recording.first_second()];
    starts.extend(recording.laps.iter().skip(1).map(|lap| lap.at));
    let ends = starts.iter().skip(1).copied().chain([recording.end()]);
    let parts = starts
        .iter()
        .zip(ends)
        .map(|(from, to)| part(recording, *from, to));
    parts.filter(|part| !part.samples.is_empty()).collect()
}

fn part(recording: &Recording, from: WallTime, to: WallTime) -> Part<'_> {
    let first = recording.samples.partition_point(|sample| sample.at < from);
    let end = recording.samples.partition_point(|sample| sample.at < to);
    Part {
        from,
        to: to.max(from),
        samples: &recording.samples[first..end.max(first)],
    }
}

fn laps(recording: &Recording) -> Vec<Message> {
    let laps = parts(recording).into_iter().enumerate();
    laps.map(|(index, part)| lap(recording, index, &part))
        .collect()
}

fn lap(recording: &Recording, index: usize, part: &Part<'_>) -> Message {
    let summary = Summary::of_samples(part.samples, recording.ftp);
    let mut lap = mesgdef::Lap::new();
    lap.message_index = typedef::MessageIndex(index as u16);
    lap.timestamp = time(part.to);
    lap.start_time = time(part.from);
    lap.event = typedef::Event::LAP;
    lap.event_type = typedef::EventType::STOP;
    lap.lap_trigger = typedef::LapTrigger::TIME;
    lap.sport = typedef::Sport::CYCLING;
    lap.sub_sport = typedef::SubSport::INDOOR_CYCLING;
    lap.total_elapsed_time = part.elapsed_millis();
    lap.total_timer_time = part.timer_millis();
    lap.total_work = (summary.work_kj * 1_000.0).round() as u32;
    set(&mut lap.avg_power, summary.average_power.map(watts));
    set(&mut lap.max_power, summary.max_power);
    set(
        &mut lap.normalized_power,
        summary.normalised_power.map(watts),
    );
    set(&mut lap.avg_cadence, summary.average_cadence.map(byte));
    set(&mut lap.max_cadence, part.max(|sample| sample.cadence));
    set(
        &mut lap.avg_heart_rate,
        summary.average_heart_rate.map(byte),
    );
    set(
        &mut lap.max_heart_rate,
        part.max(|sample| sample.heart_rate),
    );
    lap.into()
}

fn session(recording: &Recording) -> Message {
    let summary = Summary::of(recording);
    let whole = part(recording, recording.first_second(), recording.end());
    let mut session = mesgdef::Session::new();
    session.message_index = typedef::MessageIndex(0);
    session.timestamp = time(recording.end());
    session.start_time = time(recording.first_second());
    session.event = typedef::Event::SESSION;
    session.event_type = typedef::EventType::STOP;
    session.trigger = typedef::SessionTrigger::ACTIVITY_END;
    session.sport = typedef::Sport::CYCLING;
    session.sub_sport = typedef::SubSport::INDOOR_CYCLING;
    session.first_lap_index = 0;
    session.num_laps = parts(recording).len() as u16;
    session.total_elapsed_time = whole.elapsed_millis();
    session.total_timer_time = whole.timer_millis();
    session.total_work = (summary.work_kj * 1_000.0).round() as u32;
    session.threshold_power = recording.ftp.watts();
    set(&mut session.avg_power, summary.average_power.map(watts));
    set(&mut session.max_power, summary.max_power);
    set(
        &mut session.normalized_power,
        summary.normalised_power.map(watts),
    );
    set(&mut session.avg_cadence, summary.average_cadence.map(byte));
    set(&mut session.max_cadence, whole.max(|sample| sample.cadence));
    set(
        &mut session.avg_heart_rate,
        summary.average_heart_rate.map(byte),
    );
    set(
        &mut session.max_heart_rate,
        whole.max(|sample| sample.heart_rate),
    );
    // Thousandths and tenths, as the profile has it; the casts saturate.
    set(
        &mut session.intensity_factor,
        summary
            .intensity_factor
            .map(|factor| (factor * 1_000.0).round() as u16),
    );
    set(
        &mut session.training_stress_score,
        summary
            .stress_score
            .map(|score| (score * 10.0).round() as u16),
    );
    session.into()
}

fn activity(recording: &Recording) -> Message {
    let mut activity = mesgdef::Activity::new();
    activity.timestamp = time(recording.end());
    // The zone the rider is in is not known here; equal to the timestamp it says UTC.
    activity.local_timestamp = LocalDateTime(time(recording.end()).0);
    activity.total_timer_time = millis(recording.samples.len() as u64);
    activity.num_sessions = 1;
    activity.r#type = typedef::Activity::MANUAL;
    activity.event = typedef::Event::ACTIVITY;
    activity.event_type = typedef::EventType::STOP;
    activity.into()
}

/// Sets a field where there is a value; it stays invalid, which FIT leaves out, where there is
/// none.
fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn watts(watts: f32) -> u16 {
    watts.round() as u16
}

fn byte(value: f32) -> u8 {
    value.round() as u8
}

#[cfg(test)]
mod tests;
