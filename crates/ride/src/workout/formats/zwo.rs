//! Reading of workouts from ZWO files, the XML format of Zwift, and writing of them. It has no
//! official specification; this follows GoldenCheetah's reader and h4l's
//! zwift-workout-file-reference.
//!
//! Many of these files are written by hand or by small programs and are not well-formed XML.
//!
//! Layout: `markup` reads elements and tolerates errors, `elements` reads the elements of the
//! workout, `attributes` their values, `write` writes a file.
//!
//! Powers are fractions of FTP. `PowerLow` is the power at the start and `PowerHigh` the power at
//! the end, even where the first is the larger one; a cool-down always goes down.

mod attributes;
mod elements;
mod markup;
mod write;

pub(super) use write::write;

use super::error::{self, FileError, Place};
use super::remark::{RemarkKind, Remarks};
use crate::workout::Draft;
use attributes::Lengths;
use markup::Element;

/// Reads the workout of a file. Returns it with the place that remarks on its texts have.
pub(super) fn read(remarks: &mut Remarks<'_>) -> Result<(Draft, usize), FileError> {
    let text = remarks.text();
    let roots = markup::read(text, remarks)?;
    let root = find_root(text, &roots)?;
    Ok((read_file(root, remarks)?, root.at))
}

/// The element of the workout file, or of a workout alone.
fn find_root<'e, 'a>(text: &str, roots: &'e [Element<'a>]) -> Result<&'e Element<'a>, FileError> {
    let is_workout = |root: &&Element| root.is("workout_file") || root.is("workout");
    roots.iter().find(is_workout).ok_or_else(|| {
        roots.first().map_or(FileError::UnknownFormat, |root| {
            FileError::NotAWorkoutFile {
                place: Place::at(text, root.at),
                found: error::clip(root.name),
            }
        })
    })
}

fn read_file<'a>(root: &Element<'a>, remarks: &mut Remarks<'a>) -> Result<Draft, FileError> {
    let mut draft = Draft::default();
    if root.is("workout") {
        elements::read(root, Lengths::Seconds, &mut draft, remarks)?;
        return Ok(draft);
    }
    let (mut workout, mut short_name) = (None, String::new());
    let (mut is_run, mut distance_at) = (false, None);
    for child in &root.children {
        match child.name.to_ascii_lowercase().as_str() {
            "name" => draft.name = child.trimmed_text(),
            "n" => short_name = child.trimmed_text(),
            "author" => draft.author = child.trimmed_text(),
            "description" => draft.description = child.trimmed_text(),
            "workout" if workout.is_none() => workout = Some(child),
            "sporttype" => {
                is_run = child.trimmed_text().to_ascii_lowercase().contains("run");
                if is_run {
                    remarks.add(child.at, RemarkKind::Running);
                }
            }
            "durationtype" => {
                let is_distance = child.trimmed_text().eq_ignore_ascii_case("distance");
                distance_at = is_distance.then_some(child.at);
            }
            // Metadata of collections does not affect the ride.
            "tags" | "category" | "subcategory" | "categoryindex" | "uniqueid" | "legacyidhash"
            | "overunder" => {}
            _ => remarks.ignore(child.at, child.name),
        }
    }
    if draft.name.is_empty() {
        draft.name = short_name;
    }
    let workout = workout.ok_or_else(|| FileError::NoWorkout {
        place: Place::at(remarks.text(), root.at),
        expected: "<workout>",
    })?;
    let lengths = match distance_at {
        Some(at) => {
            let lengths = Lengths::Metres { is_run };
            remarks.add(at, RemarkKind::Distance { kmh: lengths.kmh() });
            lengths
        }
        None => Lengths::Seconds,
    };
    elements::read(workout, lengths, &mut draft, remarks)?;
    Ok(draft)
}

#[cfg(test)]
mod tests;
