//! Fuzz target for the simple-peer rooms: Ben sends the input as a message to a
//! room with Ana, the host, and Cleo.
//!
//! Checked for any input: the room does not panic. A forwarded message reaches
//! only the member that it names, or all others, never Ben. It has Ben as `from`,
//! an `isHost` of false if Ben sent that field, and every other field byte for
//! byte.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rooms::room::SocketId;
use rooms::simple_peer::{Input, Message, Output, Settings, SimplePeerBroker};
use serde_json::value::RawValue;

const ANA: SocketId = SocketId(1);
const BEN: SocketId = SocketId(2);
const CLEO: SocketId = SocketId(3);
/// Bytes that forwarding may add: the `from` field, and `false` for a shorter
/// `isHost`.
const MAX_GROWTH: usize = 32;

type Fields<'a> = BTreeMap<String, &'a RawValue>;

fuzz_target!(|text: &str| {
    let mut broker = three_members();
    let parsed = Message::parse(text);
    let input = Input::Message {
        socket: BEN,
        message: parsed.clone(),
    };
    broker.handle(input);
    while let Some(output) = broker.poll_output() {
        let Output::Send { socket, text: sent } = output else {
            panic!("only messages are expected after joining");
        };
        let message = parsed.as_ref().expect("invalid input is not forwarded");
        if message.joins().is_some() {
            check_join_announced(socket, &sent);
        } else {
            assert!(socket == target_socket(message.target()).unwrap_or(socket) && socket != BEN);
            assert!(sent.len() <= text.len() + MAX_GROWTH);
            check_forwarded(text, &sent);
        }
    }
});

fn three_members() -> SimplePeerBroker {
    let mut broker = SimplePeerBroker::new(Settings {
        max_riders: 3,
        max_rooms: 1,
    });
    for (socket, name) in [(ANA, "ana"), (BEN, "ben"), (CLEO, "cleo")] {
        broker.handle(Input::Connect {
            socket,
            code: "club".parse().expect("a code"),
            fresh_peer: name.parse().expect("an id"),
        });
    }
    while broker.poll_output().is_some() {}
    broker
}

fn target_socket(target: Option<&str>) -> Option<SocketId> {
    match target? {
        "ana" => Some(ANA),
        "cleo" => Some(CLEO),
        // Ben himself or an unknown id: no socket receives the message.
        _ => Some(BEN),
    }
}

fn check_join_announced(socket: SocketId, sent: &str) {
    let fields: Fields = serde_json::from_str(sent).expect("an object");
    let kind = match socket {
        BEN => r#""existing-peers""#,
        _ => r#""peer-joined""#,
    };
    assert_eq!(fields["type"].get(), kind);
}

fn check_forwarded(input: &str, sent: &str) {
    let mut input: Fields = serde_json::from_str(input).expect("an object");
    let mut sent: Fields = serde_json::from_str(sent).expect("an object");
    let from = sent.remove("from").map(RawValue::get);
    assert_eq!(from, Some(r#""ben""#));
    input.remove("from");
    let host = sent.remove("isHost").map(RawValue::get);
    assert_eq!(host, input.remove("isHost").map(|_| "false"));
    let texts = |fields: Fields| -> Vec<(String, String)> {
        let pairs = fields.into_iter();
        pairs
            .map(|(name, value)| (name, value.get().to_owned()))
            .collect()
    };
    assert_eq!(texts(sent), texts(input));
}
