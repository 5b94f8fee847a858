//! The other side sends what it wants.

use proptest::{collection::vec, prelude::*};

use super::*;

fn hello(limits: Limits) -> Vec<u8> {
    let version = VERSION;
    let token = token();
    Frame::Hello {
        version,
        token,
        limits,
    }
    .encode()
}

/// Peer that has accepted a visitor, whose frames are made by hand.
fn peer() -> Multiplexer {
    let mut peer = Multiplexer::peer(SMALL);
    peer.receive(&hello(SMALL)).unwrap();
    peer.accept();
    peer
}

/// Visitor with one open stream, number 1, accepted by a peer whose frames are made by hand.
fn visitor() -> Multiplexer {
    let mut visitor = Multiplexer::visitor(SMALL, &token());
    visitor.receive(&Frame::Accepted(SMALL).encode()).unwrap();
    visitor.open(b"get", false).unwrap();
    while visitor.poll_message().is_some() {}
    visitor
}

fn open(stream: StreamId) -> Frame<'static> {
    Frame::Open {
        stream,
        has_body: true,
        head: b"get",
    }
}

fn head() -> Frame<'static> {
    Frame::Head {
        stream: 1,
        has_body: true,
        head: b"ok",
    }
}

fn data(stream: StreamId, bytes: &[u8]) -> Frame<'_> {
    Frame::Data { stream, bytes }
}

fn reset(stream: StreamId) -> Frame<'static> {
    let reason = ResetReason::Cancelled;
    Frame::Reset { stream, reason }
}

const END: Frame<'static> = Frame::End { stream: 1 };

/// Checks that the last of these frames, and none before, violates the protocol.
fn check_violation(mut multiplexer: Multiplexer, frames: &[Frame<'_>]) {
    let (last, before) = frames.split_last().unwrap();
    for frame in before {
        assert_eq!(multiplexer.receive(&frame.encode()), Ok(()), "{frames:?}");
    }
    let error = multiplexer.receive(&last.encode());
    assert!(error.is_err(), "{frames:?}");
    assert_eq!(multiplexer.receive(&Frame::Ping(1).encode()), error);
    assert_eq!(multiplexer.poll_message(), None);
    assert_eq!(multiplexer.poll_event(), None);
    assert_eq!(multiplexer.open(b"get", false), Err(OpenError::Closed));
}

#[test]
fn frames_before_the_hello_are_violations() {
    for frame in [open(1), Frame::Ping(1), Frame::Accepted(SMALL), reset(1)] {
        check_violation(Multiplexer::peer(SMALL), &[frame]);
    }
}

#[test]
fn frames_before_the_peer_has_decided_are_violations() {
    let frame = hello(SMALL);
    let hello = Frame::decode(&frame).unwrap();
    for frame in [open(1), Frame::Ping(1), hello.clone()] {
        check_violation(Multiplexer::peer(SMALL), &[hello.clone(), frame]);
    }
}

#[test]
fn frames_before_the_visitor_is_accepted_are_violations() {
    for frame in [head(), Frame::Ping(1), data(1, b"a")] {
        let mut visitor = Multiplexer::visitor(SMALL, &token());
        visitor.open(b"get", false).unwrap();
        check_violation(visitor, &[frame]);
    }
}

#[test]
fn frames_that_a_visitor_must_not_send_are_violations() {
    let second_hello = hello(SMALL);
    let second_hello = Frame::decode(&second_hello).unwrap();
    let credit = |stream, bytes| Frame::Credit { stream, bytes };
    for frames in [
        vec![second_hello],
        vec![Frame::Accepted(SMALL)],
        vec![open(1), head()],
        vec![open(2), open(2)],
        vec![open(2), open(1)],
        vec![open(1), open(2), open(3), open(4), open(5)],
        vec![data(1, b"a")],
        vec![END],
        vec![reset(1)],
        vec![credit(1, 1)],
        vec![open(1), credit(1, 1)],
        vec![credit(0, 1)],
        vec![open(1), END, END],
        vec![open(1), END, data(1, b"a")],
        vec![open(1), reset(1), open(1)],
        vec![open(1), data(1, &[0; 1001])],
        vec![open(1), data(1, &[0; 1000]), data(1, b"a")],
    ] {
        check_violation(peer(), &frames);
    }
}

#[test]
fn frames_that_a_peer_must_not_send_are_violations() {
    let credit = |stream, bytes| Frame::Credit { stream, bytes };
    for frames in [
        vec![open(2)],
        vec![Frame::Accepted(SMALL)],
        vec![Frame::Refused(Refusal::Busy)],
        vec![data(1, b"a")],
        vec![END],
        vec![head(), head()],
        vec![head(), END, data(1, b"a")],
        vec![data(2, b"a")],
        vec![reset(2)],
        vec![credit(1, 1)],
    ] {
        check_violation(visitor(), &frames);
    }
}

#[test]
fn malformed_frames_are_violations() {
    let mut frames = vec![
        vec![],
        vec![4, 0, 0, 0],
        vec![0, 0, 0, 0, 1],
        vec![12, 0, 0, 0, 1],
        vec![6, 0, 0, 0, 1],
        vec![7, 0, 0, 0, 1, 0],
        vec![8, 0, 0, 0, 1, 0],
        vec![9, 0, 0, 0, 0, 0, 0, 0, 0],
        vec![10, 0, 0, 0, 1, 0, 0, 0, 0],
        vec![4, 0, 0, 0, 1, 2],
        vec![4, 0, 0, 0, 0, 1],
    ];
    frames.push([&[6, 0, 0, 0, 1], &[0; MAX_CHUNK + 1][..]].concat());
    frames.push([&[4, 0, 0, 0, 1, 0], &[0; MAX_HEAD + 1][..]].concat());
    frames.push(vec![10; MAX_FRAME + 1]);
    for frame in frames {
        assert!(
            peer().receive(&frame).is_err(),
            "{:?}",
            &frame[..frame.len().min(9)]
        );
    }
}

#[test]
fn limits_of_zero_are_violations() {
    let mut frame = hello(SMALL);
    let end = frame.len();
    frame[end - 4..].fill(0);
    assert!(Multiplexer::peer(SMALL).receive(&frame).is_err());
}

#[test]
fn all_streams_together_stay_within_the_channels_window() {
    let limits = Limits {
        max_streams: 4,
        stream_window: 1000,
        channel_window: 2500,
    };
    let mut peer = Multiplexer::peer(limits);
    peer.receive(&hello(SMALL)).unwrap();
    peer.accept();
    for stream in 1..=3 {
        peer.receive(&open(stream).encode()).unwrap();
    }
    let frames = [data(1, &[0; 1000]), data(2, &[0; 1000]), data(3, &[0; 501])];
    check_violation(peer, &frames);
}

#[test]
fn bytes_for_a_stream_that_has_ended_count_in_the_channels_window() {
    let mut peer = peer();
    peer.receive(&open(1).encode()).unwrap();
    peer.receive(&reset(1).encode()).unwrap();
    for _ in 0..8 {
        peer.receive(&data(1, &[0; 1000]).encode()).unwrap();
    }
    assert!(peer.receive(&data(1, b"a").encode()).is_err());
}

#[test]
fn a_flood_of_pings_leaves_few_answers() {
    let mut peer = peer();
    for value in 0..10_000 {
        peer.receive(&Frame::Ping(value).encode()).unwrap();
        peer.receive(&Frame::Pong(value).encode()).unwrap();
    }
    assert_eq!(core::iter::from_fn(|| peer.poll_message()).count(), 1 + 16);
    assert_eq!(events(&mut peer).len(), 1);
}

#[test]
fn a_flood_of_requests_that_are_cancelled_leaves_nothing() {
    let mut peer = peer();
    for stream in 1..10_000 {
        peer.receive(&open(stream).encode()).unwrap();
        peer.receive(&data(stream, &[0; 1]).encode()).unwrap();
        peer.receive(&reset(stream).encode()).unwrap();
        while let Some(Event::Opened { .. }) = peer.poll_event() {}
        while peer.poll_message().is_some() {}
        assert!(memory(&peer) <= 1000);
    }
}

#[test]
fn requests_that_the_owner_resets_count_until_the_visitor_can_know() {
    let mut peer = peer();
    for stream in 1..=4 {
        peer.receive(&open(stream).encode()).unwrap();
        peer.reset(stream, ResetReason::Refused);
    }
    assert_eq!(peer.streams(), 0);
    check_violation(peer, &[open(5)]);
}

#[test]
fn requests_that_both_sides_have_reset_make_room() {
    let mut peer = peer();
    for stream in 1..=100 {
        peer.receive(&open(stream).encode()).unwrap();
        peer.reset(stream, ResetReason::Refused);
        peer.receive(&reset(stream).encode()).unwrap();
    }
}

#[test]
fn a_flood_of_single_bytes_is_kept_in_few_pieces() {
    let mut peer = Multiplexer::peer(Limits::default());
    peer.receive(&hello(SMALL)).unwrap();
    peer.accept();
    for stream in 1..=2 {
        peer.receive(&open(stream).encode()).unwrap();
    }
    for at in 0..1_000_000 {
        peer.receive(&data(1 + at % 2, b"a").encode()).unwrap();
    }
    assert!(memory(&peer) <= 2_100_000, "{}", memory(&peer));
    assert!(events(&mut peer).len() < 100);
}

#[test]
fn a_peer_that_reads_nothing_leaves_bounded_memory() {
    let mut visitor = visitor();
    visitor.receive(&reset(1).encode()).unwrap();
    for value in 0..1000 {
        visitor.ping(value);
        if let Ok(stream) = visitor.open(&[0; 1000], true) {
            visitor.write(stream, &[0; 10_000]);
            if value % 2 == 0 {
                visitor.reset(stream, ResetReason::Cancelled);
            }
        }
    }
    assert!(memory(&visitor) <= memory_limit(SMALL));
}

/// Frame with numbers that are likely to fit.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let limits = (1..5_u32, 1..2000_u32, 1..9000_u32);
    let limits = limits.prop_map(|(max_streams, stream_window, channel_window)| Limits {
        max_streams,
        stream_window,
        channel_window,
    });
    let stream = || 1..8_u32;
    let bytes = || vec(any::<u8>(), 1..600);
    prop_oneof![
        1 => limits.clone().prop_map(hello),
        1 => limits.prop_map(|limits| Frame::Accepted(limits).encode()),
        6 => (stream(), any::<bool>(), bytes()).prop_map(|(stream, has_body, head)| {
            Frame::Open { stream, has_body, head: &head }.encode()
        }),
        4 => (stream(), any::<bool>(), bytes()).prop_map(|(stream, has_body, head)| {
            Frame::Head { stream, has_body, head: &head }.encode()
        }),
        8 => (stream(), bytes()).prop_map(|(stream, bytes)| data(stream, &bytes).encode()),
        2 => stream().prop_map(|stream| Frame::End { stream }.encode()),
        2 => stream().prop_map(|stream| reset(stream).encode()),
        2 => (0..8_u32, 1..1000_u32).prop_map(|(stream, bytes)| {
            Frame::Credit { stream, bytes }.encode()
        }),
        1 => any::<u32>().prop_map(|value| Frame::Ping(value).encode()),
        1 => (0..3_u32).prop_map(|value| Frame::Pong(value).encode()),
        1 => vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #[test]
    fn any_frames_leave_bounded_memory(
        is_peer in any::<bool>(),
        frames in vec((any_frame(), 0..12_u8), 1..60),
    ) {
        let mut multiplexer = if is_peer { peer() } else { visitor() };
        for (frame, action) in frames {
            let mut stream = StreamId::from(action);
            match action {
                0..=3 if !is_peer => stream = multiplexer.open(b"get", true).unwrap_or(1),
                4 => multiplexer.reset(1, ResetReason::Broken),
                5 => multiplexer.consumed(1, 300),
                6 => drop(multiplexer.poll_event()),
                7 => drop(events(&mut multiplexer)),
                8 => drop(multiplexer.poll_message()),
                9 => multiplexer.ping(1),
                10 => while multiplexer.poll_message().is_some() {},
                _ => multiplexer.respond(stream, b"ok", true),
            }
            multiplexer.write(stream, &[1; 700]);
            let _ = multiplexer.receive(&frame);
            prop_assert!(multiplexer.streams() <= 4);
            prop_assert!(memory(&multiplexer) <= memory_limit(SMALL));
        }
    }

    #[test]
    fn any_bytes_are_handled_or_refused(message in vec(any::<u8>(), 0..100)) {
        let _ = Multiplexer::peer(SMALL).receive(&message);
        let _ = peer().receive(&message);
        let _ = visitor().receive(&message);
    }
}
