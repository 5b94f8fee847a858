//! Protection against taps that were meant for what a control did before.

use clock::{Duration, Moment};

use crate::{
    api::Intent,
    view::{Progress, Stage},
};

/// Time for which a control that has just changed its meaning ignores taps: longer than a double tap
/// takes, and than a finger that is already on its way.
const SETTLING_TIME: Duration = Duration::from_millis(600);

/// Meaning of the control that starts, cancels, pauses and resumes the ride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Start,
    Cancel,
    Pause,
    Resume,
    /// The ride goes on by itself in a few seconds.
    Wait,
}

/// Knows when the control that starts, cancels, pauses and resumes the ride changed its meaning.
#[derive(Debug, Default)]
pub(crate) struct ControlGuard {
    meaning: Option<Meaning>,
    settles_at: Moment,
}

impl ControlGuard {
    /// Follows what the screen shows.
    pub(crate) fn follow(&mut self, now: Moment, stage: &Stage, progress: &Progress) {
        let meaning = match stage {
            Stage::Lobby => Some(Meaning::Start),
            Stage::Countdown => Some(Meaning::Cancel),
            Stage::Riding if progress.resumes_in.is_some() => Some(Meaning::Wait),
            Stage::Riding if progress.paused => Some(Meaning::Resume),
            Stage::Riding => Some(Meaning::Pause),
            _ => None,
        };
        let before = std::mem::replace(&mut self.meaning, meaning);
        if before.is_some() && before != meaning {
            self.settle(now);
        }
    }

    /// The rider has used the control: it is about to change its meaning.
    pub(crate) fn used(&mut self, now: Moment, intent: &Intent) {
        if is_guarded(intent) {
            self.settle(now);
        }
    }

    fn settle(&mut self, now: Moment) {
        self.settles_at = now + SETTLING_TIME;
    }

    /// Tells whether a request comes too early to be meant.
    pub(crate) fn ignores(&self, now: Moment, intent: &Intent) -> bool {
        is_guarded(intent) && now < self.settles_at
    }
}

fn is_guarded(intent: &Intent) -> bool {
    matches!(
        intent,
        Intent::Start | Intent::CancelStart | Intent::Pause | Intent::Resume
    )
}
