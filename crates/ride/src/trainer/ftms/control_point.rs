//! The Fitness Machine Control Point 0x2AD9: taking control of a trainer and setting its target
//! power.
//!
//! The driver subscribes to the indications first, then says [`Input::Connected`]. One operation is
//! in flight at a time; while it is, only the newest target waits. An operation that is not
//! answered is given up after [`ANSWER_WITHIN`] and the newest target is tried again; control that
//! was lost is asked for again.

use std::collections::VecDeque;

use core::time::Duration;

use clock::Moment;
use thiserror::Error;

use super::PowerRange;

/// How long an operation may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// How long to wait before trying again what failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// After so many failures in a row the trainer counts as lost.
const MAX_FAILURES: u32 = 3;

const REQUEST_CONTROL: u8 = 0x00;
const SET_POWER: u8 = 0x05;
const SET_SIMULATION: u8 = 0x11;
const RESPONSE: u8 = 0x80;
const STATUS_CONTROL_LOST: u8 = 0xff;

/// A flat road without wind: rolling resistance 0.004, wind resistance 0.51. It takes the target
/// away where there is none, and lets the rider shift.
const FLAT_ROAD: [u8; 7] = [SET_SIMULATION, 0, 0, 0, 0, 40, 51];

/// What happens to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The trainer is connected and its indications are subscribed to. Its range, where it names
    /// one.
    Connected {
        /// Every target is clamped to it.
        range: Option<PowerRange>,
    },
    /// Ride at so many watts, or without a target.
    Target(Option<u16>),
    /// The control point indicated these bytes.
    Indication(Vec<u8>),
    /// Fitness Machine Status 0x2ADA notified these bytes.
    Status(Vec<u8>),
    /// The last [`Output::Write`] went through, or not.
    Written(bool),
    /// The trainer is gone.
    Disconnected,
    /// The moment of [`ControlPoint::poll_timeout`] has come.
    Timeout,
}

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this to the control point, with response, and say [`Input::Written`].
    Write(Vec<u8>),
    /// Tell the app.
    Event(Event),
}

/// What the app should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The trainer takes targets.
    Ready,
    /// The trainer is gone, does not answer, or obeys somebody else now. It is asked for control
    /// again as long as it is connected; [`Event::Ready`] says when it is back.
    Lost,
    /// The trainer does not do what it was asked; riding goes on without that target.
    Refused {
        /// Why.
        reason: Refusal,
    },
}

/// What a trainer answers when it does not obey (FTMS 1.0, table 4.24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// 02: it cannot do this at all.
    #[error("This trainer does not take a target power. Ride by its own resistance.")]
    Unsupported,
    /// 03: not with this value.
    #[error("The trainer did not accept this target.")]
    BadParameter,
    /// 04, or a code that the standard does not name.
    #[error("The trainer could not set this target.")]
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Disconnected,
    /// Control is asked for, or will be.
    Asking,
    Controlling,
}

/// An operation on its way.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    request: u8,
    target: Option<u16>,
    give_up: Moment,
}

/// The machine; see the module for its law.
#[derive(Debug)]
pub struct ControlPoint {
    state: State,
    range: PowerRange,
    /// The newest target; the outer none before the first.
    wanted: Option<Option<u16>>,
    /// What the trainer has confirmed or refused last.
    settled: Option<Option<u16>>,
    in_flight: Option<InFlight>,
    retry_at: Option<Moment>,
    failures: u32,
    outputs: VecDeque<Output>,
}

impl Default for ControlPoint {
    fn default() -> Self {
        Self::new()
    }
}

impl ControlPoint {
    /// Without a trainer.
    pub const fn new() -> Self {
        Self {
            state: State::Disconnected,
            range: PowerRange {
                min: 0,
                max: 2_000,
                step: 1,
            },
            wanted: None,
            settled: None,
            in_flight: None,
            retry_at: None,
            failures: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes an input at a moment (monotonic, of any origin).
    pub fn handle(&mut self, now: Moment, input: Input) {
        match input {
            Input::Connected { range } => self.connected(range),
            Input::Target(target) => self.wanted = Some(target),
            Input::Indication(bytes) => self.indicated(now, &bytes),
            Input::Status(bytes) => self.status(&bytes),
            Input::Written(true) => {}
            Input::Written(false) => self.failed(now),
            Input::Disconnected => self.disconnected(),
            Input::Timeout => self.timed_out(now),
        }
        self.write_next(now);
    }

    /// What the driver has to do next; none when it is done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to say [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.in_flight
            .map(|operation| operation.give_up)
            .or(self.retry_at)
    }

    fn connected(&mut self, range: Option<PowerRange>) {
        self.range = range.unwrap_or_default();
        self.start_over();
        self.failures = 0;
    }

    /// Asks for control as if nothing had been said before; the newest target is set again
    /// afterwards.
    fn start_over(&mut self) {
        self.state = State::Asking;
        self.settled = None;
        self.in_flight = None;
        self.retry_at = None;
    }

    fn disconnected(&mut self) {
        if self.state != State::Disconnected {
            self.tell(Event::Lost);
        }
        self.start_over();
        self.state = State::Disconnected;
    }

    fn indicated(&mut self, now: Moment, bytes: &[u8]) {
        let &[RESPONSE, request, result, ..] = bytes else {
            return;
        };
        // An answer to what has been given up says nothing about what is in flight now.
        let Some(operation) = self
            .in_flight
            .filter(|operation| operation.request == request)
        else {
            return;
        };
        match (result, request) {
            (0x01, _) => self.succeeded(operation),
            (0x05, SET_POWER | SET_SIMULATION) => self.lost_control(),
            (0x02, SET_POWER | SET_SIMULATION) => self.refused(operation, Refusal::Unsupported),
            (0x03, SET_POWER | SET_SIMULATION) => self.refused(operation, Refusal::BadParameter),
            (_, SET_POWER | SET_SIMULATION) => self.refused(operation, Refusal::Failed),
            _ => self.failed(now),
        }
    }

    fn succeeded(&mut self, operation: InFlight) {
        self.in_flight = None;
        self.failures = 0;
        if operation.request == REQUEST_CONTROL {
            self.state = State::Controlling;
            self.tell(Event::Ready);
        } else {
            self.settled = Some(operation.target);
        }
    }

    fn refused(&mut self, operation: InFlight, reason: Refusal) {
        self.in_flight = None;
        self.failures = 0;
        self.settled = Some(operation.target);
        self.tell(Event::Refused { reason });
    }

    fn status(&mut self, bytes: &[u8]) {
        if bytes.first() == Some(&STATUS_CONTROL_LOST) && self.state == State::Controlling {
            self.lost_control();
        }
    }

    fn lost_control(&mut self) {
        self.tell(Event::Lost);
        self.start_over();
    }

    fn timed_out(&mut self, now: Moment) {
        if self
            .in_flight
            .is_some_and(|operation| now >= operation.give_up)
        {
            self.failed(now);
        }
        if self.retry_at.is_some_and(|at| now >= at) {
            self.retry_at = None;
        }
    }

    fn failed(&mut self, now: Moment) {
        if self.in_flight.take().is_none() {
            return;
        }
        self.failures += 1;
        self.retry_at = Some(now + RETRY_AFTER);
        if self.failures == MAX_FAILURES {
            self.tell(Event::Lost);
        }
        if self.failures >= MAX_FAILURES {
            self.state = State::Asking;
            self.settled = None;
        }
    }

    fn write_next(&mut self, now: Moment) {
        if self.in_flight.is_some() || self.retry_at.is_some() {
            return;
        }
        match (self.state, self.wanted) {
            (State::Asking, _) => self.write(now, None, vec![REQUEST_CONTROL]),
            (State::Controlling, Some(target)) if self.settled != Some(target) => {
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
            give_up: now + ANSWER_WITHIN,
        };
        self.in_flight = Some(operation);
        self.outputs.push_back(Output::Write(bytes));
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

#[cfg(test)]
mod tests;
