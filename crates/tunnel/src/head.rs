//! Heads of requests and responses, as CBOR: an array of kind, method, target and fields, or of
//! status and fields. Fields are a map of text to bytes in which names may be repeated.

#[cfg(test)]
mod tests;

use core::convert::Infallible;

use minicbor::{Decoder, Encoder, decode, encode};
use thiserror::Error;

/// Fields that are about one connection (RFC 9110, section 7.6.1) or about proxies, which proxies do
/// not pass on. Those that the field `Connection` lists come to them.
pub const HOP_BY_HOP: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Largest head in bytes.
pub const MAX_HEAD: usize = 48 * 1024;
/// Largest number of header fields.
pub const MAX_FIELDS: usize = 128;

type Field = (String, Vec<u8>);

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
        self.check()?;
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        encoder
            .array(4)
            .and_then(|encoder| encoder.u8(self.kind.code()))
            .and_then(|encoder| encoder.str(&self.method))
            .and_then(|encoder| encoder.str(&self.target))
            .map_err(unwritten)?;
        encode_fields(&self.fields, bytes)
    }

    /// Decodes and checks a head.
    ///
    /// # Errors
    /// [`HeadError`], if it is too large or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeadError> {
        let mut decoder = begin(bytes, 4)?;
        let head = Self {
            kind: Kind::from_code(decoder.u8().map_err(malformed)?)?,
            method: decoder.str().map_err(malformed)?.to_owned(),
            target: decoder.str().map_err(malformed)?.to_owned(),
            fields: decode_fields(&mut decoder, bytes.len())?,
        };
        head.check()?;
        Ok(head)
    }

    fn check(&self) -> Result<(), HeadError> {
        // CONNECT names a host instead of a path (RFC 9110, section 9.3.6).
        let has_method = is_token(&self.method) && self.method != "CONNECT";
        // Origin-form (RFC 9112, section 3.2.1): never a URL of another host.
        let is_path = self.target.starts_with('/')
            && self
                .target
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'#');
        check_that(has_method && is_path)?;
        check_fields(&self.fields)
    }
}

impl ResponseHead {
    /// Bytes of the head.
    ///
    /// # Errors
    /// [`HeadError`], if it could not be decoded again.
    pub fn encode(&self) -> Result<Vec<u8>, HeadError> {
        self.check()?;
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes);
        encoder
            .array(2)
            .and_then(|encoder| encoder.u16(self.status))
            .map_err(unwritten)?;
        encode_fields(&self.fields, bytes)
    }

    /// Decodes and checks a head.
    ///
    /// # Errors
    /// [`HeadError`], if it is too large or malformed.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeadError> {
        let mut decoder = begin(bytes, 2)?;
        let head = Self {
            status: decoder.u16().map_err(malformed)?,
            fields: decode_fields(&mut decoder, bytes.len())?,
        };
        head.check()?;
        Ok(head)
    }

    fn check(&self) -> Result<(), HeadError> {
        check_that((100..=599).contains(&self.status))?;
        check_fields(&self.fields)
    }
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Http => 0,
            Self::WebSocket => 1,
        }
    }

    fn from_code(code: u8) -> Result<Self, HeadError> {
        match code {
            0 => Ok(Self::Http),
            1 => Ok(Self::WebSocket),
            _ => Err(HeadError::Malformed),
        }
    }
}

fn malformed(_: decode::Error) -> HeadError {
    HeadError::Malformed
}

/// Writing to memory does not fail.
fn unwritten(_: encode::Error<Infallible>) -> HeadError {
    HeadError::TooLarge
}

fn check_that(is_valid: bool) -> Result<(), HeadError> {
    is_valid.then_some(()).ok_or(HeadError::Malformed)
}

/// Token (RFC 9110, section 5.6.2).
fn is_token(text: &str) -> bool {
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Names are tokens in lower case. Values have no CR, LF and NUL (RFC 9110, section 5.5).
fn check_fields(fields: &[Field]) -> Result<(), HeadError> {
    if fields.len() > MAX_FIELDS {
        return Err(HeadError::TooLarge);
    }
    check_that(fields.iter().all(|(name, value)| {
        let is_name = is_token(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase());
        is_name && !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
    }))
}

fn encode_fields(fields: &[Field], mut bytes: Vec<u8>) -> Result<Vec<u8>, HeadError> {
    let mut encoder = Encoder::new(&mut bytes);
    encoder.map(fields.len() as u64).map_err(unwritten)?;
    for (name, value) in fields {
        encoder
            .str(name)
            .and_then(|encoder| encoder.bytes(value))
            .map_err(unwritten)?;
    }
    let fits = bytes.len() <= MAX_HEAD;
    fits.then_some(bytes).ok_or(HeadError::TooLarge)
}

/// Decoder of a head that is an array of so many items.
fn begin(bytes: &[u8], items: u64) -> Result<Decoder<'_>, HeadError> {
    if bytes.len() > MAX_HEAD {
        return Err(HeadError::TooLarge);
    }
    let mut decoder = Decoder::new(bytes);
    let found = decoder.array().map_err(malformed)?;
    check_that(found == Some(items))?;
    Ok(decoder)
}

/// Decodes the fields, which are the last item.
fn decode_fields(decoder: &mut Decoder<'_>, end: usize) -> Result<Vec<Field>, HeadError> {
    let number = decoder
        .map()
        .map_err(malformed)?
        .ok_or(HeadError::Malformed)?;
    if number > MAX_FIELDS as u64 {
        return Err(HeadError::TooLarge);
    }
    let mut fields = Vec::new();
    for _ in 0..number {
        let name = decoder.str().map_err(malformed)?.to_owned();
        fields.push((name, decoder.bytes().map_err(malformed)?.to_vec()));
    }
    check_that(decoder.position() == end)?;
    Ok(fields)
}
