//! Reading and writing of workout files, one interface for all formats.
//!
//! A file is refused only if nothing in it can be ridden. Everything that was repaired, assumed or
//! left out is a [`Remark`] with its place.
//!
//! Layout: this file holds the interface and tells the formats apart. `source` decodes bytes to
//! text, `texts` shortens long texts, [`Remark`] and [`FileError`] describe what the rider should
//! know. [`library_file`] is the file of a rider's whole library. Each format has a module: `zwo`, `course` (ERG and MRC), `json`, `fit`.

mod course;
mod error;
mod fit;
mod json;
pub mod library_file;
mod remark;
mod source;
mod texts;
mod zwo;

pub use error::{FileError, Place};
pub use remark::{Malformation, PowerUnit, Quantity, Remark, RemarkKind};

use super::{Draft, Interval, MAX_DURATION, MAX_FRACTION, MAX_INTERVALS, Workout, WorkoutError};
use crate::rider::Ftp;
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
    /// Everything that was repaired, assumed or left out, by place.
    pub remarks: Vec<Remark>,
}

/// Format in which workouts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// XML of Zwift: powers as fractions of FTP, with cues. Names of intervals are left out.
    Zwo,
    /// Course of minutes and W. Cues are in `[COURSE TEXT]`; kinds and cadences are left out.
    Erg,
    /// Course of minutes and percent of FTP. Cues are in `[COURSE TEXT]`; kinds and cadences are
    /// left out.
    Mrc,
    /// JSON with everything that a workout has.
    Json,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Zwo, Self::Erg, Self::Mrc, Self::Json];

    /// Ending of the names of files, without a dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Zwo => "zwo",
            Self::Erg => "erg",
            Self::Mrc => "mrc",
            Self::Json => "json",
        }
    }
}

/// Reads a workout from the bytes of a file: ZWO, ERG, MRC, JSON or FIT, told apart by the content
/// first and the name second. `file_name` names a workout without a name. Powers in W are read as
/// shares of the FTP that the file names, or else of `ftp`. It never panics, and its time and memory
/// are proportional to [`MAX_FILE_BYTES`].
///
/// # Errors
/// [`FileError`] if there is nothing to ride in the file, or if it exceeds a limit.
pub fn read(bytes: &[u8], file_name: &str, ftp: Ftp) -> Result<Imported, FileError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(FileError::TooLarge { bytes: bytes.len() });
    }
    if fit::is_fit(bytes) {
        let mut remarks = Remarks::binary();
        let draft = fit::read(bytes, ftp, &mut remarks)?;
        return finish(draft, 0, file_name, remarks);
    }
    let source = source::decode(bytes)?;
    let mut remarks = Remarks::new(&source.text);
    if let Some(at) = source.assumed_encoding_at {
        remarks.add(at, RemarkKind::Encoding);
    }
    let (draft, at) = match text_format(&source.text, file_name)? {
        TextFormat::Zwo => zwo::read(&mut remarks)?,
        TextFormat::Course => (course::read(file_name, ftp, &mut remarks)?, 0),
        TextFormat::Json => (json::read(ftp, &mut remarks)?, 0),
    };
    finish(draft, at, file_name, remarks)
}

/// Writes a workout. Powers in W are shares of `ftp`. Reading the file again gives a workout that is
/// ridden in the same way, with the texts that the format has.
pub fn write(workout: &Workout, format: Format, ftp: Ftp) -> String {
    match format {
        Format::Zwo => zwo::write(workout),
        Format::Erg => course::write(workout, PowerUnit::Watts, ftp),
        Format::Mrc => course::write(workout, PowerUnit::Percent, ftp),
        Format::Json => json::write(workout),
    }
}

#[derive(Clone, Copy)]
enum TextFormat {
    Zwo,
    Course,
    Json,
}

fn text_format(text: &str, file_name: &str) -> Result<TextFormat, FileError> {
    let ending = file_name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_named = |endings: &[&str]| endings.iter().any(|one| one.eq_ignore_ascii_case(ending));
    let start = text.trim_start();
    if course::has_section(text) {
        Ok(TextFormat::Course)
    } else if start.starts_with(['{', '[']) {
        Ok(TextFormat::Json)
    } else if start.starts_with('<') {
        Ok(TextFormat::Zwo)
    } else if is_named(&["erg", "mrc"]) {
        Ok(TextFormat::Course)
    } else if text.contains('<') {
        Ok(TextFormat::Zwo)
    } else {
        Err(FileError::UnknownFormat)
    }
}

/// Builds the workout of a draft whose texts may be too long.
fn finish(
    mut draft: Draft,
    at: usize,
    file_name: &str,
    mut remarks: Remarks<'_>,
) -> Result<Imported, FileError> {
    if draft.name.is_empty() {
        draft.name = name_of_file(file_name);
    }
    texts::fit(&mut draft, at, &mut remarks);
    let workout = Workout::new(draft)?;
    Ok(Imported {
        workout,
        remarks: remarks.take(),
    })
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

/// Power within the limits of a workout, as a fraction of FTP; with a remark if it was beyond.
/// Values that are not finite are read as 0.
fn clamp_power(value: f64, at: usize, name: &str, remarks: &mut Remarks<'_>) -> f32 {
    let limit = value.clamp(0.0, f64::from(MAX_FRACTION)) as f32;
    if value < 0.0 || value > f64::from(MAX_FRACTION) {
        let clamped = RemarkKind::Clamped {
            attribute: name.to_owned(),
            value,
            limit,
        };
        remarks.add(at, clamped);
    }
    if limit.is_nan() { 0.0 } else { limit }
}

/// Appends an interval, unless the workout would exceed its limits.
fn push_interval(
    draft: &mut Draft,
    interval: Interval,
    end: &mut core::time::Duration,
    place: impl FnOnce() -> Place,
) -> Result<(), FileError> {
    *end = end.saturating_add(interval.duration);
    draft.intervals.push(interval);
    let error = if draft.intervals.len() > MAX_INTERVALS {
        WorkoutError::TooManyIntervals
    } else if *end > MAX_DURATION {
        WorkoutError::TooLong
    } else {
        return Ok(());
    };
    Err(FileError::Limit {
        place: place(),
        error,
    })
}

#[cfg(test)]
mod tests;
