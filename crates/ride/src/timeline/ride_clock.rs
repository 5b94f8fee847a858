//! Ride time as shown to a rider.

use core::time::Duration;

use clock::GroupTime;

use super::{Phase, Timeline};

/// Number of starts to remember.
const MAX_STARTS: usize = 8;

/// Reads a timeline and keeps the time ridden from running backwards, even where the timeline
/// itself takes some back: after a pause that arrives late, or when a split group is joined again.
/// The clock stands still until the group's time has caught up.
#[derive(Clone, Debug, Default)]
pub struct RideClock {
    /// Time shown for each start, the newest last. Another start means another ride. A start can
    /// disappear and come back while two hosts contradict each other.
    shown: Vec<(GroupTime, Duration)>,
}

impl RideClock {
    /// Phase of the ride at `now`, with the time ridden as shown.
    pub fn read(&mut self, timeline: &Timeline, now: GroupTime) -> Phase {
        let phase = timeline.phase(now);
        let Some(start) = timeline.started_at() else {
            return phase;
        };
        match phase {
            Phase::Lobby | Phase::Countdown { .. } => phase,
            Phase::Riding { elapsed } => Phase::Riding {
                elapsed: self.advance(start, elapsed),
            },
            Phase::Paused {
                elapsed,
                resumes_in,
            } => Phase::Paused {
                elapsed: self.advance(start, elapsed),
                resumes_in,
            },
            Phase::Ended { elapsed } => Phase::Ended {
                elapsed: self.advance(start, elapsed),
            },
        }
    }

    fn advance(&mut self, start: GroupTime, elapsed: Duration) -> Duration {
        if let Some((_, shown)) = self.shown.iter_mut().find(|(known, _)| *known == start) {
            *shown = elapsed.max(*shown);
            return *shown;
        }
        if self.shown.len() >= MAX_STARTS {
            self.shown.remove(0);
        }
        self.shown.push((start, elapsed));
        elapsed
    }
}
