//! What a PeerJS client says, and what the broker makes of it: Ana says it,
//! Ben is there, nobody else is.
//!
//! Whatever comes, nothing panics; a message goes to whom it names, from Ana,
//! with the very payload that she sent and hardly a byte more, and is itself
//! read as the same message; what waits for somebody absent is given back once
//! and then forgotten.

#![no_main]

use std::{collections::BTreeMap, time::Duration};

use libfuzzer_sys::fuzz_target;
use rooms::peerjs::{Broker, Input, Message, Output, Settings};
use rooms::room::SocketId;
use serde_json::value::RawValue;

const ANA: SocketId = SocketId(1);
const BEN: SocketId = SocketId(2);
/// What passing on may add: the sender, and the words around it.
const ADDED: usize = 64;
/// Later than anything waits.
const LATER: Duration = Duration::from_secs(3_600);

type Fields<'a> = BTreeMap<String, &'a RawValue>;

fuzz_target!(|text: &str| {
    let mut broker = ana_and_ben();
    let said = Message::parse(text);
    let input = Input::Message {
        socket: ANA,
        message: said.clone(),
    };
    broker.handle(Duration::ZERO, input);
    while let Some(output) = broker.poll_output() {
        if let Output::Send { socket, text: sent } = output {
            check_passed(&said, socket, &sent);
            assert!(sent.len() <= text.len() + ADDED);
        }
    }
    check_waiting(&mut broker);
});

fn ana_and_ben() -> Broker {
    let mut broker = Broker::new(Settings {
        rooms: false,
        ..Settings::default()
    });
    for (socket, id) in [(ANA, "ana"), (BEN, "ben")] {
        let input = Input::Connect {
            socket,
            key: Some("peerjs"),
            id: Some(id),
            token: Some("secret"),
        };
        broker.handle(Duration::ZERO, input);
        assert_eq!(broker.poll_output(), Some(Output::Open { socket }));
    }
    broker
}

fn check_passed<E>(said: &Result<Message<'_>, E>, socket: SocketId, sent: &str) {
    let Ok(Message::Pass { kind, to, payload }) = said else {
        panic!("{sent} out of nothing");
    };
    let passed: Fields = serde_json::from_str(sent).expect("an object");
    let text = |name: &str| serde_json::from_str::<String>(passed[name].get()).expect("a string");
    assert_eq!(text("src"), "ana");
    assert_eq!(Some(text("dst").as_str()), to.as_deref());
    assert_eq!(socket, if text("dst") == "ana" { ANA } else { BEN });
    assert_eq!(
        passed.get("payload").map(|it| it.get()),
        payload.map(RawValue::get)
    );
    let Ok(Message::Pass { kind: again, .. }) = Message::parse(sent) else {
        panic!("{sent} is no message");
    };
    assert_eq!(again, *kind);
}

fn check_waiting(broker: &mut Broker) {
    let waiting = broker.counts().pairs;
    broker.handle(LATER, Input::Timeout);
    let given_back = std::iter::from_fn(|| broker.poll_output()).count();
    assert_eq!(given_back, waiting);
    assert_eq!(broker.counts().pairs, 0);
    assert_eq!(broker.counts().queued_bytes, 0);
}
