//! Writes loads to trainers that confirm nothing but the write itself. One write is in flight at a
//! time, and only the newest load waits for its end. A write that fails is tried again after a delay
//! that grows.

use core::time::Duration;
use std::collections::VecDeque;

use clock::Moment;

use super::{ControlProblem, Load, ProfileEvent};

/// Time limit of a write.
const WRITE_TIMEOUT: Duration = Duration::from_secs(3);
/// Wait after a failed write.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Longest wait after a failed write.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);
/// Number of consecutive failures after which the trainer counts as out of control.
const MAX_FAILURES: u32 = 3;

/// State machine of the writes to one trainer.
#[derive(Debug)]
pub(super) struct LoadWriter {
    /// Bytes to write before the first load of a connection; empty if none are needed.
    unlock: &'static [u8],
    /// Writes of a load, one after the other.
    encode: fn(Load) -> Vec<Vec<u8>>,
    is_connected: bool,
    is_unlocked: bool,
    wanted: Option<Load>,
    confirmed: Option<Load>,
    /// Write in flight: its load (`None` for unlocking), and its time limit.
    in_flight: Option<(Option<Load>, Moment)>,
    /// Further writes of the load in flight.
    rest: VecDeque<Vec<u8>>,
    retry_at: Option<Moment>,
    failures: u32,
    is_failing: bool,
}

/// Bytes to write, and an event to report.
pub(super) type Effects = (Option<Vec<u8>>, Option<ProfileEvent>);

impl LoadWriter {
    pub(super) const fn new(unlock: &'static [u8], encode: fn(Load) -> Vec<Vec<u8>>) -> Self {
        Self {
            unlock,
            encode,
            is_connected: false,
            is_unlocked: false,
            wanted: None,
            confirmed: None,
            in_flight: None,
            rest: VecDeque::new(),
            retry_at: None,
            failures: 0,
            is_failing: false,
        }
    }

    pub(super) fn connected(&mut self, now: Moment) -> Effects {
        *self = Self {
            is_connected: true,
            is_unlocked: self.unlock.is_empty(),
            wanted: self.wanted,
            ..Self::new(self.unlock, self.encode)
        };
        // Such trainers grant no control: every app that writes has it.
        let event = self.is_unlocked.then_some(ProfileEvent::Controllable);
        (self.write_next(now), event)
    }

    pub(super) fn disconnected(&mut self) {
        *self = Self {
            wanted: self.wanted,
            ..Self::new(self.unlock, self.encode)
        };
    }

    pub(super) fn set(&mut self, now: Moment, load: Load) -> Option<Vec<u8>> {
        self.wanted = Some(load);
        self.write_next(now)
    }

    /// Frees the trainer at once, also while a write is in flight: all bytes to write, one after the
    /// other. There may be no later moment for the rest of them.
    pub(super) fn release(&mut self, now: Moment) -> Vec<Vec<u8>> {
        let held = self.confirmed.or(self.in_flight.and_then(|(load, _)| load));
        let holds = held.is_some_and(|load| load != Load::FREE);
        if !self.is_connected || !holds {
            return Vec::new();
        }
        let first = self.write(now, Some(Load::FREE));
        let rest = core::mem::take(&mut self.rest);
        [first].into_iter().chain(rest).collect()
    }

    pub(super) fn written(&mut self, now: Moment, ok: bool) -> Effects {
        let Some((load, _)) = self.in_flight.take() else {
            return (None, None);
        };
        if !ok {
            return (None, self.failed(now));
        }
        // A newer load makes the rest of this one needless.
        let is_wanted = load == self.wanted;
        if let Some(bytes) = self.rest.pop_front().filter(|_| is_wanted) {
            self.in_flight = Some((load, now + WRITE_TIMEOUT));
            return (Some(bytes), None);
        }
        let was_failing = core::mem::take(&mut self.is_failing);
        let was_locked = !core::mem::replace(&mut self.is_unlocked, true);
        self.failures = 0;
        // Of a load that was not written to its end, nothing is known.
        self.confirmed = load.filter(|_| is_wanted);
        let event = (was_failing || was_locked).then_some(ProfileEvent::Controllable);
        (self.write_next(now), event)
    }

    pub(super) fn handle_timeout(&mut self, now: Moment) -> Effects {
        if self.in_flight.take_if(|(_, at)| *at <= now).is_some() {
            return (None, self.failed(now));
        }
        self.retry_at.take_if(|at| *at <= now);
        (self.write_next(now), None)
    }

    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.in_flight.map(|(_, at)| at).or(self.retry_at)
    }

    fn failed(&mut self, now: Moment) -> Option<ProfileEvent> {
        self.rest.clear();
        self.failures = self.failures.saturating_add(1);
        let delay = RETRY_DELAY * 2_u32.saturating_pow(self.failures - 1);
        self.retry_at = Some(now + delay.min(MAX_RETRY_DELAY));
        self.confirmed = None;
        let is_new = self.failures >= MAX_FAILURES && !self.is_failing;
        self.is_failing |= is_new;
        is_new.then_some(ProfileEvent::Uncontrolled(ControlProblem::NoAnswer))
    }

    fn write_next(&mut self, now: Moment) -> Option<Vec<u8>> {
        if !self.is_connected || self.in_flight.is_some() || self.retry_at.is_some() {
            return None;
        }
        if !self.is_unlocked {
            return Some(self.write(now, None));
        }
        let load = self.wanted.filter(|load| self.confirmed != Some(*load))?;
        Some(self.write(now, Some(load)))
    }

    fn write(&mut self, now: Moment, load: Option<Load>) -> Vec<u8> {
        self.in_flight = Some((load, now + WRITE_TIMEOUT));
        let writes = load.map_or_else(|| vec![self.unlock.to_vec()], self.encode);
        self.rest = writes.into();
        self.rest.pop_front().unwrap_or_default()
    }
}
