//! A workout while it is being designed: blocks that are edited one by one, with undo and redo.
//!
//! A block is one interval, or a set of intervals that is repeated. Cues belong to intervals, so
//! that they move with them.

use core::time::Duration;

use super::{
    Cue, Draft, FtpTest, Interval, IntervalKind, MAX_CADENCE, MAX_DURATION, MAX_FRACTION,
    MAX_INTERVALS, Target, Workout, WorkoutError,
};

/// Largest number of changes that can be undone.
const MAX_UNDO: usize = 200;
/// Largest number of blocks.
pub const MAX_BLOCKS: usize = 500;
/// Largest number of repetitions of a block.
pub const MAX_TIMES: u16 = 100;
/// Longest set of intervals that is recognised as repeated.
const MAX_SET: usize = 4;
/// Time for which a cue is shown.
const CUE_SHOWN_FOR: Duration = Duration::from_secs(10);

/// Interval of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The interval.
    pub interval: Interval,
    /// Cues, with their times from the start of the interval.
    pub cues: Vec<Cue>,
}

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

/// Kind of a block that is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewBlock {
    /// Ten minutes, rising.
    Warmup,
    /// Twenty minutes at 70 %.
    Endurance,
    /// Fifteen minutes at 83 %.
    Tempo,
    /// Ten minutes at 100 %.
    Threshold,
    /// Three minutes at 115 %.
    Vo2Max,
    /// Ten minutes, falling.
    Cooldown,
    /// Five minutes, rising.
    Ramp,
    /// Four times a hard and an easy interval.
    Repeat,
    /// Five minutes without a target.
    FreeRide,
}

impl NewBlock {
    /// All kinds, in the order in which they are offered.
    pub const ALL: [Self; 9] = [
        Self::Warmup,
        Self::Endurance,
        Self::Tempo,
        Self::Threshold,
        Self::Vo2Max,
        Self::Cooldown,
        Self::Ramp,
        Self::Repeat,
        Self::FreeRide,
    ];

    fn steps(self) -> (u16, Vec<Step>) {
        let step = |seconds, kind, from: f32, to: f32| Step {
            interval: Interval::new(
                Duration::from_secs(seconds),
                kind,
                Target::Power { from, to },
            ),
            cues: Vec::new(),
        };
        let steady = |seconds, power| step(seconds, IntervalKind::Steady, power, power);
        match self {
            Self::Warmup => (1, vec![step(600, IntervalKind::Warmup, 0.45, 0.75)]),
            Self::Endurance => (1, vec![steady(1_200, 0.70)]),
            Self::Tempo => (1, vec![steady(900, 0.83)]),
            Self::Threshold => (1, vec![steady(600, 1.0)]),
            Self::Vo2Max => (1, vec![steady(180, 1.15)]),
            Self::Cooldown => (1, vec![step(600, IntervalKind::Cooldown, 0.65, 0.40)]),
            Self::Ramp => (1, vec![step(300, IntervalKind::Ramp, 0.70, 1.0)]),
            Self::Repeat => (
                4,
                vec![
                    step(240, IntervalKind::Work, 1.0, 1.0),
                    step(120, IntervalKind::Rest, 0.50, 0.50),
                ],
            ),
            Self::FreeRide => {
                let interval = Interval::new(
                    Duration::from_secs(300),
                    IntervalKind::FreeRide,
                    Target::Free,
                );
                let cues = Vec::new();
                (1, vec![Step { interval, cues }])
            }
        }
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

/// Change of one value of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum StepChange {
    /// Length; at least one second.
    Duration(Duration),
    /// Power at the start as a fraction of FTP.
    From(f32),
    /// Power at the end as a fraction of FTP.
    To(f32),
    /// Target cadence in rpm, or none.
    Cadence(Option<u16>),
    /// Text shown at the start; none if it is empty.
    Cue(String),
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
    /// Value that the newest edit changed. Further edits of the same value are undone with it.
    newest: Option<Place>,
    next_id: u32,
}

/// Value of a design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Name,
    Description,
    Times(u32),
    Step(u32, usize, u8),
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
        let place = place_of(&edit);
        let mut plan = self.plan.clone();
        self.apply(&mut plan, edit);
        if plan == self.plan {
            return;
        }
        let is_same = place.is_some() && place == self.newest;
        let before = core::mem::replace(&mut self.plan, plan);
        if !is_same {
            self.done.push(before);
            if self.done.len() > MAX_UNDO {
                self.done.remove(0);
            }
        }
        self.newest = place;
        self.undone.clear();
    }

    /// The rider has left a field: the next change of it is undone on its own.
    pub const fn finish_edit(&mut self) {
        self.newest = None;
    }

    /// Undoes the newest change.
    pub fn undo(&mut self) {
        if let Some(before) = self.done.pop() {
            self.undone.push(core::mem::replace(&mut self.plan, before));
            self.newest = None;
        }
    }

    /// Repeats the change that was undone last.
    pub fn redo(&mut self) {
        if let Some(after) = self.undone.pop() {
            self.done.push(core::mem::replace(&mut self.plan, after));
            self.newest = None;
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
                let cues = step
                    .cues
                    .iter()
                    .filter(|cue| cue.at < step.interval.duration);
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
                    change_step(step, change);
                }
            }
        }
    }
}

fn change_step(step: &mut Step, change: StepChange) {
    let interval = &mut step.interval;
    let clamp = |power: f32| {
        if power.is_nan() {
            0.0
        } else {
            power.clamp(0.0, MAX_FRACTION)
        }
    };
    match change {
        StepChange::Duration(duration) => {
            interval.duration = duration.clamp(Duration::from_secs(1), MAX_DURATION);
        }
        StepChange::From(power) => {
            if let Target::Power { from, to } = &mut interval.target {
                // The two ends of a steady interval stay together.
                if from == to && !is_ramp(interval.kind) {
                    *to = clamp(power);
                }
                *from = clamp(power);
            }
        }
        StepChange::To(power) => {
            if let Target::Power { to, .. } = &mut interval.target {
                *to = clamp(power);
            }
        }
        StepChange::Cadence(cadence) => {
            interval.cadence = cadence.map(|rpm| rpm.clamp(1, MAX_CADENCE));
        }
        StepChange::Cue(text) => {
            step.cues.retain(|cue| !cue.at.is_zero());
            if !text.trim().is_empty() {
                let cue = Cue {
                    at: Duration::ZERO,
                    shown_for: CUE_SHOWN_FOR,
                    text,
                };
                step.cues.insert(0, cue);
            }
        }
    }
}

/// Reports kinds of intervals whose two ends are edited apart.
pub const fn is_ramp(kind: IntervalKind) -> bool {
    matches!(
        kind,
        IntervalKind::Warmup | IntervalKind::Ramp | IntervalKind::Cooldown
    )
}

const fn place_of(edit: &Edit) -> Option<Place> {
    match edit {
        Edit::Name(_) => Some(Place::Name),
        Edit::Description(_) => Some(Place::Description),
        Edit::Times(id, _) => Some(Place::Times(*id)),
        Edit::Step(id, index, change) => {
            let value = match change {
                StepChange::Duration(_) => 0,
                StepChange::From(_) => 1,
                StepChange::To(_) => 2,
                StepChange::Cadence(_) => 3,
                StepChange::Cue(_) => 4,
            };
            Some(Place::Step(*id, *index, value))
        }
        Edit::Add(_) | Edit::Remove(_) | Edit::Duplicate(_) | Edit::Move(..) => None,
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
