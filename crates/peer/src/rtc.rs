//! Peer connections of a peer: what `RTCPeerConnection` is for a page, with str0m.
//!
//! They serve the links between riders and the direct channels of a tunnel, which differ in their
//! data channels ([`ChannelSet`]). Commands and events are those of a link.
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

use std::{
    collections::VecDeque,
    net::SocketAddr,
    time::{Duration, Instant},
};

use mesh::node::{RtcCommand, RtcEvent};
use protocol::signaling::IceServer;
use session::view::DirectLinks;
use str0m::Candidate;
use tokio::sync::mpsc;

use connection::{Connection, Transmit};
use sockets::Sockets;
use stun::StunQueries;

pub(crate) use connection::ChannelSet;
pub(crate) use sockets::Packet;

/// Packets that wait to be handled. Further ones are dropped, as a full socket would.
const MAX_WAITING_PACKETS: usize = 512;
/// Largest number of connections at a time: one for each rider of the largest ride, while an old one
/// closes.
const MAX_CONNECTIONS: usize = 128;

/// Packets that are sent at once. The receive buffer of a socket holds about 90 packets by default on
/// Linux, and SCTP notices the lost end of a burst by its timeout of a second alone. The effect of this
/// limit was not measured.
const BURST: usize = 64;
/// Interval between two bursts: 64 packets of 1,200 bytes each are 77 MB/s.
const BURST_INTERVAL: Duration = Duration::from_millis(1);
/// Packets that wait for their burst. Further ones are dropped, as a full socket would.
const MAX_WAITING_BURST: usize = 8 * 1024;

/// All connections of a peer, each with the key by which its owner knows it.
#[derive(Debug)]
pub(crate) struct Connections<K> {
    channels: ChannelSet,
    /// Opened with the first connection.
    sockets: Option<Sockets>,
    post: mpsc::Sender<Packet>,
    stun: StunQueries,
    connections: Vec<(K, Connection)>,
    events: VecDeque<(K, RtcEvent)>,
    outbox: VecDeque<Transmit>,
    /// Packets that may still be sent in this burst.
    burst: usize,
    /// Start of the next burst.
    next_burst: Instant,
}

impl<K: Clone + PartialEq> Connections<K> {
    /// No connections, and the queue of packets for [`Self::receive`].
    pub(crate) fn new(channels: ChannelSet) -> (Self, mpsc::Receiver<Packet>) {
        let (post, packets) = mpsc::channel(MAX_WAITING_PACKETS);
        let connections = Self {
            channels,
            sockets: None,
            post,
            stun: StunQueries::default(),
            connections: Vec::new(),
            events: VecDeque::new(),
            outbox: VecDeque::new(),
            burst: 0,
            next_burst: Instant::now(),
        };
        (connections, packets)
    }

    /// Carries out a command. Returns whether direct links are possible, after an attempt to open a
    /// connection.
    pub(crate) fn command(
        &mut self,
        now: Instant,
        key: &K,
        command: RtcCommand,
    ) -> Option<DirectLinks> {
        let at = |this: &Self| {
            let mut all = this.connections.iter();
            all.position(|(known, _)| known == key)
        };
        match command {
            RtcCommand::Open { ice_servers, .. } => Some(self.open(now, key, &ice_servers)),
            RtcCommand::Close => {
                if let Some(at) = at(self) {
                    let (_, mut connection) = self.connections.swap_remove(at);
                    connection.close(now);
                    self.transmit(now, &mut connection);
                }
                None
            }
            command => {
                if let Some(at) = at(self) {
                    self.connections[at].1.command(now, command);
                    self.drain(now, at);
                }
                None
            }
        }
    }

    /// Key of each connection.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.connections.iter().map(|(key, _)| key)
    }

    /// Closes all connections.
    pub(crate) fn close_all(&mut self, now: Instant) {
        for (_, mut connection) in std::mem::take(&mut self.connections) {
            connection.close(now);
            self.transmit(now, &mut connection);
        }
        // Nobody calls again.
        self.burst = usize::MAX;
        self.next_burst = now + BURST_INTERVAL;
        self.flush(now);
    }

    /// Handles a packet that arrived at one of the sockets.
    pub(crate) fn receive(&mut self, now: Instant, packet: &Packet) {
        if let Some(found) = self.stun.receive(now, packet) {
            for at in 0..self.connections.len() {
                self.connections[at].1.add_local(now, found.clone());
                self.drain(now, at);
            }
            return;
        }
        let mut all = self.connections.iter();
        if let Some(at) = all.position(|(_, connection)| connection.accepts(now, packet)) {
            self.connections[at].1.receive(now, packet);
            self.drain(now, at);
        }
    }

    /// Does what is due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.flush(now);
        for at in 0..self.connections.len() {
            if self.connections[at].1.timeout() <= now {
                self.connections[at].1.handle_timeout(now);
                self.drain(now, at);
            }
        }
    }

    /// Time of the next [`Self::handle_timeout`].
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let all = self.connections.iter();
        let all = all.map(|(_, connection)| connection.timeout());
        let burst = (!self.outbox.is_empty()).then_some(self.next_burst);
        all.chain(burst).min()
    }

    /// Next event; `None` when there is none.
    pub(crate) fn poll_event(&mut self) -> Option<(K, RtcEvent)> {
        self.events.pop_front()
    }

    fn open(&mut self, now: Instant, key: &K, ice_servers: &[IceServer]) -> DirectLinks {
        if self.sockets.is_none() {
            self.sockets = Sockets::open(&self.post);
        }
        let is_full = self.connections.len() >= MAX_CONNECTIONS;
        let Some(sockets) = self.sockets.as_ref().filter(|_| !is_full) else {
            self.events.push_back((key.clone(), RtcEvent::Failed));
            let reason = "no UDP socket can be opened".to_owned();
            return DirectLinks::Blocked(reason);
        };
        let hosts = sockets.addresses();
        let hosts = hosts.filter_map(|address| Candidate::host(address, "udp").ok());
        let mut connection = Connection::new(now, self.channels, hosts);
        for found in self.stun.known(now) {
            connection.add_local(now, found);
        }
        self.stun.query(now, sockets, ice_servers);
        self.connections.push((key.clone(), connection));
        self.drain(now, self.connections.len() - 1);
        DirectLinks::Possible
    }

    /// Sends the packets of a connection, and takes its events.
    fn drain(&mut self, now: Instant, at: usize) {
        let (key, connection) = &mut self.connections[at];
        while let Some(event) = connection.poll_event() {
            self.events.push_back((key.clone(), event));
        }
        while let Some(packet) = connection.poll_packet() {
            self.outbox.push_back(packet);
        }
        self.flush(now);
    }

    /// Sends the last packets of a connection.
    fn transmit(&mut self, now: Instant, connection: &mut Connection) {
        while let Some(packet) = connection.poll_packet() {
            self.outbox.push_back(packet);
        }
        self.flush(now);
    }

    /// Sends packets, as many as belong into one burst.
    fn flush(&mut self, now: Instant) {
        if now >= self.next_burst {
            self.next_burst = now + BURST_INTERVAL;
            self.burst = BURST;
        }
        while self.burst > 0
            && let Some(packet) = self.outbox.pop_front()
        {
            self.burst -= 1;
            if let Some(sockets) = &self.sockets {
                sockets.send(packet.source, packet.destination, &packet.contents);
            }
        }
        self.outbox.truncate(MAX_WAITING_BURST);
    }
}

/// True for addresses that a connection may use.
fn is_usable(address: &SocketAddr) -> bool {
    let ip = address.ip();
    !ip.is_unspecified() && !ip.is_multicast() && address.port() != 0
}
