//! Planned workouts of a day.

use std::collections::BTreeMap;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::value::RawValue;

use super::{Answer, CallError, LocalDate};
use crate::{
    formats::{self, FileError, MAX_FILE_BYTES},
    rider::Ftp,
    text::clean,
    workout::Workout,
};

/// Largest number of planned workouts of a day.
const MAX_PLANNED: usize = 50;
/// Longest name in characters.
const MAX_NAME_CHARS: usize = 120;
/// Members of an event that hold a file in base64; the second is that of events being created.
const FILES: [&str; 2] = ["workout_file_base64", "file_contents_base64"];
/// Parts of the names of the sports that are ridden: `Ride`, `VirtualRide`, `Cyclocross`,
/// `Handcycle`, `Velomobile`.
const RIDDEN: [&str; 3] = ["ride", "cyc", "velo"];

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Members of an object, as they are in the text.
pub(super) type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Workout of the rider's calendar.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedWorkout {
    /// Id of the event at the service; the position in the list if it has none.
    pub id: String,
    /// Name in the calendar; may be empty.
    pub name: String,
    /// The workout, or the reason why it cannot be ridden.
    pub workout: Result<Workout, PlannedError>,
}

/// Reason why a planned workout cannot be ridden.
#[derive(Clone, Debug, PartialEq)]
pub enum PlannedError {
    /// It has no file and no steps: it is planned in words only.
    NoSteps,
    /// Its file is not a workout.
    Invalid(FileError),
}

/// Reads the planned workouts of a day for a rider with this FTP. Workouts of other sports and of
/// other days are left out.
///
/// # Errors
/// [`CallError`].
pub fn read_planned_workouts(
    answer: Answer<'_>,
    day: LocalDate,
    ftp: Ftp,
) -> Result<Vec<PlannedWorkout>, CallError> {
    let body = answer.success()?;
    let body = core::str::from_utf8(body).map_err(|_| CallError::Unreadable)?;
    let events: Vec<&RawValue> = serde_json::from_str(body).map_err(|_| CallError::Unreadable)?;
    let day = day.to_string();
    let events = events.iter().enumerate().filter_map(|(at, event)| {
        let event = members(event.get())?;
        let start = text(&event, "start_date_local");
        let is_of_day = start.is_none_or(|start| start.starts_with(&day));
        (is_of_day && is_workout(&event) && is_ridden(&event)).then(|| planned(at, &event, ftp))
    });
    Ok(events.take(MAX_PLANNED).collect())
}

fn is_workout(event: &Members<'_>) -> bool {
    text(event, "category").is_none_or(|category| category == "WORKOUT")
}

fn is_ridden(event: &Members<'_>) -> bool {
    text(event, "type").is_none_or(|sport| {
        let sport = sport.to_lowercase();
        RIDDEN.iter().any(|part| sport.contains(part))
    })
}

fn planned(at: usize, event: &Members<'_>, ftp: Ftp) -> PlannedWorkout {
    let name = clean(&text(event, "name").unwrap_or_default(), false);
    let name: String = name.chars().take(MAX_NAME_CHARS).collect();
    let file_name = text(event, "workout_filename").unwrap_or_else(|| format!("{name}.zwo"));
    let file = file(event).map(|file| read(&file, &file_name, ftp));
    // A file that cannot be ridden may come of steps that can: those with words or heart rates only
    // are not in a ZWO file.
    let workout = match file {
        Some(Ok(workout)) => Ok(workout),
        file => match steps(event).map(|steps| read(steps.as_bytes(), "workout.json", ftp)) {
            Some(Ok(workout)) => Ok(workout),
            steps => file.or(steps).unwrap_or(Err(PlannedError::NoSteps)),
        },
    };
    PlannedWorkout {
        id: text(event, "id").unwrap_or_else(|| at.to_string()),
        name,
        workout,
    }
}

fn read(file: &[u8], file_name: &str, ftp: Ftp) -> Result<Workout, PlannedError> {
    match formats::read(file, file_name, ftp) {
        Ok(imported) => Ok(imported.workout),
        Err(FileError::Empty) => Err(PlannedError::NoSteps),
        Err(error) => Err(PlannedError::Invalid(error)),
    }
}

/// File of an event.
fn file(event: &Members<'_>) -> Option<Vec<u8>> {
    let encoded = FILES.iter().find_map(|name| text(event, name));
    match encoded {
        // Longer than any file that is read; its size is the error.
        Some(encoded) if encoded.len() > MAX_FILE_BYTES * 3 / 2 => Some(encoded.into_bytes()),
        Some(mut encoded) => {
            encoded.retain(|c| !c.is_ascii_whitespace());
            // What is no base64 is read as it is, and refused as a file.
            Some(BASE64.decode(&encoded).unwrap_or(encoded.into_bytes()))
        }
        None => text(event, "file_contents").map(String::into_bytes),
    }
}

/// Steps of an event as a file of JSON.
fn steps(event: &Members<'_>) -> Option<String> {
    let steps = event.get("workout_doc")?.get();
    let has_steps = members(steps)?.contains_key("steps");
    let name = event.get("name").map_or("\"\"", |name| name.get());
    has_steps.then(|| format!(r#"{{"name":{name},"workout_doc":{steps}}}"#))
}

/// Members of an object; `None` for anything else.
pub(super) fn members(json: &str) -> Option<Members<'_>> {
    serde_json::from_str(json).ok()
}

/// Member that is a text or a number.
pub(super) fn text(members: &Members<'_>, name: &str) -> Option<String> {
    let value = members.get(name)?.get();
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str(value).ok(),
        b'-' | b'0'..=b'9' => Some(value.to_owned()),
        _ => None,
    }
}
