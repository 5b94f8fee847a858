//! Fitness Machine Control Point 0x2AD9: requests control of a trainer and sets its target power.
//!
//! One operation is in flight at a time, and only the newest target waits for its end. An operation
//! without an answer fails after [`ANSWER_TIMEOUT`], and the newest target is tried again. Control
//! that was lost is requested again.

use std::collections::VecDeque;

use core::time::Duration;

use clock::Moment;

use super::PowerRange;
use crate::trainer::{ControlRefusal, TrainerEvent};

/// Time limit of an operation.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Wait between a failed operation and the next attempt.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Number of consecutive failures after which the trainer counts as not answering.
const MAX_FAILURES: u32 = 3;

const REQUEST_CONTROL: u8 = 0x00;
const SET_POWER: u8 = 0x05;
const SET_SIMULATION: u8 = 0x11;
const RESPONSE: u8 = 0x80;
const STATUS_CONTROL_LOST: u8 = 0xff;

/// Simulation of a flat road without wind: rolling resistance 0.004, wind resistance 0.51 kg/m. It
/// replaces the target in parts of a workout without one, and lets the rider shift gears.
const FLAT_ROAD: [u8; 7] = [SET_SIMULATION, 0, 0, 0, 0, 40, 51];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ControlInput {
    /// The trainer is connected and its indications are subscribed to.
    Connected {
        /// Range that all targets are limited to, if the trainer reports one.
        range: Option<PowerRange>,
    },
    /// New target in W; `None` for riding without a target.
    Target(Option<u16>),
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
    Event(TrainerEvent),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ControlState {
    Disconnected,
    /// Control is being requested.
    Requesting,
    Controlling,
}

/// Operation without an answer so far.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    request: u8,
    target: Option<u16>,
    times_out_at: Moment,
}

/// State machine of the control point, see the module.
#[derive(Debug)]
pub(super) struct ControlPoint {
    state: ControlState,
    range: PowerRange,
    /// Newest target; the outer `None` before the first one.
    wanted: Option<Option<u16>>,
    /// Last target that the trainer has confirmed or rejected.
    answered: Option<Option<u16>>,
    in_flight: Option<InFlight>,
    retry_at: Option<Moment>,
    failures: u32,
    outputs: VecDeque<ControlOutput>,
}

impl Default for ControlPoint {
    fn default() -> Self {
        Self::new()
    }
}

impl ControlPoint {
    pub(super) const fn new() -> Self {
        Self {
            state: ControlState::Disconnected,
            range: PowerRange::UNKNOWN,
            wanted: None,
            answered: None,
            in_flight: None,
            retry_at: None,
            failures: 0,
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn handle(&mut self, now: Moment, input: ControlInput) {
        match input {
            ControlInput::Connected { range } => self.connect(range),
            ControlInput::Target(target) => self.wanted = Some(target),
            ControlInput::Indication(bytes) => self.handle_indication(now, &bytes),
            ControlInput::Status(bytes) => self.handle_status(&bytes),
            ControlInput::Written(true) => {}
            ControlInput::Written(false) => self.fail(now),
            ControlInput::Disconnected => self.disconnect(),
            ControlInput::Timeout => self.handle_timeout(now),
        }
        self.write_next(now);
    }

    pub(super) fn poll_output(&mut self) -> Option<ControlOutput> {
        self.outputs.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.in_flight
            .map(|operation| operation.times_out_at)
            .or(self.retry_at)
    }

    fn connect(&mut self, range: Option<PowerRange>) {
        self.range = range.unwrap_or_default();
        self.start_over();
        self.failures = 0;
    }

    /// Requests control from the beginning. The newest target is set again afterwards.
    fn start_over(&mut self) {
        self.state = ControlState::Requesting;
        self.answered = None;
        self.in_flight = None;
        self.retry_at = None;
    }

    fn disconnect(&mut self) {
        if self.state != ControlState::Disconnected {
            self.emit(TrainerEvent::Disconnected);
        }
        self.start_over();
        self.state = ControlState::Disconnected;
    }

    fn handle_indication(&mut self, now: Moment, bytes: &[u8]) {
        let &[RESPONSE, request, result, ..] = bytes else {
            return;
        };
        // The late answer to an operation that has timed out is ignored.
        let Some(operation) = self
            .in_flight
            .filter(|operation| operation.request == request)
        else {
            return;
        };
        match (result, request) {
            (0x01, _) => self.complete(operation),
            (0x05, SET_POWER | SET_SIMULATION) => self.lose_control(),
            (0x02, SET_POWER | SET_SIMULATION) => {
                self.refuse(operation, ControlRefusal::Unsupported)
            }
            (0x03, SET_POWER | SET_SIMULATION) => {
                self.refuse(operation, ControlRefusal::BadParameter)
            }
            (_, SET_POWER | SET_SIMULATION) => self.refuse(operation, ControlRefusal::Failed),
            _ => self.fail(now),
        }
    }

    fn complete(&mut self, operation: InFlight) {
        self.in_flight = None;
        self.failures = 0;
        if operation.request == REQUEST_CONTROL {
            self.state = ControlState::Controlling;
            self.emit(TrainerEvent::Controllable);
        } else {
            self.answered = Some(operation.target);
        }
    }

    fn refuse(&mut self, operation: InFlight, reason: ControlRefusal) {
        self.in_flight = None;
        self.failures = 0;
        self.answered = Some(operation.target);
        self.emit(TrainerEvent::Refused(reason));
    }

    fn handle_status(&mut self, bytes: &[u8]) {
        if bytes.first() == Some(&STATUS_CONTROL_LOST) && self.state == ControlState::Controlling {
            self.lose_control();
        }
    }

    fn lose_control(&mut self) {
        self.emit(TrainerEvent::ControlLost);
        self.start_over();
    }

    fn handle_timeout(&mut self, now: Moment) {
        if self
            .in_flight
            .is_some_and(|operation| now >= operation.times_out_at)
        {
            self.fail(now);
        }
        if self.retry_at.is_some_and(|at| now >= at) {
            self.retry_at = None;
        }
    }

    fn fail(&mut self, now: Moment) {
        if self.in_flight.take().is_none() {
            return;
        }
        self.failures += 1;
        self.retry_at = Some(now + RETRY_DELAY);
        if self.failures == MAX_FAILURES {
            self.emit(TrainerEvent::NotAnswering);
        }
        if self.failures >= MAX_FAILURES {
            self.state = ControlState::Requesting;
            self.answered = None;
        }
    }

    fn write_next(&mut self, now: Moment) {
        if self.in_flight.is_some() || self.retry_at.is_some() {
            return;
        }
        match (self.state, self.wanted) {
            (ControlState::Requesting, _) => self.write(now, None, vec![REQUEST_CONTROL]),
            (ControlState::Controlling, Some(target)) if self.answered != Some(target) => {
                self.write(now, target, self.command(target));
            }
            _ => {}
        }
    }

    fn command(&self, target: Option<u16>) -> Vec<u8> {
        let Some(watts) = target else {
            return FLAT_ROAD.to_vec();
        };
        let [low, high] = self.range.clamp(watts).to_le_bytes();
        vec![SET_POWER, low, high]
    }

    fn write(&mut self, now: Moment, target: Option<u16>, bytes: Vec<u8>) {
        let operation = InFlight {
            request: bytes[0],
            target,
            times_out_at: now + ANSWER_TIMEOUT,
        };
        self.in_flight = Some(operation);
        self.outputs.push_back(ControlOutput::Write(bytes));
    }

    fn emit(&mut self, event: TrainerEvent) {
        self.outputs.push_back(ControlOutput::Event(event));
    }
}

#[cfg(test)]
mod tests;
