//! One rider's whole side of the mesh: its socket, its links, its clock.

mod api;
mod members;
mod socket;

pub use api::{Event, Input, NodeConfig, Output, Stats};

pub use crate::link::{RtcCommand, RtcEvent, SdpKind};

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    peer::{LinkState, PeerId, PeerNumber, Role},
    signaling::{HostTerm, Member},
};
use socket::Socket;

/// One rider's side of the mesh.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    socket: Socket,
    me: Option<Member>,
    peers: BTreeMap<PeerNumber, Peer>,
    terms: Vec<HostTerm>,
    outputs: VecDeque<Output>,
    stats: Stats,
}

#[derive(Debug)]
struct Peer {
    member: Member,
}

impl Node {
    /// A node that wants its socket at once: see [`Node::poll_timeout`].
    pub fn new(config: NodeConfig) -> Self {
        let socket = Socket::new(config.resume.clone(), config.seed);
        Self {
            config,
            socket,
            me: None,
            peers: BTreeMap::new(),
            terms: Vec::new(),
            outputs: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// Changes the node. `now` is monotonic, since any origin.
    pub fn handle(&mut self, now: Duration, input: Input) {
        if self.socket.is_done() {
            return;
        }
        match input {
            Input::SocketOpened => self.socket_opened(),
            Input::SocketText(text) => {
                self.socket_heard(now);
                self.socket_text(now, &text);
            }
            Input::SocketClosed { code, .. } => self.socket_closed(now, code),
            Input::Leave => self.leave(),
            Input::Probe => self.probe(now),
            _ => {}
        }
        self.tick_socket(now);
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the node wants [`Input::Timeout`]; in the past means at once.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.socket.timeout()
    }

    /// The rider itself, once welcomed.
    pub fn me(&self) -> Option<&Member> {
        self.me.as_ref()
    }

    /// What the rider may do, once welcomed.
    pub fn role(&self) -> Option<Role> {
        self.me.as_ref().map(|me| me.role)
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

    /// The others, by number.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.peers.values().map(|peer| &peer.member)
    }

    /// How a rider is reached; nothing for somebody who is not in the ride.
    pub fn link_state(&self, peer: &PeerId) -> Option<LinkState> {
        let _ = self.peer(peer)?;
        Some(LinkState::Relayed)
    }

    /// Group time in microseconds of the host's clock, once it is known; never
    /// runs back.
    pub fn group_time(&self, now: Duration) -> Option<i64> {
        i64::try_from(now.as_micros()).ok()
    }

    /// How far group time may be off from the host's, once it is known.
    pub fn clock_error(&self, _now: Duration) -> Option<Duration> {
        None
    }

    /// The round trip to a rider, once measured.
    pub fn rtt(&self, _peer: &PeerId) -> Option<Duration> {
        None
    }

    /// Counts since the start.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn peer(&self, id: &PeerId) -> Option<&Peer> {
        self.peers.values().find(|peer| peer.member.peer == *id)
    }
}
