//! Reading of workouts from ZWO files, the XML format of Zwift. It has no official specification;
//! this reader follows GoldenCheetah's reader and h4l's zwift-workout-file-reference.
//!
//! Many of these files are written by hand or by small programs and are not well-formed XML. A file
//! is refused only if nothing in it can be ridden. Everything that was repaired, assumed or left out
//! is a [`Remark`] with its line.
//!
//! Layout: `source` decodes the bytes, `markup` reads elements and tolerates errors, `elements`
//! reads the elements of the workout, `attributes` their values, `texts` shortens long texts.
//! [`Remark`] and [`ZwoError`] describe what the rider should know.
//!
//! Powers are fractions of FTP. `PowerLow` is the power at the start and `PowerHigh` the power at
//! the end, even where the first is the larger one; a cool-down always goes down.

mod attributes;
mod elements;
mod error;
mod markup;
mod remark;
mod source;
mod texts;

pub use error::{Place, ZwoError};
pub use remark::{Malformation, Quantity, Remark, RemarkKind};

use super::{Draft, Workout};
use attributes::Lengths;
use markup::Element;
use remark::Remarks;

/// Largest file in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;
/// Name of a workout without one, from a file without one.
const UNNAMED: &str = "Untitled workout";

/// Workout read from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Workout.
    pub workout: Workout,
    /// Everything that was repaired, assumed or left out, by line.
    pub remarks: Vec<Remark>,
}

/// Reads a workout from the bytes of a ZWO file. `file_name` names a workout without a name. It
/// never panics, and its time and memory are proportional to [`MAX_FILE_BYTES`].
///
/// # Errors
/// [`ZwoError`] if there is nothing to ride in the file, or if it exceeds a limit.
pub fn parse(bytes: &[u8], file_name: &str) -> Result<Imported, ZwoError> {
    let source = source::decode(bytes)?;
    let mut remarks = Remarks::new(&source.text);
    if let Some(at) = source.assumed_encoding_at {
        remarks.add(at, RemarkKind::Encoding);
    }
    let roots = markup::read(&source.text, &mut remarks)?;
    let root = find_root(&source.text, &roots)?;
    let mut draft = read_file(root, &mut remarks)?;
    if draft.name.is_empty() {
        draft.name = name_of_file(file_name);
    }
    texts::fit(&mut draft, root.at, &mut remarks);
    let workout = Workout::new(draft)?;
    Ok(Imported {
        workout,
        remarks: remarks.take(),
    })
}

/// The element of the workout file, or of a workout alone.
fn find_root<'e, 'a>(text: &str, roots: &'e [Element<'a>]) -> Result<&'e Element<'a>, ZwoError> {
    let is_workout = |root: &&Element| root.is("workout_file") || root.is("workout");
    roots.iter().find(is_workout).ok_or_else(|| {
        roots
            .first()
            .map_or(ZwoError::NotXml, |root| ZwoError::NotAWorkoutFile {
                place: Place::at(text, root.at),
                found: error::clip(root.name),
            })
    })
}

fn read_file<'a>(root: &Element<'a>, remarks: &mut Remarks<'a>) -> Result<Draft, ZwoError> {
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
    let workout = workout.ok_or_else(|| ZwoError::NoWorkout {
        place: Place::at(remarks.text(), root.at),
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

/// Name of a file without its folder and its ending, such as "Sweet spot" of `Sweet spot.zwo`.
fn name_of_file(file: &str) -> String {
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let name = crate::text::clean(stem, false);
    if name.is_empty() {
        UNNAMED.to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests;
