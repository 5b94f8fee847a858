//! Progress of the group through the workout, with skips, backs and extensions.
//!
//! Two times differ. The time *ridden* passes on the bike: it excludes pauses and never decreases.
//! The *position* is a place in the workout: it advances with the time ridden, jumps forward with a
//! skip and backward with a back. An extension makes the current interval longer and does not move
//! the position.
//!
//! Contract:
//! - A change names the interval that the host saw. It is rejected if the group is in another one by
//!   then, so that one tap never affects two intervals.
//! - A skip leads to the start of the next interval, never beyond the last one. A back leads to the
//!   start of the current interval, or of the previous one within the first
//!   [`PREVIOUS_INTERVAL_WINDOW`].
//! - An interval grows in steps of [`EXTENSION`], by [`MAX_EXTENSION`] in all, and the workout up to
//!   [`MAX_DURATION`](crate::workout::MAX_DURATION).

use core::time::Duration;

use super::TimelineError;
use crate::workout::{Draft, Interval, MAX_INTERVALS, Target, Workout};

/// Length of one extension of an interval.
pub const EXTENSION: Duration = Duration::from_secs(60);
/// Largest total extension of an interval.
pub const MAX_EXTENSION: Duration = Duration::from_secs(30 * 60);
/// Time from the start of an interval during which a back leads to the previous interval, as a
/// second press shortly after the first.
pub const PREVIOUS_INTERVAL_WINDOW: Duration = Duration::from_secs(5);

/// Part of an interval that was ridden without a jump.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// Time ridden at its beginning.
    from: Duration,
    interval: usize,
    /// Position within the interval at its beginning.
    offset: Duration,
    length: Duration,
    /// Length of the interval at that time.
    interval_length: Duration,
}

impl Segment {
    /// Interval of its own with the targets of that time.
    fn as_interval(&self, workout: &Workout) -> Interval {
        let ridden = &workout.intervals()[self.interval];
        let share = |at: Duration| at.as_secs_f32() / self.interval_length.as_secs_f32();
        let at = |share: f32| ridden.target.at(share).unwrap_or_default();
        let target = match ridden.target {
            Target::Power { .. } => Target::Power {
                from: at(share(self.offset)),
                to: at(share(self.offset + self.length)),
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

/// Workout with the group's progress through it.
#[derive(Clone, Debug)]
pub(super) struct WorkoutProgress {
    /// Workout with the extensions so far.
    workout: Workout,
    /// Extended intervals by index, with their total extension.
    extensions: Vec<(usize, Duration)>,
    /// Segments ridden before the last change.
    segments: Vec<Segment>,
    /// Time ridden at the last change.
    changed_at: Duration,
    /// Position after the last change.
    position: Duration,
}

impl WorkoutProgress {
    pub(super) const fn new(workout: Workout) -> Self {
        Self {
            workout,
            extensions: vec![],
            segments: vec![],
            changed_at: Duration::ZERO,
            position: Duration::ZERO,
        }
    }

    pub(super) const fn workout(&self) -> &Workout {
        &self.workout
    }

    /// Time ridden at the end of the workout.
    pub(super) fn end(&self) -> Duration {
        self.changed_at + self.workout.duration().saturating_sub(self.position)
    }

    /// Position after the given time ridden.
    pub(super) fn position(&self, ridden: Duration) -> Duration {
        if let Some(since) = ridden.checked_sub(self.changed_at) {
            return self
                .position
                .saturating_add(since)
                .min(self.workout.duration());
        }
        let next = self
            .segments
            .partition_point(|segment| segment.from <= ridden);
        let segment = next.checked_sub(1).and_then(|at| self.segments.get(at));
        segment.map_or(Duration::ZERO, |segment| {
            self.workout.start_of(segment.interval) + segment.offset + (ridden - segment.from)
        })
    }

    pub(super) fn skip(&mut self, ridden: Duration, from: u32) -> Result<(), TimelineError> {
        let index = self.current(ridden, from)?;
        if index + 1 >= self.workout.intervals().len() {
            return Err(TimelineError::LastInterval);
        }
        self.jump_to(ridden, self.workout.start_of(index + 1));
        Ok(())
    }

    pub(super) fn back(&mut self, ridden: Duration, from: u32) -> Result<(), TimelineError> {
        let index = self.current(ridden, from)?;
        let offset = self.position(ridden) - self.workout.start_of(index);
        let to = if offset < PREVIOUS_INTERVAL_WINDOW {
            index.saturating_sub(1)
        } else {
            index
        };
        self.jump_to(ridden, self.workout.start_of(to));
        Ok(())
    }

    pub(super) fn extend(&mut self, ridden: Duration, interval: u32) -> Result<(), TimelineError> {
        let index = self.current(ridden, interval)?;
        let at = self
            .extensions
            .iter()
            .position(|(other, _)| *other == index);
        let grown = at.map_or(Duration::ZERO, |at| self.extensions[at].1) + EXTENSION;
        if grown > MAX_EXTENSION {
            return Err(TimelineError::ExtensionLimit);
        }
        let position = self.position(ridden);
        self.jump_to(ridden, position);
        self.workout
            .extend(index, EXTENSION)
            .map_err(|_| TimelineError::ExtensionLimit)?;
        match at {
            Some(at) => self.extensions[at].1 = grown,
            None => self.extensions.push((index, grown)),
        }
        Ok(())
    }

    /// Targets as ridden up to a time ridden, as a workout of that length. `None` if it is empty or
    /// has more intervals than a workout can have.
    pub(super) fn as_ridden(&self, until: Duration) -> Option<Workout> {
        let mut whole = self.clone();
        let until = until.min(self.end());
        if until >= self.changed_at {
            whole.jump_to(until, Duration::ZERO);
        }
        let segments = whole.segments.iter().filter(|segment| segment.from < until);
        let segments = segments.map(|segment| Segment {
            length: segment.length.min(until - segment.from),
            ..*segment
        });
        let intervals: Vec<_> = segments
            .filter(|segment| segment.length >= Duration::from_millis(1))
            .take(MAX_INTERVALS + 1)
            .map(|segment| segment.as_interval(&self.workout))
            .collect();
        let name = self.workout.name().to_owned();
        Workout::new(Draft {
            name,
            intervals,
            ..Draft::default()
        })
        .ok()
    }

    /// Index of the current interval, if it is the one that the host named.
    fn current(&self, ridden: Duration, named: u32) -> Result<usize, TimelineError> {
        let index = self.workout.index_at(self.position(ridden));
        if u32::try_from(index) == Ok(named) {
            Ok(index)
        } else {
            Err(TimelineError::OtherInterval)
        }
    }

    /// Continues from another position.
    fn jump_to(&mut self, ridden: Duration, position: Duration) {
        let until = self.position(ridden);
        let mut from = self.changed_at;
        let mut at = self.position;
        while at < until {
            let interval = self.workout.index_at(at);
            let start = self.workout.start_of(interval);
            let interval_length = self.workout.intervals()[interval].duration;
            let end = (start + interval_length).min(until);
            self.segments.push(Segment {
                from,
                interval,
                offset: at - start,
                length: end - at,
                interval_length,
            });
            from += end - at;
            at = end;
        }
        self.changed_at = ridden;
        self.position = position;
    }
}
