use std::time::Duration;

use clock::Moment;

use super::{NodeEvent, outputs::Outputs};
use crate::backoff::Backoff;
use protocol::signaling::{ClientMessage, Resume};

/// Time for a socket to open and for the welcome to arrive.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Interval between two pings, which also show the server that this page lives.
const PING_INTERVAL: Duration = Duration::from_secs(1);
/// Time for an answer to a ping.
const PONG_TIMEOUT: Duration = Duration::from_secs(3);
/// Time for an answer to a ping when there is reason to doubt that the socket lives.
const SHORT_PONG_TIMEOUT: Duration = Duration::from_millis(1_500);
const RETRY: Duration = Duration::from_millis(500);
const RETRY_LIMIT: Duration = Duration::from_secs(4);
/// Longest time for which a closing server can postpone the next attempt.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// The signaling socket: opens it, checks that it lives, and reconnects.
#[derive(Debug)]
pub(super) struct SignalingSocket {
    phase: Phase,
    /// Identity with which the page returns, once the server has assigned it.
    resume: Option<Resume>,
    /// Newest epoch in the hello of this socket.
    hello_epoch: u32,
    /// True if the page asked for a check: a dead socket is then replaced without delay.
    is_urgent: bool,
    /// Pings on this socket that the server has not answered. It answers in their order.
    unanswered_pings: u32,
    /// True if a member became silent, which may mean that the own network is lost.
    is_doubted: bool,
    backoff: Backoff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No socket until a moment.
    Waiting { until: Moment },
    /// Requested or open, and not welcomed yet.
    Opening { until: Moment },
    /// Welcomed.
    Open {
        received_at: Moment,
        pinged_at: Moment,
        /// True if the last ping is unanswered.
        awaits_pong: bool,
    },
    /// No socket any more: the server refused this page, which continues over its direct links.
    GivenUp,
    /// Left, refused or replaced.
    Finished,
}

impl SignalingSocket {
    /// Socket that is to be opened at once.
    pub(super) fn new(resume: Option<Resume>, seed: u64) -> Self {
        Self {
            phase: Phase::Waiting {
                until: Moment::ZERO,
            },
            resume,
            hello_epoch: 0,
            is_urgent: false,
            unanswered_pings: 0,
            is_doubted: false,
            backoff: Backoff::new(RETRY, RETRY_LIMIT, seed),
        }
    }

    /// Returns true if the server has welcomed this page on the present socket.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    pub(super) fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening { .. })
    }

    /// Returns true if there is a socket, welcomed or not.
    pub(super) fn exists(&self) -> bool {
        self.is_opening() || self.is_open()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }

    pub(super) fn resume(&self) -> Option<&Resume> {
        self.resume.as_ref()
    }

    pub(super) fn timeout(&self) -> Option<Moment> {
        match self.phase {
            Phase::Waiting { until } | Phase::Opening { until } => Some(until),
            Phase::Open {
                pinged_at,
                awaits_pong,
                ..
            } => {
                let wait = match awaits_pong {
                    true if self.is_urgent || self.is_doubted => SHORT_PONG_TIMEOUT,
                    true => PONG_TIMEOUT,
                    false => PING_INTERVAL,
                };
                Some(pinged_at + wait)
            }
            Phase::GivenUp | Phase::Finished => None,
        }
    }

    /// Opens the socket, pings, or replaces a dead socket when that is due.
    pub(super) fn tick(&mut self, now: Moment, outputs: &mut Outputs) {
        if self.timeout().is_none_or(|at| at > now) {
            return;
        }
        match self.phase {
            Phase::Waiting { .. } => self.open(now, outputs),
            Phase::Open {
                awaits_pong: false, ..
            } => self.ping(now, outputs),
            Phase::Opening { .. } | Phase::Open { .. } => {
                outputs.close_socket();
                let delay = self.backoff.next_delay();
                let is_urgent = std::mem::take(&mut self.is_urgent);
                let retry_in = if is_urgent { Duration::ZERO } else { delay };
                self.reconnect(now, retry_in, outputs);
            }
            Phase::GivenUp | Phase::Finished => {}
        }
    }

    /// Sends the hello on the opened socket. `epoch` is the newest epoch in it.
    pub(super) fn send_hello(&mut self, hello: &ClientMessage, epoch: u32, outputs: &mut Outputs) {
        self.hello_epoch = epoch;
        outputs.send(hello);
    }

    /// Records the welcome.
    pub(super) fn welcomed(&mut self, now: Moment, resume: Resume) {
        self.resume = Some(resume);
        self.backoff.reset();
        (self.is_urgent, self.is_doubted) = (false, false);
        self.unanswered_pings = 0;
        self.phase = Phase::Open {
            received_at: now,
            pinged_at: now,
            awaits_pong: false,
        };
    }

    /// Records that the server answered a ping.
    pub(super) fn ponged(&mut self) {
        self.unanswered_pings = self.unanswered_pings.saturating_sub(1);
        if self.is_urgent && self.unanswered_pings == 0 {
            self.answered();
        }
    }

    /// Records that a message arrived. It answers any ping but that of a check for which the page asked:
    /// it may have been on its way since before the page slept.
    pub(super) fn received(&mut self, now: Moment) {
        if let Phase::Open { received_at, .. } = &mut self.phase {
            *received_at = now;
            if !self.is_urgent {
                self.answered();
            }
        }
    }

    fn answered(&mut self) {
        (self.is_urgent, self.is_doubted) = (false, false);
        if let Phase::Open { awaits_pong, .. } = &mut self.phase {
            *awaits_pong = false;
        }
    }

    /// The socket closed, and is opened again after a delay.
    pub(super) fn closed(&mut self, now: Moment, outputs: &mut Outputs) {
        let retry_in = self.backoff.next_delay();
        self.reconnect(now, retry_in, outputs);
    }

    /// The server closes the socket, and asks to wait before the next one.
    pub(super) fn server_closes(&mut self, now: Moment, retry_after_ms: u32, out: &mut Outputs) {
        let retry_after = Duration::from_millis(retry_after_ms.into()).min(MAX_RETRY_AFTER);
        let retry_in = retry_after + self.backoff.next_delay();
        out.close_socket();
        self.reconnect(now, retry_in, out);
    }

    /// The server knows only an older epoch than `epoch`. If a host was elected after the hello, a
    /// new one is sent on another socket.
    pub(super) fn server_is_behind(&mut self, now: Moment, epoch: u32, outputs: &mut Outputs) {
        if self.hello_epoch < epoch {
            outputs.close_socket();
            // It counts as an attempt but does not wait for the delay.
            self.backoff.next_delay();
            self.reconnect(now, Duration::ZERO, outputs);
        }
    }

    /// Checks the socket, or opens one, at once: the page became visible or is online again.
    pub(super) fn probe(&mut self, now: Moment, outputs: &mut Outputs) {
        self.is_urgent = self.is_open();
        match self.phase {
            // A ping that was sent before the page slept says nothing, so another one is sent.
            Phase::Open { .. } => self.ping(now, outputs),
            Phase::Waiting { .. } => self.open(now, outputs),
            Phase::Opening { .. } | Phase::GivenUp | Phase::Finished => {}
        }
    }

    /// Checks the socket because a member became silent at `silent_from`, unless a message of the
    /// server arrived after that or a check is in progress.
    pub(super) fn doubt(&mut self, now: Moment, silent_from: Moment, outputs: &mut Outputs) {
        if let Phase::Open {
            received_at,
            awaits_pong,
            ..
        } = self.phase
            && !self.is_doubted
            && !self.is_urgent
            && received_at < silent_from
        {
            self.is_doubted = true;
            if !awaits_pong {
                self.ping(now, outputs);
            }
        }
    }

    /// Closes the socket for good; the page continues over its direct links.
    pub(super) fn give_up(&mut self, outputs: &mut Outputs) {
        outputs.close_socket();
        self.phase = Phase::GivenUp;
    }

    /// Closes the socket and ends the node.
    pub(super) fn finish(&mut self, outputs: &mut Outputs) {
        if self.exists() {
            outputs.close_socket();
        }
        self.phase = Phase::Finished;
    }

    fn open(&mut self, now: Moment, outputs: &mut Outputs) {
        self.phase = Phase::Opening {
            until: now + OPEN_TIMEOUT,
        };
        outputs.open_socket();
    }

    fn ping(&mut self, now: Moment, outputs: &mut Outputs) {
        if let Phase::Open {
            pinged_at,
            awaits_pong,
            ..
        } = &mut self.phase
        {
            (*pinged_at, *awaits_pong) = (now, true);
            self.unanswered_pings += 1;
            outputs.send(&ClientMessage::Ping);
        }
    }

    fn reconnect(&mut self, now: Moment, retry_in: Duration, outputs: &mut Outputs) {
        self.phase = Phase::Waiting {
            until: now + retry_in,
        };
        let attempt = self.backoff.attempt();
        outputs.event(NodeEvent::SocketLost { attempt, retry_in });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Output;

    fn at(ms: u64) -> Moment {
        Moment::from_origin(Duration::from_millis(ms))
    }

    fn all(outputs: &mut Outputs) -> Vec<Output> {
        std::iter::from_fn(|| outputs.pop()).collect()
    }

    fn ping() -> Output {
        Output::SendText(ClientMessage::Ping.to_json())
    }

    fn resume() -> Resume {
        Resume {
            peer: "peer-1".parse().unwrap(),
            token: "token".parse().unwrap(),
            incarnation: None,
        }
    }

    /// Socket that was welcomed at 0 ms.
    fn open() -> (SignalingSocket, Outputs) {
        let (mut socket, mut outputs) = (SignalingSocket::new(None, 1), Outputs::default());
        socket.tick(at(0), &mut outputs);
        assert_eq!(all(&mut outputs), [Output::OpenSocket]);
        socket.welcomed(at(0), resume());
        (socket, outputs)
    }

    fn is_lost(outputs: &[Output]) -> bool {
        let lost = |output: &Output| matches!(output, Output::Event(NodeEvent::SocketLost { .. }));
        outputs.first() == Some(&Output::CloseSocket) && outputs.iter().any(lost)
    }

    #[test]
    fn a_socket_that_is_not_welcomed_within_five_seconds_is_replaced() {
        let (mut socket, mut outputs) = (SignalingSocket::new(None, 1), Outputs::default());
        socket.tick(at(0), &mut outputs);
        all(&mut outputs);
        socket.tick(at(4_999), &mut outputs);
        assert_eq!(all(&mut outputs), []);
        socket.tick(at(5_000), &mut outputs);
        assert!(is_lost(&all(&mut outputs)));
        let retry_at = socket.timeout().unwrap();
        assert!(retry_at > at(5_000) && retry_at <= at(5_500));
        socket.tick(retry_at, &mut outputs);
        assert_eq!(all(&mut outputs), [Output::OpenSocket]);
    }

    #[test]
    fn the_server_is_pinged_every_second_and_lost_after_three_without_an_answer() {
        let (mut socket, mut outputs) = open();
        assert_eq!(socket.timeout(), Some(at(1_000)));
        socket.tick(at(1_000), &mut outputs);
        assert_eq!(all(&mut outputs), [ping()]);
        socket.received(at(1_200));
        assert_eq!(socket.timeout(), Some(at(2_000)));
        socket.tick(at(2_000), &mut outputs);
        assert_eq!(all(&mut outputs), [ping()]);
        assert_eq!(socket.timeout(), Some(at(5_000)));
        socket.tick(at(5_000), &mut outputs);
        assert!(is_lost(&all(&mut outputs)));
        assert!(!socket.is_open());
    }

    #[test]
    fn a_probe_replaces_a_dead_socket_after_a_second_and_a_half_without_delay() {
        let (mut socket, mut outputs) = open();
        socket.probe(at(100), &mut outputs);
        assert_eq!(all(&mut outputs), [ping()]);
        assert_eq!(socket.timeout(), Some(at(1_600)));
        socket.tick(at(1_600), &mut outputs);
        assert!(is_lost(&all(&mut outputs)));
        assert_eq!(socket.timeout(), Some(at(1_600)), "at once");
    }

    #[test]
    fn what_was_on_its_way_before_a_probe_does_not_end_it() {
        let (mut socket, mut outputs) = open();
        socket.tick(at(1_000), &mut outputs);
        socket.received(at(1_005));
        socket.probe(at(1_010), &mut outputs);
        socket.received(at(1_015));
        // The answer to the ping before the probe.
        socket.received(at(1_020));
        socket.ponged();
        assert_eq!(socket.timeout(), Some(at(2_510)), "still checked");
        socket.received(at(1_030));
        socket.ponged();
        assert_eq!(socket.timeout(), Some(at(2_010)), "the next ping");
    }

    #[test]
    fn a_probe_opens_a_socket_that_waits() {
        let (mut socket, mut outputs) = open();
        socket.closed(at(100), &mut outputs);
        all(&mut outputs);
        socket.probe(at(101), &mut outputs);
        assert_eq!(all(&mut outputs), [Output::OpenSocket]);
    }

    #[test]
    fn silence_of_a_member_causes_one_ping_unless_the_server_has_answered_since() {
        let (mut socket, mut outputs) = open();
        socket.received(at(500));
        socket.doubt(at(600), at(400), &mut outputs);
        assert_eq!(all(&mut outputs), []);
        socket.doubt(at(700), at(600), &mut outputs);
        socket.doubt(at(710), at(600), &mut outputs);
        assert_eq!(all(&mut outputs), [ping()]);
        assert_eq!(socket.timeout(), Some(at(2_200)));
    }

    #[test]
    fn a_closing_server_can_postpone_the_next_socket_for_a_minute_at_most() {
        for (asked, waited) in [(2_000, 2_000), (u32::MAX, 60_000)] {
            let (mut socket, mut outputs) = open();
            socket.server_closes(at(0), asked, &mut outputs);
            assert!(is_lost(&all(&mut outputs)));
            let retry_at = socket.timeout().unwrap();
            assert!(retry_at > at(waited) && retry_at <= at(waited + 500));
        }
    }

    #[test]
    fn a_server_that_is_behind_gets_one_new_hello() {
        let (mut socket, mut outputs) = (SignalingSocket::new(None, 1), Outputs::default());
        socket.tick(at(0), &mut outputs);
        socket.send_hello(&ClientMessage::Ping, 2, &mut outputs);
        socket.welcomed(at(0), resume());
        all(&mut outputs);
        socket.server_is_behind(at(10), 2, &mut outputs);
        assert_eq!(all(&mut outputs), [], "it was in the hello");
        socket.server_is_behind(at(10), 3, &mut outputs);
        assert!(is_lost(&all(&mut outputs)));
        assert_eq!(socket.timeout(), Some(at(10)));
    }

    #[test]
    fn nothing_is_due_after_the_end() {
        let (mut socket, mut outputs) = open();
        socket.finish(&mut outputs);
        assert_eq!(all(&mut outputs), [Output::CloseSocket]);
        socket.probe(at(10), &mut outputs);
        socket.tick(at(100_000), &mut outputs);
        assert_eq!((socket.timeout(), all(&mut outputs)), (None, vec![]));
    }
}
