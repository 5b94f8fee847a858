//! A workout: intervals of a target power as a fraction of FTP, and cues to read while riding them.
//!
//! Layout: this file holds the types and what makes a workout valid, [`zone`] the power zones and
//! the bars of a profile, [`zwo`] reads workouts from files, [`library`] holds those that are built
//! in.
//!
//! A [`Workout`] is only ever built by [`Workout::new`], from a [`Draft`], whatever it comes from
//! (a file, the network, the library), so its limits hold everywhere.

mod check;
mod error;
pub mod library;
pub mod zone;
pub mod zwo;

use core::time::Duration;

use minicbor::{Decode, Encode};

pub use error::{TextField, WorkoutError};
pub use zone::{Bar, Zone};

use crate::player;
use crate::rider::Ftp;
use crate::text::clean;

/// The longest workout: a day.
pub const MAX_DURATION: Duration = Duration::from_secs(24 * 3600);
/// The most intervals in a workout.
pub const MAX_INTERVALS: usize = 2_000;
/// The most cues in a workout.
pub const MAX_CUES: usize = 1_000;
/// The highest target, as a fraction of FTP: 500 %.
pub const MAX_FRACTION: f32 = 5.0;
/// The highest target in watts that [`watts`] gives.
pub const MAX_WATTS: u16 = 2_000;
/// The highest cadence that an interval may ask for, in rpm.
pub const MAX_CADENCE: u16 = 250;
/// The most bytes that all texts of a workout take together, so that it stays quick to send.
pub const MAX_TEXT_BYTES: usize = 128 * 1024;

/// What an interval is for. It names the interval where it has no name of its own; the target is
/// what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum IntervalKind {
    /// Easy riding before the work.
    #[n(0)]
    Warmup,
    /// An even effort.
    #[n(1)]
    Steady,
    /// An effort that rises or falls.
    #[n(2)]
    Ramp,
    /// The hard part of a repeated set.
    #[n(3)]
    Work,
    /// The easy part of a repeated set.
    #[n(4)]
    Rest,
    /// Easy riding after the work.
    #[n(5)]
    Cooldown,
    /// Riding without a target.
    #[n(6)]
    FreeRide,
    /// As hard as the rider can.
    #[n(7)]
    MaxEffort,
}

/// What an interval asks of the rider.
#[derive(Clone, Copy, Debug, PartialEq, Encode, Decode)]
#[cbor(flat)]
pub enum Target {
    /// Power that goes evenly from `from` to `to`, fractions of FTP in `0.0..=`[`MAX_FRACTION`], in
    /// this order in time and never sorted.
    #[n(0)]
    Power {
        /// At the start of the interval.
        #[n(0)]
        from: f32,
        /// At its end.
        #[n(1)]
        to: f32,
    },
    /// No target: the rider rides as they like.
    #[n(1)]
    Free,
    /// No target for the trainer: the rider gives all they have.
    #[n(2)]
    Max,
}

impl Target {
    /// The same power all the time, a fraction of FTP.
    pub const fn steady(fraction: f32) -> Self {
        Self::Power {
            from: fraction,
            to: fraction,
        }
    }

    /// The power asked for at a share (0 to 1) of the interval, a fraction of FTP; none where there
    /// is no target.
    pub fn at(self, share: f32) -> Option<f32> {
        match self {
            Self::Power { from, to } => Some(from + (to - from) * share.clamp(0.0, 1.0)),
            Self::Free | Self::Max => None,
        }
    }
}

/// One part of a workout.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Interval {
    /// How long it is, in whole milliseconds; at least one.
    #[cbor(n(0), with = "crate::wire::millis")]
    pub duration: Duration,
    /// What it is for.
    #[n(1)]
    pub kind: IntervalKind,
    /// What it asks of the rider.
    #[n(2)]
    pub target: Target,
    /// The cadence asked for in rpm, `1..=`[`MAX_CADENCE`].
    #[n(3)]
    pub cadence: Option<u16>,
    /// Its name, at most 100 characters; empty where it has none, and then its kind names it.
    #[n(4)]
    pub name: String,
}

impl Interval {
    /// An interval without a name and without a cadence.
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

/// A line of text shown to the rider at a moment of the workout.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Cue {
    /// When it appears, from the start of the workout; before the workout's end.
    #[cbor(n(0), with = "crate::wire::millis")]
    pub at: Duration,
    /// How long it stays.
    #[cbor(n(1), with = "crate::wire::millis")]
    pub shown_for: Duration,
    /// At most 500 characters.
    #[n(2)]
    pub text: String,
}

/// What a workout is made from: the same parts, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Encode, Decode)]
pub struct Draft {
    /// At most 200 characters.
    #[n(0)]
    pub name: String,
    /// At most 200 characters; may be empty.
    #[n(1)]
    pub author: String,
    /// At most 10,000 characters; may be empty.
    #[n(2)]
    pub description: String,
    /// One to [`MAX_INTERVALS`], in the order they are ridden.
    #[n(3)]
    pub intervals: Vec<Interval>,
    /// At most [`MAX_CUES`], in any order.
    #[n(4)]
    pub cues: Vec<Cue>,
}

/// A workout that can be ridden: within its limits, its texts clean, its cues in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Workout {
    draft: Draft,
    /// When each interval ends, from the start.
    ends: Vec<Duration>,
}

impl Workout {
    /// Builds a workout. Durations are cut to whole milliseconds, hidden characters leave the
    /// texts, cues are put in the order of time.
    ///
    /// # Errors
    /// What is outside a limit, as [`WorkoutError`] lists it.
    pub fn new(mut draft: Draft) -> Result<Self, WorkoutError> {
        check::counts(&draft)?;
        check::tidy(&mut draft);
        check::texts(&draft)?;
        for (index, interval) in draft.intervals.iter().enumerate() {
            check::interval(index, interval)?;
        }
        let ends = check::ends(&draft.intervals)?;
        let total = ends.last().copied().unwrap_or_default();
        match draft.cues.iter().position(|cue| cue.at >= total) {
            Some(index) => Err(WorkoutError::CueAfterEnd { number: index + 1 }),
            None => Ok(Self { draft, ends }),
        }
    }

    /// Its name; never more than 200 characters, may be empty.
    pub fn name(&self) -> &str {
        &self.draft.name
    }

    /// Who made it; may be empty.
    pub fn author(&self) -> &str {
        &self.draft.author
    }

    /// What it is about; may be empty, may have several lines.
    pub fn description(&self) -> &str {
        &self.draft.description
    }

    /// Its intervals in the order they are ridden; at least one.
    pub fn intervals(&self) -> &[Interval] {
        &self.draft.intervals
    }

    /// Its cues in the order of time.
    pub fn cues(&self) -> &[Cue] {
        &self.draft.cues
    }

    /// How long it is: 1 ms to [`MAX_DURATION`].
    pub fn duration(&self) -> Duration {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Its profile as bars over time, see [`Bar`].
    pub fn bars(&self) -> Vec<Bar> {
        zone::bars(self)
    }

    /// Target in W at a position for a rider with this FTP; `None` in an interval without a target
    /// and after the end.
    pub fn target_at(&self, position: Duration, ftp: Ftp) -> Option<u16> {
        let fraction = player::position(self, position).target?;
        Some(watts(fraction, ftp))
    }

    /// The interval that holds a moment; the last one after the end.
    pub(crate) fn index_at(&self, elapsed: Duration) -> usize {
        let index = self.ends.partition_point(|end| *end <= elapsed);
        index.min(self.ends.len().saturating_sub(1))
    }

    /// Makes an interval longer. What comes after it, cues too, moves by as much; its own cues stay
    /// where they are.
    ///
    /// # Errors
    /// [`WorkoutError::TooLong`] where that makes the whole longer than [`MAX_DURATION`]; nothing
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

    /// When an interval starts.
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
