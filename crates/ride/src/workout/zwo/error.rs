//! What is wrong with a file, and where.

use core::fmt;

use roxmltree::Node;
use thiserror::Error;

use crate::workout::{MAX_FRACTION, WorkoutError};

/// A place in a file, counted from 1; columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Place {
    /// Where an element begins.
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

    /// The place after a text.
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

/// What breaks the XML.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum XmlFault {
    /// An element is closed by another's name.
    #[error("</{expected}> was expected but </{found}> was found")]
    Mismatch {
        /// The element that is open.
        expected: String,
        /// What closes it.
        found: String,
    },
    /// The file ends within an element.
    #[error("the file ends too early")]
    CutOff,
    /// An attribute stands twice in one element.
    #[error("{0} stands there twice")]
    Twice(String),
    /// `&` with something behind it that XML does not know.
    #[error("& has to be written as &amp;")]
    Entity,
    /// Anything else.
    #[error("the text there is not XML")]
    Other,
}

/// Why a file is not a workout: what is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ZwoError {
    /// Nothing in it.
    #[error("This file is empty. Choose another one.")]
    Empty,
    /// Larger than [`MAX_BYTES`](super::MAX_BYTES).
    #[error("This file is larger than 1 MiB, too large for a workout. Choose another one.")]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// Neither UTF-8 nor UTF-16.
    #[error("{place}: this is not text. Choose a .zwo file, or save it again as UTF-8.")]
    NotText {
        /// Where the text stops.
        place: Place,
    },
    /// Not well-formed XML.
    #[error("{place}: the XML is broken: {fault}. Export the workout again.")]
    Xml {
        /// Where.
        place: Place,
        /// How.
        fault: XmlFault,
    },
    /// More elements, attributes or namespaces than any workout needs.
    #[error("There is far more in this file than a workout needs. Choose another one.")]
    TooComplex,
    /// A document type, in which entities could be defined. Workouts have none.
    #[error(
        "{place}: the file has a document type (<!DOCTYPE>), which workouts do not have. Remove it."
    )]
    Doctype {
        /// Where.
        place: Place,
    },
    /// XML of something else.
    #[error(
        "{place}: this is not a workout: <workout_file> was expected but <{found}> was found. Choose a .zwo file."
    )]
    Foreign {
        /// Where.
        place: Place,
        /// The outermost element.
        found: String,
    },
    /// A workout file without its workout.
    #[error("{place}: there is no <workout> in this file. Export it again.")]
    NoWorkout {
        /// Where the file's element begins.
        place: Place,
    },
    /// A workout without anything to ride.
    #[error("{place}: this workout has no intervals. Choose one with at least one interval.")]
    NoIntervals {
        /// Where the workout begins.
        place: Place,
    },
    /// An element lacks what it needs.
    #[error("{place}: <{element}> has no {attribute}. Add it.")]
    Missing {
        /// Where the element begins.
        place: Place,
        /// Which element.
        element: String,
        /// What it lacks.
        attribute: &'static str,
    },
    /// A value that is not a number.
    #[error("{place}: {attribute} is \"{value}\", which is not a number. Write it like 0.9.")]
    NotANumber {
        /// Where the attribute begins.
        place: Place,
        /// Which attribute.
        attribute: String,
        /// What it says, at most 40 characters.
        value: String,
    },
    /// A power below nothing or above [`MAX_FRACTION`].
    #[error(
        "{place}: {attribute} is {value}, which is {} % of FTP; it can be 0 to {max} (0 to {} %). Correct it; 90 % of FTP is written 0.9.",
        percent(*value), percent(MAX_FRACTION.into()), max = MAX_FRACTION
    )]
    Power {
        /// Where the attribute begins.
        place: Place,
        /// Which attribute.
        attribute: String,
        /// The fraction of FTP.
        value: f64,
    },
    /// A duration below nothing or above 24 hours.
    #[error(
        "{place}: {attribute} is {value} seconds; it can be 0 to 86400 (24 hours). Correct it."
    )]
    Duration {
        /// Where the attribute begins.
        place: Place,
        /// Which attribute.
        attribute: String,
        /// In seconds.
        value: f64,
    },
    /// A cadence that nobody rides, or a number of repeats that is none.
    #[error("{place}: {attribute} is {value}; it can be 0 to {max}. Correct it.")]
    Count {
        /// Where the attribute begins.
        place: Place,
        /// Which attribute.
        attribute: String,
        /// What it says.
        value: f64,
        /// The most it can say.
        max: u16,
    },
    /// At this element the workout gets more intervals or becomes longer than one can be.
    #[error("{place}: {error}")]
    Limit {
        /// Where the element begins.
        place: Place,
        /// Which limit.
        error: WorkoutError,
    },
    /// Something that has no place of its own.
    #[error(transparent)]
    Workout(#[from] WorkoutError),
}

impl ZwoError {
    /// Where it is wrong, where that is known.
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Empty | Self::TooLarge { .. } | Self::TooComplex | Self::Workout(_) => None,
            Self::NotText { place }
            | Self::Xml { place, .. }
            | Self::Doctype { place }
            | Self::Foreign { place, .. }
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

/// A piece of a file that is short enough to show.
pub(super) fn clip(text: &str) -> String {
    let clean = crate::text::clean(text, false);
    let mut clipped: String = clean.chars().take(40).collect();
    if clipped.len() < clean.len() {
        clipped.push('…');
    }
    clipped
}

/// What the parser says.
pub(super) fn xml(error: &roxmltree::Error, text: &str) -> ZwoError {
    use roxmltree::Error as E;
    if matches!(
        error,
        E::NodesLimitReached | E::AttributesLimitReached | E::NamespacesLimitReached
    ) {
        return ZwoError::TooComplex;
    }
    let fault = match error {
        E::UnexpectedCloseTag(expected, found, _) => XmlFault::Mismatch {
            expected: clip(expected),
            found: clip(found),
        },
        E::UnclosedRootNode | E::UnexpectedEndOfStream | E::NoRootNode => XmlFault::CutOff,
        E::DuplicatedAttribute(name, _) => XmlFault::Twice(clip(name)),
        E::UnknownEntityReference(..) | E::MalformedEntityReference(_) => XmlFault::Entity,
        _ => XmlFault::Other,
    };
    let place = match fault {
        XmlFault::CutOff => Place::end_of(text),
        _ => Place {
            line: error.pos().row,
            column: error.pos().col,
        },
    };
    ZwoError::Xml { place, fault }
}
