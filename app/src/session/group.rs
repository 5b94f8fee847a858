//! The way to the others: the node, its socket and its connections.
//!
//! The node decides; here its outputs become calls on the browser, and what the
//! browser calls back with becomes its inputs.

use std::{collections::BTreeMap, time::Duration};

use clock::Moment;
use mesh::{
    link::{RtcCommand, RtcEvent},
    node::{Input, Node, NodeConfig, NodeEvent, Output},
};
use protocol::{code::SessionCode, peer::PeerId};

use super::inbox::{Event, Inbox};
use crate::browser::{
    page,
    rtc::PeerConnection,
    socket::{SignalingSocket, SocketEvent},
};

/// One rider's side of the mesh, in the browser.
pub(super) struct Group {
    /// The machine.
    pub(super) node: Node,
    code: SessionCode,
    inbox: Inbox,
    socket: Option<SignalingSocket>,
    /// The number of the newest socket: what older ones still say is dropped.
    generation: u32,
    connections: BTreeMap<PeerId, (u32, PeerConnection)>,
}

impl Group {
    /// Begins to join a ride.
    pub(super) fn new(code: SessionCode, config: NodeConfig, inbox: Inbox) -> Self {
        Self {
            node: Node::new(config),
            code,
            inbox,
            socket: None,
            generation: 0,
            connections: BTreeMap::new(),
        }
    }

    /// Feeds the node.
    pub(super) fn handle(&mut self, now: Duration, input: Input) {
        self.node.handle(Moment::from_origin(now), input);
    }

    /// Carries out what the node wants until it says something to the session.
    pub(super) fn poll(&mut self, now: Duration) -> Option<NodeEvent> {
        loop {
            match self.node.poll_output()? {
                Output::Event(event) => return Some(event),
                Output::OpenSocket => self.open_socket(now),
                Output::CloseSocket => self.socket = None,
                Output::SendText(text) => {
                    if let Some(socket) = &self.socket {
                        socket.send_text(&text);
                    }
                }
                Output::SendBinary(bytes) => {
                    if let Some(socket) = &self.socket {
                        socket.send_binary(&bytes);
                    }
                }
                Output::Rtc {
                    peer,
                    connection,
                    command,
                } => self.command(peer, connection, command),
            }
        }
    }

    /// Feeds what the socket says, if it is still the one in use.
    pub(super) fn socket(&mut self, now: Duration, generation: u32, event: SocketEvent) {
        if generation != self.generation {
            return;
        }
        let input = match event {
            SocketEvent::Opened => Input::SocketOpened,
            SocketEvent::Text(text) => Input::SocketText(text),
            SocketEvent::Binary(bytes) => Input::SocketBinary(bytes),
            SocketEvent::Closed { code, reason } => Input::SocketClosed { code, reason },
        };
        self.handle(now, input);
    }

    /// Feeds what a connection says. The node knows which are still in use.
    pub(super) fn rtc(&mut self, now: Duration, peer: PeerId, connection: u32, event: RtcEvent) {
        let input = Input::Rtc {
            peer,
            connection,
            event,
        };
        self.handle(now, input);
    }

    /// Asks every connection between which candidates it runs.
    pub(super) fn query_candidate_pairs(&self) {
        for (peer, (number, connection)) in &self.connections {
            let (inbox, peer, number) = (self.inbox.clone(), peer.clone(), *number);
            let pair = connection.candidate_pair();
            wasm_bindgen_futures::spawn_local(async move {
                inbox.post(Event::CandidatePair(peer, number, pair.await));
            });
        }
    }

    /// Whether this is the connection in use to a peer.
    pub(super) fn is_current(&self, peer: &PeerId, number: u32) -> bool {
        self.connections
            .get(peer)
            .is_some_and(|(own, _)| *own == number)
    }

    fn open_socket(&mut self, now: Duration) {
        self.generation += 1;
        let (generation, inbox) = (self.generation, self.inbox.clone());
        let address = page::socket_address(&format!("/ws/{}", self.code));
        self.socket = SignalingSocket::open(&address, move |event| {
            inbox.post(Event::Socket(generation, event));
        });
        if self.socket.is_none() {
            let input = Input::SocketClosed {
                code: 1006,
                reason: String::new(),
            };
            self.handle(now, input);
        }
    }

    fn command(&mut self, peer: PeerId, number: u32, command: RtcCommand) {
        match command {
            RtcCommand::Open {
                ice_servers,
                direct,
            } => {
                let (inbox, from) = (self.inbox.clone(), peer.clone());
                let opened = PeerConnection::open(&ice_servers, direct, move |event| {
                    inbox.post(Event::Rtc(from.clone(), number, event));
                });
                match opened {
                    Some(connection) => {
                        self.connections.insert(peer, (number, connection));
                    }
                    None => self.inbox.post(Event::Rtc(peer, number, RtcEvent::Failed)),
                }
            }
            RtcCommand::Close => {
                if self
                    .connections
                    .get(&peer)
                    .is_some_and(|(own, _)| *own == number)
                {
                    self.connections.remove(&peer);
                }
            }
            command => match self.connections.get(&peer) {
                Some((own, connection)) if *own == number => connection.command(command),
                _ => {}
            },
        }
    }
}
