//! WebSocket messages as the bytes of a stream: each has a kind (one byte), a length (four bytes,
//! most significant first), and its content.

use thiserror::Error;

/// Largest message in bytes.
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;

const HEADER: usize = 5;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 3;
/// Content of a close frame, of which two bytes are the code (RFC 6455, section 5.5).
const MAX_CLOSE: usize = 125;

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

/// Bytes of a message. A reason is shortened to what a close frame can hold, and dropped without a
/// code, as RFC 6455 has it.
pub fn encode(message: &Message) -> Vec<u8> {
    let code_bytes;
    let (kind, parts): (u8, [&[u8]; 2]) = match message {
        Message::Text(text) => (TEXT, [text.as_bytes(), &[]]),
        Message::Binary(bytes) => (BINARY, [bytes, &[]]),
        Message::Close(None, _) => (CLOSE, [&[], &[]]),
        Message::Close(Some(code), reason) => {
            code_bytes = code.to_be_bytes();
            let end = reason.floor_char_boundary(MAX_CLOSE - code_bytes.len());
            (CLOSE, [&code_bytes, &reason.as_bytes()[..end]])
        }
    };
    let length = parts[0].len() + parts[1].len();
    let mut bytes = Vec::with_capacity(HEADER + length);
    bytes.push(kind);
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(parts[0]);
    bytes.extend_from_slice(parts[1]);
    bytes
}

/// Decoder of a stream's bytes.
///
/// It keeps at most one message, and what was pushed since [`Decoder::next`] returned `None`.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// Number of bytes at the start of `bytes` that are decoded.
    done: usize,
    has_failed: bool,
}

impl Decoder {
    /// Adds the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.has_failed {
            return;
        }
        if self.done > 0 {
            self.bytes.drain(..self.done);
            self.done = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Next complete message.
    ///
    /// # Errors
    /// [`MessageError`]; nothing more can be decoded.
    #[expect(
        clippy::should_implement_trait,
        reason = "more messages follow after `None`"
    )]
    pub fn next(&mut self) -> Result<Option<Message>, MessageError> {
        let decoded = match self.has_failed {
            true => Err(MessageError),
            false => self.decode(),
        };
        if decoded.is_err() {
            *self = Self {
                has_failed: true,
                ..Self::default()
            };
        }
        decoded
    }

    fn decode(&mut self) -> Result<Option<Message>, MessageError> {
        let rest = &self.bytes[self.done..];
        let Some((&[kind, a, b, c, d], rest)) = rest.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let largest = match kind {
            TEXT | BINARY => MAX_MESSAGE,
            CLOSE => MAX_CLOSE,
            _ => return Err(MessageError),
        };
        if length > largest {
            return Err(MessageError);
        }
        let Some(content) = rest.get(..length) else {
            return Ok(None);
        };
        let message = match kind {
            TEXT => Message::Text(text(content)?),
            BINARY => Message::Binary(content.to_vec()),
            _ => close(content)?,
        };
        self.done += HEADER + length;
        Ok(Some(message))
    }
}

fn text(bytes: &[u8]) -> Result<String, MessageError> {
    let text = str::from_utf8(bytes).map_err(|_| MessageError)?;
    Ok(text.to_owned())
}

fn close(content: &[u8]) -> Result<Message, MessageError> {
    match content.split_first_chunk() {
        Some((code, reason)) => {
            let code = u16::from_be_bytes(*code);
            Ok(Message::Close(Some(code), text(reason)?))
        }
        None if content.is_empty() => Ok(Message::Close(None, String::new())),
        None => Err(MessageError),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn decode(bytes: &[u8]) -> Result<Vec<Message>, MessageError> {
        let mut decoder = Decoder::default();
        decoder.push(bytes);
        let mut messages = Vec::new();
        while let Some(message) = decoder.next()? {
            messages.push(message);
        }
        Ok(messages)
    }

    #[test]
    fn messages_have_a_kind_a_length_and_their_content() {
        let text = Message::Text("hop".to_owned());
        assert_eq!(encode(&text), b"\x01\0\0\0\x03hop");
        let close = Message::Close(Some(1000), "bye".to_owned());
        assert_eq!(encode(&close), b"\x03\0\0\0\x05\x03\xe8bye");
    }

    #[test]
    fn a_long_reason_is_cut_between_letters() {
        let bytes = encode(&Message::Close(Some(1000), "\u{fc}".repeat(100)));
        let short = "\u{fc}".repeat(61);
        assert_eq!(decode(&bytes), Ok(vec![Message::Close(Some(1000), short)]));
    }

    #[test]
    fn the_largest_message_is_the_limit() {
        let mut decoder = Decoder::default();
        let largest = Message::Binary(vec![7; MAX_MESSAGE]);
        decoder.push(&encode(&largest));
        assert_eq!(decoder.next(), Ok(Some(largest)));
        let larger = (MAX_MESSAGE as u32 + 1).to_be_bytes();
        decoder.push(&[&[BINARY], &larger[..]].concat());
        assert_eq!(decoder.next(), Err(MessageError));
    }

    #[test]
    fn malformed_messages_are_refused() {
        for bytes in [
            b"\0\0\0\0\0".as_slice(),
            b"\x04\0\0\0\0",
            b"\x01\0\0\0\x01\xff",
            b"\x03\0\0\0\x01\x03",
            b"\x03\0\0\0\x7e",
        ] {
            assert_eq!(decode(bytes), Err(MessageError), "{bytes:?}");
        }
    }

    #[test]
    fn nothing_is_kept_after_an_error() {
        let mut decoder = Decoder::default();
        decoder.push(&[9; 100]);
        assert_eq!(decoder.next(), Err(MessageError));
        decoder.push(&encode(&Message::Text(String::new())));
        assert!(decoder.bytes.is_empty());
        assert_eq!(decoder.next(), Err(MessageError));
    }

    fn message() -> impl Strategy<Value = Message> {
        prop_oneof![
            any::<String>().prop_map(Message::Text),
            vec(any::<u8>(), 0..500).prop_map(Message::Binary),
            ("[a-z]{0,20}", any::<u16>())
                .prop_map(|(reason, code)| Message::Close(Some(code), reason)),
            Just(Message::Close(None, String::new())),
        ]
    }

    proptest! {
        #[test]
        fn messages_in_pieces_come_out_whole(
            messages in vec(message(), 0..20),
            piece in 1..100_usize,
        ) {
            let bytes: Vec<u8> = messages.iter().flat_map(encode).collect();
            let mut decoder = Decoder::default();
            let mut decoded = Vec::new();
            for piece in bytes.chunks(piece) {
                decoder.push(piece);
                while let Some(message) = decoder.next().unwrap() {
                    decoded.push(message);
                }
            }
            prop_assert_eq!(decoded, messages);
        }
    }
}
