//! Workouts in JSON: the format of wolfv/cycling-workout, extended by what it lacks (author,
//! cadences, cues, free rides), and the structured workouts of intervals.icu (`workout_doc`).
//!
//! Layout: `intervals` reads the intervals of the first, `steps` the steps of the second, `value`
//! reads values, `write` writes a file.

mod intervals;
mod steps;
mod value;
mod write;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::error::{FileError, Place};
use super::remark::Remarks;
use crate::rider::Ftp;
use crate::workout::{Draft, FtpTest};

pub(super) use write::{object, write};

/// Members of an object, as they are in the text.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// Reads the workout of a file.
pub(super) fn read(ftp: Ftp, remarks: &mut Remarks<'_>) -> Result<Draft, FileError> {
    let text = remarks.text();
    let mut members = members(text, text)?;
    if let Some(document) = members.get("workout_doc").copied() {
        let name = members.get("name").copied();
        members = self::members(document.get(), text)?;
        members.extend(name.map(|name| ("name".to_owned(), name)));
    }
    let mut draft = Draft {
        name: value::text(&members, "name"),
        author: value::text(&members, "author"),
        description: value::text(&members, "description"),
        ftp_test: ftp_test(&value::text(&members, "ftpTest")),
        ..Draft::default()
    };
    let list = |key: &str| -> Option<Vec<&RawValue>> {
        serde_json::from_str(members.get(key)?.get()).ok()
    };
    let reader = value::Reader::new(text, &members, ftp, remarks);
    let at = if let Some(list) = list("intervals") {
        intervals::read(&list, list_of(&members, "cues"), reader, &mut draft)?;
        members["intervals"]
    } else if let Some(list) = list("steps") {
        steps::read(&list, reader, &mut draft)?;
        members["steps"]
    } else {
        return Err(FileError::NoWorkout {
            place: Place::at(text, 0),
            expected: "list of \"intervals\"",
        });
    };
    if draft.intervals.is_empty() {
        return Err(FileError::NothingToRide {
            place: Place::at(text, value::offset(text, at)),
            remarks: remarks.take(),
        });
    }
    Ok(draft)
}

/// Names of the tests of FTP in a file.
const FTP_TESTS: [(&str, FtpTest); 2] = [
    ("ramp", FtpTest::Ramp),
    ("20-minute", FtpTest::TwentyMinutes),
];

fn ftp_test(name: &str) -> Option<FtpTest> {
    let found = FTP_TESTS.iter().find(|(known, _)| *known == name);
    found.map(|(_, test)| *test)
}

/// Members of the object in `part`, a part of `text`.
fn members<'a>(part: &'a str, text: &str) -> Result<Members<'a>, FileError> {
    let start = part.as_ptr() as usize - text.as_ptr() as usize;
    serde_json::from_str(part).map_err(|error| {
        let lines = part
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1));
        let line_start: usize = lines.map(str::len).sum();
        let at = line_start + error.column().saturating_sub(1);
        let at = part.floor_char_boundary(at);
        FileError::InvalidJson {
            place: Place::at(text, start + at),
        }
    })
}

fn list_of<'a>(members: &Members<'a>, key: &str) -> Vec<&'a RawValue> {
    let list = members
        .get(key)
        .and_then(|list| serde_json::from_str(list.get()).ok());
    list.unwrap_or_default()
}

#[cfg(test)]
mod tests;
