//! A network on virtual time: one room, its riders' nodes, their sockets and
//! their peer connections, with delay, jitter, loss and faults from a seed.
//!
//! Sockets keep their text in order and lose none of it while they live; relayed
//! frames and telemetry channels lose, delay and reorder; the reliable channels
//! hold back what a cut path does not let through, as SCTP does.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use mesh::{
    node::{Event, Input, Node, NodeConfig, Output, RtcCommand, RtcEvent, SdpKind},
    peer::{Class, Incarnation, LinkState, PeerId, PublicKeys, Token},
    room::{self, Room, RoomSettings, SocketId},
    signaling::{ClientMessage, Resume, ServerMessage},
};

/// Milliseconds.
pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// How a way behaves: delay, up to so much more, and of a thousand so many lost.
#[derive(Clone, Copy)]
pub struct Way {
    pub delay: Duration,
    pub jitter: Duration,
    pub loss: u64,
}

pub const GOOD: Way = Way {
    delay: Duration::from_millis(20),
    jitter: Duration::ZERO,
    loss: 0,
};

/// One end of a peer connection: whose, and its number there.
type End = (usize, u32);

enum Packet {
    ToRoom(SocketId, FromRider),
    ToRider(SocketId, Input),
    Local(usize, u32, Input),
    Frame(End, End, Class, Vec<u8>),
    Joined(End, End),
    HungUp(End),
}

enum FromRider {
    Text(String),
    Binary(Vec<u8>),
    Closed,
}

pub struct Rider {
    pub node: Node,
    pub events: Vec<Event>,
    /// How far the rider's clock is ahead of the network's.
    pub clock: Duration,
    pub online: bool,
    /// Its socket looks open and carries nothing.
    pub mute: bool,
    pub p2p: bool,
    /// When its node wants to be woken, on its own clock.
    wakes: Option<Duration>,
    page: u32,
    socket: Option<SocketId>,
    connections: HashMap<u32, Rtc>,
}

#[derive(Default)]
struct Rtc {
    peer: Option<PeerId>,
    offer: Option<String>,
    other: Option<End>,
}

pub struct Net {
    pub now: Duration,
    pub room: Room,
    pub riders: Vec<Rider>,
    pub relay: Way,
    pub direct: Way,
    /// Relayed frames and telemetry overtake each other.
    pub signals: u64,
    pub relayed: u64,
    cut: BTreeSet<(usize, usize)>,
    held: Vec<(End, End, Class, Vec<u8>)>,
    queue: BTreeMap<(Duration, u64), Packet>,
    order: u64,
    last: HashMap<(SocketId, bool), Duration>,
    last_frame: HashMap<(End, u8), Duration>,
    owners: HashMap<SocketId, usize>,
    sockets: u64,
    random: u64,
}

impl Net {
    pub fn new(seed: u64) -> Self {
        Self::with(seed, RoomSettings::default())
    }

    pub fn with(seed: u64, settings: RoomSettings) -> Self {
        Self {
            now: Duration::ZERO,
            room: Room::new(settings, Duration::ZERO),
            riders: Vec::new(),
            relay: GOOD,
            direct: GOOD,
            signals: 0,
            relayed: 0,
            cut: BTreeSet::new(),
            held: Vec::new(),
            queue: BTreeMap::new(),
            order: 0,
            last: HashMap::new(),
            last_frame: HashMap::new(),
            owners: HashMap::new(),
            sockets: 0,
            random: seed,
        }
    }

    /// A network with so many riders who had two seconds to find each other.
    pub fn riding(seed: u64, riders: usize) -> Self {
        let mut net = Self::new(seed);
        for _ in 0..riders {
            net.join();
            net.run(100);
        }
        net.run(2_000);
        net
    }

    /// A new rider, whose clock is minutes off everybody's.
    pub fn join(&mut self) -> usize {
        self.join_with(true, None)
    }

    pub fn join_with(&mut self, p2p: bool, resume: Option<Resume>) -> usize {
        let index = self.riders.len();
        let clock = Duration::from_millis(7_919_137 * (index as u64 * 5 % 7));
        let seed = self.random();
        let node = Node::new(config(index, p2p, resume, seed));
        self.riders.push(Rider {
            node,
            events: Vec::new(),
            clock,
            online: true,
            mute: false,
            p2p,
            wakes: Some(Duration::ZERO),
            page: 0,
            socket: None,
            connections: HashMap::new(),
        });
        index
    }

    pub fn run(&mut self, millis: u64) {
        let end = self.now + ms(millis);
        let mut spins = 0;
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            spins = if at > self.now { 0 } else { spins + 1 };
            assert!(spins < 20_000, "somebody wants to be woken again and again");
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    /// Runs until something is so, for a minute at most.
    pub fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now;
        while !done(self) {
            self.run(10);
            assert!(self.now < start + ms(60_000), "never: {what}");
        }
        self.now - start
    }

    pub fn feed(&mut self, rider: usize, input: Input) {
        let now = self.now + self.riders[rider].clock;
        self.riders[rider].node.handle(now, input);
        while let Some(output) = self.riders[rider].node.poll_output() {
            self.carry(rider, output);
        }
        self.riders[rider].wakes = self.riders[rider].node.poll_timeout();
    }

    pub fn id(&self, rider: usize) -> PeerId {
        self.riders[rider].node.me().expect("welcomed").peer.clone()
    }

    pub fn send(&mut self, from: usize, to: usize, class: Class, payload: &[u8]) {
        let to = self.id(to);
        self.feed(
            from,
            Input::Send {
                to,
                class,
                payload: payload.to_vec(),
            },
        );
    }

    pub fn broadcast(&mut self, from: usize, class: Class, payload: &[u8]) {
        self.feed(
            from,
            Input::Broadcast {
                class,
                payload: payload.to_vec(),
            },
        );
    }

    pub fn link(&self, from: usize, to: usize) -> Option<LinkState> {
        let to = &self.riders[to].node.me()?.peer;
        self.riders[from].node.link_state(to)
    }

    pub fn all_links(&self, state: LinkState) -> bool {
        let everyone = || 0..self.riders.len();
        everyone().all(|a| everyone().all(|b| a == b || self.link(a, b) == Some(state)))
    }

    /// What a rider got of one class from another.
    pub fn received(&self, at: usize, from: usize, class: Class) -> Vec<Vec<u8>> {
        let id = self.id(from);
        let of = |event: &Event| match event {
            Event::Received {
                from,
                class: got,
                payload,
            } if *from == id && *got == class => Some(payload.clone()),
            _ => None,
        };
        self.riders[at].events.iter().filter_map(of).collect()
    }

    pub fn group_time(&self, rider: usize) -> Option<i64> {
        let rider = &self.riders[rider];
        rider.node.group_time(self.now + rider.clock)
    }

    /// The path between two riders' browsers lets nothing through, or does again.
    pub fn cut(&mut self, a: usize, b: usize, cut: bool) {
        for way in [(a, b), (b, a)] {
            self.cut_one_way(way.0, way.1, cut);
        }
    }

    pub fn cut_one_way(&mut self, from: usize, to: usize, cut: bool) {
        if cut {
            self.cut.insert((from, to));
            return;
        }
        self.cut.remove(&(from, to));
        let held = std::mem::take(&mut self.held);
        let (free, held): (Vec<_>, Vec<_>) = held
            .into_iter()
            .partition(|(a, b, ..)| (a.0, b.0) == (from, to));
        self.held = held;
        for (from, to, class, bytes) in free {
            self.send_frame(from, to, class, bytes);
        }
    }

    /// The socket breaks; both ends learn of it.
    pub fn drop_socket(&mut self, rider: usize) {
        if let Some(socket) = self.riders[rider].socket.take() {
            self.post(socket, true, Packet::ToRoom(socket, FromRider::Closed));
            self.feed(
                rider,
                Input::SocketClosed {
                    code: 1006,
                    reason: String::new(),
                },
            );
        }
    }

    /// The page is loaded anew and is the same rider by its token.
    pub fn reload(&mut self, rider: usize) {
        let resume = self.resume(rider);
        self.crash(rider);
        let seed = self.random();
        let p2p = self.riders[rider].p2p;
        let page = &mut self.riders[rider];
        page.node = Node::new(config(rider, p2p, resume, seed));
        page.events.clear();
        page.wakes = Some(Duration::ZERO);
    }

    /// The page is gone: its socket and its connections close.
    pub fn crash(&mut self, rider: usize) {
        if let Some(socket) = self.riders[rider].socket.take() {
            self.post(socket, true, Packet::ToRoom(socket, FromRider::Closed));
        }
        let ends: Vec<_> = self.riders[rider].connections.keys().copied().collect();
        ends.into_iter().for_each(|id| self.hang_up((rider, id)));
        let page = &mut self.riders[rider];
        page.page += 1;
        let now = self.now + page.clock;
        page.node.handle(now, Input::Leave);
        while page.node.poll_output().is_some() {}
        page.wakes = None;
    }

    /// The rider's token, as its browser keeps it.
    pub fn resume(&self, rider: usize) -> Option<Resume> {
        let token = self.riders[rider]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Welcomed { token, .. } => Some(token.clone()),
                _ => None,
            });
        let peer = self.id(rider);
        token.map(|token| Resume {
            peer,
            token,
            incarnation: None,
        })
    }

    pub fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn next_at(&self) -> Option<Duration> {
        let nodes = self.riders.iter().filter_map(|rider| {
            let at = rider.wakes?;
            Some(at.saturating_sub(rider.clock).max(self.now))
        });
        let packet = self.queue.keys().next().map(|(at, _)| *at);
        nodes.chain(packet).chain(self.room.poll_timeout()).min()
    }

    fn step(&mut self) {
        let due = self
            .queue
            .first_key_value()
            .is_some_and(|((at, _), _)| *at <= self.now);
        if due && let Some((_, packet)) = self.queue.pop_first() {
            return self.deliver(packet);
        }
        if self.room.poll_timeout().is_some_and(|at| at <= self.now) {
            self.feed_room(room::Input::Timeout);
        }
        for rider in 0..self.riders.len() {
            let now = self.now + self.riders[rider].clock;
            if self.riders[rider]
                .node
                .poll_timeout()
                .is_some_and(|at| at <= now)
            {
                self.feed(rider, Input::Timeout);
            }
        }
    }

    fn deliver(&mut self, packet: Packet) {
        match packet {
            Packet::ToRoom(socket, said) => self.room_hears(socket, said),
            Packet::ToRider(socket, input) => {
                let Some(&rider) = self.owners.get(&socket) else {
                    return;
                };
                if self.riders[rider].socket != Some(socket) || self.riders[rider].mute {
                    return;
                }
                if let Input::SocketClosed { .. } = input {
                    self.riders[rider].socket = None;
                }
                self.feed(rider, input);
            }
            Packet::Local(rider, page, input) => {
                if self.riders[rider].page == page {
                    self.feed(rider, input);
                }
            }
            Packet::Frame(from, to, class, bytes) => {
                if self.end(to).is_some_and(|end| end.other == Some(from)) {
                    self.rtc_event(to, RtcEvent::Frame { class, bytes });
                }
            }
            Packet::Joined(a, b) => {
                for (end, other) in [(a, b), (b, a)] {
                    if self.end(end).is_some_and(|end| end.other == Some(other)) {
                        for class in Class::ALL {
                            self.rtc_event(end, RtcEvent::Opened(class));
                        }
                    }
                }
            }
            Packet::HungUp(end) => self.rtc_event(end, RtcEvent::Closed(Class::Control)),
        }
    }

    fn room_hears(&mut self, socket: SocketId, said: FromRider) {
        match said {
            FromRider::Closed => self.feed_room(room::Input::Closed { socket }),
            FromRider::Binary(bytes) => self.feed_room(room::Input::Relay { socket, bytes }),
            FromRider::Text(text) => match ClientMessage::parse(&text).expect("nodes speak well") {
                ClientMessage::Hello(hello) => {
                    let fresh_peer = format!("peer-{}", socket.0).parse().unwrap();
                    let fresh_token: Token = format!("token-{}", socket.0).parse().unwrap();
                    let server_time = 1_800_000_000_000;
                    self.feed_room(room::Input::Join {
                        socket,
                        hello,
                        fresh_peer,
                        fresh_token,
                        server_time,
                    });
                }
                message => self.feed_room(room::Input::Message { socket, message }),
            },
        }
    }

    fn feed_room(&mut self, input: room::Input) {
        self.room.handle(self.now, input);
        while let Some(output) = self.room.poll_output() {
            match output {
                room::Output::Send { socket, message } => {
                    self.signals += u64::from(matches!(message, ServerMessage::Signal { .. }));
                    let text = Input::SocketText(message.to_json());
                    self.post(socket, false, Packet::ToRider(socket, text));
                }
                room::Output::Relay { sockets, bytes, .. } => {
                    self.relayed += 1;
                    for socket in sockets {
                        let frame = Input::SocketBinary(bytes.to_vec());
                        self.throw(self.relay, Packet::ToRider(socket, frame));
                    }
                }
                room::Output::Close { socket, code, .. } => {
                    let closed = Input::SocketClosed {
                        code,
                        reason: String::new(),
                    };
                    self.post(socket, false, Packet::ToRider(socket, closed));
                }
            }
        }
    }

    fn carry(&mut self, rider: usize, output: Output) {
        match output {
            Output::OpenSocket => self.open_socket(rider),
            Output::CloseSocket => {
                if let Some(socket) = self.riders[rider].socket.take() {
                    self.post(socket, true, Packet::ToRoom(socket, FromRider::Closed));
                }
            }
            Output::SendText(text) => self.say(rider, FromRider::Text(text)),
            Output::SendBinary(bytes) => self.say(rider, FromRider::Binary(bytes)),
            Output::Rtc {
                peer,
                connection,
                command,
            } => {
                self.command(rider, peer, connection, command);
            }
            Output::Event(event) => self.riders[rider].events.push(event),
        }
    }

    fn open_socket(&mut self, rider: usize) {
        let page = self.riders[rider].page;
        if !self.riders[rider].online {
            let closed = Input::SocketClosed {
                code: 1006,
                reason: String::new(),
            };
            return self.at(ms(10), Packet::Local(rider, page, closed));
        }
        self.sockets += 1;
        let socket = SocketId(self.sockets);
        self.owners.insert(socket, rider);
        self.riders[rider].socket = Some(socket);
        self.riders[rider].mute = false;
        self.post(socket, false, Packet::ToRider(socket, Input::SocketOpened));
    }

    fn say(&mut self, rider: usize, said: FromRider) {
        let Some(socket) = self.riders[rider]
            .socket
            .filter(|_| !self.riders[rider].mute)
        else {
            return;
        };
        match said {
            FromRider::Binary(_) => self.throw(self.relay, Packet::ToRoom(socket, said)),
            _ => self.post(socket, true, Packet::ToRoom(socket, said)),
        }
    }

    fn command(&mut self, rider: usize, peer: PeerId, id: u32, command: RtcCommand) {
        let end = (rider, id);
        match command {
            RtcCommand::Open { .. } => {
                let rtc = Rtc {
                    peer: Some(peer),
                    ..Rtc::default()
                };
                let old = self.riders[rider].connections.insert(id, rtc);
                assert!(old.is_none(), "a connection's number is used once");
            }
            RtcCommand::CreateOffer { .. } => {
                let order = self.order;
                let sdp = format!("{rider} {id} {order}");
                let Some(rtc) = self.riders[rider].connections.get_mut(&id) else {
                    return;
                };
                rtc.offer = Some(sdp.clone());
                self.describe(end, SdpKind::Offer, sdp);
            }
            RtcCommand::SetRemote {
                kind: SdpKind::Offer,
                sdp,
            } => {
                let Some(rtc) = self.riders[rider].connections.get_mut(&id) else {
                    return;
                };
                rtc.offer = None;
                self.describe(end, SdpKind::Answer, format!("{rider} {id} for {sdp}"));
            }
            RtcCommand::SetRemote {
                kind: SdpKind::Answer,
                sdp,
            } => self.answered(end, &sdp),
            RtcCommand::AddCandidate(candidate) => assert!(candidate.starts_with("{\"candidate")),
            RtcCommand::Send { class, bytes } => {
                if let Some(other) = self.end(end).and_then(|end| end.other) {
                    self.send_frame(end, other, class, bytes);
                }
            }
            RtcCommand::Close => self.hang_up(end),
        }
    }

    fn describe(&mut self, end: End, kind: SdpKind, sdp: String) {
        self.later(ms(5), end, RtcEvent::LocalDescription { kind, sdp });
        for host in 0..3 {
            let candidate = format!("{{\"candidate\":\"{host}\"}}");
            self.later(ms(4 + host * 30), end, RtcEvent::Candidate(candidate));
        }
    }

    fn answered(&mut self, end: End, sdp: &str) {
        let (who, offer) = sdp.split_once(" for ").expect("an answer names its offer");
        let ours = self.end(end).and_then(|end| end.offer.clone());
        assert_eq!(ours.as_deref(), Some(offer), "an answer to another offer");
        let (rider, id) = who.split_once(' ').unwrap();
        let other = (rider.parse().unwrap(), id.parse().unwrap());
        let open = self.end(end).is_some_and(|end| end.other.is_some());
        if open || self.end(other).is_none() {
            return;
        }
        for (end, other) in [(end, other), (other, end)] {
            if let Some(rtc) = self.riders[end.0].connections.get_mut(&end.1) {
                (rtc.offer, rtc.other) = (None, Some(other));
            }
        }
        if !self.is_cut(end, other) && !self.is_cut(other, end) {
            self.at(ms(60), Packet::Joined(end, other));
        }
    }

    fn send_frame(&mut self, from: End, to: End, class: Class, bytes: Vec<u8>) {
        let cut = self.is_cut(from, to);
        if class == Class::Telemetry {
            if !cut {
                self.throw(self.direct, Packet::Frame(from, to, class, bytes));
            }
        } else if cut {
            self.held.push((from, to, class, bytes));
        } else {
            let at = self.now + self.delay(self.direct);
            let last = self.last_frame.entry((from, class as u8)).or_default();
            *last = at.max(*last);
            let at = *last;
            self.queue_at(at, Packet::Frame(from, to, class, bytes));
        }
    }

    fn hang_up(&mut self, end: End) {
        let rtc = self.riders[end.0].connections.remove(&end.1);
        if let Some(other) = rtc.and_then(|rtc| rtc.other)
            && !self.is_cut(end, other)
        {
            self.at(self.direct.delay, Packet::HungUp(other));
        }
    }

    fn is_cut(&self, from: End, to: End) -> bool {
        self.cut.contains(&(from.0, to.0))
    }

    fn end(&self, (rider, id): End) -> Option<&Rtc> {
        self.riders[rider].connections.get(&id)
    }

    fn later(&mut self, wait: Duration, (rider, id): End, event: RtcEvent) {
        if let Some(input) = self.rtc_input((rider, id), event) {
            let page = self.riders[rider].page;
            self.at(wait, Packet::Local(rider, page, input));
        }
    }

    fn rtc_event(&mut self, end: End, event: RtcEvent) {
        if let Some(input) = self.rtc_input(end, event) {
            self.feed(end.0, input);
        }
    }

    fn rtc_input(&self, end: End, event: RtcEvent) -> Option<Input> {
        let peer = self.end(end)?.peer.clone()?;
        Some(Input::Rtc {
            peer,
            connection: end.1,
            event,
        })
    }

    fn delay(&mut self, way: Way) -> Duration {
        let jitter = way.jitter.as_micros() as u64;
        way.delay + Duration::from_micros(self.random() % (jitter + 1))
    }

    /// In order, and never lost.
    fn post(&mut self, socket: SocketId, up: bool, packet: Packet) {
        let at = self.now
            + self.delay(Way {
                loss: 0,
                ..self.relay
            });
        let last = self.last.entry((socket, up)).or_default();
        *last = at.max(*last);
        let at = *last;
        self.queue_at(at, packet);
    }

    /// Perhaps late, perhaps never.
    fn throw(&mut self, way: Way, packet: Packet) {
        if self.random() % 1_000 >= way.loss {
            let wait = self.delay(way);
            self.at(wait, packet);
        }
    }

    fn at(&mut self, wait: Duration, packet: Packet) {
        self.queue_at(self.now + wait, packet);
    }

    fn queue_at(&mut self, at: Duration, packet: Packet) {
        self.order += 1;
        self.queue.insert((at, self.order), packet);
    }
}

fn config(rider: usize, p2p_available: bool, resume: Option<Resume>, seed: u64) -> NodeConfig {
    let keys = PublicKeys {
        sign: [rider as u8; 32],
        agree: [rider as u8; 32],
    };
    NodeConfig {
        keys,
        resume,
        seed,
        p2p_available,
    }
}

/// The page load of a rider, as the server counts it.
pub fn incarnation(net: &Net, rider: usize) -> Incarnation {
    net.riders[rider].node.me().expect("welcomed").incarnation
}
