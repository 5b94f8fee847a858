//! Where in the workout the group is once the host skips, goes back and makes intervals longer.
//!
//! Two times are told apart. The time *ridden* is what passes on the bike: it counts no pause and
//! never runs backwards. The *position* is a place in the workout: it moves with the time ridden,
//! jumps on with a skip and steps back with a back. An extension makes its interval longer and
//! moves nothing.
//!
//! The law:
//! - A change names the interval that the host saw. Where the group is in another one by then it is
//!   refused, so that one wish never counts for two intervals.
//! - A skip leads to the start of the next interval and never out of the workout. A back leads to
//!   the start of the interval, or of the one before when it is pressed within its first
//!   [`BACK_FURTHER_WITHIN`].
//! - An interval grows by [`EXTENSION`] at a time, by [`MAX_EXTENSION`] at most, and the workout
//!   never beyond [`MAX_DURATION`](crate::workout::MAX_DURATION).

use core::time::Duration;

use super::Refused;
use crate::workout::{Draft, Interval, MAX_INTERVALS, Target, Workout};

/// How much longer an interval becomes at a time.
pub const EXTENSION: Duration = Duration::from_secs(60);
/// The most by which an interval becomes longer: after half an hour it is another workout.
pub const MAX_EXTENSION: Duration = Duration::from_secs(30 * 60);
/// How far into an interval a back leads to the one before: time enough for a second press.
pub const BACK_FURTHER_WITHIN: Duration = Duration::from_secs(5);

/// A stretch of one interval, ridden in one piece.
#[derive(Clone, Copy, Debug)]
struct Leg {
    /// The time ridden when it began.
    from: Duration,
    interval: usize,
    /// How far into the interval it began.
    into: Duration,
    length: Duration,
    /// How long the interval was then.
    whole: Duration,
}

impl Leg {
    /// As an interval of its own, which asks for what was asked for then.
    fn as_interval(&self, workout: &Workout) -> Interval {
        let ridden = &workout.intervals()[self.interval];
        let share = |at: Duration| at.as_secs_f32() / self.whole.as_secs_f32();
        let at = |share: f32| ridden.target.at(share).unwrap_or_default();
        let target = match ridden.target {
            Target::Power { .. } => Target::Power {
                from: at(share(self.into)),
                to: at(share(self.into + self.length)),
            },
            other => other,
        };
        Interval {
            duration: self.length,
            target,
            ..ridden.clone()
        }
    }
}

/// A workout, and the way that the group takes through it.
#[derive(Clone, Debug)]
pub(super) struct Course {
    /// With the extensions so far.
    workout: Workout,
    /// The interval, and by how much it has grown.
    extensions: Vec<(usize, Duration)>,
    /// What was ridden before the last change.
    legs: Vec<Leg>,
    /// The time ridden at the last change, and the position from which it went on.
    ridden: Duration,
    position: Duration,
}

impl Course {
    pub(super) const fn new(workout: Workout) -> Self {
        Self {
            workout,
            extensions: vec![],
            legs: vec![],
            ridden: Duration::ZERO,
            position: Duration::ZERO,
        }
    }

    pub(super) const fn workout(&self) -> &Workout {
        &self.workout
    }

    /// The time ridden at which the workout is over.
    pub(super) fn end(&self) -> Duration {
        self.ridden + self.workout.duration().saturating_sub(self.position)
    }

    /// Where in the workout a rider is who has ridden for this long.
    pub(super) fn position(&self, ridden: Duration) -> Duration {
        if let Some(on) = ridden.checked_sub(self.ridden) {
            return self
                .position
                .saturating_add(on)
                .min(self.workout.duration());
        }
        let next = self.legs.partition_point(|leg| leg.from <= ridden);
        let leg = next.checked_sub(1).and_then(|at| self.legs.get(at));
        leg.map_or(Duration::ZERO, |leg| {
            self.workout.start_of(leg.interval) + leg.into + (ridden - leg.from)
        })
    }

    pub(super) fn skip(&mut self, ridden: Duration, from: u32) -> Result<(), Refused> {
        let index = self.current(ridden, from)?;
        if index + 1 >= self.workout.intervals().len() {
            return Err(Refused::LastInterval);
        }
        self.go_to(ridden, self.workout.start_of(index + 1));
        Ok(())
    }

    pub(super) fn back(&mut self, ridden: Duration, from: u32) -> Result<(), Refused> {
        let index = self.current(ridden, from)?;
        let into = self.position(ridden) - self.workout.start_of(index);
        let to = if into < BACK_FURTHER_WITHIN {
            index.saturating_sub(1)
        } else {
            index
        };
        self.go_to(ridden, self.workout.start_of(to));
        Ok(())
    }

    pub(super) fn extend(&mut self, ridden: Duration, interval: u32) -> Result<(), Refused> {
        let index = self.current(ridden, interval)?;
        let at = self
            .extensions
            .iter()
            .position(|(other, _)| *other == index);
        let grown = at.map_or(Duration::ZERO, |at| self.extensions[at].1) + EXTENSION;
        if grown > MAX_EXTENSION {
            return Err(Refused::LongEnough);
        }
        let position = self.position(ridden);
        self.go_to(ridden, position);
        self.workout
            .extend(index, EXTENSION)
            .map_err(|_| Refused::LongEnough)?;
        match at {
            Some(at) => self.extensions[at].1 = grown,
            None => self.extensions.push((index, grown)),
        }
        Ok(())
    }

    /// What was asked of the riders up to a moment, piece by piece, as a workout of that length;
    /// none if that is nothing, or more pieces than a workout has.
    pub(super) fn as_ridden(&self, until: Duration) -> Option<Workout> {
        let mut whole = self.clone();
        let until = until.min(self.end());
        if until >= self.ridden {
            whole.go_to(until, Duration::ZERO);
        }
        let legs = whole.legs.iter().filter(|leg| leg.from < until);
        let legs = legs.map(|leg| Leg {
            length: leg.length.min(until - leg.from),
            ..*leg
        });
        let intervals: Vec<_> = legs
            .filter(|leg| leg.length >= Duration::from_millis(1))
            .take(MAX_INTERVALS + 1)
            .map(|leg| leg.as_interval(&self.workout))
            .collect();
        let name = self.workout.name().to_owned();
        Workout::new(Draft {
            name,
            intervals,
            ..Draft::default()
        })
        .ok()
    }

    /// The interval at a moment, if it is the one that the host meant.
    fn current(&self, ridden: Duration, meant: u32) -> Result<usize, Refused> {
        let index = self.workout.index_at(self.position(ridden));
        if u32::try_from(index) == Ok(meant) {
            Ok(index)
        } else {
            Err(Refused::OtherInterval)
        }
    }

    /// Goes on from another position.
    fn go_to(&mut self, ridden: Duration, position: Duration) {
        let until = self.position(ridden);
        let mut from = self.ridden;
        let mut at = self.position;
        while at < until {
            let interval = self.workout.index_at(at);
            let start = self.workout.start_of(interval);
            let whole = self.workout.intervals()[interval].duration;
            let end = (start + whole).min(until);
            self.legs.push(Leg {
                from,
                interval,
                into: at - start,
                length: end - at,
                whole,
            });
            from += end - at;
            at = end;
        }
        self.ridden = ridden;
        self.position = position;
    }
}
