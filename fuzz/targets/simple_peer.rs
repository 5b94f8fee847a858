//! What a simple-peer client says, and what its room makes of it: Ben says it,
//! Ana is host, Cleo is there too.
//!
//! Whatever comes, nothing panics; what is passed on reaches others alone, and
//! only the one it names; it comes from Ben, says that he is not host if it
//! says anything of that, and has every other field to the byte as he sent it.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rooms::room::SocketId;
use rooms::simple_peer::{Input, Message, Output, Rooms, Settings};
use serde_json::value::RawValue;

const ANA: SocketId = SocketId(1);
const BEN: SocketId = SocketId(2);
const CLEO: SocketId = SocketId(3);
/// What passing on may add: the sender, and a longer word on who is host.
const ADDED: usize = 32;

type Fields<'a> = BTreeMap<String, &'a RawValue>;

fuzz_target!(|text: &str| {
    let mut rooms = three_members();
    let said = Message::parse(text);
    let input = Input::Message {
        socket: BEN,
        message: said.clone(),
    };
    rooms.handle(input);
    while let Some(output) = rooms.poll_output() {
        let Output::Send { socket, text: sent } = output else {
            panic!("a member is let in already");
        };
        let said = said.as_ref().expect("nonsense is not passed on");
        if said.joins().is_some() {
            check_joined(socket, &sent);
        } else {
            assert!(socket == named(said.target()).unwrap_or(socket) && socket != BEN);
            assert!(sent.len() <= text.len() + ADDED);
            check_passed(text, &sent);
        }
    }
});

fn three_members() -> Rooms {
    let mut rooms = Rooms::new(Settings {
        max_riders: 3,
        max_rooms: 1,
    });
    for (socket, name) in [(ANA, "ana"), (BEN, "ben"), (CLEO, "cleo")] {
        rooms.handle(Input::Connect {
            socket,
            code: "club".parse().expect("a code"),
            fresh_peer: name.parse().expect("an id"),
        });
    }
    while rooms.poll_output().is_some() {}
    rooms
}

fn named(target: Option<&str>) -> Option<SocketId> {
    match target? {
        "ana" => Some(ANA),
        "cleo" => Some(CLEO),
        // Ben himself or nobody: no socket gets it.
        _ => Some(BEN),
    }
}

fn check_joined(socket: SocketId, sent: &str) {
    let fields: Fields = serde_json::from_str(sent).expect("an object");
    let kind = match socket {
        BEN => r#""existing-peers""#,
        _ => r#""peer-joined""#,
    };
    assert_eq!(fields["type"].get(), kind);
}

fn check_passed(said: &str, sent: &str) {
    let mut said: Fields = serde_json::from_str(said).expect("an object");
    let mut sent: Fields = serde_json::from_str(sent).expect("an object");
    let from = sent.remove("from").map(RawValue::get);
    assert_eq!(from, Some(r#""ben""#));
    said.remove("from");
    let host = sent.remove("isHost").map(RawValue::get);
    assert_eq!(host, said.remove("isHost").map(|_| "false"));
    let texts = |fields: Fields| -> Vec<(String, String)> {
        let pairs = fields.into_iter();
        pairs
            .map(|(name, value)| (name, value.get().to_owned()))
            .collect()
    };
    assert_eq!(texts(sent), texts(said));
}
