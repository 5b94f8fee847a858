//! Writing a recording as a FIT activity file (Garmin FIT protocol 2.0, profile 21).
//!
//! The file holds: its origin and devices, the workout with its steps, then in the order of time the
//! records with the starts and stops of the timer and the laps, at last the session and the activity.
//!
//! What readers rely on:
//! - The timer runs exactly while there are records: each stop is followed by a gap, and the timer
//!   time equals the number of records. The file ends with the last record, so a pause or a sleep at
//!   the end does not count.
//! - Seconds without any reading are left out if there are more than [`MAX_SILENCE`] in a row. In
//!   shorter runs the records have a time only, and means do not count them.
//! - Stops are `stop_all`, since several readers know no other.
//! - Speed and distance are those of a virtual rider on a flat road, see
//!   [`virtual_speed`](super::virtual_speed).
//! - Targets are a developer field, which needs version 2.0 of the protocol.

mod message;

use std::sync::Arc;

use clock::WallTime;
use embedded_io_adapters::std::FromStd;
use rustyfit::Encoder;
use rustyfit::profile::{mesgdef, typedef};
use rustyfit::proto::{FIT, Message, ProtocolVersion};
use thiserror::Error;

use self::message::MessageBuilder;
use super::virtual_speed::VirtualRider;
use super::{Lap, Recording, Sample};
use crate::analysis::Summary;
use crate::workout::{Interval, IntervalKind, Target, Workout, watts};

/// Unix time of the origin of FIT times: the last day of 1989, at midnight UTC.
const EPOCH: u64 = 631_065_600;
/// Largest number of seconds without any reading that are written as records.
const MAX_SILENCE: usize = 10;
/// Id of this application in developer data, a constant UUID.
const APPLICATION_ID: [u8; 16] = [
    0x5b, 0x1e, 0xc6, 0x0a, 0x7d, 0x43, 0x4f, 0x52, 0x9a, 0x6e, 0x31, 0xd7, 0x08, 0x2c, 0xb4, 0xf9,
];
/// Number of the developer field for the target.
const TARGET_FIELD: u8 = 0;

/// Kind of ride, which services treat differently: Strava shows a virtual ride on its own tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubSport {
    /// Indoor cycling.
    #[default]
    IndoorCycling,
    /// Virtual ride.
    VirtualActivity,
}

impl SubSport {
    fn code(self) -> u8 {
        match self {
            Self::IndoorCycling => typedef::SubSport::INDOOR_CYCLING.0,
            Self::VirtualActivity => typedef::SubSport::VIRTUAL_ACTIVITY.0,
        }
    }
}

/// Ride to write as a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// The recording.
    pub recording: Recording,
    /// Workout that its laps refer to.
    pub workout: Option<Arc<Workout>>,
    /// Number that no other rider has, so that two riders who start together have different files.
    pub serial_number: u32,
    /// Kind of ride.
    pub sub_sport: SubSport,
}

/// File to save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FitFile {
    /// Name with the local date: `gruppetto-sweet-spot-2026-11-21.fit`.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Reason why a recording cannot be written as a FIT file.
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

/// Writes a ride as a FIT file. `utc_offset` is the offset of local time from UTC in seconds, for
/// example 3600 in Berlin in winter.
///
/// # Errors
/// [`FitError`].
pub fn encode(activity: &Activity, utc_offset: i32) -> Result<FitFile, FitError> {
    let file = Writer::new(activity)?;
    let mut messages = file.origin();
    messages.extend(file.workout());
    messages.extend(file.timed());
    messages.push(file.session());
    messages.push(file.activity(utc_offset));
    Ok(FitFile {
        name: file_name(&activity.recording, utc_offset),
        bytes: write(messages)?,
    })
}

fn write(messages: Vec<Message>) -> Result<Vec<u8>, FitError> {
    let mut fit = FIT {
        messages,
        ..FIT::default()
    };
    let mut writer = FromStd::new(std::io::Cursor::new(vec![]));
    let encoder = Encoder::builder().protocol_version(ProtocolVersion::V2);
    match encoder.build().encode(&mut writer, &mut fit) {
        Ok(()) => Ok(writer.into_inner().into_inner()),
        Err(error) => Err(FitError::Encoder(error.to_string())),
    }
}

/// Name of the file.
fn file_name(recording: &Recording, utc_offset: i32) -> String {
    let slug: String = recording
        .workout
        .to_lowercase()
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .flat_map(|word| ["-", word])
        .collect();
    let local = recording.started_at.unix_seconds() as i64 + i64::from(utc_offset);
    let (year, month, day) = civil_date(local.div_euclid(24 * 3_600));
    format!("gruppetto{slug}-{year:04}-{month:02}-{day:02}.fit")
}

/// Gregorian date of a day counted from 1970-01-01. In years of 365.2425 days that begin in March,
/// after Howard Hinnant, *chrono-Compatible Low-Level Date Algorithms* (`civil_from_days`).
fn civil_date(day: i64) -> (i64, i64, i64) {
    let since_march_0000 = day + 719_468;
    let era = since_march_0000.div_euclid(146_097);
    let day_of_era = since_march_0000.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

/// FIT times below 0x10000000 (mid-1998) mean time since power on.
fn is_fit_time(at: WallTime) -> bool {
    let first = EPOCH + u64::from(typedef::DateTime::MIN.0);
    (first..EPOCH + u64::from(u32::MAX)).contains(&at.unix_seconds())
}

/// Ride prepared for writing.
struct Writer<'a> {
    activity: &'a Activity,
    /// Samples that become records, in ascending order.
    samples: Vec<Sample>,
    /// Speed and distance at each of them; empty without power.
    motion: Vec<Motion>,
    laps: Vec<LapPart>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Motion {
    /// Speed in m/s.
    speed: f64,
    /// Distance since the start in m.
    distance: f64,
}

/// Lap with at least one record.
struct LapPart {
    /// Time of the start in seconds of FIT.
    from: u32,
    /// Time of the end: the start of the next lap.
    to: u32,
    samples: core::ops::Range<usize>,
    interval: Option<u32>,
    /// The ride has jumped from it to another place.
    is_cut_off: bool,
}

impl<'a> Writer<'a> {
    fn new(activity: &'a Activity) -> Result<Self, FitError> {
        let recording = &activity.recording;
        let samples = recorded(&recording.samples);
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            return Err(FitError::Empty);
        };
        let dates = [recording.started_at, first.at, last.at, recording.end()];
        if !dates.into_iter().all(is_fit_time) {
            return Err(FitError::Date);
        }
        Ok(Self {
            motion: motion(&samples),
            laps: laps(&recording.laps, &samples),
            activity,
            samples,
        })
    }

    fn start(&self) -> u32 {
        self.samples.first().map_or(0, |first| time(first.at))
    }

    /// Second after the last record.
    fn end(&self) -> u32 {
        self.samples.last().map_or(0, |last| time(last.at) + 1)
    }

    /// Application, devices, and the description of the developer field.
    fn origin(&self) -> Vec<Message> {
        use mesgdef::{DeveloperDataId, FieldDescription, FileCreator, FileId};
        use typedef::MesgNum;
        let start = self.start();
        let file_id = MessageBuilder::new(MesgNum::FILE_ID)
            .enumeration(FileId::TYPE, typedef::File::ACTIVITY.0)
            .uint16(FileId::MANUFACTURER, typedef::Manufacturer::DEVELOPMENT.0)
            .uint16(FileId::PRODUCT, 0_u16)
            .uint32z(FileId::SERIAL_NUMBER, self.activity.serial_number)
            .uint32(FileId::TIME_CREATED, start)
            .text(FileId::PRODUCT_NAME, "Gruppetto");
        let creator = MessageBuilder::new(MesgNum::FILE_CREATOR)
            .uint16(FileCreator::SOFTWARE_VERSION, software_version());
        let developer = MessageBuilder::new(MesgNum::DEVELOPER_DATA_ID)
            .bytes(DeveloperDataId::APPLICATION_ID, &APPLICATION_ID)
            .uint8(DeveloperDataId::DEVELOPER_DATA_INDEX, 0_u8)
            .uint32(
                DeveloperDataId::APPLICATION_VERSION,
                u32::from(software_version()),
            );
        let field = MessageBuilder::new(MesgNum::FIELD_DESCRIPTION)
            .uint8(FieldDescription::DEVELOPER_DATA_INDEX, 0_u8)
            .uint8(FieldDescription::FIELD_DEFINITION_NUMBER, TARGET_FIELD)
            .uint8(
                FieldDescription::FIT_BASE_TYPE_ID,
                typedef::FitBaseType::UINT16.0,
            )
            .text(FieldDescription::FIELD_NAME, "Target Power")
            .text(FieldDescription::UNITS, "watts");
        let devices = self.devices().into_iter();
        [file_id, creator]
            .into_iter()
            .chain(devices)
            .chain([developer, field])
            .map(MessageBuilder::build)
            .collect()
    }

    fn devices(&self) -> Vec<MessageBuilder> {
        use mesgdef::DeviceInfo;
        let device = |index: u8, name: &str| {
            MessageBuilder::at(typedef::MesgNum::DEVICE_INFO, self.start())
                .uint8(DeviceInfo::DEVICE_INDEX, index)
                .uint16(
                    DeviceInfo::MANUFACTURER,
                    typedef::Manufacturer::DEVELOPMENT.0,
                )
                .text(DeviceInfo::PRODUCT_NAME, name)
        };
        let app = device(typedef::DeviceIndex::CREATOR.0, "Gruppetto")
            .uint32z(DeviceInfo::SERIAL_NUMBER, self.activity.serial_number)
            .uint16(DeviceInfo::PRODUCT, 0_u16)
            .uint16(DeviceInfo::SOFTWARE_VERSION, software_version())
            .enumeration(DeviceInfo::SOURCE_TYPE, typedef::SourceType::LOCAL.0);
        let sensors = (1..).zip(&self.activity.recording.sensors);
        let sensors = sensors.map(|(index, name)| {
            let sensor = device(index, name);
            if name == super::SIMULATOR {
                return sensor.enumeration(DeviceInfo::SOURCE_TYPE, typedef::SourceType::LOCAL.0);
            }
            sensor
                .uint8(
                    DeviceInfo::DEVICE_TYPE,
                    typedef::BleDeviceType::BIKE_TRAINER.0,
                )
                .enumeration(
                    DeviceInfo::SOURCE_TYPE,
                    typedef::SourceType::BLUETOOTH_LOW_ENERGY.0,
                )
        });
        [app].into_iter().chain(sensors).collect()
    }

    /// The workout, and a step for each of its intervals.
    fn workout(&self) -> Vec<Message> {
        use mesgdef::Workout as Fields;
        let Some(workout) = &self.activity.workout else {
            return vec![];
        };
        let steps = workout.intervals();
        let head = MessageBuilder::new(typedef::MesgNum::WORKOUT)
            .text(Fields::WKT_NAME, workout.name())
            .enumeration(Fields::SPORT, typedef::Sport::CYCLING.0)
            .enumeration(Fields::SUB_SPORT, self.activity.sub_sport.code())
            .uint16(Fields::NUM_VALID_STEPS, count(steps.len()));
        let steps = steps.iter().enumerate();
        let steps = steps.map(|(index, interval)| self.workout_step(index, interval));
        [head.build()].into_iter().chain(steps).collect()
    }

    fn workout_step(&self, index: usize, interval: &Interval) -> Message {
        use mesgdef::WorkoutStep;
        let millis = u32::try_from(interval.duration.as_millis()).unwrap_or(u32::MAX);
        let step = MessageBuilder::new(typedef::MesgNum::WORKOUT_STEP)
            .uint16(WorkoutStep::MESSAGE_INDEX, count(index))
            .text(WorkoutStep::WKT_STEP_NAME, &interval.name)
            .enumeration(WorkoutStep::DURATION_TYPE, typedef::WktStepDuration::TIME.0)
            .uint32(WorkoutStep::DURATION_VALUE, millis)
            .enumeration(WorkoutStep::INTENSITY, intensity(interval.kind).0);
        let step = match interval.target {
            Target::Power { from, to } => {
                // Watts are written with an offset of 1000; smaller values are percent of FTP.
                let power = |fraction| {
                    let watts = watts(fraction, self.activity.recording.ftp);
                    u32::from(watts) + 1_000
                };
                step.enumeration(WorkoutStep::TARGET_TYPE, typedef::WktStepTarget::POWER.0)
                    .uint32(WorkoutStep::TARGET_VALUE, 0_u32)
                    .uint32(WorkoutStep::CUSTOM_TARGET_VALUE_LOW, power(from.min(to)))
                    .uint32(WorkoutStep::CUSTOM_TARGET_VALUE_HIGH, power(from.max(to)))
            }
            Target::Free | Target::Max => {
                step.enumeration(WorkoutStep::TARGET_TYPE, typedef::WktStepTarget::OPEN.0)
            }
        };
        let step = match interval.cadence.map(u32::from) {
            Some(cadence) => step
                .enumeration(
                    WorkoutStep::SECONDARY_TARGET_TYPE,
                    typedef::WktStepTarget::CADENCE.0,
                )
                .uint32(WorkoutStep::SECONDARY_TARGET_VALUE, 0_u32)
                .uint32(WorkoutStep::SECONDARY_CUSTOM_TARGET_VALUE_LOW, cadence)
                .uint32(WorkoutStep::SECONDARY_CUSTOM_TARGET_VALUE_HIGH, cadence),
            None => step,
        };
        step.build()
    }

    /// Records, timer events and laps in the order of time. At the same time, the timer stops first,
    /// then the lap ends, then the timer starts.
    fn timed(&self) -> Vec<Message> {
        let (start, stop) = (typedef::EventType::START, typedef::EventType::STOP_ALL);
        let mut timed = vec![];
        let mut laps = self.laps.iter().enumerate().peekable();
        let mut running_until = None;
        for (index, sample) in self.samples.iter().enumerate() {
            let at = time(sample.at);
            if let Some(until) = running_until.filter(|until| *until < at) {
                timed.push(timer(until, stop));
            }
            while let Some((number, lap)) = laps.next_if(|(_, lap)| lap.samples.end <= index) {
                timed.push(self.lap(number, lap));
            }
            if running_until != Some(at) {
                timed.push(timer(at, start));
            }
            timed.push(record(sample, self.motion.get(index).copied()));
            running_until = Some(at + 1);
        }
        timed.push(timer(self.end(), stop));
        timed.extend(laps.map(|(number, lap)| self.lap(number, lap)));
        timed
    }

    fn lap(&self, index: usize, part: &LapPart) -> Message {
        use mesgdef::Lap as Fields;
        let interval = part.interval.and_then(|interval| {
            let workout = self.activity.workout.as_ref()?;
            Some((interval, workout.intervals().get(interval as usize)?))
        });
        let trigger = if index + 1 == self.laps.len() {
            typedef::LapTrigger::SESSION_END
        } else if part.is_cut_off {
            typedef::LapTrigger::MANUAL
        } else {
            typedef::LapTrigger::TIME
        };
        let intensity =
            interval.map_or(typedef::Intensity::ACTIVE, |(_, step)| intensity(step.kind));
        let lap = MessageBuilder::at(typedef::MesgNum::LAP, part.to)
            .uint16(Fields::MESSAGE_INDEX, count(index))
            .uint32(Fields::START_TIME, part.from)
            .enumeration(Fields::EVENT, typedef::Event::LAP.0)
            .enumeration(Fields::EVENT_TYPE, typedef::EventType::STOP.0)
            .enumeration(Fields::LAP_TRIGGER, trigger.0)
            .enumeration(Fields::INTENSITY, intensity.0)
            .uint16(
                Fields::WKT_STEP_INDEX,
                interval.map(|(step, _)| count(step as usize)),
            )
            .enumeration(Fields::SPORT, typedef::Sport::CYCLING.0)
            .enumeration(Fields::SUB_SPORT, self.activity.sub_sport.code())
            .uint32(Fields::TOTAL_ELAPSED_TIME, millis(part.to - part.from));
        let totals = self.totals(part.samples.clone());
        lap.uint32(Fields::TOTAL_TIMER_TIME, totals.timer_millis)
            .uint32(Fields::TOTAL_WORK, totals.work)
            .uint16(Fields::TOTAL_CALORIES, totals.calories)
            .uint32(Fields::TOTAL_DISTANCE, totals.distance)
            .uint16(Fields::AVG_SPEED, totals.average_speed)
            .uint16(Fields::MAX_SPEED, totals.max_speed)
            .uint16(Fields::AVG_POWER, totals.figures.average_power.map(whole))
            .uint16(Fields::MAX_POWER, totals.figures.max_power)
            .uint16(
                Fields::NORMALIZED_POWER,
                totals.figures.normalised_power.map(whole),
            )
            .uint8(
                Fields::AVG_CADENCE,
                totals.figures.average_cadence.map(byte),
            )
            .uint8(Fields::MAX_CADENCE, totals.max_cadence)
            .uint8(
                Fields::AVG_HEART_RATE,
                totals.figures.average_heart_rate.map(byte),
            )
            .uint8(Fields::MAX_HEART_RATE, totals.max_heart_rate)
            .build()
    }

    fn session(&self) -> Message {
        use mesgdef::Session as Fields;
        let (start, end) = (self.start(), self.end());
        let totals = self.totals(0..self.samples.len());
        let figures = totals.figures;
        // Thousandths and tenths, as the profile has it; the casts saturate.
        let intensity_factor = figures
            .intensity_factor
            .map(|factor| whole(factor * 1_000.0));
        let stress_score = figures.stress_score.map(|score| whole(score * 10.0));
        MessageBuilder::at(typedef::MesgNum::SESSION, end)
            .uint16(Fields::MESSAGE_INDEX, 0_u16)
            .uint32(Fields::START_TIME, start)
            .enumeration(Fields::EVENT, typedef::Event::SESSION.0)
            .enumeration(Fields::EVENT_TYPE, typedef::EventType::STOP.0)
            .enumeration(Fields::TRIGGER, typedef::SessionTrigger::ACTIVITY_END.0)
            .enumeration(Fields::SPORT, typedef::Sport::CYCLING.0)
            .enumeration(Fields::SUB_SPORT, self.activity.sub_sport.code())
            .uint16(Fields::FIRST_LAP_INDEX, 0_u16)
            .uint16(Fields::NUM_LAPS, count(self.laps.len()))
            .uint32(Fields::TOTAL_ELAPSED_TIME, millis(end - start))
            .uint32(Fields::TOTAL_TIMER_TIME, totals.timer_millis)
            .uint32(Fields::TOTAL_WORK, totals.work)
            .uint16(Fields::TOTAL_CALORIES, totals.calories)
            .uint32(Fields::TOTAL_DISTANCE, totals.distance)
            .uint16(Fields::AVG_SPEED, totals.average_speed)
            .uint16(Fields::MAX_SPEED, totals.max_speed)
            .uint16(Fields::THRESHOLD_POWER, self.activity.recording.ftp.watts())
            .uint16(Fields::AVG_POWER, figures.average_power.map(whole))
            .uint16(Fields::MAX_POWER, figures.max_power)
            .uint16(
                Fields::NORMALIZED_POWER,
                figures.normalised_power.map(whole),
            )
            .uint8(Fields::AVG_CADENCE, figures.average_cadence.map(byte))
            .uint8(Fields::MAX_CADENCE, totals.max_cadence)
            .uint8(Fields::AVG_HEART_RATE, figures.average_heart_rate.map(byte))
            .uint8(Fields::MAX_HEART_RATE, totals.max_heart_rate)
            .uint16(Fields::INTENSITY_FACTOR, intensity_factor)
            .uint16(Fields::TRAINING_STRESS_SCORE, stress_score)
            .build()
    }

    fn activity(&self, utc_offset: i32) -> Message {
        use mesgdef::Activity as Fields;
        let end = self.end();
        MessageBuilder::at(typedef::MesgNum::ACTIVITY, end)
            .uint32(Fields::TOTAL_TIMER_TIME, millis(self.samples.len() as u32))
            .uint16(Fields::NUM_SESSIONS, 1_u16)
            .enumeration(Fields::TYPE, typedef::Activity::MANUAL.0)
            .enumeration(Fields::EVENT, typedef::Event::ACTIVITY.0)
            .enumeration(Fields::EVENT_TYPE, typedef::EventType::STOP.0)
            .uint32(
                Fields::LOCAL_TIMESTAMP,
                end.saturating_add_signed(utc_offset),
            )
            .build()
    }

    fn totals(&self, range: core::ops::Range<usize>) -> Totals {
        let samples = &self.samples[range.clone()];
        let figures = Summary::of_samples(samples, self.activity.recording.ftp);
        let motion = self.motion.get(range.clone()).unwrap_or_default();
        let before = range
            .start
            .checked_sub(1)
            .and_then(|at| self.motion.get(at));
        let distance = motion.last().map(|last| {
            let before = before.map_or(0.0, |motion| motion.distance);
            last.distance - before
        });
        let fastest = motion.iter().map(|motion| motion.speed);
        let fastest = fastest.reduce(f64::max);
        let seconds = samples.len() as f64;
        let highest = |value: fn(&Sample) -> Option<u8>| samples.iter().filter_map(value).max();
        Totals {
            timer_millis: millis(samples.len() as u32),
            work: (figures.work_kj * 1_000.0).round() as u32,
            // The usual estimate: of the energy that a rider burns, about 24 % reaches the pedals,
            // which cancels out the 4.18 kJ of a kilocalorie.
            calories: figures.max_power.map(|_| whole(figures.work_kj)),
            distance: distance.map(centimetres),
            average_speed: distance.map(|distance| millimetres(distance / seconds.max(1.0))),
            max_speed: fastest.map(millimetres),
            max_cadence: highest(|sample| sample.cadence),
            max_heart_rate: highest(|sample| sample.heart_rate),
            figures,
        }
    }
}

/// Figures of a lap or of the session, in units of FIT.
struct Totals {
    figures: Summary,
    timer_millis: u32,
    /// Work in J.
    work: u32,
    /// Energy in kcal.
    calories: Option<u16>,
    /// Distance in cm.
    distance: Option<u32>,
    /// Mean speed in mm/s.
    average_speed: Option<u16>,
    /// Highest speed in mm/s.
    max_speed: Option<u16>,
    max_cadence: Option<u8>,
    max_heart_rate: Option<u8>,
}

/// Samples in ascending order, without runs of more than [`MAX_SILENCE`] that have no reading. A ride
/// without any reading keeps all.
fn recorded(samples: &[Sample]) -> Vec<Sample> {
    let has_reading = |sample: &Sample| {
        sample.power.is_some() || sample.cadence.is_some() || sample.heart_rate.is_some()
    };
    let has_readings = samples.iter().any(has_reading);
    let runs = samples.chunk_by(|one, next| has_reading(one) == has_reading(next));
    let runs = runs.filter(|run| {
        let is_silent = run.first().is_some_and(|sample| !has_reading(sample));
        !has_readings || !is_silent || run.len() <= MAX_SILENCE
    });
    let mut recorded: Vec<Sample> = vec![];
    for sample in runs.flatten() {
        if recorded.last().is_none_or(|last| last.at < sample.at) {
            recorded.push(*sample);
        }
    }
    recorded
}

/// Speed and distance of a virtual rider, who begins at rest after each gap. A second without power
/// is ridden without.
fn motion(samples: &[Sample]) -> Vec<Motion> {
    if samples.iter().all(|sample| sample.power.is_none()) {
        return vec![];
    }
    let (mut rider, mut distance) = (VirtualRider::default(), 0.0);
    let mut next = None;
    let seconds = samples.iter().map(|sample| {
        if next != Some(time(sample.at)) {
            rider = VirtualRider::default();
        }
        next = Some(time(sample.at) + 1);
        let speed = rider.ride(sample.power.unwrap_or_default());
        distance += speed;
        Motion { speed, distance }
    });
    seconds.collect()
}

/// Laps with at least one record; the whole ride where no lap was recorded.
fn laps(laps: &[Lap], samples: &[Sample]) -> Vec<LapPart> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return vec![];
    };
    let end = time(last.at) + 1;
    let later = laps.get(1..).unwrap_or_default();
    // A lap begins with its first record: what was left out before it belongs to the lap before.
    let starts = later.iter().map(|lap| {
        let at = samples.partition_point(|sample| sample.at < lap.at);
        (at, lap.interval, lap.after_jump)
    });
    let whole = (0, laps.first().and_then(|lap| lap.interval), false);
    let starts: Vec<_> = [whole].into_iter().chain(starts).collect();
    let nexts = starts.iter().skip(1).copied();
    let nexts = nexts.chain([(samples.len(), None, false)]);
    let parts = starts.iter().zip(nexts);
    let parts = parts.filter(|((from, ..), (to, ..))| from < to);
    let time_at = |at: usize| samples.get(at).map_or(end, |sample| time(sample.at));
    let start = time(first.at);
    let parts = parts.map(|((from, interval, _), (to, _, is_cut_off))| LapPart {
        from: time_at(*from).max(start),
        to: time_at(to),
        samples: *from..to,
        interval: *interval,
        is_cut_off,
    });
    parts.collect()
}

fn timer(at: u32, kind: typedef::EventType) -> Message {
    use mesgdef::Event as Fields;
    MessageBuilder::at(typedef::MesgNum::EVENT, at)
        .enumeration(Fields::EVENT, typedef::Event::TIMER.0)
        .enumeration(Fields::EVENT_TYPE, kind.0)
        .uint8(Fields::EVENT_GROUP, 0_u8)
        .build()
}

fn record(sample: &Sample, motion: Option<Motion>) -> Message {
    use mesgdef::Record as Fields;
    MessageBuilder::at(typedef::MesgNum::RECORD, time(sample.at))
        .uint32(
            Fields::DISTANCE,
            motion.map(|motion| centimetres(motion.distance)),
        )
        .uint16(
            Fields::SPEED,
            motion.map(|motion| millimetres(motion.speed)),
        )
        .uint16(Fields::POWER, sample.power)
        .uint8(Fields::CADENCE, sample.cadence)
        .uint8(Fields::HEART_RATE, sample.heart_rate)
        .developer_field(TARGET_FIELD, sample.target)
        .build()
}

fn intensity(kind: IntervalKind) -> typedef::Intensity {
    match kind {
        IntervalKind::Warmup => typedef::Intensity::WARMUP,
        IntervalKind::Cooldown => typedef::Intensity::COOLDOWN,
        IntervalKind::Rest => typedef::Intensity::REST,
        IntervalKind::Steady
        | IntervalKind::Ramp
        | IntervalKind::Work
        | IntervalKind::FreeRide
        | IntervalKind::MaxEffort => typedef::Intensity::ACTIVE,
    }
}

/// Time in seconds of FIT. `Writer::new` has checked the first and the last time of the ride, and
/// everything else lies between.
fn time(at: WallTime) -> u32 {
    u32::try_from(at.unix_seconds().saturating_sub(EPOCH)).unwrap_or(u32::MAX - 1)
}

/// Version of the app in hundredths.
fn software_version() -> u16 {
    let part = |text: &str| text.parse::<u16>().unwrap_or_default();
    let (major, minor) = (
        part(env!("CARGO_PKG_VERSION_MAJOR")),
        part(env!("CARGO_PKG_VERSION_MINOR")),
    );
    major.saturating_mul(100).saturating_add(minor.min(99))
}

fn count(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn millis(seconds: u32) -> u32 {
    seconds.saturating_mul(1_000)
}

// The casts of floating-point numbers saturate.

fn centimetres(metres: f64) -> u32 {
    (metres * 100.0).round() as u32
}

fn millimetres(metres: f64) -> u16 {
    (metres * 1_000.0).round() as u16
}

fn whole(value: f32) -> u16 {
    value.round() as u16
}

fn byte(value: f32) -> u8 {
    value.round() as u8
}

#[cfg(test)]
mod tests;
