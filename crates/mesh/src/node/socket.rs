//! The signaling socket: opening, greeting, watching, coming back.

use clock::Moment;

use std::time::Duration;

use super::{Node, NodeEvent, Output};
use crate::backoff::Backoff;
use protocol::signaling::{ClientMessage, Resume, ServerMessage, close};

/// A socket that is not open, or not answered with a welcome, is given up.
const OPENING: Duration = Duration::from_secs(5);
/// A socket is asked whether it lives so often, which also tells the server that we do.
const ASK: Duration = Duration::from_secs(1);
/// And is dead when it does not answer,
const ANSWER: Duration = Duration::from_secs(3);
/// or sooner, when there is reason to doubt it.
const PROMPT_ANSWER: Duration = Duration::from_millis(1_500);
const RETRY: Duration = Duration::from_millis(500);
const RETRY_LIMIT: Duration = Duration::from_secs(4);
const CLOSING_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Socket {
    phase: Phase,
    pub(super) resume: Option<Resume>,
    /// The newest epoch that the server was told on this socket.
    told_epoch: u32,
    /// The page asks whether the socket lives: no time is lost if it does not.
    urgent: bool,
    /// Others have fallen silent too.
    doubted: bool,
    backoff: Backoff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No socket until then.
    Waiting { until: Moment },
    /// Asked for, or open and greeted, but not welcomed yet.
    Opening { until: Moment },
    /// Welcomed.
    Open {
        heard: Moment,
        asked: Moment,
        pinged: Option<Moment>,
    },
    /// The server refused this page, which goes on over its direct links.
    GivenUp,
    /// Left, refused or replaced.
    Done,
}

impl Socket {
    pub(super) fn new(resume: Option<Resume>, seed: u64) -> Self {
        Self {
            phase: Phase::Waiting {
                until: Moment::ZERO,
            },
            resume,
            told_epoch: 0,
            urgent: false,
            doubted: false,
            backoff: Backoff::new(RETRY, RETRY_LIMIT, seed),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    /// When the server was last heard, while nobody doubts it.
    pub(super) fn heard_at(&self) -> Option<Moment> {
        match self.phase {
            Phase::Open { heard, .. } if !self.doubted && !self.urgent => Some(heard),
            _ => None,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::Done
    }

    pub(super) fn timeout(&self) -> Option<Moment> {
        match self.phase {
            Phase::Waiting { until } | Phase::Opening { until } => Some(until),
            Phase::Open {
                pinged: Some(at), ..
            } if self.urgent || self.doubted => Some(at + PROMPT_ANSWER),
            Phase::Open {
                pinged: Some(at), ..
            } => Some(at + ANSWER),
            Phase::Open {
                asked,
                pinged: None,
                ..
            } => Some(asked + ASK),
            Phase::GivenUp | Phase::Done => None,
        }
    }

    fn has_socket(&self) -> bool {
        matches!(self.phase, Phase::Opening { .. } | Phase::Open { .. })
    }
}

impl Node {
    pub(super) fn socket_opened(&mut self) {
        if let Phase::Opening { .. } = self.socket.phase {
            let hello = self.hello();
            let kept = self
                .config
                .room_snapshot
                .iter()
                .flat_map(|rule| rule.hosts.last());
            let kept = kept.map(|term| term.epoch).max().unwrap_or(0);
            self.socket.told_epoch = self.epoch().max(kept);
            self.say(&hello);
        }
    }

    pub(super) fn socket_heard(&mut self, now: Moment) {
        if let Phase::Open { asked, .. } = self.socket.phase {
            (self.socket.urgent, self.socket.doubted) = (false, false);
            self.socket.phase = Phase::Open {
                heard: now,
                asked,
                pinged: None,
            };
        }
    }

    pub(super) fn socket_text(&mut self, now: Moment, text: &str) {
        if !self.socket.has_socket() {
            return;
        }
        match ServerMessage::parse(text) {
            Ok(message) => self.server_says(now, message),
            Err(_) => self.stats.ignored += 1,
        }
    }

    pub(super) fn socket_closed(&mut self, now: Moment, code: u16) {
        if !self.socket.has_socket() {
            return;
        }
        match code {
            close::REPLACED => return self.end(NodeEvent::Replaced),
            close::KICKED => {
                let reason = String::new();
                return self.end(NodeEvent::Kicked { reason });
            }
            close::ENDED => return self.end(NodeEvent::RideEnded),
            _ => {}
        }
        let wait = self.socket.backoff.wait();
        self.lose_socket(now, wait);
    }

    /// The socket let us in.
    pub(super) fn socket_welcomed(&mut self, now: Moment, resume: Resume) {
        self.socket.resume = Some(resume);
        self.reporter.begin_anew();
        self.socket.backoff.reset();
        (self.socket.urgent, self.socket.doubted) = (false, false);
        self.socket.phase = Phase::Open {
            heard: now,
            asked: now,
            pinged: None,
        };
    }

    /// The server knows only an older epoch than we do. If that is because a host was
    /// elected after our hello, it has to be told.
    pub(super) fn correct_server(&mut self, now: Moment) {
        if self.socket.told_epoch < self.epoch() {
            self.outputs.push_back(Output::CloseSocket);
            // Counted as an attempt, and made at once.
            self.socket.backoff.wait();
            self.lose_socket(now, Duration::ZERO);
        }
    }

    pub(super) fn server_closing(&mut self, now: Moment, retry_after_ms: u32) {
        let asked = Duration::from_millis(retry_after_ms.into()).min(CLOSING_LIMIT);
        let wait = asked + self.socket.backoff.wait();
        self.outputs.push_back(Output::CloseSocket);
        self.lose_socket(now, wait);
    }

    /// The page was not looked at, or had no network, and has both again.
    pub(super) fn probe_urgently(&mut self, now: Moment) {
        self.socket.urgent = self.socket.is_open();
        match self.socket.phase {
            // What was asked before the page slept says nothing.
            Phase::Open { .. } => self.ping(now),
            _ => self.probe(now),
        }
    }

    /// Others have fallen silent: perhaps it is the own network.
    pub(super) fn doubt(&mut self, now: Moment) {
        self.socket.doubted = self.socket.is_open();
        self.probe(now);
    }

    pub(super) fn probe(&mut self, now: Moment) {
        match self.socket.phase {
            Phase::Waiting { .. } => self.open_socket(now),
            Phase::Open { pinged: None, .. } => self.ping(now),
            _ => {}
        }
    }

    pub(super) fn tick_socket(&mut self, now: Moment) {
        if self.socket.timeout().is_none_or(|at| at > now) {
            return;
        }
        match self.socket.phase {
            Phase::Waiting { .. } => self.open_socket(now),
            Phase::Open { pinged: None, .. } => self.ping(now),
            Phase::Opening { .. } | Phase::Open { .. } => {
                self.outputs.push_back(Output::CloseSocket);
                let wait = self.socket.backoff.wait();
                let urgent = std::mem::take(&mut self.socket.urgent);
                self.lose_socket(now, if urgent { Duration::ZERO } else { wait });
            }
            Phase::GivenUp | Phase::Done => {}
        }
    }

    /// The server wants nothing more of us; those who are reached directly go on with us.
    pub(super) fn give_server_up(&mut self) {
        self.outputs.push_back(Output::CloseSocket);
        self.socket.phase = Phase::GivenUp;
    }

    /// Nothing more is done: tells why, closes everything.
    pub(super) fn end(&mut self, why: NodeEvent) {
        self.finish();
        self.event(why);
    }

    pub(super) fn leave(&mut self) {
        if self.socket.is_open() {
            self.say(&ClientMessage::Leave);
        }
        self.finish();
    }

    pub(super) fn say(&mut self, message: &ClientMessage) {
        self.outputs.push_back(Output::SendText(message.to_json()));
    }

    fn finish(&mut self) {
        self.forget_peers();
        if self.socket.has_socket() {
            self.outputs.push_back(Output::CloseSocket);
        }
        self.socket.phase = Phase::Done;
    }

    fn open_socket(&mut self, now: Moment) {
        self.socket.phase = Phase::Opening {
            until: now + OPENING,
        };
        self.outputs.push_back(Output::OpenSocket);
    }

    fn ping(&mut self, now: Moment) {
        if let Phase::Open { heard, .. } = self.socket.phase {
            self.socket.phase = Phase::Open {
                heard,
                asked: now,
                pinged: Some(now),
            };
            self.say(&ClientMessage::Ping);
        }
    }

    fn lose_socket(&mut self, now: Moment, retry_in: Duration) {
        self.socket.phase = Phase::Waiting {
            until: now + retry_in,
        };
        let attempt = self.socket.backoff.attempt();
        self.outputs
            .push_back(Output::Event(NodeEvent::SocketLost { attempt, retry_in }));
    }
}
