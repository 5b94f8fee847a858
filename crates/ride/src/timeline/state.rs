//! Evaluation of a log of changes.

use core::time::Duration;

use clock::GroupTime;

use super::progress::WorkoutProgress;
use super::{Change, Phase, TimelineError};
use crate::workout::Workout;

/// Time after a skip or a back in which another one counts as an accidental double tap.
pub const DOUBLE_TAP_WINDOW: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct PauseSpan {
    from: GroupTime,
    to: Option<GroupTime>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct TimelineState {
    progress: Option<WorkoutProgress>,
    started: Option<GroupTime>,
    /// Ordered by time, without overlaps. Only the last may be open.
    pauses: Vec<PauseSpan>,
    ended: Option<GroupTime>,
    /// Times of skips and backs, in order.
    jumps: Vec<GroupTime>,
    /// Time of the latest change, except starts and resumes, which are set ahead.
    latest: Option<GroupTime>,
}

impl TimelineState {
    pub(super) fn apply(&mut self, change: Option<&Change>) -> Result<(), TimelineError> {
        // Changes of an unknown kind and no-ops of a new host are valid after the end, too.
        let Some(change) = change.filter(|change| **change != Change::NoOp) else {
            return Ok(());
        };
        if self.ended.is_some() {
            return Err(TimelineError::Ended);
        }
        match change {
            Change::Share(workout) => self.share(workout),
            Change::Start { at } => self.start(*at),
            Change::Pause { at } => self.pause(*at),
            Change::Resume { at } => self.resume(*at),
            Change::End { at } => self.end(*at),
            Change::Skip { at, from } => {
                self.jump(*at, |progress, ridden| progress.skip(ridden, *from))
            }
            Change::Back { at, from } => {
                self.jump(*at, |progress, ridden| progress.back(ridden, *from))
            }
            Change::Extend { at, interval } => {
                self.change_progress(*at, |progress, ridden| progress.extend(ridden, *interval))
            }
            Change::Cancel { at } => self.cancel(*at),
            Change::NoOp => Ok(()),
        }
    }

    fn share(&mut self, workout: &Workout) -> Result<(), TimelineError> {
        if self.started.is_some() {
            return Err(TimelineError::AlreadyStarted);
        }
        self.progress = Some(WorkoutProgress::new(workout.clone()));
        Ok(())
    }

    fn start(&mut self, at: GroupTime) -> Result<(), TimelineError> {
        if self.started.is_some() {
            return Err(TimelineError::AlreadyStarted);
        }
        if self.progress.is_none() {
            return Err(TimelineError::NoWorkout);
        }
        self.check_order(at)?;
        self.started = Some(at);
        Ok(())
    }

    fn cancel(&mut self, at: GroupTime) -> Result<(), TimelineError> {
        self.check_order(at)?;
        if !matches!(self.phase(at), Phase::Countdown { .. }) {
            return Err(TimelineError::NoCountdown);
        }
        self.started = None;
        self.latest = Some(at);
        Ok(())
    }

    fn pause(&mut self, at: GroupTime) -> Result<(), TimelineError> {
        match self.phase(at) {
            Phase::Riding { .. } => self.check_order(at)?,
            Phase::Ended { .. } => return Err(TimelineError::Ended),
            _ => return Err(TimelineError::NotRiding),
        }
        let last = self.pauses.last().and_then(|pause| pause.to);
        if last.is_some_and(|last| at < last) {
            return Err(TimelineError::OutOfOrder);
        }
        self.pauses.push(PauseSpan { from: at, to: None });
        self.latest = Some(at);
        Ok(())
    }

    fn resume(&mut self, at: GroupTime) -> Result<(), TimelineError> {
        let in_order = self.check_order(at);
        match self.pauses.last_mut() {
            Some(pause) if pause.to.is_none() => {
                in_order?;
                pause.to = Some(at);
                Ok(())
            }
            _ => Err(TimelineError::NotPaused),
        }
    }

    fn end(&mut self, at: GroupTime) -> Result<(), TimelineError> {
        if self.started.is_none() {
            return Err(TimelineError::NotStarted);
        }
        if matches!(self.phase(at), Phase::Ended { .. }) {
            return Err(TimelineError::Ended);
        }
        self.check_order(at)?;
        self.ended = Some(at);
        Ok(())
    }

    /// Applies a skip or a back.
    fn jump(
        &mut self,
        at: GroupTime,
        go: impl FnOnce(&mut WorkoutProgress, Duration) -> Result<(), TimelineError>,
    ) -> Result<(), TimelineError> {
        let last = self.jumps.last();
        if last.is_some_and(|last| at >= *last && at.since(*last) < DOUBLE_TAP_WINDOW) {
            return Err(TimelineError::TooSoon);
        }
        self.change_progress(at, go)?;
        self.jumps.push(at);
        Ok(())
    }

    /// Applies a change of intervals, which is possible while riding and while paused.
    fn change_progress(
        &mut self,
        at: GroupTime,
        change: impl FnOnce(&mut WorkoutProgress, Duration) -> Result<(), TimelineError>,
    ) -> Result<(), TimelineError> {
        let ridden = match self.phase(at) {
            Phase::Riding { elapsed } | Phase::Paused { elapsed, .. } => elapsed,
            Phase::Ended { .. } => return Err(TimelineError::Ended),
            Phase::Lobby | Phase::Countdown { .. } => return Err(TimelineError::NotUnderWay),
        };
        self.check_order(at)?;
        let progress = self.progress.as_mut().ok_or(TimelineError::NotUnderWay)?;
        change(progress, ridden)?;
        self.latest = Some(at);
        Ok(())
    }

    fn check_order(&self, at: GroupTime) -> Result<(), TimelineError> {
        if self.latest.is_some_and(|latest| at < latest) {
            return Err(TimelineError::OutOfOrder);
        }
        Ok(())
    }

    pub(super) fn phase(&self, now: GroupTime) -> Phase {
        let (Some(started), Some(progress)) = (self.started, &self.progress) else {
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
        if elapsed >= progress.end() {
            return Phase::Ended {
                elapsed: progress.end(),
            };
        }
        match self.pause_at(now) {
            Some(pause) => Phase::Paused {
                elapsed,
                resumes_in: pause.to.map(|to| to.since(now)),
            },
            None => Phase::Riding { elapsed },
        }
    }

    pub(super) fn workout(&self) -> Option<&Workout> {
        self.progress.as_ref().map(WorkoutProgress::workout)
    }

    pub(super) fn position(&self, now: GroupTime) -> Duration {
        let progress = self.progress.as_ref();
        progress.map_or(Duration::ZERO, |progress| {
            progress.position(self.elapsed(now))
        })
    }

    pub(super) fn as_ridden(&self, now: GroupTime) -> Option<Workout> {
        self.progress.as_ref()?.as_ridden(self.elapsed(now))
    }

    pub(super) fn jumps(&self, now: GroupTime) -> usize {
        self.jumps.partition_point(|at| *at <= now)
    }

    pub(super) const fn started_at(&self) -> Option<GroupTime> {
        self.started
    }

    /// Time at which the ride ended, if it has ended by `now`.
    pub(super) fn ended_at(&self, now: GroupTime) -> Option<GroupTime> {
        let by_host = self.ended.filter(|ended| now >= *ended);
        let (started, progress) = self.started.zip(self.progress.as_ref())?;
        let paused = self
            .pauses
            .iter()
            .filter_map(|pause| Some(pause.to?.since(pause.from)));
        let by_workout = started.after(progress.end()).after(paused.sum());
        let over = matches!(self.phase(now), Phase::Ended { .. });
        over.then(|| by_host.map_or(by_workout, |ended| ended.min(by_workout)))
    }

    /// Start and end of each pause. The last may be open.
    pub(super) fn pauses(&self) -> impl Iterator<Item = (GroupTime, Option<GroupTime>)> {
        self.pauses.iter().map(|pause| (pause.from, pause.to))
    }

    fn pause_at(&self, now: GroupTime) -> Option<&PauseSpan> {
        self.pauses
            .iter()
            .rev()
            .find(|pause| now >= pause.from && pause.to.is_none_or(|to| now < to))
    }

    /// Time ridden, in any phase.
    fn elapsed(&self, now: GroupTime) -> Duration {
        match self.phase(now) {
            Phase::Lobby | Phase::Countdown { .. } => Duration::ZERO,
            Phase::Riding { elapsed }
            | Phase::Paused { elapsed, .. }
            | Phase::Ended { elapsed } => elapsed,
        }
    }

    /// Time from the start to `until`, without pauses.
    fn ridden(&self, started: GroupTime, until: GroupTime) -> Duration {
        let paused: Duration = self
            .pauses
            .iter()
            .map(|pause| pause.to.unwrap_or(until).min(until).since(pause.from))
            .sum();
        until.since(started).saturating_sub(paused)
    }
}
