//! Fitness Machine Control Point 0x2AD9: requests control of a trainer and sets its target power.
//!
//! One operation is in flight at a time, and only the newest target waits for its end. An operation
//! without an answer fails after [`ANSWER_TIMEOUT`]; one that failed or was rejected is tried again
//! after a delay that grows, and a rejected one with every new target. Control that was lost is
//! requested again. An answer that comes late is believed: the newest answer counts.

mod command;

use std::collections::VecDeque;

use core::time::Duration;

use clock::Moment;

use super::{PowerRange, ResistanceRange};
use crate::trainer::{Capabilities, ControlProblem, Load, ProfileEvent};
use command::{
    NOT_PERMITTED, NOT_SUPPORTED, REQUEST_CONTROL, RESET, RESPONSE, SET_POWER, SET_SIMULATION,
    START, STATUS_CONTROL_LOST, SUCCESS,
};

/// Time limit of an operation.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Wait between a failed operation and the next attempt, for the first failures.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Longest wait between a failed operation and the next attempt.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);
/// Number of consecutive failures of one operation after which the trainer counts as unable to
/// carry it out.
const MAX_FAILURES: u32 = 3;
/// Number of refusals of control after which the trainer is reset, once.
const RESET_AFTER: u32 = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ControlInput {
    /// The trainer is connected and its indications are subscribed to.
    Connected {
        /// Range that all targets are limited to, if the trainer reports one.
        range: Option<PowerRange>,
        /// Levels of resistance, if the trainer reports them.
        resistance: Option<ResistanceRange>,
        /// Loads that the trainer reports to take.
        capabilities: Capabilities,
    },
    /// New load.
    Load(Load),
    /// Start the machine, which sends no data.
    Start,
    /// Free the trainer of its target at once.
    Release,
    /// Indication of the control point.
    Indication(Vec<u8>),
    /// Notification of Fitness Machine Status 0x2ADA.
    Status(Vec<u8>),
    /// Result of the last [`ControlOutput::Write`].
    Written(bool),
    /// The trainer is no longer connected.
    Disconnected,
    /// The time of [`ControlPoint::poll_timeout`] has come.
    Timeout,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ControlOutput {
    /// Write to the control point with response, to be followed by [`ControlInput::Written`].
    Write(Vec<u8>),
    /// Change of the trainer's state.
    Event(ProfileEvent),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ControlState {
    #[default]
    Disconnected,
    /// Control is being requested.
    Requesting,
    Controlling,
}

/// Operation that was written.
#[derive(Clone, Copy, Debug)]
struct Operation {
    request: u8,
    /// Load that it sets.
    load: Option<Load>,
}

/// Consecutive failures of one operation.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    request: u8,
    count: u32,
}

/// State machine of the control point, see the module.
#[derive(Debug, Default)]
pub(super) struct ControlPoint {
    state: ControlState,
    range: PowerRange,
    resistance: ResistanceRange,
    /// False if the trainer reports that it takes no target power. It is asked nevertheless.
    takes_power: bool,
    /// False once the trainer has rejected a simulation: it is reset instead.
    simulates: bool,
    /// True while the device sends data, so that silence of the control point is not silence of
    /// the device.
    pub(super) data_flows: bool,
    /// Newest load; `None` before the first one.
    wanted: Option<Load>,
    /// Load that the trainer has confirmed last.
    answered: Option<Load>,
    /// True once the trainer was reset because it gave no control: some want it first.
    was_reset: bool,
    /// True if the trainer may have a target from this connection.
    holds_target: bool,
    wants_start: bool,
    /// Newest operation, answered or not.
    operation: Option<Operation>,
    /// Time limit of the operation; `None` while none is in flight.
    times_out_at: Option<Moment>,
    retry_at: Option<Moment>,
    /// True if a new target ends the wait.
    retries_on_change: bool,
    failures: Failures,
    /// Reason why the trainer is not controlled, with the operation that would prove it wrong.
    problem: Option<(u8, ControlProblem)>,
    outputs: VecDeque<ControlOutput>,
}

impl ControlPoint {
    pub(super) fn handle(&mut self, now: Moment, input: ControlInput) {
        match input {
            ControlInput::Connected {
                range,
                resistance,
                capabilities,
            } => self.connect(range, resistance, capabilities),
            ControlInput::Load(load) => self.set_load(load),
            ControlInput::Start => self.wants_start = true,
            ControlInput::Release => return self.release(now),
            ControlInput::Indication(bytes) => self.handle_indication(now, &bytes),
            ControlInput::Status(bytes) => self.handle_status(&bytes),
            ControlInput::Written(true) => {}
            ControlInput::Written(false) => self.fail(now),
            ControlInput::Disconnected => self.reset(ControlState::Disconnected),
            ControlInput::Timeout => self.handle_timeout(now),
        }
        self.write_next(now);
    }

    pub(super) fn poll_output(&mut self) -> Option<ControlOutput> {
        self.outputs.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.times_out_at.or(self.retry_at)
    }

    fn connect(
        &mut self,
        range: Option<PowerRange>,
        resistance: Option<ResistanceRange>,
        capabilities: Capabilities,
    ) {
        self.reset(ControlState::Requesting);
        self.range = range.unwrap_or_default();
        self.resistance = resistance.unwrap_or_default();
        self.takes_power = capabilities.power;
        if !capabilities.power {
            self.report(SET_POWER, ControlProblem::Unsupported);
        }
    }

    /// Begins anew. Only the newest target is kept.
    fn reset(&mut self, state: ControlState) {
        *self = Self {
            state,
            simulates: true,
            data_flows: self.data_flows,
            wanted: self.wanted,
            outputs: std::mem::take(&mut self.outputs),
            ..Self::default()
        };
    }

    fn set_load(&mut self, load: Load) {
        let has_changed = self.wanted.replace(load) != Some(load);
        if has_changed && self.retries_on_change {
            self.retry_at = None;
        }
    }

    fn handle_indication(&mut self, now: Moment, bytes: &[u8]) {
        let &[RESPONSE, request, result, ..] = bytes else {
            return;
        };
        let Some(operation) = self.operation.filter(|it| it.request == request) else {
            return;
        };
        if result == SUCCESS {
            self.complete(operation);
        } else if self.times_out_at.take().is_some() {
            self.reject(now, operation, result);
        }
    }

    /// The trainer has carried out an operation, perhaps after its time limit, or after a rejection
    /// of the same.
    fn complete(&mut self, operation: Operation) {
        self.times_out_at = None;
        self.retry_at = None;
        if self.failures.request == operation.request {
            self.failures.count = 0;
        }
        match operation.request {
            // What it was told before is forgotten, but nothing was asked for.
            RESET if operation.load.is_none() => return,
            START => return,
            REQUEST_CONTROL => self.state = ControlState::Controlling,
            _ => {
                self.answered = operation.load;
                self.holds_target = operation.load.is_some_and(|load| load != Load::FREE);
                self.state = match operation.request {
                    // A reset ends the control, too.
                    RESET => ControlState::Requesting,
                    _ => ControlState::Controlling,
                };
            }
        }
        let (request, problem) = (operation.request, self.problem);
        self.problem = problem.filter(|(by, _)| request != SET_POWER && *by != request);
        let is_granted = request == REQUEST_CONTROL && problem.is_none();
        if is_granted || self.problem != problem {
            self.emit(ProfileEvent::Controllable);
        }
    }

    fn reject(&mut self, now: Moment, operation: Operation, result: u8) {
        let request = operation.request;
        match (request, result) {
            // The machine runs without it.
            (START, _) => {}
            (RESET, _) if operation.load.is_none() => {}
            (SET_SIMULATION, _) if self.simulates && result != NOT_PERMITTED => {
                self.simulates = false;
            }
            (REQUEST_CONTROL, _) => {
                self.wait(now, request);
                self.report(request, ControlProblem::NotPermitted);
            }
            (_, NOT_PERMITTED) => {
                self.state = ControlState::Requesting;
                if self.count_failure(request) > 1 {
                    // Control was given, and is worth nothing.
                    self.wait_after(now, self.failures.count);
                    self.report(request, ControlProblem::NotPermitted);
                } else {
                    self.report(REQUEST_CONTROL, ControlProblem::NotPermitted);
                }
            }
            (_, NOT_SUPPORTED) => {
                self.wait(now, request);
                self.report(request, ControlProblem::Unsupported);
            }
            _ => {
                self.wait(now, request);
                self.report(request, ControlProblem::Rejected);
            }
        }
    }

    fn handle_status(&mut self, bytes: &[u8]) {
        if bytes.first() == Some(&STATUS_CONTROL_LOST) && self.state == ControlState::Controlling {
            self.report(REQUEST_CONTROL, ControlProblem::NotPermitted);
            self.state = ControlState::Requesting;
            self.answered = None;
            self.times_out_at = None;
            self.retry_at = None;
        }
    }

    fn handle_timeout(&mut self, now: Moment) {
        if self.times_out_at.is_some_and(|at| now >= at) {
            self.fail(now);
        }
        self.retry_at.take_if(|at| now >= *at);
    }

    /// The operation in flight was not answered, or not even written.
    fn fail(&mut self, now: Moment) {
        let (Some(_), Some(Operation { request, .. })) = (self.times_out_at.take(), self.operation)
        else {
            return;
        };
        if request == START || (request == RESET && !self.resets_a_load()) {
            return;
        }
        self.wait(now, request);
        self.retries_on_change = self.failures.count >= MAX_FAILURES;
        let is_doubtful = request == SET_POWER && !self.takes_power;
        if self.failures.count < MAX_FAILURES && !is_doubtful {
            return;
        }
        if request == SET_SIMULATION && self.simulates {
            self.simulates = false;
            return;
        }
        self.state = ControlState::Requesting;
        if self.data_flows {
            self.report(request, ControlProblem::NoAnswer);
        }
    }

    /// Counts a failure of the operation, and waits before the next attempt.
    fn wait(&mut self, now: Moment, request: u8) {
        let failures = self.count_failure(request);
        self.wait_after(now, failures);
    }

    fn wait_after(&mut self, now: Moment, failures: u32) {
        let doublings = match failures {
            0..MAX_FAILURES => 0,
            more => more - 1,
        };
        let delay = RETRY_DELAY * 2_u32.saturating_pow(doublings);
        self.retry_at = Some(now + delay.min(MAX_RETRY_DELAY));
        self.retries_on_change = true;
    }

    fn count_failure(&mut self, request: u8) -> u32 {
        if self.failures.request != request {
            self.failures = Failures { request, count: 0 };
        }
        self.failures.count = self.failures.count.saturating_add(1);
        self.failures.count
    }

    fn report(&mut self, request: u8, problem: ControlProblem) {
        let before = self.problem.replace((request, problem));
        if before.is_none_or(|(_, before)| before != problem) {
            self.emit(ProfileEvent::Uncontrolled(problem));
        }
    }

    /// Writes the release without waiting for an operation in flight, whose answer is no longer
    /// of interest.
    fn release(&mut self, now: Moment) {
        if std::mem::take(&mut self.holds_target) {
            self.write_load(now, Load::FREE);
        }
    }

    fn write_next(&mut self, now: Moment) {
        if self.times_out_at.is_some() || self.retry_at.is_some() {
            return;
        }
        match (self.state, self.wanted) {
            (ControlState::Requesting, _) if self.needs_reset() => {
                self.was_reset = true;
                self.write(now, None, vec![RESET]);
            }
            (ControlState::Requesting, _) => self.write(now, None, vec![REQUEST_CONTROL]),
            (ControlState::Controlling, _) if self.wants_start && !self.data_flows => {
                self.wants_start = false;
                self.write(now, None, vec![START]);
            }
            (ControlState::Controlling, Some(load)) if self.answered != Some(load) => {
                self.write_load(now, load);
            }
            _ => {}
        }
    }

    /// Tells whether the trainer has refused control several times, and was not reset so far.
    fn needs_reset(&self) -> bool {
        let Failures { request, count } = self.failures;
        request == REQUEST_CONTROL && count >= RESET_AFTER && !self.was_reset
    }

    /// Tells whether the newest operation was a reset in place of a load.
    fn resets_a_load(&self) -> bool {
        self.operation
            .is_some_and(|operation| operation.load.is_some())
    }

    /// Writes a load. Until it is confirmed, the trainer may have this one or the one before.
    fn write_load(&mut self, now: Moment, load: Load) {
        self.answered = None;
        self.holds_target |= load != Load::FREE;
        let bytes = match load {
            Load::Power(watts) => command::power(self.range, watts),
            Load::Resistance(percent) => command::resistance(self.resistance, percent),
            Load::Slope(slope) if self.simulates => command::road(slope),
            Load::Slope(_) => vec![RESET],
        };
        self.write(now, Some(load), bytes);
    }

    fn write(&mut self, now: Moment, load: Option<Load>, bytes: Vec<u8>) {
        let request = bytes[0];
        self.operation = Some(Operation { request, load });
        self.times_out_at = Some(now + ANSWER_TIMEOUT);
        self.outputs.push_back(ControlOutput::Write(bytes));
    }

    fn emit(&mut self, event: ProfileEvent) {
        self.outputs.push_back(ControlOutput::Event(event));
    }
}

#[cfg(test)]
mod tests;
