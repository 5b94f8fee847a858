//! The time of a ride as a rider is shown it.

use core::time::Duration;

use super::{GroupTime, Phase, Timeline};

/// Reads a timeline and never lets the time ridden run backwards, even where the timeline itself
/// has to take some back: a pause that is heard of late, or a group that has fallen apart and is
/// one again. The clock stands until the group's has caught up.
#[derive(Clone, Copy, Debug, Default)]
pub struct RideClock {
    started: Option<GroupTime>,
    shown: Duration,
}

impl RideClock {
    /// What the group is doing at a moment. A ride that starts at another moment is another ride,
    /// and its time begins anew.
    pub fn read(&mut self, timeline: &Timeline, now: GroupTime) -> Phase {
        if self.started != timeline.started_at() {
            self.started = timeline.started_at();
            self.shown = Duration::ZERO;
        }
        let phase = timeline.phase(now);
        match phase {
            Phase::Lobby | Phase::Countdown { .. } => phase,
            Phase::Riding { elapsed } => Phase::Riding {
                elapsed: self.show(elapsed),
            },
            Phase::Paused {
                elapsed,
                resumes_in,
            } => Phase::Paused {
                elapsed: self.show(elapsed),
                resumes_in,
            },
            Phase::Ended { elapsed } => Phase::Ended {
                elapsed: self.show(elapsed),
            },
        }
    }

    fn show(&mut self, elapsed: Duration) -> Duration {
        self.shown = self.shown.max(elapsed);
        self.shown
    }
}
