//! Intervals of a block, and the changes of their values.

use core::time::Duration;

use crate::workout::{
    Cue, Interval, IntervalKind, MAX_CADENCE, MAX_DURATION, MAX_FRACTION, Target,
};

/// Time for which a cue is shown.
const CUE_SHOWN_FOR: Duration = Duration::from_secs(10);
/// Shortest step.
const MIN_DURATION: Duration = Duration::from_secs(1);
/// Power of a step that gets a target.
const NEW_POWER: f32 = 0.70;
/// Largest number of cues in a step.
pub const MAX_STEP_CUES: usize = 50;

/// Interval of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The interval.
    pub interval: Interval,
    /// Cues, with their times from the start of the interval.
    pub cues: Vec<Cue>,
}

/// Change of one value of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum StepChange {
    /// Kind of the interval. One with another kind of target than before gets one that suits it.
    Kind(IntervalKind),
    /// Name; the kind serves as the name if it is empty.
    Name(String),
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
    /// Add a cue in the middle, without a text so far.
    AddCue,
    /// Time of the cue with this index, from the start of the step.
    CueAt(usize, Duration),
    /// Text of the cue with this index, which may be empty.
    CueText(usize, String),
    /// Remove the cue with this index.
    RemoveCue(usize),
}

impl Step {
    /// Tells whether the two ends of the power are edited apart.
    pub fn is_ramp(&self) -> bool {
        let has_two_ends = match self.interval.target {
            Target::Power { from, to } => from != to,
            Target::Free | Target::Max => return false,
        };
        has_two_ends || is_ramp(self.interval.kind)
    }

    pub(super) fn change(&mut self, change: StepChange) {
        let is_ramp = self.is_ramp();
        let interval = &mut self.interval;
        match change {
            StepChange::Kind(kind) => set_kind(interval, kind),
            StepChange::Name(name) => interval.name = name,
            StepChange::Duration(duration) => {
                interval.duration = duration.clamp(MIN_DURATION, MAX_DURATION);
            }
            StepChange::From(power) => {
                if let Target::Power { from, to } = &mut interval.target {
                    *from = clamp(power);
                    if !is_ramp {
                        *to = *from;
                    }
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
                self.cues.retain(|cue| !cue.at.is_zero());
                if !text.trim().is_empty() {
                    self.cues.insert(0, new_cue(Duration::ZERO, text));
                }
            }
            StepChange::AddCue => {
                if self.cues.len() < MAX_STEP_CUES {
                    let middle = (interval.duration / 2).as_secs().max(1);
                    let cue = new_cue(Duration::from_secs(middle), String::new());
                    self.cues.push(cue);
                }
            }
            StepChange::CueAt(index, at) => {
                let last = interval.duration.saturating_sub(MIN_DURATION);
                if let Some(cue) = self.cues.get_mut(index) {
                    cue.at = at.clamp(MIN_DURATION, last.max(MIN_DURATION));
                }
            }
            StepChange::CueText(index, text) => {
                if let Some(cue) = self.cues.get_mut(index) {
                    cue.text = text;
                }
            }
            StepChange::RemoveCue(index) => {
                if index < self.cues.len() {
                    self.cues.remove(index);
                }
            }
        }
    }
}

/// Kinds of intervals whose power changes.
const fn is_ramp(kind: IntervalKind) -> bool {
    matches!(
        kind,
        IntervalKind::Warmup | IntervalKind::Ramp | IntervalKind::Cooldown
    )
}

fn set_kind(interval: &mut Interval, kind: IntervalKind) {
    interval.kind = kind;
    interval.target = match (kind, interval.target) {
        (IntervalKind::FreeRide, _) => Target::Free,
        (IntervalKind::MaxEffort, _) => Target::Max,
        (_, Target::Free | Target::Max) => Target::steady(NEW_POWER),
        (_, Target::Power { from, .. }) if !is_ramp(kind) => Target::steady(from),
        (_, power @ Target::Power { .. }) => power,
    };
}

const fn clamp(power: f32) -> f32 {
    if power.is_nan() {
        0.0
    } else {
        power.clamp(0.0, MAX_FRACTION)
    }
}

const fn new_cue(at: Duration, text: String) -> Cue {
    Cue {
        at,
        shown_for: CUE_SHOWN_FOR,
        text,
    }
}
