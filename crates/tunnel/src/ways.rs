//! Choice between the direct and the relayed channel of a visitor.
//!
//! Requests take the direct channel while it is open and answers, otherwise the relayed one. A direct
//! channel that falls silent is given up, requests move to the relay at once, and the connection is
//! tried again after growing delays.
//!
//! [`Ways::handle`] takes inputs; outputs are taken with [`Ways::poll_output`] until there is none,
//! and [`Ways::poll_timeout`] says when to call again with [`Input::Timeout`].

mod api;
mod channel;
mod recovery;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use clock::{Duration, Moment};

pub use api::{Channel, Counters, Input, Output, Way};
use channel::ChannelState;
pub use recovery::{Recovery, is_idempotent};

/// Interval of pings on the channel in use while requests are open or bytes are moving.
const BUSY_PING: Duration = Duration::from_millis(500);
/// Interval of pings otherwise.
const IDLE_PING: Duration = Duration::from_secs(5);
/// Time without an answer after which the direct channel counts as failed.
const SILENCE: Duration = Duration::from_millis(1500);
/// Time after the last bytes for which they count as moving.
const MOVING: Duration = Duration::from_secs(1);
/// Smallest message that counts as moving bytes. Pings, answers and credit are smaller.
const MOVING_BYTES: usize = 64;
/// Time that an attempt of a direct connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Delays of the attempts after the first failure, the second, and so on.
const RETRY_DELAYS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
];
/// A direct channel that was open for this time has worked: delays begin again.
const STABLE: Duration = Duration::from_secs(30);

/// Direct connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direct {
    /// The browser or program has no WebRTC.
    Unavailable,
    /// The next attempt is at this moment, or when the relayed channel opens after it.
    Waiting(Moment),
    /// An attempt has begun.
    Connecting(Moment),
    /// Open since this moment.
    Open(Moment),
}

/// Which way the requests of a visitor take.
#[derive(Debug)]
pub struct Ways {
    way: Way,
    direct: Direct,
    /// Failed attempts and channels in a row.
    failures: usize,
    channels: [ChannelState; 2],
    /// Number of open requests.
    requests: usize,
    /// Moment of the last bytes, other than those of pings.
    moved: Option<Moment>,
    counters: Counters,
    outputs: VecDeque<Output>,
}

impl Ways {
    /// Visitor without a channel. `has_direct` is false where there is no WebRTC.
    pub fn new(has_direct: bool) -> Self {
        let direct = match has_direct {
            true => Direct::Waiting(Moment::ZERO),
            false => Direct::Unavailable,
        };
        Self {
            way: Way::Offline,
            direct,
            failures: 0,
            channels: [ChannelState::default(), ChannelState::default()],
            requests: 0,
            moved: None,
            counters: Counters::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Way of new requests.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Smoothed round-trip time of a channel, once it has answered a ping.
    pub fn latency(&self, channel: Channel) -> Option<Duration> {
        self.channels[channel.index()].latency()
    }

    /// Counters since the visitor came.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Next output.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Handles an input, and what is due.
    pub fn handle(&mut self, now: Moment, input: Input) {
        match input {
            Input::Opened(Channel::Relayed) => self.open_relayed(now),
            Input::Opened(Channel::Direct) => self.open_direct(now),
            Input::Closed(Channel::Relayed) => self.channels[Channel::Relayed.index()].close(),
            Input::Closed(Channel::Direct) => self.fail_direct(now),
            Input::Pong { channel, sent } => self.channels[channel.index()].pong(now, sent),
            Input::Received { channel, bytes } => {
                self.channels[channel.index()].hear(now);
                self.counters.received[channel.index()] += bytes as u64;
                self.move_bytes(now, bytes);
            }
            Input::Sent { channel, bytes } => {
                self.counters.sent[channel.index()] += bytes as u64;
                self.move_bytes(now, bytes);
            }
            Input::Buffered { channel, bytes } => {
                self.channels[channel.index()].buffer(now, bytes);
            }
            Input::Requests(number) => self.requests = number,
            Input::Timeout => (),
        }
        self.advance(now);
    }

    /// Next moment at which something is due.
    pub fn poll_timeout(&self, now: Moment) -> Option<Moment> {
        let direct = match self.direct {
            Direct::Unavailable => None,
            Direct::Waiting(due) => self.is_open(Channel::Relayed).then_some(due),
            Direct::Connecting(since) => Some(since + CONNECT_TIMEOUT),
            Direct::Open(_) => self.channels[Channel::Direct.index()].fails_at(),
        };
        let pings = Channel::ALL.map(|channel| self.ping_due(now, channel));
        pings.into_iter().chain([direct]).flatten().min()
    }

    fn is_open(&self, channel: Channel) -> bool {
        self.channels[channel.index()].is_open()
    }

    fn move_bytes(&mut self, now: Moment, bytes: usize) {
        if bytes >= MOVING_BYTES {
            self.moved = Some(now);
        }
    }

    /// The relayed channel leads to a peer that may be a new one: an attempt whose signals may be
    /// lost starts again.
    fn open_relayed(&mut self, now: Moment) {
        self.channels[Channel::Relayed.index()].open(now);
        match self.direct {
            Direct::Connecting(_) => {
                self.counters.failures += 1;
                self.outputs.push_back(Output::CloseDirect);
            }
            Direct::Waiting(_) => (),
            Direct::Open(_) | Direct::Unavailable => return,
        }
        self.failures = 0;
        self.direct = Direct::Waiting(now);
    }

    fn open_direct(&mut self, now: Moment) {
        // Anything else is the end of an attempt that was given up.
        if let Direct::Connecting(since) = self.direct {
            self.direct = Direct::Open(now);
            self.channels[Channel::Direct.index()].open(now);
            self.counters.successes += 1;
            self.counters.connecting += now - since;
        }
    }

    /// An attempt or an open channel has failed.
    fn fail_direct(&mut self, now: Moment) {
        match self.direct {
            Direct::Unavailable | Direct::Waiting(_) => return,
            Direct::Connecting(_) => self.counters.failures += 1,
            Direct::Open(since) => {
                self.counters.fallbacks += 1;
                if now - since >= STABLE {
                    self.failures = 0;
                }
            }
        }
        self.channels[Channel::Direct.index()].close();
        let delay = RETRY_DELAYS[self.failures.min(RETRY_DELAYS.len() - 1)];
        self.failures += 1;
        self.direct = Direct::Waiting(now + delay);
    }

    fn advance(&mut self, now: Moment) {
        let is_late = match self.direct {
            Direct::Connecting(since) => now - since >= CONNECT_TIMEOUT,
            Direct::Open(_) => {
                let fails_at = self.channels[Channel::Direct.index()].fails_at();
                fails_at.is_some_and(|due| due <= now)
            }
            _ => false,
        };
        if is_late {
            self.fail_direct(now);
            self.outputs.push_back(Output::CloseDirect);
        }
        self.choose();
        if matches!(self.direct, Direct::Waiting(due) if due <= now)
            && self.is_open(Channel::Relayed)
        {
            self.direct = Direct::Connecting(now);
            self.counters.attempts += 1;
            self.outputs.push_back(Output::ConnectDirect);
        }
        for channel in Channel::ALL {
            if self.ping_due(now, channel).is_some_and(|due| due <= now) {
                self.channels[channel.index()].ping(now);
                self.outputs.push_back(Output::Ping(channel));
            }
        }
    }

    fn choose(&mut self) {
        let way = if self.is_open(Channel::Direct) {
            Way::Direct
        } else if self.is_open(Channel::Relayed) {
            Way::Relayed
        } else {
            Way::Offline
        };
        if way != self.way {
            self.way = way;
            self.outputs.push_back(Output::Use(way));
        }
    }

    fn ping_due(&self, now: Moment, channel: Channel) -> Option<Moment> {
        let is_moving = self.moved.is_some_and(|moved| now - moved < MOVING);
        let is_busy = self.way == channel.way() && (self.requests > 0 || is_moving);
        let interval = if is_busy { BUSY_PING } else { IDLE_PING };
        self.channels[channel.index()].ping_due(interval)
    }
}
