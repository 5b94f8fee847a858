//! The OFFER that is relayed: what a PeerJS client sends to open a data
//! channel, with a number in it by which the receiver knows which one it is.

use serde_json::{Value, json};

use crate::error::BenchError;
use crate::wire::{MASK, find, text_frame};

/// Digits of a message's number.
const DIGITS: usize = 10;
/// What stands before the number.
const MARK: &[u8] = b"\"dc_";

/// An OFFER of one sender to one receiver, ready to be sent again and again.
#[derive(Debug, Clone)]
pub struct Offer {
    frame: Vec<u8>,
    digits: usize,
    /// Where in the frame its text begins.
    text: usize,
}

impl Offer {
    /// To a receiver; `padding` makes the session description longer.
    pub fn new(receiver: &str, padding: usize) -> Self {
        let text = message(receiver, padding).to_string();
        let frame = text_frame(&text);
        let text_at = frame.len() - text.len();
        // The message is made below, with the mark in it.
        let mark = find(text.as_bytes(), MARK).unwrap_or_default();
        Self {
            digits: text_at + mark + MARK.len(),
            text: text_at,
            frame,
        }
    }

    /// The frame with this number in it.
    pub fn numbered(&mut self, number: u64) -> &[u8] {
        let mut rest = number;
        for place in (self.digits..self.digits + DIGITS).rev() {
            let digit = b'0' + (rest % 10) as u8;
            self.frame[place] = digit ^ MASK[(place - self.text) % MASK.len()];
            rest /= 10;
        }
        &self.frame
    }

    /// Bytes of the frame.
    pub fn len(&self) -> usize {
        self.frame.len()
    }
}

/// Reads the numbers of one sender's messages, remembering where they stand.
#[derive(Debug, Default)]
pub struct Numbers {
    place: usize,
}

impl Numbers {
    /// The number of a relayed OFFER.
    ///
    /// # Errors
    /// [`BenchError::Unfaithful`] for any other message.
    pub fn read(&mut self, text: &[u8]) -> Result<u64, BenchError> {
        if !text
            .get(self.place..)
            .is_some_and(|at| at.starts_with(MARK))
        {
            self.place = find(text, MARK).ok_or_else(|| unforeseen(text))?;
        }
        let digits = text
            .get(self.place + MARK.len()..self.place + MARK.len() + DIGITS)
            .ok_or_else(|| unforeseen(text))?;
        digits.iter().try_fold(0, |number, digit| match digit {
            b'0'..=b'9' => Ok(number * 10 + u64::from(digit - b'0')),
            _ => Err(unforeseen(text)),
        })
    }
}

/// Whether a relayed message is what was sent, with the sender's name added
/// and nothing else changed.
///
/// # Errors
/// [`BenchError::Unfaithful`] with what came instead.
pub fn check(text: &[u8], sender: &str, receiver: &str, padding: usize) -> Result<(), BenchError> {
    let mut expected = message(receiver, padding);
    expected["src"] = sender.into();
    match serde_json::from_slice::<Value>(text) {
        Ok(value) if value == expected => Ok(()),
        _ => Err(unforeseen(text)),
    }
}

fn unforeseen(text: &[u8]) -> BenchError {
    let start = &text[..text.len().min(200)];
    BenchError::Unfaithful(String::from_utf8_lossy(start).into_owned())
}

fn message(receiver: &str, padding: usize) -> Value {
    json!({
        "type": "OFFER",
        "payload": {
            "sdp": {"type": "offer", "sdp": description(padding)},
            "type": "data",
            "connectionId": format!("dc_{:0DIGITS$}", 0),
            "label": "gruppetto",
            "reliable": false,
            "serialization": "binary",
        },
        "dst": receiver,
    })
}

/// A session description of a browser's data channel.
fn description(padding: usize) -> String {
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
    fn a_number_is_read_as_it_was_written() {
        let mut offer = Offer::new("ben", 10);
        let mut numbers = Numbers::default();
        for number in [0, 7, 1_234_567_890] {
            let text = offer.text;
            let plain: Vec<u8> = offer.numbered(number)[text..]
                .iter()
                .zip(MASK.iter().cycle())
                .map(|(byte, mask)| byte ^ mask)
                .collect();
            assert_eq!(numbers.read(&plain).expect("a number"), number);
        }
    }

    #[test]
    fn a_changed_message_is_noticed() {
        let mut relayed = message("ben", 0);
        relayed["src"] = "ana".into();
        assert!(check(relayed.to_string().as_bytes(), "ana", "ben", 0).is_ok());
        relayed["src"] = "eve".into();
        assert!(check(relayed.to_string().as_bytes(), "ana", "ben", 0).is_err());
        assert!(Numbers::default().read(br#"{"type":"EXPIRE"}"#).is_err());
    }
}
