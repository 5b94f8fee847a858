//! Fuzz target for the multiplexer of tunnels, on both sides.
//!
//! The first byte chooses the side, and whether the channel is accepted already. The rest is a
//! sequence of actions of the owner and of messages of the other side, each with its length first.
//!
//! Checked for any input: nothing panics, streams and bytes that wait stay within the limits, a
//! message leads to few messages and events, and nothing comes after an error.

#![no_main]

use std::iter::from_fn;

use libfuzzer_sys::fuzz_target;
use tunnel::{
    identity::AccessToken,
    multiplexer::{Event, Limits, MAX_FRAME, Multiplexer, ResetReason},
};

const LIMITS: Limits = Limits {
    max_streams: 4,
    stream_window: 300,
    channel_window: 1000,
};
/// Largest number of messages or events that wait: of four open and four ended streams, and of pings.
const MAX_WAITING: usize = 200;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, mut rest)) = bytes.split_first() else {
        return;
    };
    let is_peer = choice & 1 == 0;
    let token = AccessToken::new([7; 20]);
    let mut visitor = Multiplexer::visitor(LIMITS, &token);
    let mut peer = Multiplexer::peer(LIMITS);
    if choice & 2 == 0 {
        deliver(&mut visitor, &mut peer);
        peer.accept();
        deliver(&mut peer, &mut visitor);
    }
    let mut multiplexer = if is_peer { peer } else { visitor };
    let mut waiting = 0;
    let mut has_failed = false;
    while let Some((&action, following)) = rest.split_first() {
        rest = following;
        let stream = u32::from(action >> 4);
        match action & 15 {
            0..=5 => {
                let length = rest.len().min(usize::from(action >> 4) * 8);
                let (message, following) = rest.split_at(length);
                rest = following;
                let handled = multiplexer.receive(message);
                assert!(!has_failed || handled.is_err());
                has_failed = handled.is_err();
            }
            6 => drop(multiplexer.open(b"request", action & 16 == 0)),
            7 => multiplexer.respond(stream, b"response", action & 128 == 0),
            8 => assert!(multiplexer.write(stream, &[action; 400]) <= 400),
            9 => multiplexer.finish(stream),
            10 => multiplexer.reset(stream, ResetReason::Cancelled),
            11 => multiplexer.consumed(stream, 100),
            12 => multiplexer.ping(stream),
            13 => multiplexer.accept(),
            14 => {
                let messages = from_fn(|| multiplexer.poll_message()).take(MAX_WAITING);
                let messages = messages.inspect(|message| assert!(message.len() <= MAX_FRAME));
                let number = messages.count();
                assert!(number < MAX_WAITING && (number == 0 || !has_failed));
            }
            _ => {
                let events: Vec<Event> = from_fn(|| multiplexer.poll_event())
                    .take(MAX_WAITING)
                    .collect();
                assert!(events.len() < MAX_WAITING && (events.is_empty() || !has_failed));
                let bytes = events.iter().map(|event| match event {
                    Event::Data { bytes, .. } => bytes.len(),
                    _ => 0,
                });
                waiting = bytes.sum();
            }
        }
        assert!(waiting <= LIMITS.channel_window as usize);
        assert!(multiplexer.streams() <= LIMITS.max_streams as usize);
    }
});

fn deliver(from: &mut Multiplexer, to: &mut Multiplexer) {
    while let Some(message) = from.poll_message() {
        to.receive(&message).expect("the greeting is valid");
    }
    while to.poll_event().is_some() {}
}
