//! Writing a recording as a FIT activity file (Garmin FIT protocol 2.0, profile 21).
//!
//! The file holds: its origin and devices, the workout with its steps, then in the order of time the
//! records with the starts and stops of the timer and the laps, at last the session and the activity.
//!
//! What readers rely on, besides what all files of a ride share ([`activity`](super::activity)):
//! - Each stop of the timer is followed by a gap. Stops are `stop_all`, since several readers know no
//!   other.
//! - Targets are a developer field, which needs version 2.0 of the protocol.

mod message;

use clock::WallTime;
use embedded_io_adapters::std::FromStd;
use rustyfit::Encoder;
use rustyfit::profile::{mesgdef, typedef};
use rustyfit::proto::{FIT, Message, ProtocolVersion};

use self::message::MessageBuilder;
use super::Sample;
pub use super::activity::{Activity, ActivityError as FitError, ActivityFile as FitFile, SubSport};
use super::activity::{CREATOR, FIT_EPOCH, Motion, Ride, RideLap, byte, file_name, version, whole};
use crate::workout::{Interval, IntervalKind, Target, watts};

/// Id of this application in developer data, a constant UUID.
const APPLICATION_ID: [u8; 16] = [
    0x5b, 0x1e, 0xc6, 0x0a, 0x7d, 0x43, 0x4f, 0x52, 0x9a, 0x6e, 0x31, 0xd7, 0x08, 0x2c, 0xb4, 0xf9,
];
/// Number of the developer field for the target.
const TARGET_FIELD: u8 = 0;

/// Writes a ride as a FIT file. `utc_offset` is the offset of local time from UTC in seconds, for a ride
/// that does not know it ([`Recording::utc_offset`](super::Recording)).
///
/// # Errors
/// [`FitError`].
pub fn encode(activity: &Activity, utc_offset: i32) -> Result<FitFile, FitError> {
    let utc_offset = super::activity::utc_offset(&activity.recording, utc_offset);
    let ride = Ride::new(activity)?;
    let file = Writer { ride: &ride };
    let mut messages = file.origin();
    messages.extend(file.workout());
    messages.extend(file.timed());
    messages.push(file.session());
    messages.push(file.activity(utc_offset));
    Ok(FitFile {
        name: file_name(&activity.recording, utc_offset, "fit"),
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

/// Writer of the messages of a ride.
struct Writer<'a> {
    ride: &'a Ride<'a>,
}

impl Writer<'_> {
    fn start(&self) -> u32 {
        fit_time(self.ride.start())
    }

    /// Second after the last record.
    fn end(&self) -> u32 {
        fit_time(self.ride.end())
    }

    fn sub_sport(&self) -> u8 {
        match self.ride.activity.sub_sport {
            SubSport::IndoorCycling => typedef::SubSport::INDOOR_CYCLING.0,
            SubSport::VirtualActivity => typedef::SubSport::VIRTUAL_ACTIVITY.0,
        }
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
            .uint32z(FileId::SERIAL_NUMBER, self.ride.activity.serial_number)
            .uint32(FileId::TIME_CREATED, start)
            .text(FileId::PRODUCT_NAME, CREATOR);
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
        let app = device(typedef::DeviceIndex::CREATOR.0, CREATOR)
            .uint32z(DeviceInfo::SERIAL_NUMBER, self.ride.activity.serial_number)
            .uint16(DeviceInfo::PRODUCT, 0_u16)
            .uint16(DeviceInfo::SOFTWARE_VERSION, software_version())
            .enumeration(DeviceInfo::SOURCE_TYPE, typedef::SourceType::LOCAL.0);
        let sensors = (1..).zip(&self.ride.activity.recording.sensors);
        // What a device measures is not recorded, so it has no type.
        let sensors = sensors.map(|(index, name)| {
            let source = match name.as_str() {
                super::SIMULATOR => typedef::SourceType::LOCAL,
                _ => typedef::SourceType::BLUETOOTH_LOW_ENERGY,
            };
            device(index, name).enumeration(DeviceInfo::SOURCE_TYPE, source.0)
        });
        [app].into_iter().chain(sensors).collect()
    }

    /// The workout, and a step for each of its intervals. Of a workout that is not known any more
    /// there is the name only.
    fn workout(&self) -> Vec<Message> {
        use mesgdef::Workout as Fields;
        let workout = &self.ride.activity.workout;
        let steps = workout.as_ref().map_or(&[][..], |it| it.intervals());
        let name = self.ride.workout_name();
        if name.is_empty() && steps.is_empty() {
            return vec![];
        }
        let head = MessageBuilder::new(typedef::MesgNum::WORKOUT)
            .text(Fields::WKT_NAME, name)
            .enumeration(Fields::SPORT, typedef::Sport::CYCLING.0)
            .enumeration(Fields::SUB_SPORT, self.sub_sport())
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
                    let watts = watts(fraction, self.ride.activity.recording.ftp);
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
        let mut laps = self.ride.laps.iter().enumerate().peekable();
        let mut running_until = None;
        for (index, sample) in self.ride.samples.iter().enumerate() {
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
            timed.push(record(sample, self.ride.motion(index)));
            running_until = Some(at + 1);
        }
        timed.push(timer(self.end(), stop));
        timed.extend(laps.map(|(number, lap)| self.lap(number, lap)));
        timed
    }

    fn lap(&self, index: usize, part: &RideLap) -> Message {
        use mesgdef::Lap as Fields;
        let interval = self.ride.interval(part);
        let trigger = if index + 1 == self.ride.laps.len() {
            typedef::LapTrigger::SESSION_END
        } else if part.is_cut_off {
            typedef::LapTrigger::MANUAL
        } else {
            typedef::LapTrigger::TIME
        };
        let intensity =
            interval.map_or(typedef::Intensity::ACTIVE, |(_, step)| intensity(step.kind));
        let (from, to) = (fit_time(part.from), fit_time(part.to));
        let lap = MessageBuilder::at(typedef::MesgNum::LAP, to)
            .uint16(Fields::MESSAGE_INDEX, count(index))
            .uint32(Fields::START_TIME, from)
            .enumeration(Fields::EVENT, typedef::Event::LAP.0)
            .enumeration(Fields::EVENT_TYPE, typedef::EventType::STOP.0)
            .enumeration(Fields::LAP_TRIGGER, trigger.0)
            .enumeration(Fields::INTENSITY, intensity.0)
            .uint16(
                Fields::WKT_STEP_INDEX,
                interval.map(|(step, _)| count(step as usize)),
            )
            .enumeration(Fields::SPORT, typedef::Sport::CYCLING.0)
            .enumeration(Fields::SUB_SPORT, self.sub_sport())
            .uint32(Fields::TOTAL_ELAPSED_TIME, millis(to - from));
        let totals = self.ride.totals(part.samples.clone());
        lap.uint32(Fields::TOTAL_TIMER_TIME, millis(totals.seconds))
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
        let totals = self.ride.totals(0..self.ride.samples.len());
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
            .enumeration(Fields::SUB_SPORT, self.sub_sport())
            .uint16(Fields::FIRST_LAP_INDEX, 0_u16)
            .uint16(Fields::NUM_LAPS, count(self.ride.laps.len()))
            .uint32(Fields::TOTAL_ELAPSED_TIME, millis(end - start))
            .uint32(Fields::TOTAL_TIMER_TIME, millis(totals.seconds))
            .uint32(Fields::TOTAL_WORK, totals.work)
            .uint16(Fields::TOTAL_CALORIES, totals.calories)
            .uint32(Fields::TOTAL_DISTANCE, totals.distance)
            .uint16(Fields::AVG_SPEED, totals.average_speed)
            .uint16(Fields::MAX_SPEED, totals.max_speed)
            .uint16(
                Fields::THRESHOLD_POWER,
                self.ride.activity.recording.ftp.watts(),
            )
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
            .uint32(
                Fields::TOTAL_TIMER_TIME,
                millis(self.ride.samples.len() as u32),
            )
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
        .uint32(Fields::DISTANCE, motion.map(|motion| motion.distance))
        .uint16(Fields::SPEED, motion.map(|motion| motion.speed))
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

/// Time in seconds of FIT of a second.
fn time(at: WallTime) -> u32 {
    fit_time(at.unix_seconds())
}

/// Time in seconds of FIT of a Unix time in seconds. `Ride::new` has checked the first and the last
/// time of the ride, and everything else lies between.
fn fit_time(unix: u64) -> u32 {
    u32::try_from(unix.saturating_sub(FIT_EPOCH)).unwrap_or(u32::MAX - 1)
}

/// Version of the app in hundredths.
fn software_version() -> u16 {
    let (major, minor) = version();
    major.saturating_mul(100).saturating_add(minor.min(99))
}

fn count(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn millis(seconds: u32) -> u32 {
    seconds.saturating_mul(1_000)
}

#[cfg(test)]
mod tests;
