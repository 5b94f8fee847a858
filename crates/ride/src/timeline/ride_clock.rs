//! The time of a ride as a rider is shown it.

use core::time::Duration;

use super::{GroupTime, Phase, Timeline};

/// So many starts are remembered.
const STARTS: usize = 8;

/// Reads a timeline and never lets the time ridden run backwards, even where the timeline itself
/// has to take some back: a pause that is heard of late, or a group that has fallen apart and is
/// one again. The clock stands until the group's has caught up.
#[derive(Clone, Debug, Default)]
pub struct RideClock {
    /// The time shown of each start, the newest last. A ride that starts at another moment is
    /// another ride; while hosts contradict each other one may be called off and be back.
    shown: Vec<(GroupTime, Duration)>,
}

impl RideClock {
    /// What the group is doing at a moment.
    pub fn read(&mut self, timeline: &Timeline, now: GroupTime) -> Phase {
        let phase = timeline.phase(now);
        let Some(start) = timeline.started_at() else {
            return phase;
        };
        match phase {
            Phase::Lobby | Phase::Countdown { .. } => phase,
            Phase::Riding { elapsed } => Phase::Riding {
                elapsed: self.show(start, elapsed),
            },
            Phase::Paused {
                elapsed,
                resumes_in,
            } => Phase::Paused {
                elapsed: self.show(start, elapsed),
                resumes_in,
            },
            Phase::Ended { elapsed } => Phase::Ended {
                elapsed: self.show(start, elapsed),
            },
        }
    }

    fn show(&mut self, start: GroupTime, elapsed: Duration) -> Duration {
        if let Some((_, shown)) = self.shown.iter_mut().find(|(known, _)| *known == start) {
            *shown = elapsed.max(*shown);
            return *shown;
        }
        if self.shown.len() >= STARTS {
            self.shown.remove(0);
        }
        self.shown.push((start, elapsed));
        elapsed
    }
}
