//! Limits, events and errors of a multiplexer.

use thiserror::Error;

use crate::identity::AccessToken;

/// Largest message of a channel in bytes.
pub const MAX_FRAME: usize = 60 * 1024;
/// Largest number of bytes of a body in one frame.
pub const MAX_CHUNK: usize = 32 * 1024;

/// Number of a stream within its channel.
pub type StreamId = u32;

/// Limits of one side. They hold for what the other side may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Streams that are open at a time.
    pub max_streams: u32,
    /// Bytes of one stream that may wait for its reader.
    pub stream_window: u32,
    /// Bytes of all streams together that may wait for their readers.
    pub channel_window: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_streams: 128,
            stream_window: 1024 * 1024,
            channel_window: 8 * 1024 * 1024,
        }
    }
}

/// What ended a stream before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetReason {
    /// The reader or writer has lost interest.
    Cancelled,
    /// The local server cannot be reached.
    Unreachable,
    /// The local server or the other side was too slow.
    TimedOut,
    /// The request or response is malformed or exceeds a limit.
    Refused,
    /// The connection to the local server broke.
    Broken,
}

/// Reason why a peer refuses a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token is wrong.
    Forbidden,
    /// The versions differ.
    Version,
    /// The peer serves its maximum of visitors.
    Busy,
}

/// Event for the owner of a multiplexer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The visitor has said hello (peer's side); answer with [`super::Multiplexer::accept`] or
    /// [`super::Multiplexer::refuse`]. A visitor sends nothing else before.
    Hello {
        /// Version of the visitor.
        version: u32,
        /// Its token.
        token: AccessToken,
    },
    /// The peer has accepted this visitor.
    Accepted,
    /// The peer has refused this visitor. The channel is of no use.
    Refused(Refusal),
    /// A request has come (peer's side). If it has no body, [`Event::End`] is the next event.
    Opened {
        /// New stream.
        stream: StreamId,
        /// Bytes of a [`crate::head::RequestHead`], not checked.
        head: Vec<u8>,
    },
    /// A response has begun (visitor's side). If it has no body, [`Event::End`] is the next event.
    Head {
        /// Stream of the request.
        stream: StreamId,
        /// Bytes of a [`crate::head::ResponseHead`], not checked.
        head: Vec<u8>,
    },
    /// Bytes of a body. Call [`super::Multiplexer::consumed`] when they are processed.
    Data {
        /// Stream.
        stream: StreamId,
        /// Bytes, at most [`MAX_CHUNK`].
        bytes: Vec<u8>,
    },
    /// The other side's body is complete.
    End {
        /// Stream.
        stream: StreamId,
    },
    /// The stream has ended early; nothing more comes or can be sent.
    Reset {
        /// Stream.
        stream: StreamId,
        /// Cause.
        reason: ResetReason,
    },
    /// A stream to which not all bytes could be written accepts more.
    Writable {
        /// Stream.
        stream: StreamId,
    },
    /// Answer to [`super::Multiplexer::ping`] with its value.
    Pong(u32),
}

/// Reason why a stream was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Too many streams are open, by the limit of either side. One that ends makes room.
    #[error("too many streams")]
    TooManyStreams,
    /// The head exceeds [`crate::head::MAX_HEAD`].
    #[error("the head is too large")]
    HeadTooLarge,
    /// The channel has failed or was refused.
    #[error("the channel is closed")]
    Closed,
}

/// Violation of the protocol by the other side. The channel must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("violation of the protocol: {0}")]
pub struct ProtocolError(pub &'static str);
