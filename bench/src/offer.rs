//! The relayed message: the OFFER with which a PeerJS client opens a data
//! channel, with a sequence number as its connection id.

use serde_json::{Value, json};

use crate::error::BenchError;
use crate::websocket::{MASK, find, text_frame};

/// Digits of the sequence number.
const DIGITS: usize = 10;
/// Text before the sequence number.
const PREFIX: &[u8] = b"\"dc_";

/// An OFFER from one sender to one receiver: framed and masked once, sent many
/// times with another sequence number.
#[derive(Debug, Clone)]
pub struct Offer {
    frame: Vec<u8>,
    /// Offset of the first digit in the frame.
    digits: usize,
    /// Offset of the text in the frame.
    text: usize,
}

impl Offer {
    /// An OFFER to a receiver; `padding` bytes are added to the session
    /// description.
    pub fn new(receiver: &str, padding: usize) -> Self {
        let text = message(receiver, padding).to_string();
        let frame = text_frame(&text);
        let text_at = frame.len() - text.len();
        // `message` writes the prefix, so it is always found.
        let prefix = find(text.as_bytes(), PREFIX).unwrap_or_default();
        Self {
            digits: text_at + prefix + PREFIX.len(),
            text: text_at,
            frame,
        }
    }

    /// The frame with the given sequence number.
    pub fn with_sequence(&mut self, number: u64) -> &[u8] {
        let mut rest = number;
        for place in (self.digits..self.digits + DIGITS).rev() {
            let digit = b'0' + (rest % 10) as u8;
            self.frame[place] = digit ^ MASK[(place - self.text) % MASK.len()];
            rest /= 10;
        }
        &self.frame
    }

    /// Length of the frame in bytes.
    pub fn len(&self) -> usize {
        self.frame.len()
    }
}

/// Reader of the sequence numbers in one sender's messages. It remembers the
/// offset, which is the same in all of them.
#[derive(Debug, Default)]
pub struct SequenceReader {
    offset: usize,
}

impl SequenceReader {
    /// Sequence number of a relayed OFFER.
    ///
    /// # Errors
    /// [`BenchError::IncorrectRelay`] for any other message.
    pub fn read(&mut self, text: &[u8]) -> Result<u64, BenchError> {
        if !text
            .get(self.offset..)
            .is_some_and(|at| at.starts_with(PREFIX))
        {
            self.offset = find(text, PREFIX).ok_or_else(|| incorrect(text))?;
        }
        let digits = text
            .get(self.offset + PREFIX.len()..self.offset + PREFIX.len() + DIGITS)
            .ok_or_else(|| incorrect(text))?;
        digits.iter().try_fold(0, |number, digit| match digit {
            b'0'..=b'9' => Ok(number * 10 + u64::from(digit - b'0')),
            _ => Err(incorrect(text)),
        })
    }
}

/// Checks that a relayed message equals the sent one except for the added
/// `src`.
///
/// # Errors
/// [`BenchError::IncorrectRelay`] with the start of the message received.
pub fn verify_relayed(
    text: &[u8],
    sender: &str,
    receiver: &str,
    padding: usize,
) -> Result<(), BenchError> {
    let mut expected = message(receiver, padding);
    expected["src"] = sender.into();
    match serde_json::from_slice::<Value>(text) {
        Ok(value) if value == expected => Ok(()),
        _ => Err(incorrect(text)),
    }
}

fn incorrect(text: &[u8]) -> BenchError {
    let start = &text[..text.len().min(200)];
    BenchError::IncorrectRelay(String::from_utf8_lossy(start).into_owned())
}

fn message(receiver: &str, padding: usize) -> Value {
    json!({
        "type": "OFFER",
        "payload": {
            "sdp": {"type": "offer", "sdp": session_description(padding)},
            "type": "data",
            "connectionId": format!("dc_{:0DIGITS$}", 0),
            "label": "gruppetto",
            "reliable": false,
            "serialization": "binary",
        },
        "dst": receiver,
    })
}

/// A session description as a browser writes it for a data channel.
fn session_description(padding: usize) -> String {
    let fingerprint = ["A7"; 32].join(":");
    let lines = [
        "v=0",
        "o=- 4611686018427387904 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:Gr7p",
        "a=ice-pwd:bunchOfRidersOnTheMountain",
        "a=ice-options:trickle",
        &format!("a=fingerprint:sha-256 {fingerprint}"),
        "a=setup:actpass",
        "a=mid:0",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
        &format!("a=x-padding:{}", "p".repeat(padding)),
        "",
    ];
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_number_survives_writing_and_reading() {
        let mut offer = Offer::new("ben", 10);
        let mut reader = SequenceReader::default();
        for number in [0, 7, 1_234_567_890] {
            let text = offer.text;
            let plain: Vec<u8> = offer.with_sequence(number)[text..]
                .iter()
                .zip(MASK.iter().cycle())
                .map(|(byte, mask)| byte ^ mask)
                .collect();
            assert_eq!(reader.read(&plain).expect("a number"), number);
        }
    }

    #[test]
    fn a_changed_message_is_detected() {
        let mut relayed = message("ben", 0);
        relayed["src"] = "ana".into();
        assert!(verify_relayed(relayed.to_string().as_bytes(), "ana", "ben", 0).is_ok());
        relayed["src"] = "eve".into();
        assert!(verify_relayed(relayed.to_string().as_bytes(), "ana", "ben", 0).is_err());
        assert!(
            SequenceReader::default()
                .read(br#"{"type":"EXPIRE"}"#)
                .is_err()
        );
    }
}
