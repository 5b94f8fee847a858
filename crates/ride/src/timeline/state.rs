//! What a log of changes comes to.

use core::time::Duration;

use super::course::Course;
use super::{Change, GroupTime, Phase, Refused};
use crate::workout::Workout;

/// How soon after a skip or a back another one is taken for the same tap, doubled.
pub const SETTLES_WITHIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Pause {
    from: GroupTime,
    to: Option<GroupTime>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct State {
    course: Option<Course>,
    started: Option<GroupTime>,
    /// In the order of time, none overlapping; only the last may be open.
    pauses: Vec<Pause>,
    ended: Option<GroupTime>,
    /// When skips and backs moved the group, in the order of time.
    moves: Vec<GroupTime>,
    /// The moment of the latest change; starts and resumes, which are set ahead, do not count.
    latest: Option<GroupTime>,
}

impl State {
    pub(super) fn apply(&mut self, change: Option<&Change>) -> Result<(), Refused> {
        // What a later version has decided, and a new host who settles what there is: both may
        // well come after the end.
        let Some(change) = change.filter(|change| **change != Change::Settle) else {
            return Ok(());
        };
        if self.ended.is_some() {
            return Err(Refused::Ended);
        }
        match change {
            Change::Share(workout) => self.share(workout),
            Change::Start { at } => self.start(*at),
            Change::Pause { at } => self.pause(*at),
            Change::Resume { at } => self.resume(*at),
            Change::End { at } => self.end(*at),
            Change::Skip { at, from } => {
                self.move_course(*at, |course, ridden| course.skip(ridden, *from))
            }
            Change::Back { at, from } => {
                self.move_course(*at, |course, ridden| course.back(ridden, *from))
            }
            Change::Extend { at, interval } => {
                self.change_course(*at, |course, ridden| course.extend(ridden, *interval))
            }
            Change::Cancel { at } => self.cancel(*at),
            Change::Settle => Ok(()),
        }
    }

    fn share(&mut self, workout: &Workout) -> Result<(), Refused> {
        if self.started.is_some() {
            return Err(Refused::AlreadyStarted);
        }
        self.course = Some(Course::new(workout.clone()));
        Ok(())
    }

    fn start(&mut self, at: GroupTime) -> Result<(), Refused> {
        if self.started.is_some() {
            return Err(Refused::AlreadyStarted);
        }
        if self.course.is_none() {
            return Err(Refused::NoWorkout);
        }
        self.in_order(at)?;
        self.started = Some(at);
        Ok(())
    }

    fn cancel(&mut self, at: GroupTime) -> Result<(), Refused> {
        self.in_order(at)?;
        if !matches!(self.phase(at), Phase::Countdown { .. }) {
            return Err(Refused::NoCountdown);
        }
        self.started = None;
        self.latest = Some(at);
        Ok(())
    }

    fn pause(&mut self, at: GroupTime) -> Result<(), Refused> {
        match self.phase(at) {
            Phase::Riding { .. } => self.in_order(at)?,
            Phase::Ended { .. } => return Err(Refused::Ended),
            _ => return Err(Refused::NotRiding),
        }
        let last = self.pauses.last().and_then(|pause| pause.to);
        if last.is_some_and(|last| at < last) {
            return Err(Refused::BackInTime);
        }
        self.pauses.push(Pause { from: at, to: None });
        self.latest = Some(at);
        Ok(())
    }

    fn resume(&mut self, at: GroupTime) -> Result<(), Refused> {
        let in_order = self.in_order(at);
        match self.pauses.last_mut() {
            Some(pause) if pause.to.is_none() => {
                in_order?;
                pause.to = Some(at);
                Ok(())
            }
            _ => Err(Refused::NotPaused),
        }
    }

    fn end(&mut self, at: GroupTime) -> Result<(), Refused> {
        if self.started.is_none() {
            return Err(Refused::NotStarted);
        }
        if matches!(self.phase(at), Phase::Ended { .. }) {
            return Err(Refused::Ended);
        }
        self.in_order(at)?;
        self.ended = Some(at);
        Ok(())
    }

    /// A skip or a back: the course goes on elsewhere.
    fn move_course(
        &mut self,
        at: GroupTime,
        go: impl FnOnce(&mut Course, Duration) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let last = self.moves.last();
        if last.is_some_and(|last| at >= *last && at.since(*last) < SETTLES_WITHIN) {
            return Err(Refused::TooSoon);
        }
        self.change_course(at, go)?;
        self.moves.push(at);
        Ok(())
    }

    /// Changes intervals while the ride is under way, a pause included.
    fn change_course(
        &mut self,
        at: GroupTime,
        change: impl FnOnce(&mut Course, Duration) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let ridden = match self.phase(at) {
            Phase::Riding { elapsed } | Phase::Paused { elapsed, .. } => elapsed,
            Phase::Ended { .. } => return Err(Refused::Ended),
            Phase::Lobby | Phase::Countdown { .. } => return Err(Refused::NotUnderWay),
        };
        self.in_order(at)?;
        let course = self.course.as_mut().ok_or(Refused::NotUnderWay)?;
        change(course, ridden)?;
        self.latest = Some(at);
        Ok(())
    }

    fn in_order(&self, at: GroupTime) -> Result<(), Refused> {
        if self.latest.is_some_and(|latest| at < latest) {
            return Err(Refused::BackInTime);
        }
        Ok(())
    }

    pub(super) fn phase(&self, now: GroupTime) -> Phase {
        let (Some(started), Some(course)) = (self.started, &self.course) else {
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
        if elapsed >= course.end() {
            return Phase::Ended {
                elapsed: course.end(),
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
        self.course.as_ref().map(Course::workout)
    }

    pub(super) fn position(&self, now: GroupTime) -> Duration {
        let course = self.course.as_ref();
        course.map_or(Duration::ZERO, |course| course.position(self.elapsed(now)))
    }

    pub(super) fn as_ridden(&self, now: GroupTime) -> Option<Workout> {
        self.course.as_ref()?.as_ridden(self.elapsed(now))
    }

    pub(super) fn moves(&self, now: GroupTime) -> usize {
        self.moves.partition_point(|at| *at <= now)
    }

    pub(super) const fn started_at(&self) -> Option<GroupTime> {
        self.started
    }

    /// The moment at which the ride was over, once it is.
    pub(super) fn ended_at(&self, now: GroupTime) -> Option<GroupTime> {
        let by_host = self.ended.filter(|ended| now >= *ended);
        let (started, course) = self.started.zip(self.course.as_ref())?;
        let paused = self
            .pauses
            .iter()
            .filter_map(|pause| Some(pause.to?.since(pause.from)));
        let ridden_out = started.after(course.end()).after(paused.sum());
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

    /// The time ridden, whatever the phase.
    fn elapsed(&self, now: GroupTime) -> Duration {
        match self.phase(now) {
            Phase::Lobby | Phase::Countdown { .. } => Duration::ZERO,
            Phase::Riding { elapsed }
            | Phase::Paused { elapsed, .. }
            | Phase::Ended { elapsed } => elapsed,
        }
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
