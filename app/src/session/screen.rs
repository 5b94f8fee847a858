//! What the passing of time changes: positions, targets, numbers, old links.
//! Everything is computed from the clock, never counted, so a tab that slept
//! is right at once when it wakes.

use std::{sync::Arc, time::Duration};

use clock::GroupTime;
use leptos::prelude::*;
use ride::{message::Telemetry, player, timeline::Phase, trainer::Reading, workout::Workout};

use super::{Session, own_recording::Moment, put};
use crate::state::{Metrics, Progress, RideSummary, Stage};

/// How often the screen is brought up to date.
const REFRESH_EVERY: Duration = Duration::from_millis(250);
/// How often the own numbers are sent.
const TELEMETRY_EVERY: Duration = Duration::from_millis(500);
/// After this the riders who were there on arrival have been met.
const GREETED_AFTER: Duration = Duration::from_secs(3);

impl Session {
    /// Brings the screen up to date if it is time for that.
    pub(super) fn refresh(&mut self, now: Duration) {
        // The others wait for the first numbers.
        if self.next_telemetry.is_none() && self.group_now(now).is_some() {
            self.next_telemetry = Some(now);
            self.next_refresh = now;
        }
        if now < self.next_refresh {
            return;
        }
        self.next_refresh = now + REFRESH_EVERY;
        if let Some(phase) = self.phase(now) {
            self.show_phase(now, phase);
        }
        self.roster.age(now);
        self.lose_the_gone(now);
        put(self.state.trainer, self.own.trainer.clone());
        if self.next_telemetry.is_some_and(|at| at <= now) {
            self.next_telemetry = Some(now + TELEMETRY_EVERY);
            self.send_numbers(now, None);
        }
        if now >= self.next_save {
            self.keep(now);
        }
        self.catch_up(now);
        self.settle(now);
        self.show_links(now);
    }

    /// The phase of the ride for a rider who takes part in it.
    fn phase(&mut self, now: Duration) -> Option<Phase> {
        if !self.takes_part {
            return None;
        }
        if let Some(group) = &self.group {
            group.node.me()?;
            let from = *self.entry.greeted_from.get_or_insert(now);
            self.entry.greeted = now.saturating_sub(from) >= GREETED_AFTER;
        }
        let at = self.group_now(now);
        let phase = at.map(|at| self.clock.read(&self.timeline, at));
        // Nobody has to know the time to wait for a start.
        let waiting = self.timeline.started_at().is_none();
        phase.or(waiting.then_some(Phase::Lobby))
    }

    fn show_phase(&mut self, now: Duration, phase: Phase) {
        let workout = self.state.workout.get_untracked();
        let elapsed = match phase {
            Phase::Lobby | Phase::Countdown { .. } => Duration::ZERO,
            Phase::Riding { elapsed }
            | Phase::Paused { elapsed, .. }
            | Phase::Ended { elapsed } => elapsed,
        };
        let group_now = self.group_now(now);
        let at = group_now.map_or(Duration::ZERO, |at| self.timeline.position(at));
        let moves = group_now.map_or(0, |at| self.timeline.jumps(at));
        self.ease(now, phase, moves);
        let riding = matches!(phase, Phase::Riding { .. });
        let target = workout.as_ref().filter(|_| riding);
        let target = target.and_then(|workout| self.target(workout, at));
        let (reading, target) = self.own.ride(now, target);
        if let Some(workout) = &workout {
            let moment = Moment {
                reading,
                target,
                interval: player::position(workout, at).index as u32,
                moves,
            };
            self.record(now, phase, workout, moment);
            put(self.state.progress, progress(workout, phase, elapsed, at));
            self.wake_for(now, phase);
        }
        self.show_numbers(now, reading, target, (elapsed, at));
        self.follow_history(now, phase, reading.power);
        self.show_stage(now, phase);
    }

    /// Nobody is thrown into a target: after a pause, a skip or a back it comes
    /// over a few seconds.
    fn ease(&mut self, now: Duration, phase: Phase, moves: usize) {
        let course = match phase {
            Phase::Riding { .. } => Some((moves, false)),
            // A skip in a pause counts when the ride goes on.
            Phase::Paused { .. } => Some((moves, true)),
            Phase::Lobby | Phase::Countdown { .. } | Phase::Ended { .. } => None,
        };
        let before = std::mem::replace(&mut self.last_course, course);
        if let (Some(before), Some(course @ (_, false))) = (before, course)
            && before != course
        {
            self.own.ease(now);
        }
    }

    fn target(&self, workout: &Workout, position: Duration) -> Option<u16> {
        let me = self.me.as_ref()?;
        workout.target_at(position, me.ftp)
    }

    fn record(&mut self, now: Duration, phase: Phase, workout: &Workout, moment: Moment) {
        match phase {
            Phase::Riding { .. } => {
                self.forget_called_off();
                let ftp = self.me.as_ref().map(|me| me.ftp).unwrap_or_default();
                let begin = || (workout.name().to_owned(), ftp);
                let pauses = self.pauses(now);
                self.recording
                    .record(now, moment, pauses.into_iter(), begin);
            }
            Phase::Paused { .. } => self.recording.pause(now),
            Phase::Lobby | Phase::Countdown { .. } | Phase::Ended { .. } => {}
        }
    }

    /// A start that was called off too late to keep this page from riding: what was
    /// recorded is of no ride, unless it is more than such moments.
    pub(super) fn forget_called_off(&mut self) {
        if self.past.is_of_another(self.timeline.started_at()) {
            self.recording.discard_moments();
        }
    }

    /// Looks at the clock again exactly when the countdown's next second, the
    /// start or the end of a pause comes, not a quarter of a second later.
    fn wake_for(&mut self, now: Duration, phase: Phase) {
        let remaining = match phase {
            Phase::Countdown { remaining } => remaining,
            Phase::Paused {
                resumes_in: Some(remaining),
                ..
            } => remaining,
            _ => return,
        };
        let to_next_second = match remaining.subsec_nanos() {
            0 => Duration::from_secs(1),
            part => Duration::from_nanos(part.into()),
        };
        self.next_refresh = self.next_refresh.min(now + to_next_second);
    }

    fn show_numbers(
        &mut self,
        now: Duration,
        reading: Reading,
        target: Option<u16>,
        (elapsed, position): (Duration, Duration),
    ) {
        let mine = Metrics {
            power: reading.power,
            cadence: reading.cadence,
            heart_rate: reading.heart_rate,
            target,
            elapsed_ms: millis(elapsed),
            position_ms: millis(position),
        };
        put(self.state.own_metrics, mine);
        let numbers = Telemetry {
            power: mine.power,
            cadence: mine.cadence,
            heart_rate: mine.heart_rate,
            target: mine.target,
            elapsed_ms: mine.elapsed_ms,
            at: GroupTime(0),
            position_ms: Some(mine.position_ms),
        };
        if let Some(me) = &self.me {
            self.roster.measure(now, &me.peer, &numbers, now);
        }
    }

    fn show_stage(&mut self, now: Duration, phase: Phase) {
        let stage = match phase {
            Phase::Lobby => Stage::Lobby,
            Phase::Countdown { .. } => Stage::Countdown,
            Phase::Riding { .. } | Phase::Paused { .. } => Stage::Riding,
            Phase::Ended { .. } => Stage::Ended,
        };
        // What was recorded before a reload comes first: the summary needs it.
        let too_early = stage == Stage::Ended && self.recording.is_opening(now);
        if self.state.stage.get_untracked() == stage || too_early {
            return;
        }
        match stage {
            Stage::Countdown | Stage::Riding => self.wake_lock.take(),
            _ => self.wake_lock.release(),
        }
        if stage == Stage::Ended {
            self.summarise(now);
        }
        self.state.stage.set(stage);
    }

    pub(super) fn summarise(&mut self, now: Duration) {
        // The ride may have ended while this page was away.
        let group_now = self.group_now(now);
        let ended = group_now.and_then(|time| self.timeline.ended_at(time));
        let at = ended.map_or(now, |at| self.on_own_clock(now, at));
        let pauses = self.pauses(now).into_iter();
        let summary = self.recording.finish(at, pauses);
        let summary = summary.map(|(figures, workout)| RideSummary { figures, workout });
        self.state.summary.set(summary);
        self.draw_chart(now);
    }

    /// The pauses that are over, on the own clock.
    fn pauses(&self, now: Duration) -> Vec<(Duration, Duration)> {
        let over = |(from, to): (GroupTime, Option<GroupTime>)| {
            let to = to.filter(|to| self.group_now(now).is_some_and(|time| *to <= time))?;
            Some((self.on_own_clock(now, from), self.on_own_clock(now, to)))
        };
        self.timeline.pauses().filter_map(over).collect()
    }

    /// A moment of group time on the own clock, never later than now.
    pub(super) fn on_own_clock(&self, now: Duration, at: GroupTime) -> Duration {
        let group_now = self.group_now(now);
        let age = group_now.map_or(Duration::ZERO, |time| time.since(at));
        now.saturating_sub(age)
    }

    /// Shows the workout of the timeline.
    pub(super) fn show_workout(&self) {
        let shared = self.timeline.workout();
        let shown = self.state.workout.get_untracked();
        if shown.as_deref() != shared {
            self.state.workout.set(shared.cloned().map(Arc::new));
        }
    }
}

fn progress(workout: &Workout, phase: Phase, elapsed: Duration, at: Duration) -> Progress {
    let position = player::position(workout, at);
    let (countdown, resumes_in) = match phase {
        Phase::Countdown { remaining } => (seconds_left(remaining), None),
        Phase::Paused { resumes_in, .. } => (0, resumes_in.map(seconds_left)),
        _ => (0, None),
    };
    Progress {
        countdown,
        elapsed_ms: millis(elapsed),
        position_ms: millis(at),
        remaining_ms: millis(position.remaining),
        interval: position.index,
        interval_remaining_ms: millis(position.remaining_in_interval),
        paused: matches!(phase, Phase::Paused { .. }),
        resumes_in,
    }
}

/// Begun seconds count: "10" is shown for the whole first second.
fn seconds_left(remaining: Duration) -> u32 {
    remaining.as_millis().div_ceil(1_000) as u32
}

/// A workout is at most 24 hours long, so its milliseconds fit.
fn millis(duration: Duration) -> u32 {
    duration.as_millis().min(u32::MAX.into()) as u32
}
