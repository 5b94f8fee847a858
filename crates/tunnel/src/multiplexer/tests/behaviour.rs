use super::*;

#[test]
fn a_request_without_a_body_is_answered() {
    let mut pair = Pair::new(Limits::default(), Limits::default());
    let stream = pair.visitor.open(b"get", false).unwrap();
    pair.exchange();
    let head = b"get".to_vec();
    let request = [Event::Opened { stream, head }, Event::End { stream }];
    assert_eq!(events(&mut pair.peer), request);
    pair.peer.respond(stream, b"ok", true);
    assert_eq!(pair.peer.write(stream, b"hello"), 5);
    pair.peer.finish(stream);
    pair.exchange();
    let head = b"ok".to_vec();
    let bytes = b"hello".to_vec();
    let response = [
        Event::Head { stream, head },
        Event::Data { stream, bytes },
        Event::End { stream },
    ];
    assert_eq!(events(&mut pair.visitor), response);
    assert_eq!((pair.visitor.streams(), pair.peer.streams()), (0, 0));
}

#[test]
fn both_bodies_flow_at_the_same_time() {
    let mut pair = Pair::new(Limits::default(), Limits::default());
    let stream = pair.open(true);
    pair.peer.respond(stream, b"ok", true);
    assert_eq!(pair.visitor.write(stream, b"up"), 2);
    assert_eq!(pair.peer.write(stream, b"down"), 4);
    pair.exchange();
    assert_eq!(bytes_of(&events(&mut pair.visitor), stream), 4);
    assert_eq!(bytes_of(&events(&mut pair.peer), stream), 2);
    pair.visitor.finish(stream);
    pair.exchange();
    assert_eq!(events(&mut pair.peer), [Event::End { stream }]);
    assert_eq!(pair.visitor.streams(), 1);
    pair.peer.finish(stream);
    pair.exchange();
    assert_eq!((pair.visitor.streams(), pair.peer.streams()), (0, 0));
}

#[test]
fn a_missing_body_is_told_right_after_the_head() {
    let mut pair = Pair::new(Limits::default(), Limits::default());
    for _ in 0..3 {
        pair.visitor.open(b"get", false).unwrap();
    }
    pair.exchange();
    let events = events(&mut pair.peer);
    for pair in events.chunks(2) {
        assert!(
            matches!(pair, [Event::Opened { stream: a, .. }, Event::End { stream: b }] if a == b)
        );
    }
    assert_eq!(events.len(), 6);
}

#[test]
fn requests_made_before_the_peer_has_accepted_wait() {
    let mut visitor = Multiplexer::visitor(Limits::default(), &token());
    let stream = visitor.open(b"post", true).unwrap();
    assert_eq!(visitor.write(stream, b"body"), 4);
    visitor.finish(stream);
    let mut peer = Multiplexer::peer(Limits::default());
    peer.receive(&visitor.poll_message().unwrap()).unwrap();
    assert_eq!(visitor.poll_message(), None);
    assert_eq!(peer.poll_message(), None);
    assert!(matches!(peer.poll_event(), Some(Event::Hello { .. })));
    peer.accept();
    let mut pair = Pair { visitor, peer };
    pair.exchange();
    assert_eq!(events(&mut pair.peer).len(), 3);
}

#[test]
fn a_peer_with_a_lower_limit_gets_waiting_requests_one_after_another() {
    let one = Limits {
        max_streams: 1,
        ..Limits::default()
    };
    let mut visitor = Multiplexer::visitor(Limits::default(), &token());
    for _ in 0..3 {
        visitor.open(b"get", false).unwrap();
    }
    let peer = Multiplexer::peer(one);
    let mut pair = Pair { visitor, peer };
    pair.exchange();
    pair.peer.accept();
    assert!(matches!(pair.peer.poll_event(), Some(Event::Hello { .. })));
    for stream in 1..=3 {
        pair.exchange();
        let head = b"get".to_vec();
        let request = [Event::Opened { stream, head }, Event::End { stream }];
        assert_eq!(events(&mut pair.peer), request);
        assert_eq!(
            pair.visitor.open(b"get", false),
            Err(OpenError::TooManyStreams)
        );
        pair.peer.respond(stream, b"ok", false);
    }
}

#[test]
fn a_refused_visitor_is_told_why() {
    let mut pair = Pair {
        visitor: Multiplexer::visitor(SMALL, &token()),
        peer: Multiplexer::peer(SMALL),
    };
    pair.visitor.open(b"get", false).unwrap();
    pair.exchange();
    pair.peer.refuse(Refusal::Forbidden);
    pair.exchange();
    let refused = Event::Refused(Refusal::Forbidden);
    assert_eq!(events(&mut pair.visitor), [refused]);
    assert_eq!(pair.visitor.open(b"get", false), Err(OpenError::Closed));
    assert_eq!(pair.visitor.poll_message(), None);
    assert_eq!(events(&mut pair.peer).len(), 1);
}

#[test]
fn a_reset_ends_a_stream_on_both_sides() {
    let mut pair = Pair::new(SMALL, SMALL);
    let cancelled = pair.respond();
    pair.visitor.reset(cancelled, ResetReason::Cancelled);
    pair.exchange();
    let reset = |stream, reason| Event::Reset { stream, reason };
    let reason = ResetReason::Cancelled;
    assert_eq!(events(&mut pair.peer), [reset(cancelled, reason)]);
    assert_eq!(pair.peer.write(cancelled, b"more"), 0);
    let broken = pair.open(true);
    pair.peer.reset(broken, ResetReason::Unreachable);
    pair.exchange();
    let reason = ResetReason::Unreachable;
    assert_eq!(events(&mut pair.visitor), [reset(broken, reason)]);
    assert_eq!((pair.visitor.streams(), pair.peer.streams()), (0, 0));
}

#[test]
fn a_request_cancelled_before_it_was_sent_is_never_sent() {
    let mut pair = Pair::new(SMALL, SMALL);
    let stream = pair.visitor.open(b"get", false).unwrap();
    pair.visitor.reset(stream, ResetReason::Cancelled);
    assert_eq!(pair.visitor.poll_message(), None);
    assert!(pair.open(false) > stream);
}

#[test]
fn a_stream_that_was_reset_leaves_nothing_to_an_owner_who_has_not_heard_of_it() {
    let mut pair = Pair::new(SMALL, SMALL);
    let stream = pair.visitor.open(b"get", true).unwrap();
    pair.visitor.write(stream, b"body");
    pair.exchange();
    pair.visitor.reset(stream, ResetReason::Cancelled);
    pair.exchange();
    assert_eq!(events(&mut pair.peer), []);
}

#[test]
fn a_writer_is_told_when_there_is_room_again() {
    let mut pair = Pair::new(SMALL, SMALL);
    let stream = pair.respond();
    // One window is on its way to the reader, another one is buffered.
    assert_eq!(pair.fill(stream), 2000);
    let received = events(&mut pair.visitor);
    assert_eq!(bytes_of(&received, stream), 1000);
    while pair.peer.poll_event().is_some() {}
    pair.visitor.consumed(stream, 1000);
    pair.exchange();
    assert_eq!(events(&mut pair.peer), [Event::Writable { stream }]);
    assert_eq!(pair.fill(stream), 1000);
}

#[test]
fn credit_is_given_back_by_the_quarter() {
    let mut pair = Pair::new(SMALL, SMALL);
    let stream = pair.respond();
    pair.peer.write(stream, &[5; 300]);
    pair.exchange();
    events(&mut pair.visitor);
    pair.visitor.consumed(stream, 249);
    assert_eq!(pair.visitor.poll_message(), None);
    pair.visitor.consumed(stream, 1);
    let credit = Frame::Credit { stream, bytes: 250 }.encode();
    assert_eq!(pair.visitor.poll_message(), Some(credit));
    assert_eq!(pair.visitor.poll_message(), None);
}

#[test]
fn a_reset_gives_back_the_channels_credit_for_what_was_not_read() {
    let mut pair = Pair::new(SMALL, SMALL);
    for _ in 0..100 {
        let stream = pair.respond();
        pair.fill(stream);
        pair.visitor.poll_event();
        pair.visitor.reset(stream, ResetReason::Cancelled);
        pair.exchange();
        events(&mut pair.peer);
    }
    let stream = pair.respond();
    assert_eq!(pair.fill(stream), 2000);
}

#[test]
fn slow_readers_do_not_block_another_stream() {
    let limits = Limits {
        max_streams: 16,
        stream_window: 4000,
        channel_window: 8000,
    };
    let mut pair = Pair::new(limits, limits);
    for _ in 0..15 {
        let slow = pair.respond();
        pair.fill(slow);
        events(&mut pair.visitor);
    }
    let stream = pair.respond();
    let mut all = 0;
    for _ in 0..10_000 {
        pair.peer.write(stream, &[5; 1000]);
        pair.exchange();
        let received = events(&mut pair.visitor);
        let bytes = bytes_of(&received, stream);
        pair.visitor.consumed(stream, bytes);
        all += bytes;
    }
    assert!(all >= 1_000_000, "{all} bytes");
}

#[test]
fn streams_are_sent_in_turn_after_control_frames() {
    let mut pair = Pair::new(Limits::default(), Limits::default());
    let first = pair.respond();
    let second = pair.respond();
    for stream in [first, second] {
        pair.peer.write(stream, &[5; 3 * MAX_CHUNK]);
    }
    pair.peer.ping(7);
    let messages: Vec<_> = core::iter::from_fn(|| pair.peer.poll_message()).collect();
    let streams: Vec<_> = messages.iter().map(|message| message[4]).collect();
    let (first, second) = (first as u8, second as u8);
    assert_eq!(streams, [0, first, second, first, second, first, second]);
}

#[test]
fn pings_are_answered_on_both_sides() {
    let mut pair = Pair::new(SMALL, SMALL);
    pair.visitor.ping(1);
    pair.peer.ping(2);
    pair.exchange();
    assert_eq!(events(&mut pair.visitor), [Event::Pong(1)]);
    assert_eq!(events(&mut pair.peer), [Event::Pong(2)]);
}

#[test]
fn a_stream_that_has_ended_is_read_to_its_end() {
    let mut pair = Pair::new(SMALL, SMALL);
    let stream = pair.respond();
    pair.peer.write(stream, &[5; 1000]);
    pair.peer.finish(stream);
    pair.exchange();
    assert_eq!((pair.visitor.streams(), pair.peer.streams()), (0, 0));
    let received = events(&mut pair.visitor);
    assert_eq!(bytes_of(&received, stream), 1000);
    assert_eq!(received.last(), Some(&Event::End { stream }));
    pair.visitor.consumed(stream, 1000);
    assert!(pair.visitor.streams.is_empty() && pair.peer.streams.is_empty());
}

#[test]
fn ended_streams_that_nobody_reads_are_bounded() {
    let mut pair = Pair::new(SMALL, SMALL);
    for _ in 0..100 {
        let stream = pair.respond();
        pair.peer.write(stream, &[5; 10]);
        pair.peer.finish(stream);
        pair.exchange();
        events(&mut pair.visitor);
        assert!(pair.visitor.streams.len() <= 8);
    }
}
