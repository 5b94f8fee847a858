//! A network on virtual time: one room, its riders' nodes, their sockets and
//! their peer connections, with delay, jitter, loss and faults from a seed.
//!
//! Sockets keep their text in order and lose none of it while they live; relayed
//! frames and telemetry channels lose, delay and reorder; the reliable channels
//! hold back what a cut path does not let through, as SCTP does.

mod fake_signer;
mod faults;
mod rtc;
mod server;
mod steps;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

pub use server::TODAY;

use clock::Moment;
use mesh::{
    clock_sync::GroupOffset,
    node::{Input, Node, NodeConfig, NodeEvent, Output, RtcEvent},
};
use protocol::{
    election::{BallotKey, Election},
    peer::{DeliveryClass, Incarnation, LinkState, MemberRole, PeerId, PublicKeys, Token},
    signaling::{Report, Resume, RoomSnapshot},
};
use rooms::room::{self, Room, RoomSettings, SocketId};

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
    Frame(End, End, DeliveryClass, Vec<u8>),
    Joined(End, End),
    /// So many bytes of a channel are on the wire.
    Departed(End, DeliveryClass, u32),
    HungUp(End),
}

enum FromRider {
    Text(String),
    Binary(Vec<u8>),
    Closed,
}

pub struct Rider {
    pub node: Node,
    pub events: Vec<NodeEvent>,
    /// What its browser keeps to be the same rider, and of who rules the ride.
    token: Option<Token>,
    room_snapshot: Option<RoomSnapshot>,
    /// How far the rider's clock is ahead of the network's.
    pub clock: Duration,
    pub online: bool,
    /// Its socket looks open and carries nothing.
    pub mute: bool,
    pub p2p: bool,
    /// When its node wants to be woken, on its own clock.
    wakes: Option<Moment>,
    page: u32,
    /// Peer connections that its browser made.
    opened: u32,
    /// The page stands still until then.
    frozen: Moment,
    socket: Option<SocketId>,
    /// Given up by the rider; the server does not know yet.
    dead_sockets: Vec<SocketId>,
    connections: HashMap<u32, Rtc>,
}

#[derive(Default)]
struct Rtc {
    peer: Option<PeerId>,
    offer: Option<String>,
    other: Option<End>,
    /// Whether a way was found to it.
    joined: bool,
}

pub struct Net {
    pub now: Moment,
    /// None while the server has no memory of the ride.
    room: Option<Room>,
    settings: RoomSettings,
    serving: bool,
    /// Sockets before this one were of a server that was killed.
    first_socket: u64,
    pub riders: Vec<Rider>,
    pub relay: Way,
    pub direct: Way,
    /// From higher to lower riders, where that is another way.
    pub back: Option<Way>,
    /// Bytes a second between two riders, all channels together; none is any.
    pub bandwidth: Option<u64>,
    /// Relayed frames and telemetry overtake each other.
    pub signals: u64,
    pub relayed: u64,
    /// What the riders told the server of their links.
    pub reports: Vec<(SocketId, Report)>,
    /// What the riders told the server of hosts whom they named.
    pub elections: Vec<Election>,
    cut: BTreeSet<(usize, usize)>,
    held: Vec<(End, End, DeliveryClass, Vec<u8>)>,
    queue: BTreeMap<(Moment, u64), Packet>,
    order: u64,
    last: HashMap<(SocketId, bool), Moment>,
    last_frame: HashMap<(End, u8), Moment>,
    /// Until when the wire from one to another is busy.
    wires: HashMap<(usize, usize), Moment>,
    buffers: HashMap<(End, u8), u32>,
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
            now: Moment::ZERO,
            room: Some(server::open(&settings)),
            settings,
            serving: true,
            first_socket: 1,
            riders: Vec::new(),
            relay: GOOD,
            direct: GOOD,
            back: None,
            bandwidth: None,
            wires: HashMap::new(),
            buffers: HashMap::new(),
            signals: 0,
            relayed: 0,
            reports: Vec::new(),
            elections: Vec::new(),
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
            token: None,
            room_snapshot: None,
            clock,
            online: true,
            mute: false,
            p2p,
            wakes: Some(Moment::ZERO),
            page: 0,
            opened: 0,
            frozen: Moment::ZERO,
            socket: None,
            dead_sockets: Vec::new(),
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

    pub fn send(&mut self, from: usize, to: usize, class: DeliveryClass, payload: &[u8]) {
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

    pub fn broadcast(&mut self, from: usize, class: DeliveryClass, payload: &[u8]) {
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
    pub fn received(&self, at: usize, from: usize, class: DeliveryClass) -> Vec<Vec<u8>> {
        let id = self.id(from);
        let of = |event: &NodeEvent| match event {
            NodeEvent::Received {
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
        let time = rider.node.group_time(self.now + rider.clock);
        time.map(|time| time.0);
        time.map(|time| time.0)
    }

    pub fn group_offset(&self, rider: usize) -> Option<GroupOffset> {
        let rider = &self.riders[rider];
        rider.node.group_offset(self.now + rider.clock)
    }

    pub fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// What a rider's keys are made from: never zeros.
pub fn seed_of_keys(rider: usize) -> [u8; 32] {
    [rider as u8 + 1; 32]
}

/// What a page tells its node.
pub fn config(rider: usize, p2p_available: bool, resume: Option<Resume>, seed: u64) -> NodeConfig {
    let ballot_key = BallotKey::from_seed(seed_of_keys(rider));
    let keys = PublicKeys {
        sign: ballot_key.as_ref().map_or([0; 32], BallotKey::public),
        agree: [rider as u8; 32],
    };
    NodeConfig {
        keys,
        role: MemberRole::Rider,
        ballot_key,
        resume,
        seed,
        p2p_available,
        group_offset: None,
        room_snapshot: None,
    }
}

/// The page load of a rider, as the server counts it.
pub fn incarnation(net: &Net, rider: usize) -> Incarnation {
    net.riders[rider].node.me().expect("welcomed").incarnation
}
