//! Dragging in the picture of a workout: which edge of which step a pointer takes hold of, and what
//! becomes of the step.
//!
//! Positions are given as time and as a fraction of FTP, so that it does not matter here how large
//! the picture is drawn.

use core::time::Duration;

use super::{Design, Edit, Step, StepChange};
use crate::workout::{
    MAX_INTERVALS, Target,
    zone::{FREE_HEIGHT, MAX_HEIGHT},
};

/// Share of a narrow step that belongs to its end, so that the rest of its power can be dragged.
const END_SHARE: f32 = 1.0 / 3.0;

/// Step as it is ridden: one of the repetitions of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Number of the block.
    pub block: u32,
    /// Repetition of the block, from 0.
    pub round: u16,
    /// Index of the step in the block.
    pub step: usize,
    /// Start in the workout.
    pub start: Duration,
    /// Length.
    pub duration: Duration,
    /// Height in the picture at the start, as a fraction of FTP.
    pub from: f32,
    /// Height in the picture at the end.
    pub to: f32,
    /// True if the two ends are dragged apart.
    pub is_ramp: bool,
    /// True if it has a power that can be dragged.
    pub has_power: bool,
}

impl Segment {
    /// End in the workout.
    pub fn end(&self) -> Duration {
        self.start + self.duration
    }

    /// Handles that it has.
    pub const fn handles(&self) -> &'static [Handle] {
        match (self.has_power, self.is_ramp) {
            (false, _) => &[Handle::End],
            (true, false) => &[Handle::End, Handle::Power],
            (true, true) => &[Handle::End, Handle::From, Handle::To],
        }
    }

    /// Position of a handle.
    pub fn position_of(&self, handle: Handle) -> Point {
        let share = match handle {
            Handle::End => 1.0,
            Handle::Power => 0.5,
            Handle::From => 0.25,
            Handle::To => 0.75,
        };
        let height = self.from + (self.to - self.from) * share;
        Point {
            time: self.start.as_secs_f32() + self.duration.as_secs_f32() * share,
            power: if handle == Handle::End {
                self.to / 2.0
            } else {
                height
            },
        }
    }

    fn of(block: u32, round: u16, index: usize, start: Duration, step: &Step) -> Self {
        let (from, to, has_power) = match step.interval.target {
            Target::Power { from, to } => (from, to, true),
            Target::Free => (FREE_HEIGHT, FREE_HEIGHT, false),
            Target::Max => (MAX_HEIGHT, MAX_HEIGHT, false),
        };
        Self {
            block,
            round,
            step: index,
            start,
            duration: step.interval.duration,
            from,
            to,
            is_ramp: step.is_ramp(),
            has_power,
        }
    }
}

/// Part of a step that is dragged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handle {
    /// End of the step: its duration.
    End,
    /// Upper edge: its power.
    Power,
    /// Upper edge near the start of a ramp.
    From,
    /// Upper edge near the end of a ramp.
    To,
}

/// Position in the picture, or distance between two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Seconds from the start of the workout.
    pub time: f32,
    /// Fraction of FTP.
    pub power: f32,
}

/// Steps of a design as they are ridden, in order; at most [`MAX_INTERVALS`].
pub fn segments(design: &Design) -> Vec<Segment> {
    let mut start = Duration::ZERO;
    let mut segments = Vec::new();
    for block in &design.plan().blocks {
        for round in 0..block.times {
            for (index, step) in block.steps.iter().enumerate() {
                if segments.len() == MAX_INTERVALS {
                    return segments;
                }
                segments.push(Segment::of(block.id, round, index, start, step));
                start += step.interval.duration;
            }
        }
    }
    segments
}

/// Segment at a position, and the handle that a pointer takes hold of there, if it is within `reach`
/// of one.
pub fn grab(segments: &[Segment], at: Point, reach: Point) -> Option<(Segment, Option<Handle>)> {
    let end = |segment: &&Segment| {
        let width = segment.duration.as_secs_f32();
        let distance = at.time - segment.end().as_secs_f32();
        // Behind the end, it reaches into the next step.
        -reach.time.min(width * END_SHARE) <= distance && distance <= reach.time / 2.0
    };
    let distance = |segment: &Segment| (at.time - segment.end().as_secs_f32()).abs();
    let nearest = segments.iter().filter(end);
    if let Some(segment) = nearest.min_by(|a, b| distance(a).total_cmp(&distance(b))) {
        return Some((*segment, Some(Handle::End)));
    }
    let inside = |segment: &&Segment| {
        (segment.start.as_secs_f32()..segment.end().as_secs_f32()).contains(&at.time)
    };
    let segment = segments.iter().find(inside)?;
    let share = (at.time - segment.start.as_secs_f32()) / segment.duration.as_secs_f32();
    let height = segment.from + (segment.to - segment.from) * share;
    let handle = match (segment.is_ramp, share < 0.5) {
        (false, _) => Handle::Power,
        (true, true) => Handle::From,
        (true, false) => Handle::To,
    };
    let is_near = segment.has_power && (at.power - height).abs() <= reach.power;
    Some((*segment, is_near.then_some(handle)))
}

/// Change of a segment whose handle was moved by a distance since it was taken hold of. Durations are
/// rounded to `grid`, and powers to 1 %.
pub fn moved(segment: &Segment, handle: Handle, by: Point, grid: Duration) -> Edit {
    let power = |from: f32| ((from + by.power) * 100.0).round().max(0.0) / 100.0;
    let change = match handle {
        Handle::End => {
            let grid = grid.as_secs_f32().max(1.0);
            let seconds = segment.duration.as_secs_f32() + by.time;
            let seconds = ((seconds / grid).round() * grid).max(grid);
            StepChange::Duration(Duration::from_secs(seconds as u64))
        }
        Handle::Power | Handle::From => StepChange::From(power(segment.from)),
        Handle::To => StepChange::To(power(segment.to)),
    };
    Edit::Step(segment.block, segment.step, change)
}

/// Grid for durations in a picture in which a pixel is so many seconds wide.
pub fn grid(seconds_per_pixel: f32) -> Duration {
    let steps = [(1.5, 5), (4.0, 10), (8.0, 30)];
    let step = steps.iter().find(|(most, _)| seconds_per_pixel <= *most);
    Duration::from_secs(step.map_or(60, |(_, seconds)| *seconds))
}

#[cfg(test)]
mod tests;
