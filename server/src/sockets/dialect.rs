//! What a socket speaks, as far as the loop around it has to know.

use std::time::Duration;

use axum::body::Bytes;
use protocol::peer::DeliveryClass;
use protocol::signaling::close;

use crate::hub::outbox::Outbox;
use crate::limits::Way;
use crate::metrics::{DialectName, Reason};
use crate::shutdown;

/// What one socket says and is told, in its own words. Dropping it is the
/// socket's end, before any goodbye.
pub trait Dialect: Send + 'static {
    /// What waits to be sent.
    fn outbox(&self) -> &Outbox;

    /// Of which dialect it is, for the counters.
    const NAME: DialectName;

    /// Whether it said who it is. Until then the time for it runs.
    fn has_greeted(&self) -> bool;

    /// Where it comes from and who it is, as soon as that is known.
    fn way(&self) -> Option<Way>;

    /// It said something.
    fn text(&mut self, text: &str);

    /// How a binary message is delivered, where it is a frame to be relayed:
    /// frames are counted in bytes, everything else in messages too.
    fn class(&self, _bytes: &[u8]) -> Option<DeliveryClass> {
        None
    }

    /// It sent bytes.
    fn binary(&mut self, bytes: Bytes);

    /// It said anything at all, were it a pong or too much.
    fn sign_of_life(&mut self) {}

    /// It closes of its own will: this is not a connection that was lost.
    fn goodbye(&mut self) {}

    /// Something is refused: says and logs it, and puts the end into the outbox
    /// if it is one. The loop has counted it.
    fn refuse(&mut self, refusal: Refusal);

    /// The server is about to stop: says so and puts the end into the outbox.
    fn restart(&mut self);

    /// How long after that is known. Clients who cannot be told when to come
    /// back do so at once, so not all are closed at once.
    fn restarts_after() -> Duration {
        shutdown::closed_after()
    }
}

/// What the loop refuses a socket that can still be told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A message over the limit; the end.
    TooLarge,
    /// It did not say in time who it is; the end.
    NoHello,
    /// It says too much, and what it says is dropped until it slows down. The
    /// socket stays.
    TooFast,
    /// It went on saying too much; the end, with [`close::POLICY`].
    Flood,
    /// It reads too slowly and has lost its queue, end and all: nothing can be
    /// said any more, only logged.
    SlowReader,
}

impl Refusal {
    /// As what it is counted.
    pub fn reason(self) -> Reason {
        match self {
            Self::TooLarge => Reason::TooLarge,
            Self::NoHello => Reason::NoHello,
            Self::TooFast | Self::Flood => Reason::MessageRate,
            Self::SlowReader => Reason::SlowReader,
        }
    }

    /// How the socket is closed, where that is the end which has to be said.
    pub fn close_code(self) -> Option<u16> {
        match self {
            Self::TooLarge => Some(close::TOO_LARGE),
            Self::NoHello | Self::Flood => Some(close::POLICY),
            Self::TooFast | Self::SlowReader => None,
        }
    }
}
