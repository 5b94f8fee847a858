//! Fuzz target for what tunnels carry and agree on: heads, WebSocket messages, and the JSON of their
//! sockets.
//!
//! Checked for any input: nothing panics, what is accepted encodes to what decodes to the same
//! again, and a head that is accepted cannot leave its line or name another host.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use tunnel::{
    control::{self, PeerMessage, ToPeer, ToVisitor, VisitorMessage},
    head::{MAX_FIELDS, MAX_HEAD, RequestHead, ResponseHead},
    messages::{Decoder, Message, encode},
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(head) = RequestHead::decode(bytes) {
        assert!(bytes.len() <= MAX_HEAD && head.fields.len() <= MAX_FIELDS);
        assert!(head.target.starts_with('/'));
        check_line(head.method.as_bytes());
        check_line(head.target.as_bytes());
        check_fields(&head.fields);
        let encoded = head.encode().expect("an accepted head is encoded");
        assert_eq!(RequestHead::decode(&encoded), Ok(head));
    }
    if let Ok(head) = ResponseHead::decode(bytes) {
        check_fields(&head.fields);
        let encoded = head.encode().expect("an accepted head is encoded");
        assert_eq!(ResponseHead::decode(&encoded), Ok(head));
    }
    if let Some((piece, bytes)) = bytes.split_first() {
        check_messages(bytes, usize::from(*piece) + 1);
    }
    if let Ok(text) = str::from_utf8(bytes) {
        check_json::<PeerMessage>(text);
        check_json::<ToPeer>(text);
        check_json::<VisitorMessage>(text);
        check_json::<ToVisitor>(text);
    }
});

fn check_line(bytes: &[u8]) {
    assert!(
        !bytes
            .iter()
            .any(|byte| matches!(byte, b'\r' | b'\n' | b' ' | 0))
    );
}

fn check_fields(fields: &[(String, Vec<u8>)]) {
    for (name, value) in fields {
        check_line(name.as_bytes());
        assert!(!value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
    }
}

/// Messages are the same whether their bytes come at once or in pieces.
fn check_messages(bytes: &[u8], piece: usize) {
    let whole = decode(bytes, bytes.len().max(1));
    assert_eq!(decode(bytes, piece), whole);
    for message in whole {
        let encoded = encode(&message);
        assert_eq!(decode(&encoded, encoded.len()), [message]);
    }
}

fn decode(bytes: &[u8], piece: usize) -> Vec<Message> {
    let mut decoder = Decoder::default();
    let mut messages = Vec::new();
    for piece in bytes.chunks(piece) {
        decoder.push(piece);
        while let Ok(Some(message)) = decoder.next() {
            messages.push(message);
        }
    }
    messages
}

fn check_json<T: DeserializeOwned + Serialize>(text: &str) {
    if let Some(message) = control::parse::<T>(text) {
        let json = control::to_text(&message);
        let again = serde_json::from_str::<T>(&json).expect("a serialized message is parsed");
        assert_eq!(control::to_text(&again), json);
    }
}
