//! The dialect of a socket, as the loop around it needs it.

use std::time::Duration;

use axum::body::Bytes;
use protocol::peer::DeliveryClass;
use protocol::signaling::close;

use crate::error::RefusalReason;
use crate::hub::outbox::Outbox;
use crate::limits::RateLimitKey;
use crate::metrics::DialectName;
use crate::shutdown;

/// Messages and answers of one socket in its dialect. Dropping the value ends the
/// socket's membership, before the closing handshake.
pub trait Dialect: Send + 'static {
    /// Label in the metrics.
    const NAME: DialectName;

    /// Messages to be sent.
    fn outbox(&self) -> &Outbox;

    /// Returns `true` once the peer has identified itself. Until then the hello
    /// timeout runs.
    fn has_greeted(&self) -> bool;

    /// Key under which the rate limiter continues on the peer's next socket;
    /// `None` until the peer is known.
    fn rate_limit_key(&self) -> Option<RateLimitKey>;

    /// Handles a text message.
    fn text(&mut self, text: &str);

    /// Delivery class of a binary message, if it is a frame to be relayed. Frames
    /// are limited by bytes, other messages also by number.
    fn class(&self, _bytes: &[u8]) -> Option<DeliveryClass> {
        None
    }

    /// Handles a binary message.
    fn binary(&mut self, bytes: Bytes);

    /// Handles anything that the socket sent, even a pong or a refused message.
    fn sign_of_life(&mut self) {}

    /// Handles the peer's own close, as opposed to a lost connection.
    fn goodbye(&mut self) {}

    /// Logs a violation and answers it, with a close if
    /// [`Violation::close_code`] asks for one. The loop has counted it.
    fn refuse(&mut self, violation: Violation);

    /// Queues the close of the socket because the server shuts down.
    fn restart(&mut self);

    /// Delay of [`Dialect::restart`] after the shutdown began. Clients that cannot
    /// be told when to reconnect do so at once, so their sockets are closed at
    /// random times.
    fn restart_delay() -> Duration {
        shutdown::random_close_delay()
    }
}

/// Violation of a limit on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// A message is larger than allowed. Closes the socket.
    TooLarge,
    /// The peer did not identify itself in time. Closes the socket.
    HelloTimeout,
    /// The peer exceeds its rate. Excess is dropped; the socket stays open.
    RateLimited,
    /// The peer exceeds its rate in spite of a warning. Closes the socket.
    Flooding,
    /// The peer reads too slowly. Its queue, including the close, was discarded,
    /// so nothing can be sent any more.
    SlowReader,
}

impl Violation {
    /// Reason for metrics and the log.
    pub fn reason(self) -> RefusalReason {
        match self {
            Self::TooLarge => RefusalReason::TooLarge,
            Self::HelloTimeout => RefusalReason::NoHello,
            Self::RateLimited | Self::Flooding => RefusalReason::MessageRate,
            Self::SlowReader => RefusalReason::SlowReader,
        }
    }

    /// WebSocket close code, if the dialect has to queue a close.
    pub fn close_code(self) -> Option<u16> {
        match self {
            Self::TooLarge => Some(close::TOO_LARGE),
            Self::HelloTimeout | Self::Flooding => Some(close::POLICY),
            Self::RateLimited | Self::SlowReader => None,
        }
    }
}
