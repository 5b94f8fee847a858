//! Why something is not a workout.

use thiserror::Error;

/// A text of a workout, with the length it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// The workout's name.
    Name,
    /// Its author.
    Author,
    /// Its description.
    Description,
    /// The name of one of its intervals.
    IntervalName,
    /// A cue shown while riding.
    Cue,
}

impl TextField {
    /// The most characters that the text may have.
    pub const fn limit(self) -> usize {
        match self {
            Self::Name | Self::Author => 200,
            Self::Description => 10_000,
            Self::IntervalName => 100,
            Self::Cue => 500,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Name => "name of the workout",
            Self::Author => "author of the workout",
            Self::Description => "description of the workout",
            Self::IntervalName => "name of an interval",
            Self::Cue => "message to the rider",
        }
    }
}

/// Why something is not a workout: what is wrong and what to do about it. Intervals and cues are
/// counted from 1.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum WorkoutError {
    /// There is nothing to ride.
    #[error("This workout has no intervals. Choose one with at least one interval.")]
    NoIntervals,
    /// More intervals than [`MAX_INTERVALS`](super::MAX_INTERVALS).
    #[error("This workout has more than 2,000 intervals, too many to ride. Choose a shorter one.")]
    TooManyIntervals,
    /// More cues than [`MAX_CUES`](super::MAX_CUES).
    #[error(
        "This workout has {count} messages to the rider; at most 1,000 can be shown. Remove some."
    )]
    TooManyCues {
        /// How many there are.
        count: usize,
    },
    /// An interval shorter than a millisecond.
    #[error("Interval {number} has no length. Give it a duration of a second or more.")]
    EmptyInterval {
        /// Which one.
        number: usize,
    },
    /// Longer than [`MAX_DURATION`](super::MAX_DURATION).
    #[error("This workout is longer than 24 hours. Shorten it.")]
    TooLong,
    /// A target that is not a number, below nothing, or above
    /// [`MAX_FRACTION`](super::MAX_FRACTION).
    #[error(
        "Interval {number} asks for {percent} % of FTP; targets go from 0 to 500 %. Correct its power."
    )]
    PowerOutOfRange {
        /// Which interval.
        number: usize,
        /// What it asks for, in percent of FTP; may be no number at all.
        percent: f32,
    },
    /// A cadence of 0 or above [`MAX_CADENCE`](super::MAX_CADENCE).
    #[error(
        "Interval {number} asks for a cadence of {cadence} rpm; it can be 1 to 250. Correct it."
    )]
    CadenceOutOfRange {
        /// Which interval.
        number: usize,
        /// What it asks for, in rpm.
        cadence: u16,
    },
    /// A cue at or after the end of the workout, where nobody would see it.
    #[error(
        "Message {number} to the rider comes after the end of the workout. Move it or remove it."
    )]
    CueAfterEnd {
        /// Which cue, in the order of time.
        number: usize,
    },
    /// One text longer than its [`TextField::limit`].
    #[error("The {} is longer than {limit} characters. Shorten it.", field.words())]
    TextTooLong {
        /// Which text.
        field: TextField,
        /// The most characters it may have.
        limit: usize,
    },
    /// All texts together are more than [`MAX_TEXT_BYTES`](super::MAX_TEXT_BYTES).
    #[error("The texts of this workout are too long together. Shorten its messages to the rider.")]
    TooMuchText,
}
