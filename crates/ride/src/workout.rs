//! Workouts: intervals with target power as a fraction of FTP, and cues to show during the ride.
//!
//! Layout: this file holds the types, `check` their limits, [`zone`] the power zones and the bars of
//! a profile, [`formats`] reads and writes files, [`library`] holds the built-in workouts,
//! [`collection`] the rider's own, [`design`] one that is being made.
//!
//! Contract: every [`Workout`] is built by [`Workout::new`] from a [`Draft`], which may come from a
//! file, the network or the library, so that the limits always hold.

mod check;
pub mod collection;
pub mod design;
mod error;
pub mod formats;
pub mod library;
pub mod zone;

use core::time::Duration;

use minicbor::{Decode, Encode};

pub use error::{TextField, WorkoutError};
pub use zone::{Bar, Zone};

use crate::player;
use crate::rider::Ftp;
use crate::text::clean;

/// Longest workout.
pub const MAX_DURATION: Duration = Duration::from_secs(24 * 3600);
/// Largest number of intervals in a workout.
pub const MAX_INTERVALS: usize = 5_000;
/// Largest number of cues in a workout.
pub const MAX_CUES: usize = 1_000;
/// Highest target as a fraction of FTP.
pub const MAX_FRACTION: f32 = 5.0;
/// Highest target in W.
pub const MAX_WATTS: u16 = 2_000;
/// Highest target cadence in rpm.
pub const MAX_CADENCE: u16 = 250;
/// Largest total size of the texts of a workout in bytes, so that it can be sent quickly.
pub const MAX_TEXT_BYTES: usize = 128 * 1024;

/// Purpose of an interval. It serves as the name of an interval without one, and does not affect the
/// target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum IntervalKind {
    /// Easy riding before the hard part.
    #[n(0)]
    Warmup,
    /// Constant effort.
    #[n(1)]
    Steady,
    /// Rising or falling effort.
    #[n(2)]
    Ramp,
    /// Hard part of a repeated set.
    #[n(3)]
    Work,
    /// Easy part of a repeated set.
    #[n(4)]
    Rest,
    /// Easy riding after the hard part.
    #[n(5)]
    Cooldown,
    /// Riding without a target.
    #[n(6)]
    FreeRide,
    /// Maximal effort.
    #[n(7)]
    MaxEffort,
}

impl IntervalKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Warmup,
        Self::Steady,
        Self::Ramp,
        Self::Work,
        Self::Rest,
        Self::Cooldown,
        Self::FreeRide,
        Self::MaxEffort,
    ];
}

/// Target of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(flat)]
pub enum Target {
    /// Power that changes linearly from `from` to `to`, as fractions of FTP in
    /// `0.0..=`[`MAX_FRACTION`]. It may rise or fall.
    #[n(0)]
    Power {
        /// Power at the start of the interval.
        #[n(0)]
        from: f32,
        /// Power at the end of the interval.
        #[n(1)]
        to: f32,
    },
    /// No target: free riding.
    #[n(1)]
    Free,
    /// No target: maximal effort.
    #[n(2)]
    Max,
}

impl Target {
    /// Constant power as a fraction of FTP.
    pub const fn steady(fraction: f32) -> Self {
        Self::Power {
            from: fraction,
            to: fraction,
        }
    }

    /// Power at a share (0 to 1) of the interval, as a fraction of FTP; `None` without a target.
    pub fn at(self, share: f32) -> Option<f32> {
        match self {
            Self::Power { from, to } => Some(from + (to - from) * share.clamp(0.0, 1.0)),
            Self::Free | Self::Max => None,
        }
    }
}

/// Interval of a workout.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Interval {
    /// Length in whole milliseconds; at least one.
    #[cbor(n(0), with = "crate::wire::millis")]
    pub duration: Duration,
    /// Purpose of the interval.
    #[n(1)]
    pub kind: IntervalKind,
    /// Target power.
    #[n(2)]
    pub target: Target,
    /// Target cadence in rpm, `1..=`[`MAX_CADENCE`].
    #[n(3)]
    pub cadence: Option<u16>,
    /// Name of at most 100 characters. If it is empty, the kind serves as the name.
    #[n(4)]
    pub name: String,
}

impl Interval {
    /// Interval without a name and without a target cadence.
    pub const fn new(duration: Duration, kind: IntervalKind, target: Target) -> Self {
        Self {
            duration,
            kind,
            target,
            cadence: None,
            name: String::new(),
        }
    }
}

/// Test that measures FTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum FtpTest {
    /// Power that rises every minute: FTP is 75 % of the best minute.
    #[n(0)]
    Ramp,
    /// Twenty minutes as hard as possible: FTP is 95 % of their mean power.
    #[n(1)]
    TwentyMinutes,
}

/// Text to show at some position of the workout.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Cue {
    /// Position in the workout, before its end.
    #[cbor(n(0), with = "crate::wire::millis")]
    pub at: Duration,
    /// Time for which the text is shown.
    #[cbor(n(1), with = "crate::wire::millis")]
    pub shown_for: Duration,
    /// Text of at most 500 characters.
    #[n(2)]
    pub text: String,
}

/// Parts of a workout before they are checked.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Draft {
    /// Name of at most 200 characters.
    #[n(0)]
    pub name: String,
    /// Author, at most 200 characters; may be empty.
    #[n(1)]
    pub author: String,
    /// Description of at most 10,000 characters; may be empty.
    #[n(2)]
    pub description: String,
    /// One to [`MAX_INTERVALS`] intervals, in the order in which they are ridden.
    #[n(3)]
    pub intervals: Vec<Interval>,
    /// At most [`MAX_CUES`] cues, in any order.
    #[n(4)]
    pub cues: Vec<Cue>,
    /// Test of FTP that the workout is, if it is one.
    #[n(5)]
    pub ftp_test: Option<FtpTest>,
}

/// Workout within its limits, with clean texts and ordered cues.
#[derive(Clone, Debug, PartialEq)]
pub struct Workout {
    draft: Draft,
    /// End of each interval, from the start of the workout.
    ends: Vec<Duration>,
}

impl Workout {
    /// Builds a workout. Durations are cut to whole milliseconds, invisible characters are removed
    /// from the texts, and cues are sorted by time.
    ///
    /// # Errors
    /// [`WorkoutError`] for a draft beyond a limit.
    pub fn new(mut draft: Draft) -> Result<Self, WorkoutError> {
        check::check_counts(&draft)?;
        check::clean_up(&mut draft);
        check::check_texts(&draft)?;
        for (index, interval) in draft.intervals.iter().enumerate() {
            check::check_interval(index, interval)?;
        }
        let ends = check::interval_ends(&draft.intervals)?;
        let total = ends.last().copied().unwrap_or_default();
        match draft.cues.iter().position(|cue| cue.at >= total) {
            Some(index) => Err(WorkoutError::CueAfterEnd { number: index + 1 }),
            None => Ok(Self { draft, ends }),
        }
    }

    /// Encodes the workout as CBOR.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing into a vector cannot fail.
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// Decodes a workout that [`Workout::to_bytes`] encoded; `None` for anything else, and for one
    /// beyond a limit.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }

    /// Name of at most 200 characters; may be empty.
    pub fn name(&self) -> &str {
        &self.draft.name
    }

    /// Author; may be empty.
    pub fn author(&self) -> &str {
        &self.draft.author
    }

    /// Description; may be empty, may have several lines.
    pub fn description(&self) -> &str {
        &self.draft.description
    }

    /// Intervals in the order in which they are ridden; at least one.
    pub fn intervals(&self) -> &[Interval] {
        &self.draft.intervals
    }

    /// Cues in order of time.
    pub fn cues(&self) -> &[Cue] {
        &self.draft.cues
    }

    /// Test of FTP that the workout is, if it is one.
    pub fn ftp_test(&self) -> Option<FtpTest> {
        self.draft.ftp_test
    }

    /// Length: 1 ms to [`MAX_DURATION`].
    pub fn duration(&self) -> Duration {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Profile as bars over time, see [`Bar`].
    pub fn bars(&self) -> Vec<Bar> {
        zone::bars(self)
    }

    /// Target in W at a position for a rider with this FTP; `None` in an interval without a target
    /// and after the end.
    pub fn target_at(&self, position: Duration, ftp: Ftp) -> Option<u16> {
        let fraction = player::position(self, position).target?;
        Some(watts(fraction, ftp))
    }

    /// Index of the interval at a position; of the last one after the end.
    pub(crate) fn index_at(&self, position: Duration) -> usize {
        let index = self.ends.partition_point(|end| *end <= position);
        index.min(self.ends.len().saturating_sub(1))
    }

    /// Extends an interval. Later intervals and their cues move by the same time; the cues of the
    /// interval itself do not move.
    ///
    /// # Errors
    /// [`WorkoutError::TooLong`] if the workout would become longer than [`MAX_DURATION`]. Nothing
    /// changes then.
    pub(crate) fn extend(&mut self, index: usize, by: Duration) -> Result<(), WorkoutError> {
        if self.duration().saturating_add(by) > MAX_DURATION {
            return Err(WorkoutError::TooLong);
        }
        let Some(end) = self.ends.get(index).copied() else {
            return Ok(());
        };
        self.draft.intervals[index].duration += by;
        for later in &mut self.ends[index..] {
            *later += by;
        }
        for cue in self.draft.cues.iter_mut().filter(|cue| cue.at >= end) {
            cue.at += by;
        }
        Ok(())
    }

    /// Start of an interval, from the start of the workout.
    pub(crate) fn start_of(&self, index: usize) -> Duration {
        index
            .checked_sub(1)
            .map_or(Duration::ZERO, |before| self.ends[before])
    }
}

/// Converts a fraction of FTP to W, rounded, in `0..=`[`MAX_WATTS`].
pub fn watts(fraction: f32, ftp: Ftp) -> u16 {
    let watts = fraction * f32::from(ftp.watts());
    // NaN passes `clamp` and is cast to 0.
    watts.round().clamp(0.0, f32::from(MAX_WATTS)) as u16
}

impl<C> Encode<C> for Workout {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.draft.encode(encoder, context)
    }
}

impl<'b, C> Decode<'b, C> for Workout {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        context: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let draft = Draft::decode(decoder, context)?;
        Self::new(draft).map_err(minicbor::decode::Error::message)
    }
}

#[cfg(test)]
mod tests;
