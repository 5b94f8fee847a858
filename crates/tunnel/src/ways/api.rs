//! Inputs, outputs and counters of the choice between ways.

use clock::{Duration, Moment};

/// Channel of a visitor to its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Data channel.
    Direct,
    /// The server's sockets.
    Relayed,
}

/// Way that requests take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Data channel.
    Direct,
    /// The server's sockets.
    Relayed,
    /// There is no channel. Requests wait or fail.
    Offline,
}

/// Input of [`super::Ways`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The peer has accepted the multiplexer of this channel.
    Opened(Channel),
    /// The channel has closed, or the attempt of a direct connection has failed.
    Closed(Channel),
    /// A ping has been answered.
    Pong {
        /// Channel of ping and answer.
        channel: Channel,
        /// Moment of [`Output::Ping`].
        sent: Moment,
    },
    /// A message has come.
    Received {
        /// Channel of the message.
        channel: Channel,
        /// Its length.
        bytes: usize,
    },
    /// A message has been given to a channel.
    Sent {
        /// Channel of the message.
        channel: Channel,
        /// Its length.
        bytes: usize,
    },
    /// Bytes that wait in a channel have changed (`bufferedAmount`). It shows that a slow upload,
    /// behind which pings wait, goes on.
    Buffered {
        /// Channel.
        channel: Channel,
        /// Bytes that wait now.
        bytes: usize,
    },
    /// Number of open requests, WebSockets included.
    Requests(usize),
    /// Time has passed.
    Timeout,
}

/// Output of [`super::Ways`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a ping on this channel, and remember the moment.
    Ping(Channel),
    /// New requests take this way. For requests in flight on another one that has closed see
    /// [`super::Recovery`].
    Use(Way),
    /// Begin an attempt of a direct connection.
    ConnectDirect,
    /// Close the direct connection or its attempt; no [`Input::Closed`] is needed.
    CloseDirect,
}

/// Counters since the visitor came. Arrays have the direct channel first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Attempts of a direct connection.
    pub attempts: u32,
    /// Attempts that have succeeded.
    pub successes: u32,
    /// Attempts that have failed.
    pub failures: u32,
    /// Time of the successful attempts together.
    pub connecting: Duration,
    /// Times that a direct channel in use was lost.
    pub fallbacks: u32,
    /// Received bytes by channel.
    pub received: [u64; 2],
    /// Sent bytes by channel.
    pub sent: [u64; 2],
}

impl Counters {
    /// Average time of a successful attempt.
    pub fn connection_time(&self) -> Option<Duration> {
        self.connecting.checked_div(self.successes)
    }

    /// Bytes of a channel in both directions.
    pub fn bytes(&self, channel: Channel) -> u64 {
        let at = channel.index();
        self.received[at].saturating_add(self.sent[at])
    }
}

impl Channel {
    pub(super) const ALL: [Self; 2] = [Self::Direct, Self::Relayed];

    pub(super) fn index(self) -> usize {
        match self {
            Self::Direct => 0,
            Self::Relayed => 1,
        }
    }

    /// Way through this channel.
    pub fn way(self) -> Way {
        match self {
            Self::Direct => Way::Direct,
            Self::Relayed => Way::Relayed,
        }
    }
}

impl Way {
    /// Channel of this way.
    pub fn channel(self) -> Option<Channel> {
        match self {
            Self::Direct => Some(Channel::Direct),
            Self::Relayed => Some(Channel::Relayed),
            Self::Offline => None,
        }
    }

    /// Name in pages and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Relayed => "relayed",
            Self::Offline => "offline",
        }
    }
}
