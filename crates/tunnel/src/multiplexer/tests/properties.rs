//! Two multiplexers under random requests, delays, slow readers and cancellations.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*};

use super::*;

/// Messages that the channel holds in each direction.
const CHANNEL: usize = 4;

/// Step of a script. Numbers choose among the streams that there are.
#[derive(Clone, Debug)]
enum Step {
    /// A request with a body of so many bytes.
    Open(Option<usize>),
    /// The response to a request, with a body of so many bytes.
    Respond(usize, Option<usize>),
    /// So many messages arrive at the peer, and at the visitor.
    Deliver(usize, usize),
    /// Both owners write.
    Write,
    /// Both owners take events.
    Events,
    /// A reader takes bytes.
    Read(bool, usize, usize),
    Reset(bool, usize),
    Ping(bool),
}

fn any_step() -> impl Strategy<Value = Step> {
    let body = || proptest::option::of(0..20_000_usize);
    let one = || 0..16_usize;
    prop_oneof![
        4 => body().prop_map(Step::Open),
        4 => (one(), body()).prop_map(|(a, b)| Step::Respond(a, b)),
        8 => (0..6_usize, 0..6_usize).prop_map(|(a, b)| Step::Deliver(a, b)),
        6 => Just(Step::Write),
        4 => Just(Step::Events),
        6 => (any::<bool>(), one(), 0..3000_usize).prop_map(|(a, b, c)| Step::Read(a, b, c)),
        1 => (any::<bool>(), one()).prop_map(|(a, b)| Step::Reset(a, b)),
        1 => any::<bool>().prop_map(Step::Ping),
    ]
}

fn any_limits() -> impl Strategy<Value = Limits> {
    (1..8_u32, 1..5000_u32, 64..20_000_u32).prop_map(
        |(max_streams, stream_window, channel_window)| Limits {
            max_streams,
            stream_window,
            channel_window,
        },
    )
}

/// Byte of a body at a place.
fn byte(stream: StreamId, is_request: bool, at: usize) -> u8 {
    (at ^ (at >> 8)) as u8 ^ (stream as u8).wrapping_mul(31) ^ u8::from(is_request)
}

/// Progress of a body.
#[derive(Debug, Default)]
struct Body {
    /// Bytes of a body that is sent.
    size: usize,
    /// Bytes written or received.
    done: usize,
    /// Bytes that the reader has taken.
    read: usize,
    has_ended: bool,
}

/// Owner of a multiplexer.
struct Side {
    multiplexer: Multiplexer,
    limits: Limits,
    is_peer: bool,
    outgoing: BTreeMap<StreamId, Body>,
    incoming: BTreeMap<StreamId, Body>,
    reset: BTreeSet<StreamId>,
    pongs: usize,
    /// Messages on their way to the other side.
    channel: VecDeque<Vec<u8>>,
}

impl Side {
    fn new(multiplexer: Multiplexer, limits: Limits) -> Self {
        Self {
            is_peer: multiplexer.is_peer,
            multiplexer,
            limits,
            outgoing: BTreeMap::new(),
            incoming: BTreeMap::new(),
            reset: BTreeSet::new(),
            pongs: 0,
            channel: VecDeque::new(),
        }
    }

    fn send(&mut self) -> bool {
        let before = self.channel.len();
        while self.channel.len() < CHANNEL
            && let Some(message) = self.multiplexer.poll_message()
        {
            assert!(message.len() <= MAX_FRAME);
            self.channel.push_back(message);
        }
        self.channel.len() > before
    }

    fn open(&mut self, size: Option<usize>) {
        if let Ok(stream) = self.multiplexer.open(&[1; 50], size.is_some()) {
            let has_ended = size.is_none();
            let body = Body {
                size: size.unwrap_or(0),
                has_ended,
                ..Body::default()
            };
            self.outgoing.insert(stream, body);
        }
    }

    /// Responds to the oldest request that has no response after a number of others.
    fn respond(&mut self, skip: usize, size: Option<usize>) -> bool {
        let waiting =
            self.incoming.keys().copied().filter(|stream| {
                !self.outgoing.contains_key(stream) && !self.reset.contains(stream)
            });
        let waiting: Vec<_> = waiting.collect();
        let Some(&stream) = waiting.get(skip % waiting.len().max(1)) else {
            return false;
        };
        self.multiplexer.respond(stream, &[2; 70], size.is_some());
        let body = Body {
            size: size.unwrap_or(0),
            has_ended: size.is_none(),
            ..Body::default()
        };
        self.outgoing.insert(stream, body);
        true
    }

    fn write(&mut self) -> bool {
        let mut has_moved = false;
        for (&stream, body) in &mut self.outgoing {
            if body.has_ended || self.reset.contains(&stream) {
                continue;
            }
            let end = body.size.min(body.done + 5000);
            let bytes: Vec<u8> = (body.done..end)
                .map(|at| byte(stream, !self.is_peer, at))
                .collect();
            let written = self.multiplexer.write(stream, &bytes);
            body.done += written;
            has_moved |= written > 0;
            if body.done == body.size {
                self.multiplexer.finish(stream);
                body.has_ended = true;
            }
        }
        has_moved
    }

    fn events(&mut self) -> bool {
        let mut has_moved = false;
        while let Some(event) = self.multiplexer.poll_event() {
            has_moved = true;
            match event {
                Event::Hello { .. } => self.multiplexer.accept(),
                Event::Opened { stream, .. } | Event::Head { stream, .. } => {
                    assert!(self.incoming.insert(stream, Body::default()).is_none());
                }
                Event::Data { stream, bytes } => {
                    let body = self.incoming.get_mut(&stream).unwrap();
                    assert!(!body.has_ended && bytes.len() <= MAX_CHUNK);
                    for received in bytes {
                        assert_eq!(received, byte(stream, self.is_peer, body.done));
                        body.done += 1;
                    }
                    assert!(body.done - body.read <= self.limits.stream_window as usize);
                }
                Event::End { stream } => {
                    let body = self.incoming.get_mut(&stream).unwrap();
                    assert!(!body.has_ended);
                    body.has_ended = true;
                }
                Event::Reset { stream, .. } => assert!(self.reset.insert(stream)),
                Event::Pong(_) => self.pongs += 1,
                Event::Writable { .. } | Event::Accepted => (),
                Event::Refused(_) => unreachable!(),
            }
        }
        has_moved
    }

    fn read(&mut self, at: usize, bytes: usize) {
        let unread = self
            .incoming
            .iter_mut()
            .filter(|(_, body)| body.done > body.read);
        let mut unread: Vec<_> = unread.collect();
        let number = unread.len().max(1);
        if let Some((stream, body)) = unread.get_mut(at % number) {
            let bytes = bytes.min(body.done - body.read);
            body.read += bytes;
            self.multiplexer.consumed(**stream, bytes);
        }
    }

    fn read_all(&mut self, paused: &BTreeSet<StreamId>) {
        for (stream, body) in &mut self.incoming {
            if !paused.contains(stream) {
                self.multiplexer.consumed(*stream, body.done - body.read);
                body.read = body.done;
            }
        }
    }

    fn reset(&mut self, at: usize) {
        let streams: BTreeSet<_> = self.incoming.keys().chain(self.outgoing.keys()).collect();
        let streams: Vec<_> = streams.into_iter().copied().collect();
        if let Some(&stream) = streams.get(at % streams.len().max(1)) {
            self.multiplexer.reset(stream, ResetReason::Cancelled);
            self.reset.insert(stream);
        }
    }
}

struct World {
    visitor: Side,
    peer: Side,
}

impl World {
    fn new(visitor: Limits, peer: Limits) -> Self {
        Self {
            visitor: Side::new(Multiplexer::visitor(visitor, &token()), visitor),
            peer: Side::new(Multiplexer::peer(peer), peer),
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Open(size) => self.visitor.open(size),
            Step::Respond(at, size) => drop(self.peer.respond(at, size)),
            Step::Deliver(to_peer, to_visitor) => drop(self.deliver(to_peer, to_visitor)),
            Step::Write => {
                self.visitor.write();
                self.peer.write();
            }
            Step::Events => {
                self.visitor.events();
                self.peer.events();
            }
            Step::Read(at_peer, at, bytes) => self.side(at_peer).read(at, bytes),
            Step::Reset(at_peer, at) => self.side(at_peer).reset(at),
            Step::Ping(at_peer) => self.side(at_peer).multiplexer.ping(1),
        }
        for side in [&self.visitor, &self.peer] {
            assert!(memory(&side.multiplexer) <= memory_limit(side.limits));
        }
    }

    fn side(&mut self, at_peer: bool) -> &mut Side {
        match at_peer {
            true => &mut self.peer,
            false => &mut self.visitor,
        }
    }

    fn deliver(&mut self, to_peer: usize, to_visitor: usize) -> bool {
        let (visitor, peer) = (&mut self.visitor, &mut self.peer);
        let mut has_moved = visitor.send() | peer.send();
        for message in visitor.channel.drain(..to_peer.min(visitor.channel.len())) {
            peer.multiplexer.receive(&message).unwrap();
            has_moved = true;
        }
        for message in peer.channel.drain(..to_visitor.min(peer.channel.len())) {
            visitor.multiplexer.receive(&message).unwrap();
            has_moved = true;
        }
        has_moved
    }

    /// Runs until nothing moves, with readers that take everything but some streams.
    fn complete(&mut self, paused: &BTreeSet<StreamId>) {
        loop {
            let mut has_moved = false;
            for side in [&mut self.visitor, &mut self.peer] {
                has_moved |= side.write();
                has_moved |= side.events();
                side.read_all(paused);
            }
            while self.peer.respond(0, Some(3000)) {
                has_moved = true;
            }
            has_moved |= self.deliver(CHANNEL, CHANNEL);
            if !has_moved {
                return;
            }
        }
    }

    fn is_reset(&self, stream: StreamId) -> bool {
        self.visitor.reset.contains(&stream) || self.peer.reset.contains(&stream)
    }

    /// Checks that both bodies of a stream have arrived.
    fn check_complete(&self, stream: StreamId) {
        for (from, to) in [(&self.visitor, &self.peer), (&self.peer, &self.visitor)] {
            let sent = &from.outgoing[&stream];
            let received = &to.incoming[&stream];
            assert!(
                received.has_ended,
                "stream {stream}: {received:?} of {sent:?}"
            );
            assert_eq!(received.done, sent.size);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_byte_arrives_in_order_and_all_streams_end(
        visitor in any_limits(),
        peer in any_limits(),
        steps in vec(any_step(), 0..150),
        paused in vec(1..12_u32, 0..4),
    ) {
        let mut world = World::new(visitor, peer);
        for step in steps {
            world.run(step);
        }
        // Readers that have stopped do not block the others, and go on later.
        let paused: BTreeSet<_> = paused.into_iter().collect();
        world.complete(&paused);
        let streams: Vec<_> = world.visitor.outgoing.keys().copied().collect();
        // All streams that may be open could be among those that have stopped.
        let max_streams = peer.max_streams.min(visitor.max_streams);
        let has_room = paused.len() < max_streams as usize;
        for stream in &streams {
            if has_room && !paused.contains(stream) && !world.is_reset(*stream) {
                world.check_complete(*stream);
            }
        }
        world.complete(&BTreeSet::new());
        for stream in streams {
            if !world.is_reset(stream) {
                world.check_complete(stream);
            }
        }
        for (side, other) in [(&world.visitor, &world.peer), (&world.peer, &world.visitor)] {
            prop_assert_eq!(side.multiplexer.streams(), 0);
            prop_assert!(side.multiplexer.streams.is_empty());
            let (held, taken) = side.multiplexer.received.held();
            prop_assert_eq!(held, taken);
            prop_assert_eq!(held, other.multiplexer.sent.used());
        }
    }
}
