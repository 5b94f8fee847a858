//! Errors in a file, with their places.

use core::fmt;

use thiserror::Error;

use super::remark::Remark;
use crate::workout::WorkoutError;

/// Place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Place in a text, counted from 1, with columns in characters.
    Text {
        /// Line.
        line: u32,
        /// Column.
        column: u32,
    },
    /// Offset in a binary file, in bytes from its start.
    Byte(u32),
}

impl Place {
    /// Place of a byte of a text.
    pub(super) fn at(text: &str, byte: usize) -> Self {
        let before = &text[..byte];
        let (lines, last) = before
            .rsplit_once('\n')
            .map_or((0, before), |(lines, last)| {
                (lines.matches('\n').count() + 1, last)
            });
        // Files are at most 1 MiB.
        Self::Text {
            line: lines as u32 + 1,
            column: last.chars().count() as u32 + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { line, column } => write!(f, "Line {line}, column {column}"),
            Self::Byte(offset) => write!(f, "Byte {offset}"),
        }
    }
}

/// Reason why a file cannot be read as a workout.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum FileError {
    /// Empty file.
    #[error("This file is empty. Choose another one.")]
    Empty,
    /// More than [`MAX_FILE_BYTES`](super::MAX_FILE_BYTES).
    #[error("This file is larger than 1 MiB, which is too large. Choose another one.")]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// Bytes that are not text in any of the known encodings.
    #[error("{place}: this is not text. Choose a workout file.")]
    NotText {
        /// First byte that is not text.
        place: Place,
    },
    /// Neither the content nor the name of the file is of a known format.
    #[error("This file contains no workout. Choose a .zwo, .erg, .mrc, .json or .fit file.")]
    UnknownFormat,
    /// Text that is not JSON.
    #[error("{place}: this is not valid JSON. Export the workout again.")]
    InvalidJson {
        /// First character that is not JSON.
        place: Place,
    },
    /// FIT file of something else than a workout, such as a ride.
    #[error("This FIT file contains no workout. Choose one with a workout instead of a ride.")]
    NotAWorkoutFit,
    /// Too many elements or attributes, or too many within each other.
    #[error("This file is too complex for a workout. Choose another one.")]
    TooComplex,
    /// XML of another format.
    #[error(
        "{place}: this is not a workout: <workout_file> was expected but <{found}> was found. Choose a workout file."
    )]
    NotAWorkoutFile {
        /// Start of the root element.
        place: Place,
        /// Name of the root element.
        found: String,
    },
    /// File without a `<workout>` element, without `[COURSE DATA]` or without a list of intervals.
    #[error("{place}: there is no {expected} in this file. Export it again.")]
    NoWorkout {
        /// Start of the root element, or of the file.
        place: Place,
        /// What would hold the workout.
        expected: &'static str,
    },
    /// Workout without an interval that can be ridden.
    #[error("{place}: this workout has no intervals that can be ridden. Choose another one.")]
    NothingToRide {
        /// Start of the workout.
        place: Place,
        /// Remarks on what was left out.
        remarks: Vec<Remark>,
    },
    /// Element, line or step with which the workout exceeds a limit of intervals or duration.
    #[error("{place}: {error}")]
    Limit {
        /// Start of the element, line or step.
        place: Place,
        /// Limit that is exceeded.
        error: WorkoutError,
    },
    /// Error of the whole workout, without a place.
    #[error(transparent)]
    Workout(#[from] WorkoutError),
}

/// Clean text of at most 40 characters, to be shown to the rider.
pub(super) fn clip(text: &str) -> String {
    let clean = crate::text::clean(text, false);
    let mut clipped: String = clean.chars().take(40).collect();
    if clipped.len() < clean.len() {
        clipped.push('…');
    }
    clipped
}
