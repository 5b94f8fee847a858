//! Position in a workout. It is computed from the time, never counted in ticks, so that it is correct
//! at once after a page has slept.

use core::time::Duration;

use crate::workout::{Cue, Interval, Workout};

/// Position in a workout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position<'a> {
    /// Index of the current interval, counted from 0; of the last one after the end.
    pub index: usize,
    /// Current interval.
    pub interval: &'a Interval,
    /// Time since the start of the interval; its whole duration after the end.
    pub offset: Duration,
    /// Time until the end of the interval; zero after the end.
    pub remaining_in_interval: Duration,
    /// Next interval.
    pub next: Option<&'a Interval>,
    /// Time until the end of the workout; zero after the end.
    pub remaining: Duration,
    /// Target as a fraction of FTP; `None` in an interval without a target and after the end.
    pub target: Option<f32>,
    /// The workout is over.
    pub finished: bool,
}

/// Position after `elapsed` of the workout.
pub fn position(workout: &Workout, elapsed: Duration) -> Position<'_> {
    let index = workout.index_at(elapsed);
    // A workout has at least one interval, and `index_at` stays within them.
    let interval = &workout.intervals()[index];
    let offset = elapsed
        .saturating_sub(workout.start_of(index))
        .min(interval.duration);
    let finished = elapsed >= workout.duration();
    let share = offset.as_secs_f32() / interval.duration.as_secs_f32();
    Position {
        index,
        interval,
        offset,
        remaining_in_interval: interval.duration - offset,
        next: workout.intervals().get(index + 1),
        remaining: workout.duration().saturating_sub(elapsed),
        target: interval.target.at(share).filter(|_| !finished),
        finished,
    }
}

/// Cue to show: the newest one whose display time has not passed.
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
