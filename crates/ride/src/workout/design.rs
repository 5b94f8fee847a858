//! A workout while it is being designed: blocks that are edited one by one, with undo and redo.
//!
//! A block is one interval, or a set of intervals that is repeated. Cues belong to intervals, so
//! that they move with them.

mod new_block;
pub mod picture;
mod step;

use core::time::Duration;

use super::{Cue, Draft, FtpTest, MAX_INTERVALS, Workout, WorkoutError};

pub use new_block::NewBlock;
pub use step::{Step, StepChange};

/// Largest number of changes that can be undone.
const MAX_UNDO: usize = 200;
/// Largest number of blocks.
pub const MAX_BLOCKS: usize = 500;
/// Largest number of repetitions of a block.
pub const MAX_TIMES: u16 = 100;
/// Longest set of intervals that is recognised as repeated.
const MAX_SET: usize = 4;

/// Part of a design.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Number of the block, which it keeps while it is moved and edited.
    pub id: u32,
    /// Number of times that the steps are ridden, 1 to [`MAX_TIMES`].
    pub times: u16,
    /// Its steps; at least one.
    pub steps: Vec<Step>,
}

impl Block {
    /// Length of all repetitions.
    pub fn duration(&self) -> Duration {
        let once: Duration = self.steps.iter().map(|step| step.interval.duration).sum();
        once * u32::from(self.times)
    }
}

/// Content of a design.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Blocks, in the order in which they are ridden.
    pub blocks: Vec<Block>,
    author: String,
    ftp_test: Option<FtpTest>,
}

/// Change of a design.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Set the name.
    Name(String),
    /// Set the description.
    Description(String),
    /// Add a block at the end.
    Add(NewBlock),
    /// Remove the block with this number.
    Remove(u32),
    /// Put a copy behind the block with this number.
    Duplicate(u32),
    /// Move the block with this number to a position.
    Move(u32, usize),
    /// Set the number of repetitions of a block.
    Times(u32, u16),
    /// Change a step of a block.
    Step(u32, usize, StepChange),
}

/// A workout while it is being designed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Design {
    plan: Plan,
    undone: Vec<Plan>,
    done: Vec<Plan>,
    /// True while something is dragged: further changes belong to the newest one.
    is_dragging: bool,
    next_id: u32,
}

impl Design {
    /// Design of a workout. Equal sets of intervals without cues become repeated blocks.
    pub fn of(workout: &Workout) -> Self {
        let mut design = Self {
            plan: Plan {
                name: workout.name().to_owned(),
                description: workout.description().to_owned(),
                blocks: Vec::new(),
                author: workout.author().to_owned(),
                ftp_test: workout.ftp_test(),
            },
            ..Self::default()
        };
        let steps = steps_of(workout);
        let mut rest = steps.as_slice();
        while !rest.is_empty() {
            let (length, times) = repeated(rest);
            let id = design.new_id();
            design.plan.blocks.push(Block {
                id,
                times,
                steps: rest[..length].to_vec(),
            });
            rest = &rest[length * usize::from(times)..];
        }
        design
    }

    /// Content as it is now.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Tells whether there is something to undo.
    pub const fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Tells whether there is something to redo.
    pub const fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// Changes the design. A change that is not possible does nothing.
    pub fn edit(&mut self, edit: Edit) {
        self.finish_drag();
        self.change(edit);
    }

    /// Changes the design while something is dragged: all changes until [`Design::finish_drag`] are
    /// undone at once.
    pub fn drag(&mut self, edit: Edit) {
        if self.is_dragging {
            let mut plan = self.plan.clone();
            self.apply(&mut plan, edit);
            self.plan = plan;
        } else {
            self.is_dragging = self.change(edit);
        }
    }

    /// Ends the drag.
    pub fn finish_drag(&mut self) {
        let was_dragging = core::mem::take(&mut self.is_dragging);
        // Nothing is left to be undone of what was dragged there and back.
        if was_dragging && self.done.last() == Some(&self.plan) {
            self.done.pop();
        }
    }

    /// Tells whether there was something to change.
    fn change(&mut self, edit: Edit) -> bool {
        let mut plan = self.plan.clone();
        self.apply(&mut plan, edit);
        if plan == self.plan {
            return false;
        }
        self.done.push(core::mem::replace(&mut self.plan, plan));
        if self.done.len() > MAX_UNDO {
            self.done.remove(0);
        }
        self.undone.clear();
        true
    }

    /// Undoes the newest change.
    pub fn undo(&mut self) {
        self.finish_drag();
        if let Some(before) = self.done.pop() {
            self.undone.push(core::mem::replace(&mut self.plan, before));
        }
    }

    /// Repeats the change that was undone last.
    pub fn redo(&mut self) {
        self.finish_drag();
        if let Some(after) = self.undone.pop() {
            self.done.push(core::mem::replace(&mut self.plan, after));
        }
    }

    /// The workout.
    ///
    /// # Errors
    /// [`WorkoutError`] for a design beyond a limit, and for one without blocks.
    pub fn workout(&self) -> Result<Workout, WorkoutError> {
        let plan = &self.plan;
        let mut draft = Draft {
            name: plan.name.clone(),
            author: plan.author.clone(),
            description: plan.description.clone(),
            ftp_test: plan.ftp_test,
            ..Draft::default()
        };
        let mut end = Duration::ZERO;
        for block in &plan.blocks {
            for step in (0..block.times).flat_map(|_| &block.steps) {
                if draft.intervals.len() >= MAX_INTERVALS {
                    return Err(WorkoutError::TooManyIntervals);
                }
                let is_shown =
                    |cue: &&Cue| cue.at < step.interval.duration && !cue.text.trim().is_empty();
                let cues = step.cues.iter().filter(is_shown);
                draft.cues.extend(cues.map(|cue| Cue {
                    at: end + cue.at,
                    ..cue.clone()
                }));
                end += step.interval.duration;
                draft.intervals.push(step.interval.clone());
            }
        }
        Workout::new(draft)
    }

    fn new_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    fn apply(&mut self, plan: &mut Plan, edit: Edit) {
        let position = |plan: &Plan, id| plan.blocks.iter().position(|block| block.id == id);
        match edit {
            Edit::Name(name) => plan.name = name,
            Edit::Description(description) => plan.description = description,
            Edit::Add(kind) if plan.blocks.len() < MAX_BLOCKS => {
                let (times, steps) = kind.steps();
                let id = self.new_id();
                plan.blocks.push(Block { id, times, steps });
            }
            Edit::Remove(id) => plan.blocks.retain(|block| block.id != id),
            Edit::Duplicate(id) if plan.blocks.len() < MAX_BLOCKS => {
                if let Some(at) = position(plan, id) {
                    let copy = Block {
                        id: self.new_id(),
                        ..plan.blocks[at].clone()
                    };
                    plan.blocks.insert(at + 1, copy);
                }
            }
            Edit::Add(_) | Edit::Duplicate(_) => {}
            Edit::Move(id, to) => {
                if let Some(from) = position(plan, id) {
                    let block = plan.blocks.remove(from);
                    plan.blocks.insert(to.min(plan.blocks.len()), block);
                }
            }
            Edit::Times(id, times) => {
                if let Some(at) = position(plan, id) {
                    plan.blocks[at].times = times.clamp(1, MAX_TIMES);
                }
            }
            Edit::Step(id, index, change) => {
                let block = plan.blocks.iter_mut().find(|block| block.id == id);
                if let Some(step) = block.and_then(|block| block.steps.get_mut(index)) {
                    step.change(change);
                }
            }
        }
    }
}

fn steps_of(workout: &Workout) -> Vec<Step> {
    let mut start = Duration::ZERO;
    let mut cues = workout.cues();
    let steps = workout.intervals().iter().map(|interval| {
        let end = start + interval.duration;
        let (own, later) = cues.split_at(cues.partition_point(|cue| cue.at < end));
        cues = later;
        let own = own.iter().map(|cue| Cue {
            at: cue.at - start,
            ..cue.clone()
        });
        let step = Step {
            interval: interval.clone(),
            cues: own.collect(),
        };
        start = end;
        step
    });
    steps.collect()
}

/// Length and number of repetitions of the set that the steps begin with; 1 and 1 without one.
fn repeated(steps: &[Step]) -> (usize, u16) {
    let times = |length: usize| {
        let set = &steps[..length];
        let same = steps.chunks_exact(length).take_while(|chunk| *chunk == set);
        same.count().min(MAX_TIMES.into())
    };
    let lengths = 2..=MAX_SET.min(steps.len() / 2);
    let found = lengths.map(|length| (length, times(length)));
    let longest = found.filter(|(_, times)| *times > 1);
    let best = longest.max_by_key(|(length, times)| (length * times, core::cmp::Reverse(*length)));
    // A number of repetitions is at most 100.
    best.map_or((1, 1), |(length, times)| (length, times as u16))
}

#[cfg(test)]
mod tests;
