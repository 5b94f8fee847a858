//! What a log of changes comes to.

use core::time::Duration;

use super::{Change, GroupTime, Phase, Refused};
use crate::workout::Workout;

#[derive(Clone, Copy, Debug)]
struct Pause {
    from: GroupTime,
    to: Option<GroupTime>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) workout: Option<Workout>,
    started: Option<GroupTime>,
    /// In the order of time, none overlapping; only the last may be open.
    pauses: Vec<Pause>,
    ended: Option<GroupTime>,
}

impl State {
    pub(super) fn apply(&mut self, change: &Change) -> Result<(), Refused> {
        if self.ended.is_some() {
            return Err(Refused::Ended);
        }
        match change {
            Change::Share(workout) => self.share(workout),
            Change::Start { at } => self.start(*at),
            Change::Pause { at } => self.pause(*at),
            Change::Resume { at } => self.resume(*at),
            Change::End { at } => self.end(*at),
        }
    }

    fn share(&mut self, workout: &Workout) -> Result<(), Refused> {
        if self.started.is_some() {
            return Err(Refused::AlreadyStarted);
        }
        self.workout = Some(workout.clone());
        Ok(())
    }

    fn start(&mut self, at: GroupTime) -> Result<(), Refused> {
        if self.started.is_some() {
            return Err(Refused::AlreadyStarted);
        }
        if self.workout.is_none() {
            return Err(Refused::NoWorkout);
        }
        self.started = Some(at);
        Ok(())
    }

    fn pause(&mut self, at: GroupTime) -> Result<(), Refused> {
        match self.phase(at) {
            Phase::Riding { .. } => self.in_order(at)?,
            Phase::Ended { .. } => return Err(Refused::Ended),
            _ => return Err(Refused::NotRiding),
        }
        self.pauses.push(Pause { from: at, to: None });
        Ok(())
    }

    fn resume(&mut self, at: GroupTime) -> Result<(), Refused> {
        match self.pauses.last_mut() {
            Some(pause) if pause.to.is_none() && at >= pause.from => pause.to = Some(at),
            Some(pause) if pause.to.is_none() => return Err(Refused::BackInTime),
            _ => return Err(Refused::NotPaused),
        }
        Ok(())
    }

    fn end(&mut self, at: GroupTime) -> Result<(), Refused> {
        if self.started.is_none() {
            return Err(Refused::NotStarted);
        }
        if matches!(self.phase(at), Phase::Ended { .. }) {
            return Err(Refused::Ended);
        }
        // A pause may end later than this: ended while counting back in.
        let paused = self.pauses.last().is_some_and(|pause| at < pause.from);
        if paused {
            return Err(Refused::BackInTime);
        }
        self.ended = Some(at);
        Ok(())
    }

    fn in_order(&self, at: GroupTime) -> Result<(), Refused> {
        let last = self.pauses.last().and_then(|pause| pause.to);
        if last.is_some_and(|last| at < last) {
            return Err(Refused::BackInTime);
        }
        Ok(())
    }

    pub(super) fn phase(&self, now: GroupTime) -> Phase {
        let Some(started) = self.started else {
            return Phase::Lobby;
        };
        if let Some(ended) = self.ended.filter(|ended| now >= *ended) {
            return Phase::Ended {
                elapsed: self.ridden(started, ended),
            };
        }
        if now < started {
            return Phase::Countdown {
                remaining: started.since(now),
            };
        }
        let elapsed = self.ridden(started, now);
        let whole = self
            .workout
            .as_ref()
            .map_or(Duration::ZERO, Workout::duration);
        if elapsed >= whole {
            return Phase::Ended { elapsed: whole };
        }
        match self.pause_at(now) {
            Some(pause) => Phase::Paused {
                elapsed,
                resumes_in: pause.to.map(|to| to.since(now)),
            },
            None => Phase::Riding { elapsed },
        }
    }

    pub(super) const fn started_at(&self) -> Option<GroupTime> {
        self.started
    }

    /// The moment at which the ride was over, once it is.
    pub(super) fn ended_at(&self, now: GroupTime) -> Option<GroupTime> {
        let by_host = self.ended.filter(|ended| now >= *ended);
        let (started, workout) = self.started.zip(self.workout.as_ref())?;
        let paused = self
            .pauses
            .iter()
            .filter_map(|pause| Some(pause.to?.since(pause.from)));
        let ridden_out = started.after(workout.duration()).after(paused.sum());
        let over = matches!(self.phase(now), Phase::Ended { .. });
        over.then(|| by_host.map_or(ridden_out, |ended| ended.min(ridden_out)))
    }

    /// The pauses so far, from and to; the last may still go on.
    pub(super) fn pauses(&self) -> impl Iterator<Item = (GroupTime, Option<GroupTime>)> {
        self.pauses.iter().map(|pause| (pause.from, pause.to))
    }

    fn pause_at(&self, now: GroupTime) -> Option<&Pause> {
        self.pauses
            .iter()
            .rev()
            .find(|pause| now >= pause.from && pause.to.is_none_or(|to| now < to))
    }

    /// The time between start and a moment, without pauses.
    fn ridden(&self, started: GroupTime, until: GroupTime) -> Duration {
        let paused: Duration = self
            .pauses
            .iter()
            .map(|pause| pause.to.unwrap_or(until).min(until).since(pause.from))
            .sum();
        until.since(started).saturating_sub(paused)
    }
}
