//! Heads of requests and responses, as CBOR.

use thiserror::Error;

/// Largest head in bytes.
pub const MAX_HEAD: usize = 48 * 1024;
/// Largest number of header fields.
pub const MAX_FIELDS: usize = 128;

/// What a stream carries after its heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bodies of HTTP.
    Http,
    /// WebSocket messages (see [`crate::messages`]) in both directions.
    WebSocket,
}

/// Head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// What follows.
    pub kind: Kind,
    /// Method, such as `GET`.
    pub method: String,
    /// Path and query, beginning with `/`.
    pub target: String,
    /// Header fields, names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
}

/// Head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// Status, 100 to 599; 101 accepts a WebSocket.
    pub status: u16,
    /// Header fields, names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
}

/// Reason why bytes are not a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeadError {
    /// More than [`MAX_HEAD`] bytes or [`MAX_FIELDS`] fields.
    #[error("the head is too large")]
    TooLarge,
    /// Not the CBOR of a head, or a method, path or field that HTTP does not allow.
    #[error("the head is malformed")]
    Malformed,
}

impl RequestHead {
    /// Bytes of the head.
    ///
    /// # Errors
    /// [`HeadError`], if it could not be decoded again.
    pub fn encode(&self) -> Result<Vec<u8>, HeadError> {
        todo!()
    }

    /// Decodes and checks a head.
    ///
    /// # Errors
    /// [`HeadError`], if it is too large or malformed.
    pub fn decode(_bytes: &[u8]) -> Result<Self, HeadError> {
        todo!()
    }
}

impl ResponseHead {
    /// Bytes of the head.
    ///
    /// # Errors
    /// [`HeadError`], if it could not be decoded again.
    pub fn encode(&self) -> Result<Vec<u8>, HeadError> {
        todo!()
    }

    /// Decodes and checks a head.
    ///
    /// # Errors
    /// [`HeadError`], if it is too large or malformed.
    pub fn decode(_bytes: &[u8]) -> Result<Self, HeadError> {
        todo!()
    }
}
