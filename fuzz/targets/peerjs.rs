//! Fuzz target for the PeerJS broker: Ana sends the input as a message while Ben
//! is the only other client.
//!
//! Checked for any input: the broker does not panic. A forwarded message goes to
//! the client that it names, has Ana as its source and her payload byte for byte,
//! grows by at most [`MAX_GROWTH`] bytes, and parses as a message of the same
//! kind. A message queued for an absent client expires once and frees its memory.

#![no_main]

use std::{collections::BTreeMap, time::Duration};

use clock::Moment;
use libfuzzer_sys::fuzz_target;
use rooms::ClientKey;
use rooms::peerjs::{Input, Message, Output, PeerJsBroker, Settings};
use rooms::room::SocketId;
use serde_json::value::RawValue;

const ANA: SocketId = SocketId(1);
const BEN: SocketId = SocketId(2);
/// Bytes that forwarding may add: the `src` field.
const MAX_GROWTH: usize = 64;
/// A time at which every queued message has expired.
const AFTER_EXPIRY: Moment = Moment::from_origin(Duration::from_secs(3_600));

type Fields<'a> = BTreeMap<String, &'a RawValue>;

fuzz_target!(|text: &str| {
    let mut broker = ana_and_ben();
    let parsed = Message::parse(text);
    let input = Input::Message {
        socket: ANA,
        message: parsed.clone(),
    };
    broker.handle(Moment::ZERO, input);
    while let Some(output) = broker.poll_output() {
        if let Output::Send { socket, text: sent } = output {
            check_forwarded(&parsed, socket, &sent);
            assert!(sent.len() <= text.len() + MAX_GROWTH);
        }
    }
    check_expiry(&mut broker);
});

fn ana_and_ben() -> PeerJsBroker {
    let mut broker = PeerJsBroker::new(Settings {
        rooms: false,
        ..Settings::default()
    });
    for (socket, id) in [(ANA, "ana"), (BEN, "ben")] {
        let input = Input::Connect {
            socket,
            client: ClientKey(socket.0),
            key: Some("peerjs"),
            id: Some(id),
            token: Some("secret"),
        };
        broker.handle(Moment::ZERO, input);
        assert_eq!(broker.poll_output(), Some(Output::Open { socket }));
    }
    broker
}

fn check_forwarded<E>(parsed: &Result<Message<'_>, E>, socket: SocketId, sent: &str) {
    let Ok(Message::Forward { kind, to, payload }) = parsed else {
        panic!("an ignored message produced {sent}");
    };
    let fields: Fields = serde_json::from_str(sent).expect("an object");
    let text = |name: &str| serde_json::from_str::<String>(fields[name].get()).expect("a string");
    assert_eq!(text("src"), "ana");
    assert_eq!(Some(text("dst").as_str()), to.as_deref());
    assert_eq!(socket, if text("dst") == "ana" { ANA } else { BEN });
    assert_eq!(
        fields.get("payload").map(|value| value.get()),
        payload.map(RawValue::get)
    );
    let Ok(Message::Forward { kind: reparsed, .. }) = Message::parse(sent) else {
        panic!("{sent} is not a valid message");
    };
    assert_eq!(reparsed, *kind);
}

fn check_expiry(broker: &mut PeerJsBroker) {
    let queued = broker.counts().pairs;
    broker.handle(AFTER_EXPIRY, Input::Timeout);
    let expired = std::iter::from_fn(|| broker.poll_output()).count();
    assert_eq!(expired, queued);
    assert_eq!(broker.counts().pairs, 0);
    assert_eq!(broker.counts().queued_bytes, 0);
}
