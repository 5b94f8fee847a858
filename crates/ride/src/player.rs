//! Where in a workout a moment lies. Positions are reckoned from time, never from ticks, so that a
//! page that slept is right at once when it wakes.

use core::time::Duration;

use crate::workout::{Cue, Interval, Workout};

/// A moment in a workout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position<'a> {
    /// The interval being ridden, counted from 0; the last one after the end.
    pub index: usize,
    /// That interval.
    pub interval: &'a Interval,
    /// The time since it began; its whole duration after the end.
    pub into: Duration,
    /// The time until it ends; zero after the end.
    pub remaining_in_interval: Duration,
    /// The interval that follows it.
    pub next: Option<&'a Interval>,
    /// The time until the workout ends; zero after the end.
    pub remaining: Duration,
    /// The power asked for now, a fraction of FTP; none without a target and after the end.
    pub target: Option<f32>,
    /// Whether the workout is over.
    pub finished: bool,
}

/// Where in the workout a rider is who has ridden it for `elapsed`.
pub fn position(workout: &Workout, elapsed: Duration) -> Position<'_> {
    let index = workout.index_at(elapsed);
    // A workout has at least one interval, and `index_at` stays within them.
    let interval = &workout.intervals()[index];
    let into = elapsed
        .saturating_sub(workout.start_of(index))
        .min(interval.duration);
    let finished = elapsed >= workout.duration();
    let share = into.as_secs_f32() / interval.duration.as_secs_f32();
    Position {
        index,
        interval,
        into,
        remaining_in_interval: interval.duration - into,
        next: workout.intervals().get(index + 1),
        remaining: workout.duration().saturating_sub(elapsed),
        target: interval.target.at(share).filter(|_| !finished),
        finished,
    }
}

/// The cue to show at a moment: the newest of those on show.
pub fn cue(workout: &Workout, elapsed: Duration) -> Option<&Cue> {
    let begun = workout
        .cues()
        .iter()
        .rev()
        .skip_while(|cue| cue.at > elapsed);
    begun
        .into_iter()
        .find(|cue| elapsed - cue.at < cue.shown_for)
}

#[cfg(test)]
mod tests;
