//! One rider's whole side of the mesh: its socket, its links, its clock.
//!
//! - `socket`: the signaling socket, watched and opened again.
//! - `members`: who is in the ride and who is host, as the server says.
//! - `host`: who is host, what only the host may do, and what a server that lost
//!   its memory is told.
//! - `succession`: a host while there is no server.
//! - `report`: how the others are reached, for the server.
//! - `traffic`: what goes out and comes in over the links, and the beats.
//! - `calls`: which riders are to be reached directly, and when.
//! - `time`: whose clock is group time.
//!
//! Law: [`Node`] is a plain value without IO. The driver takes `now` once,
//! feeds [`Node::handle`], drains [`Node::poll_output`] until it is empty, and
//! comes back with [`Input::Timeout`] at [`Node::poll_timeout`], from a worker,
//! so that a hidden tab keeps its beats. A new node wants that at once.
//!
//! Nothing that comes from outside makes it panic: what cannot be read, what is
//! from nobody known or for an older page load is ignored and counted.

mod api;
mod calls;
mod host;
mod members;
mod report;
mod socket;
mod succession;
mod time;
mod traffic;

pub use api::{Input, NodeConfig, NodeEvent, Output, Stats};

pub use crate::link::{RtcCommand, RtcEvent, SdpKind};

use clock::{GroupTime, Moment, WallTime};

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    clock_sync::{GroupClock, GroupOffset},
    link::{Budget, Link},
    peer_limits::PeerLimits,
    random::Random,
};
use protocol::{
    peer::{LinkState, PeerId, PeerNumber, Token},
    signaling::{DirectLinkSettings, HostTerm, IceServer, Limits, Member},
};
use report::Reporter;
use socket::Socket;
use succession::Succession;

/// One rider's side of the mesh.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    random: Random,
    socket: Socket,
    me: Option<Member>,
    server: Option<Server>,
    peers: BTreeMap<PeerNumber, Peer>,
    terms: Vec<HostTerm>,
    first_host: Option<PeerId>,
    /// Whether the page was told that it may take the ride back.
    offered: bool,
    locked: bool,
    /// Ban tokens, signed by the server.
    bans: Vec<Token>,
    reporter: Reporter,
    budget: Budget,
    limits: PeerLimits,
    succession: Succession,
    clock: GroupClock,
    /// Group time is what our clock says, as host.
    clock_is_own: bool,
    gossip: Vec<u8>,
    telemetry: u32,
    connections: u32,
    outputs: VecDeque<Output>,
    stats: Stats,
}

/// Another rider.
#[derive(Debug)]
struct Peer {
    member: Member,
    link: Link,
    shown: Option<LinkState>,
    /// When the newest connection was begun, until it is direct.
    called: Option<Moment>,
}

/// What the newest welcome said of the server.
#[derive(Debug)]
struct Server {
    since: Moment,
    /// The server's wall clock at that moment.
    time: WallTime,
    ice_servers: Vec<IceServer>,
    direct: DirectLinkSettings,
    limits: Limits,
    p2p: bool,
}

impl Node {
    /// A node that wants its socket at once: see [`Node::poll_timeout`].
    pub fn new(config: NodeConfig) -> Self {
        let mut random = Random::new(config.seed);
        let socket = Socket::new(config.resume.clone(), random.next());
        Self {
            config,
            random,
            socket,
            me: None,
            server: None,
            peers: BTreeMap::new(),
            terms: Vec::new(),
            first_host: None,
            offered: false,
            locked: false,
            bans: Vec::new(),
            reporter: Reporter::default(),
            budget: Budget::default(),
            limits: PeerLimits::default(),
            succession: Succession::default(),
            clock: GroupClock::new(),
            clock_is_own: false,
            gossip: Vec::new(),
            telemetry: 0,
            connections: 0,
            outputs: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// Changes the node. `now` is monotonic, since any origin.
    pub fn handle(&mut self, now: Moment, input: Input) {
        if self.socket.is_done() {
            return;
        }
        self.take(now, input);
        self.tick_socket(now);
        self.settle(now);
        self.report(now);
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the node wants [`Input::Timeout`]; in the past means at once.
    pub fn poll_timeout(&self) -> Option<Moment> {
        if self.socket.is_done() {
            return None;
        }
        let links = self.peers.values().map(|peer| peer.link.timeout());
        let others = [
            self.socket.timeout(),
            self.next_call(),
            self.reporter.timeout(),
            self.succession.timeout(),
        ];
        links.chain(others.into_iter().flatten()).min()
    }

    /// Whether nothing more comes of it: left, refused, removed or replaced.
    pub fn is_over(&self) -> bool {
        self.socket.is_done()
    }

    /// The rider itself, once welcomed.
    pub fn me(&self) -> Option<&Member> {
        self.me.as_ref()
    }

    /// Whether this rider is the host.
    pub fn is_host(&self) -> bool {
        let me = self.me.as_ref().map(|me| &me.peer);
        me.is_some() && self.host() == me
    }

    /// Who is host, once welcomed.
    pub fn host(&self) -> Option<&PeerId> {
        self.terms.last().map(|term| &term.peer)
    }

    /// The newest epoch; 0 before the welcome.
    pub fn epoch(&self) -> u32 {
        self.terms.last().map_or(0, |term| term.epoch)
    }

    /// The terms so far, oldest first, the newest 64 at most.
    pub fn host_keys(&self) -> &[HostTerm] {
        &self.terms
    }

    /// Who began the ride, or was handed it, and may take it back.
    pub fn first_host(&self) -> Option<&PeerId> {
        self.first_host.as_ref()
    }

    /// Whether another is host and this rider may take the ride back.
    pub fn may_reclaim(&self) -> bool {
        let me = self.me.as_ref().map(|me| &me.peer);
        let host = self.host();
        me.is_some() && self.first_host() == me && host.is_some() && host != me
    }

    /// Whether nobody new gets in.
    pub fn is_locked(&self) -> bool {
        self.locked
    }

    /// The others, by number.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.peers.values().map(|peer| &peer.member)
    }

    /// How a rider is reached; nothing for somebody who is not in the ride.
    pub fn link_state(&self, peer: &PeerId) -> Option<LinkState> {
        self.peer(peer).map(|peer| peer.link.state())
    }

    /// Group time, once it is known. It never runs backwards.
    pub fn group_time(&self, now: Moment) -> Option<GroupTime> {
        self.clock.group_time(now)
    }

    /// Group time minus the monotonic clock, once it is known. A page keeps it for a reload: see
    /// [`NodeConfig::group_offset`].
    pub fn group_offset(&self, now: Moment) -> Option<GroupOffset> {
        self.clock.offset(now).map(GroupOffset)
    }

    /// How far group time may be off from the host's, once it is known.
    pub fn clock_error(&self, now: Moment) -> Option<Duration> {
        self.clock.error(now)
    }

    /// The usual round trip to a rider, once measured.
    pub fn round_trip(&self, peer: &PeerId) -> Option<Duration> {
        self.peer(peer)?.link.round_trip()
    }

    /// How far our idea of a rider's clock may be off, once measured.
    pub fn peer_clock_error(&self, peer: &PeerId) -> Option<Duration> {
        self.peer(peer)?.link.clock_error()
    }

    /// How long the newest connection to a rider took to become direct.
    pub fn connect_time(&self, peer: &PeerId) -> Option<Duration> {
        self.peer(peer)?.link.connect_time()
    }

    /// Counts since the start.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn take(&mut self, now: Moment, input: Input) {
        match input {
            Input::SocketOpened => self.socket_opened(),
            Input::SocketText(text) => {
                self.socket_heard(now);
                self.socket_text(now, &text);
            }
            Input::SocketBinary(bytes) => {
                self.socket_heard(now);
                self.receive_relayed(now, &bytes);
            }
            Input::SocketClosed { code, .. } => self.socket_closed(now, code),
            Input::Rtc {
                peer,
                connection,
                event,
            } => {
                self.rtc(now, &peer, connection, event);
            }
            Input::Send { to, class, payload } => self.send(&to, class, &payload),
            Input::Broadcast { class, payload } => self.broadcast(class, &payload),
            Input::SetHeartbeatPayload(bytes) => self.set_gossip(now, bytes),
            Input::Command(command) => self.command(command),
            Input::Leave => self.leave(),
            Input::ProbeSocket => self.probe_urgently(now),
            Input::Timeout => {}
        }
    }

    fn peer(&self, id: &PeerId) -> Option<&Peer> {
        self.peers.values().find(|peer| peer.member.peer == *id)
    }

    fn peer_mut(&mut self, id: &PeerId) -> Option<&mut Peer> {
        self.peers.values_mut().find(|peer| peer.member.peer == *id)
    }

    fn event(&mut self, event: NodeEvent) {
        self.outputs.push_back(Output::Event(event));
    }
}
