//! Network emulator on virtual time: a server with one room, and riders with their nodes, sockets
//! and peer connections, with delay, jitter, loss and faults from a seed.
//!
//! Text on a socket arrives in order and is not lost while the socket lives. Relayed frames and
//! telemetry may be lost, delayed and reordered. Reliable data channels hold frames back while
//! their path is cut, as SCTP does.
//!
//! - `simulation`: queue of packets and timers.
//! - `server`: the room, its sockets, and restarts.
//! - `rtc`: peer connections, bandwidth and buffers.
//! - `faults`: cut paths, lost sockets, reloads and sleeping pages.

mod fake_signer;
mod faults;
mod rtc;
mod server;
mod simulation;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

pub use server::SERVER_TIME;

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

/// Duration in milliseconds.
pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Delay and loss of a path.
#[derive(Clone, Copy)]
pub struct PathConditions {
    pub delay: Duration,
    /// Largest additional delay.
    pub jitter: Duration,
    /// Lost packets of a thousand.
    pub loss: u64,
}

pub const GOOD: PathConditions = PathConditions {
    delay: Duration::from_millis(20),
    jitter: Duration::ZERO,
    loss: 0,
};

/// One end of a peer connection: index of the rider, and number of the connection there.
type ConnectionEnd = (usize, u32);

enum Packet {
    ToRoom(SocketId, FromRider),
    ToRider(SocketId, Input),
    /// Event inside of a rider's browser, dropped when the page was reloaded.
    Local {
        rider: usize,
        page_load: u32,
        input: Input,
    },
    Frame {
        from: ConnectionEnd,
        to: ConnectionEnd,
        class: DeliveryClass,
        bytes: Vec<u8>,
    },
    ConnectionOpened(ConnectionEnd, ConnectionEnd),
    ConnectionClosed(ConnectionEnd),
    /// A number of bytes left the buffer of a channel.
    BytesSent(ConnectionEnd, DeliveryClass, u32),
}

enum FromRider {
    Text(String),
    Binary(Vec<u8>),
    Closed,
}

pub struct Rider {
    pub node: Node,
    pub events: Vec<NodeEvent>,
    /// Token and snapshot as the browser keeps them for a reload.
    token: Option<Token>,
    room_snapshot: Option<RoomSnapshot>,
    /// Offset of the rider's monotonic clock from the network's.
    pub clock_ahead: Duration,
    /// True if sockets can be opened.
    pub is_online: bool,
    /// True if the socket looks open and carries nothing.
    pub is_socket_dead: bool,
    has_rtc: bool,
    role: MemberRole,
    /// Timeout of the node, on the rider's clock.
    wake_at: Option<Moment>,
    page_load: u32,
    /// Number of peer connections that the browser has made.
    opened_connections: u32,
    /// The page runs no timers before this moment.
    frozen_until: Moment,
    socket: Option<SocketId>,
    /// Dead sockets that the rider has given up, which the server does not know yet.
    dead_sockets: Vec<SocketId>,
    connections: HashMap<u32, Connection>,
}

#[derive(Default)]
struct Connection {
    peer: Option<PeerId>,
    offer: Option<String>,
    other_end: Option<ConnectionEnd>,
    has_path: bool,
}

/// Frame on a reliable channel whose path is cut.
type HeldFrame = (ConnectionEnd, ConnectionEnd, DeliveryClass, Vec<u8>);

pub struct Network {
    pub now: Moment,
    /// None while the server has lost its memory of the ride.
    room: Option<Room>,
    settings: RoomSettings,
    is_serving: bool,
    /// Sockets with lower numbers belonged to a server that was killed.
    first_socket: u64,
    pub riders: Vec<Rider>,
    pub relay: PathConditions,
    pub direct: PathConditions,
    /// Conditions of direct paths from higher to lower riders, where they differ.
    pub direct_back: Option<PathConditions>,
    /// Rider whose browser finds no candidates.
    pub without_candidates: Option<usize>,
    /// Bytes per second from one rider to another, for all channels together; none is unlimited.
    pub bandwidth: Option<u64>,
    /// Number of WebRTC signals that the server has passed on.
    pub signals: u64,
    /// Number of frames that the server has relayed.
    pub relayed: u64,
    /// Reports of the riders on their links.
    pub reports: Vec<(SocketId, Report)>,
    /// Elections in the snapshots that riders have sent to the server.
    pub elections: Vec<Election>,
    cut: BTreeSet<(usize, usize)>,
    held_frames: Vec<HeldFrame>,
    queue: BTreeMap<(Moment, u64), Packet>,
    order: u64,
    /// Arrival of the last message of a socket, by direction (true is towards the server).
    last_arrival: HashMap<(SocketId, bool), Moment>,
    /// Arrival of the last frame of a reliable channel.
    last_frame: HashMap<(ConnectionEnd, u8), Moment>,
    /// End of the transmissions from one rider to another.
    busy_until: HashMap<(usize, usize), Moment>,
    buffers: HashMap<(ConnectionEnd, u8), u32>,
    socket_owners: HashMap<SocketId, usize>,
    last_socket: u64,
    random: u64,
}

impl Network {
    pub fn new(seed: u64) -> Self {
        Self::with_settings(seed, RoomSettings::default())
    }

    pub fn with_settings(seed: u64, settings: RoomSettings) -> Self {
        Self {
            now: Moment::ZERO,
            room: Some(server::new_room(&settings)),
            settings,
            is_serving: true,
            first_socket: 1,
            riders: Vec::new(),
            relay: GOOD,
            direct: GOOD,
            direct_back: None,
            without_candidates: None,
            bandwidth: None,
            signals: 0,
            relayed: 0,
            reports: Vec::new(),
            elections: Vec::new(),
            cut: BTreeSet::new(),
            held_frames: Vec::new(),
            queue: BTreeMap::new(),
            order: 0,
            last_arrival: HashMap::new(),
            last_frame: HashMap::new(),
            busy_until: HashMap::new(),
            buffers: HashMap::new(),
            socket_owners: HashMap::new(),
            last_socket: 0,
            random: seed,
        }
    }

    /// Network with a number of riders that have had two seconds to connect to each other.
    pub fn with_riders(seed: u64, riders: usize) -> Self {
        let mut net = Self::new(seed);
        for _ in 0..riders {
            net.join();
            net.run(100);
        }
        net.run(2_000);
        net
    }

    /// Adds a rider, whose clock differs from the others' by minutes.
    pub fn join(&mut self) -> usize {
        self.join_with(true, None)
    }

    /// Adds a member in a role.
    pub fn join_as(&mut self, role: MemberRole) -> usize {
        let seed = self.random();
        let config = config(self.riders.len(), true, None, seed);
        self.add(NodeConfig { role, ..config })
    }

    pub fn join_with(&mut self, has_rtc: bool, resume: Option<Resume>) -> usize {
        let seed = self.random();
        self.add(config(self.riders.len(), has_rtc, resume, seed))
    }

    /// Opens another page of a rider, with the keys that the browser keeps.
    pub fn open_again(&mut self, rider: usize, resume: Option<Resume>) -> usize {
        let seed = self.random();
        self.add(config(rider, true, resume, seed))
    }

    fn add(&mut self, config: NodeConfig) -> usize {
        let index = self.riders.len();
        let (has_rtc, role) = (config.p2p_available, config.role);
        self.riders.push(Rider {
            node: Node::new(config),
            events: Vec::new(),
            token: None,
            room_snapshot: None,
            clock_ahead: Duration::from_millis(7_919_137 * (index as u64 * 5 % 7)),
            is_online: true,
            is_socket_dead: false,
            has_rtc,
            role,
            wake_at: Some(Moment::ZERO),
            page_load: 0,
            opened_connections: 0,
            frozen_until: Moment::ZERO,
            socket: None,
            dead_sockets: Vec::new(),
            connections: HashMap::new(),
        });
        index
    }

    pub fn run(&mut self, millis: u64) {
        let end = self.now + ms(millis);
        let mut steps_without_progress = 0;
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            steps_without_progress = match at > self.now {
                true => 0,
                false => steps_without_progress + 1,
            };
            assert!(steps_without_progress < 20_000, "a timeout never ends");
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    /// Runs until a condition holds, for a minute at most. Returns the time that it took.
    pub fn run_until(&mut self, condition: &str, holds: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now;
        while !holds(self) {
            self.run(10);
            assert!(self.now < start + ms(60_000), "never: {condition}");
        }
        self.now - start
    }

    /// Gives an input to a rider's node, and carries out its outputs.
    pub fn feed(&mut self, rider: usize, input: Input) {
        let now = self.local_time(rider);
        self.riders[rider].node.handle(now, input);
        while let Some(output) = self.riders[rider].node.poll_output() {
            self.carry_out(rider, output);
        }
        self.riders[rider].wake_at = self.riders[rider].node.poll_timeout();
    }

    /// Reading of a rider's clock.
    pub fn local_time(&self, rider: usize) -> Moment {
        self.now + self.riders[rider].clock_ahead
    }

    pub fn id(&self, rider: usize) -> PeerId {
        self.riders[rider].node.me().expect("welcomed").peer.clone()
    }

    pub fn send(&mut self, from: usize, to: usize, class: DeliveryClass, payload: &[u8]) {
        let (to, payload) = (self.id(to), payload.to_vec());
        self.feed(from, Input::Send { to, class, payload });
    }

    pub fn broadcast(&mut self, from: usize, class: DeliveryClass, payload: &[u8]) {
        let payload = payload.to_vec();
        self.feed(from, Input::Broadcast { class, payload });
    }

    /// State of the link to a rider, at another one.
    pub fn link(&self, from: usize, to: usize) -> Option<LinkState> {
        let to = &self.riders[to].node.me()?.peer;
        self.riders[from].node.link_state(to)
    }

    pub fn all_links(&self, state: LinkState) -> bool {
        let all = || 0..self.riders.len();
        all().all(|a| all().all(|b| a == b || self.link(a, b) == Some(state)))
    }

    /// Number of a rider's events for which a condition holds.
    pub fn count_events(&self, rider: usize, holds: impl Fn(&NodeEvent) -> bool) -> usize {
        let events = self.riders[rider].events.iter();
        events.filter(|event| holds(event)).count()
    }

    /// Payloads of a class that a rider has received from another one.
    pub fn received(&self, at: usize, from: usize, class: DeliveryClass) -> Vec<Vec<u8>> {
        let sender = self.id(from);
        let payload = |event: &NodeEvent| match event {
            NodeEvent::Received {
                from,
                class: received,
                payload,
            } if *from == sender && *received == class => Some(payload.clone()),
            _ => None,
        };
        self.riders[at].events.iter().filter_map(payload).collect()
    }

    /// Group time of a rider in microseconds.
    pub fn group_time(&self, rider: usize) -> Option<i64> {
        let now = self.local_time(rider);
        let time = self.riders[rider].node.group_time(now);
        time.map(|time| time.0)
    }

    pub fn group_offset(&self, rider: usize) -> Option<GroupOffset> {
        let now = self.local_time(rider);
        self.riders[rider].node.group_offset(now)
    }

    /// Random number (SplitMix64).
    pub fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Seed of a rider's keys, never zero.
fn key_seed(rider: usize) -> [u8; 32] {
    [rider as u8 + 1; 32]
}

/// Settings of a rider's node.
pub fn config(rider: usize, p2p_available: bool, resume: Option<Resume>, seed: u64) -> NodeConfig {
    let ballot_key = BallotKey::from_seed(key_seed(rider));
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

/// Page load of a rider, as the server counts it.
pub fn incarnation(net: &Network, rider: usize) -> Incarnation {
    net.riders[rider].node.me().expect("welcomed").incarnation
}
