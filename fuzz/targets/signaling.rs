//! The JSON between a page and the server, in both directions.
//!
//! Whatever comes, reading it does not panic; what is read prints, and reads
//! back as the same; printing makes no message much longer than it came.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::signaling::{ClientMessage, MAX_MESSAGE_BYTES, ServerMessage};

/// What printing may add: an unknown error code is printed as `unknown`, and what
/// a welcome leaves out with its default.
const ADDED: usize = 256;

fuzz_target!(|text: &str| {
    if let Ok(message) = ClientMessage::parse(text) {
        assert!(text.len() <= MAX_MESSAGE_BYTES);
        let printed = message.to_json();
        assert!(printed.len() <= text.len() + ADDED);
        assert_eq!(ClientMessage::parse(&printed), Ok(message));
    }
    if let Ok(message) = ServerMessage::parse(text) {
        assert!(text.len() <= MAX_MESSAGE_BYTES);
        let printed = message.to_json();
        assert!(printed.len() <= text.len() + ADDED);
        assert_eq!(ServerMessage::parse(&printed), Ok(message));
    }
});
