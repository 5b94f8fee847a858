//! Errors of workouts.

use thiserror::Error;

/// Text of a workout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// Name of the workout.
    Name,
    /// Author of the workout.
    Author,
    /// Description of the workout.
    Description,
    /// Name of an interval.
    IntervalName,
    /// Text of a cue.
    Cue,
}

impl TextField {
    /// Largest number of characters.
    pub const fn limit(self) -> usize {
        match self {
            Self::Name | Self::Author => 200,
            Self::Description => 10_000,
            Self::IntervalName => 100,
            Self::Cue => 500,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Name => "name of the workout",
            Self::Author => "author of the workout",
            Self::Description => "description of the workout",
            Self::IntervalName => "name of an interval",
            Self::Cue => "text of a cue",
        }
    }
}

/// Reason why a draft is not a workout. Intervals and cues are counted from 1.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum WorkoutError {
    /// No intervals.
    #[error("This workout has no intervals. Choose one with at least one interval.")]
    NoIntervals,
    /// More intervals than [`MAX_INTERVALS`](super::MAX_INTERVALS).
    #[error("This workout has more than 5,000 intervals. Choose a shorter one.")]
    TooManyIntervals,
    /// More cues than [`MAX_CUES`](super::MAX_CUES).
    #[error("This workout has {count} cues; the maximum is 1,000. Remove some of them.")]
    TooManyCues {
        /// Number of cues.
        count: usize,
    },
    /// Interval shorter than 1 ms.
    #[error("Interval {number} has no duration. Set it to one second or more.")]
    EmptyInterval {
        /// Number of the interval.
        number: usize,
    },
    /// Longer than [`MAX_DURATION`](super::MAX_DURATION).
    #[error("This workout is longer than 24 hours. Shorten it.")]
    TooLong,
    /// Target that is negative, above [`MAX_FRACTION`](super::MAX_FRACTION), or not a number.
    #[error(
        "Interval {number} has a target of {percent} % of FTP; the range is 0 to 500 %. Correct its power."
    )]
    PowerOutOfRange {
        /// Number of the interval.
        number: usize,
        /// Target in percent of FTP; may be NaN or infinite.
        percent: f32,
    },
    /// Cadence of 0 or above [`MAX_CADENCE`](super::MAX_CADENCE).
    #[error(
        "Interval {number} has a cadence of {cadence} rpm; the range is 1 to 250 rpm. Correct it."
    )]
    CadenceOutOfRange {
        /// Number of the interval.
        number: usize,
        /// Target cadence in rpm.
        cadence: u16,
    },
    /// Cue at or after the end of the workout.
    #[error("Cue {number} comes after the end of the workout. Move it or remove it.")]
    CueAfterEnd {
        /// Number of the cue, in order of time.
        number: usize,
    },
    /// Text longer than its [`TextField::limit`].
    #[error("The {} is longer than {limit} characters. Shorten it.", field.label())]
    TextTooLong {
        /// The text.
        field: TextField,
        /// Largest number of characters.
        limit: usize,
    },
    /// Texts of more than [`MAX_TEXT_BYTES`](super::MAX_TEXT_BYTES) in total.
    #[error("This workout has too much text. Shorten its cues.")]
    TooMuchText,
}
