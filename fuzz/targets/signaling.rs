//! Fuzz target for the JSON messages of the signaling socket, in both directions.
//!
//! Checked for any input: parsing does not panic, no message above the size limit
//! is accepted, and an accepted message serializes to at most [`MAX_GROWTH`] more
//! bytes and parses to the same value again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::signaling::{ClientMessage, MAX_MESSAGE_BYTES, ServerMessage};

/// Bytes that serializing may add: an unknown error code becomes `unknown`, and
/// fields missing from a welcome are written with their defaults.
const MAX_GROWTH: usize = 256;

fuzz_target!(|text: &str| {
    if let Ok(message) = ClientMessage::parse(text) {
        assert!(text.len() <= MAX_MESSAGE_BYTES);
        let json = message.to_json();
        assert!(json.len() <= text.len() + MAX_GROWTH);
        assert_eq!(ClientMessage::parse(&json), Ok(message));
    }
    if let Ok(message) = ServerMessage::parse(text) {
        assert!(text.len() <= MAX_MESSAGE_BYTES);
        let json = message.to_json();
        assert!(json.len() <= text.len() + MAX_GROWTH);
        assert_eq!(ServerMessage::parse(&json), Ok(message));
    }
});
