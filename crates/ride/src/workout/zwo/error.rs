//! Errors in a file, with their places.

use core::fmt;

use roxmltree::Node;
use thiserror::Error;

use crate::workout::{MAX_FRACTION, WorkoutError};

/// Place in a file, counted from 1, with columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl Place {
    /// Start of an element.
    pub(super) fn of(node: Node<'_, '_>) -> Self {
        Self::at(node, node.range().start)
    }

    pub(super) fn at(node: Node<'_, '_>, byte: usize) -> Self {
        let place = node.document().text_pos_at(byte);
        Self {
            line: place.row,
            column: place.col,
        }
    }

    /// Place after the end of a text.
    pub(super) fn end_of(text: &str) -> Self {
        let (before, last) = text
            .rsplit_once('\n')
            .map_or((None, text), |(before, last)| (Some(before), last));
        let lines = before.map_or(0, |before| before.matches('\n').count() + 1);
        // Files are at most 1 MiB.
        Self {
            line: lines as u32 + 1,
            column: last.chars().count() as u32 + 1,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {}, column {}", self.line, self.column)
    }
}

/// Kind of error in XML.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum XmlError {
    /// Closing tag of another element.
    #[error("</{expected}> was expected but </{found}> was found")]
    Mismatch {
        /// Element that is open.
        expected: String,
        /// Element of the closing tag.
        found: String,
    },
    /// End of the file within an element.
    #[error("the file ends too early")]
    Truncated,
    /// Two attributes of the same name in one element.
    #[error("duplicate attribute {0}")]
    DuplicateAttribute(String),
    /// `&` that does not begin a known entity.
    #[error("& has to be written as &amp;")]
    Entity,
    /// Any other error.
    #[error("this is not valid XML")]
    Other,
}

/// Reason why a file cannot be read as a workout.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ZwoError {
    /// Empty file.
    #[error("This file is empty. Choose another one.")]
    Empty,
    /// More than [`MAX_FILE_BYTES`](super::MAX_FILE_BYTES).
    #[error("This file is larger than 1 MiB, which is too large. Choose another one.")]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// Bytes that are neither UTF-8 nor UTF-16.
    #[error("{place}: this is not text. Choose a .zwo file, or save it again as UTF-8.")]
    NotText {
        /// First invalid byte.
        place: Place,
    },
    /// Malformed XML.
    #[error("{place}: invalid XML: {error}. Export the workout again.")]
    Xml {
        /// Place of the error.
        place: Place,
        /// Kind of error.
        error: XmlError,
    },
    /// Too many elements, attributes or namespaces.
    #[error("This file is too complex for a workout. Choose another one.")]
    TooComplex,
    /// Document type, which could define entities.
    #[error("{place}: a document type (<!DOCTYPE>) is not allowed in a workout. Remove it.")]
    Doctype {
        /// Start of the document type.
        place: Place,
    },
    /// XML of another format.
    #[error(
        "{place}: this is not a workout: <workout_file> was expected but <{found}> was found. Choose a .zwo file."
    )]
    NotAWorkoutFile {
        /// Start of the root element.
        place: Place,
        /// Name of the root element.
        found: String,
    },
    /// File without a `<workout>` element.
    #[error("{place}: there is no <workout> in this file. Export it again.")]
    NoWorkout {
        /// Start of the root element.
        place: Place,
    },
    /// Workout without intervals.
    #[error("{place}: this workout has no intervals. Choose one with at least one interval.")]
    NoIntervals {
        /// Start of the `<workout>` element.
        place: Place,
    },
    /// Element without a required attribute.
    #[error("{place}: <{element}> has no {attribute}. Add it.")]
    Missing {
        /// Start of the element.
        place: Place,
        /// Name of the element.
        element: String,
        /// Name of the missing attribute.
        attribute: &'static str,
    },
    /// Value that is not a number.
    #[error("{place}: {attribute} is \"{value}\", which is not a number. Use a number like 0.9.")]
    NotANumber {
        /// Start of the attribute.
        place: Place,
        /// Name of the attribute.
        attribute: String,
        /// Value, at most 40 characters.
        value: String,
    },
    /// Power that is negative or above [`MAX_FRACTION`].
    #[error(
        "{place}: {attribute} is {value}, which is {} % of FTP; the range is 0 to {max} (0 to {} %). Correct it; 90 % of FTP is written as 0.9.",
        percent(*value), percent(MAX_FRACTION.into()), max = MAX_FRACTION
    )]
    Power {
        /// Start of the attribute.
        place: Place,
        /// Name of the attribute.
        attribute: String,
        /// Value as a fraction of FTP.
        value: f64,
    },
    /// Duration that is negative or above 24 hours.
    #[error(
        "{place}: {attribute} is {value} seconds; the range is 0 to 86400 (24 hours). Correct it."
    )]
    Duration {
        /// Start of the attribute.
        place: Place,
        /// Name of the attribute.
        attribute: String,
        /// Value in seconds.
        value: f64,
    },
    /// Cadence or number of repetitions that is negative or too large.
    #[error("{place}: {attribute} is {value}; the range is 0 to {max}. Correct it.")]
    Count {
        /// Start of the attribute.
        place: Place,
        /// Name of the attribute.
        attribute: String,
        /// Value.
        value: f64,
        /// Largest allowed value.
        max: u16,
    },
    /// Element with which the workout exceeds a limit of intervals or duration.
    #[error("{place}: {error}")]
    Limit {
        /// Start of the element.
        place: Place,
        /// Limit that is exceeded.
        error: WorkoutError,
    },
    /// Error of the whole workout, without a place.
    #[error(transparent)]
    Workout(#[from] WorkoutError),
}

impl ZwoError {
    /// Place of the error, if known.
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Empty | Self::TooLarge { .. } | Self::TooComplex | Self::Workout(_) => None,
            Self::NotText { place }
            | Self::Xml { place, .. }
            | Self::Doctype { place }
            | Self::NotAWorkoutFile { place, .. }
            | Self::NoWorkout { place }
            | Self::NoIntervals { place }
            | Self::Missing { place, .. }
            | Self::NotANumber { place, .. }
            | Self::Power { place, .. }
            | Self::Duration { place, .. }
            | Self::Count { place, .. }
            | Self::Limit { place, .. } => Some(*place),
        }
    }
}

fn percent(fraction: f64) -> f64 {
    (fraction * 1_000.0).round() / 10.0
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

/// Converts an error of the parser.
pub(super) fn from_parser(error: &roxmltree::Error, text: &str) -> ZwoError {
    use roxmltree::Error as E;
    if matches!(
        error,
        E::NodesLimitReached | E::AttributesLimitReached | E::NamespacesLimitReached
    ) {
        return ZwoError::TooComplex;
    }
    let kind = match error {
        E::UnexpectedCloseTag(expected, found, _) => XmlError::Mismatch {
            expected: clip(expected),
            found: clip(found),
        },
        E::UnclosedRootNode | E::UnexpectedEndOfStream | E::NoRootNode => XmlError::Truncated,
        E::DuplicatedAttribute(name, _) => XmlError::DuplicateAttribute(clip(name)),
        E::UnknownEntityReference(..) | E::MalformedEntityReference(_) => XmlError::Entity,
        _ => XmlError::Other,
    };
    let place = match kind {
        XmlError::Truncated => Place::end_of(text),
        _ => Place {
            line: error.pos().row,
            column: error.pos().col,
        },
    };
    ZwoError::Xml { place, error: kind }
}
