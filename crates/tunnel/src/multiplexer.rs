//! Streams with flow control over one ordered, reliable channel of messages.
//!
//! The visitor says hello with its token, opens a stream for each request, and sends the head and
//! the body; the peer answers with a head and a body. Each direction of a stream and of the whole
//! channel has a window of bytes: a receiver gives credit for what its reader has taken, so that
//! one slow reader neither blocks other streams nor fills memory.

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
            channel_window: 4 * 1024 * 1024,
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
    /// The visitor has said hello (peer's side); answer with [`Multiplexer::accept`] or
    /// [`Multiplexer::refuse`]. Frames after it wait.
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
    /// A request has come (peer's side).
    Opened {
        /// New stream.
        stream: StreamId,
        /// Bytes of a [`crate::head::RequestHead`], not checked.
        head: Vec<u8>,
    },
    /// A response has begun (visitor's side).
    Head {
        /// Stream of the request.
        stream: StreamId,
        /// Bytes of a [`crate::head::ResponseHead`], not checked.
        head: Vec<u8>,
    },
    /// Bytes of a body. Call [`Multiplexer::consumed`] when they are processed.
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
    /// Answer to [`Multiplexer::ping`] with its value.
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

/// Streams of one channel.
#[derive(Debug)]
pub struct Multiplexer {}

impl Multiplexer {
    /// Visitor's side. Its hello waits to be sent; streams may be opened at once.
    pub fn visitor(_limits: Limits, _token: &AccessToken) -> Self {
        todo!()
    }

    /// Peer's side.
    pub fn peer(_limits: Limits) -> Self {
        todo!()
    }

    /// Accepts the visitor (peer's side).
    pub fn accept(&mut self) {
        todo!()
    }

    /// Refuses the visitor (peer's side). The channel can be closed when the frames are sent.
    pub fn refuse(&mut self, _refusal: Refusal) {
        todo!()
    }

    /// Opens a stream (visitor's side) with the bytes of a request head. `has_body` is false for
    /// requests that end with their head.
    ///
    /// # Errors
    /// [`OpenError`], and nothing is sent.
    pub fn open(&mut self, _head: &[u8], _has_body: bool) -> Result<StreamId, OpenError> {
        todo!()
    }

    /// Begins the response (peer's side). Ignored for streams that have ended.
    pub fn respond(&mut self, _stream: StreamId, _head: &[u8], _has_body: bool) {
        todo!()
    }

    /// Queues bytes of the own body, and returns how many were accepted: what window and buffer
    /// allow. After fewer than all, [`Event::Writable`] follows. 0 for streams that have ended.
    pub fn write(&mut self, _stream: StreamId, _bytes: &[u8]) -> usize {
        todo!()
    }

    /// Ends the own body.
    pub fn finish(&mut self, _stream: StreamId) {
        todo!()
    }

    /// Ends a stream in both directions.
    pub fn reset(&mut self, _stream: StreamId, _reason: ResetReason) {
        todo!()
    }

    /// Gives the other side credit for bytes that the reader has taken.
    pub fn consumed(&mut self, _stream: StreamId, _bytes: usize) {
        todo!()
    }

    /// Asks the other side for a [`Event::Pong`].
    pub fn ping(&mut self, _value: u32) {
        todo!()
    }

    /// Handles a message of the other side.
    ///
    /// # Errors
    /// [`ProtocolError`]; everything after it is ignored.
    pub fn receive(&mut self, _message: &[u8]) -> Result<(), ProtocolError> {
        todo!()
    }

    /// Next message to send. Call it only while the channel can take one. Control frames come
    /// first, then one chunk of each stream in turn.
    pub fn poll_message(&mut self) -> Option<Vec<u8>> {
        todo!()
    }

    /// Next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        todo!()
    }

    /// Number of streams that are open.
    pub fn streams(&self) -> usize {
        todo!()
    }
}
