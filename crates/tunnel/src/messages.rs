//! WebSocket messages as the bytes of a stream: each has a kind (one byte), a length (four bytes,
//! most significant first), and its content.

use thiserror::Error;

/// Largest message in bytes.
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// WebSocket message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Binary.
    Binary(Vec<u8>),
    /// Close frame: code and reason (RFC 6455, section 7).
    Close(Option<u16>, String),
}

/// The bytes are not messages, or one is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a WebSocket message")]
pub struct MessageError;

/// Bytes of a message.
pub fn encode(_message: &Message) -> Vec<u8> {
    todo!()
}

/// Decoder of a stream's bytes.
#[derive(Debug, Default)]
pub struct Decoder {}

impl Decoder {
    /// Adds the next bytes.
    pub fn push(&mut self, _bytes: &[u8]) {
        todo!()
    }

    /// Next complete message.
    ///
    /// # Errors
    /// [`MessageError`]; nothing more can be decoded.
    pub fn next(&mut self) -> Result<Option<Message>, MessageError> {
        todo!()
    }
}
