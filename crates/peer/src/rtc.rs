//! Peer connections of a peer: what `RTCPeerConnection` is for a page, with str0m.
//!
//! - `connection`: one connection, without IO;
//! - `candidates`: ICE candidates and session descriptions of the other side, within bounds;
//! - `sockets`: UDP sockets on the addresses of this machine, shared by all connections;
//! - `stun`: the request that asks a STUN server for the own public address.
//!
//! There is no TURN client: where no direct path exists, the server relays.

mod candidates;
mod connection;
mod sockets;
mod stun;

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use mesh::node::{RtcCommand, RtcEvent};
use protocol::{peer::PeerId, signaling::IceServer};
use session::view::DirectLinks;
use str0m::Candidate;
use tokio::sync::mpsc;

use connection::Connection;
use sockets::Sockets;
use stun::StunQueries;

pub(crate) use sockets::Packet;

/// Packets that wait to be handled. Further ones are dropped, as a full socket would.
const MAX_WAITING_PACKETS: usize = 512;
/// Largest number of connections at a time: one for each rider of the largest ride, while an old one
/// closes.
const MAX_CONNECTIONS: usize = 128;

/// Event of the connection with this number.
pub(crate) type NumberedEvent = (PeerId, u32, RtcEvent);

/// All connections of a peer.
#[derive(Debug)]
pub(crate) struct Connections {
    /// Opened with the first connection.
    sockets: Option<Sockets>,
    post: mpsc::Sender<Packet>,
    stun: StunQueries,
    connections: Vec<(PeerId, u32, Connection)>,
    events: VecDeque<NumberedEvent>,
}

impl Connections {
    /// No connections, and the queue of packets for [`Self::receive`].
    pub(crate) fn new() -> (Self, mpsc::Receiver<Packet>) {
        let (post, packets) = mpsc::channel(MAX_WAITING_PACKETS);
        let connections = Self {
            sockets: None,
            post,
            stun: StunQueries::default(),
            connections: Vec::new(),
            events: VecDeque::new(),
        };
        (connections, packets)
    }

    /// Carries out a command. Returns whether direct links are possible, after an attempt to open a
    /// connection.
    pub(crate) fn command(
        &mut self,
        now: Instant,
        peer: PeerId,
        number: u32,
        command: RtcCommand,
    ) -> Option<DirectLinks> {
        let at = |this: &Self| {
            let mut all = this.connections.iter();
            all.position(|(other, known, _)| *other == peer && *known == number)
        };
        match command {
            RtcCommand::Open { ice_servers, .. } => {
                Some(self.open(now, peer, number, &ice_servers))
            }
            RtcCommand::Close => {
                if let Some(at) = at(self) {
                    let (_, _, mut connection) = self.connections.swap_remove(at);
                    connection.close(now);
                    self.transmit(&mut connection);
                }
                None
            }
            command => {
                if let Some(at) = at(self) {
                    self.connections[at].2.command(now, command);
                    self.drain(at);
                }
                None
            }
        }
    }

    /// Member and number of each connection.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (&PeerId, u32)> {
        let connections = self.connections.iter();
        connections.map(|(peer, number, _)| (peer, *number))
    }

    /// Closes all connections.
    pub(crate) fn close_all(&mut self, now: Instant) {
        for (_, _, mut connection) in std::mem::take(&mut self.connections) {
            connection.close(now);
            self.transmit(&mut connection);
        }
    }

    /// Handles a packet that arrived at one of the sockets.
    pub(crate) fn receive(&mut self, now: Instant, packet: &Packet) {
        if let Some(found) = self.stun.receive(now, packet) {
            for at in 0..self.connections.len() {
                self.connections[at].2.add_local(now, found.clone());
                self.drain(at);
            }
            return;
        }
        let mut all = self.connections.iter();
        if let Some(at) = all.position(|(_, _, connection)| connection.accepts(now, packet)) {
            self.connections[at].2.receive(now, packet);
            self.drain(at);
        }
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        for at in 0..self.connections.len() {
            if self.connections[at].2.timeout() <= now {
                self.connections[at].2.handle_timeout(now);
                self.drain(at);
            }
        }
    }

    /// Time of the next [`Self::handle_timeout`].
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let all = self.connections.iter();
        all.map(|(_, _, connection)| connection.timeout()).min()
    }

    /// Next event; `None` when there is none.
    pub(crate) fn poll_event(&mut self) -> Option<NumberedEvent> {
        self.events.pop_front()
    }

    fn open(
        &mut self,
        now: Instant,
        peer: PeerId,
        number: u32,
        ice_servers: &[IceServer],
    ) -> DirectLinks {
        if self.sockets.is_none() {
            self.sockets = Sockets::open(&self.post);
        }
        let is_full = self.connections.len() >= MAX_CONNECTIONS;
        let Some(sockets) = self.sockets.as_ref().filter(|_| !is_full) else {
            self.events.push_back((peer, number, RtcEvent::Failed));
            let reason = "no UDP socket can be opened".to_owned();
            return DirectLinks::Blocked(reason);
        };
        let hosts = sockets.addresses();
        let hosts = hosts.filter_map(|address| Candidate::host(address, "udp").ok());
        let mut connection = Connection::new(now, hosts);
        for found in self.stun.known(now) {
            connection.add_local(now, found);
        }
        self.stun.query(now, sockets, ice_servers);
        self.connections.push((peer, number, connection));
        self.drain(self.connections.len() - 1);
        DirectLinks::Possible
    }

    /// Sends the packets of a connection, and takes its events.
    fn drain(&mut self, at: usize) {
        let (peer, number, connection) = &mut self.connections[at];
        while let Some(packet) = connection.poll_packet() {
            if let Some(sockets) = &self.sockets {
                sockets.send(packet.source, packet.destination, &packet.contents);
            }
        }
        while let Some(event) = connection.poll_event() {
            self.events.push_back((peer.clone(), *number, event));
        }
    }

    /// Sends the last packets of a connection.
    fn transmit(&self, connection: &mut Connection) {
        while let Some(packet) = connection.poll_packet() {
            if let Some(sockets) = &self.sockets {
                sockets.send(packet.source, packet.destination, &packet.contents);
            }
        }
    }
}

/// True for addresses that a connection may use.
fn is_usable(address: &SocketAddr) -> bool {
    let ip = address.ip();
    !ip.is_unspecified() && !ip.is_multicast() && address.port() != 0
}
