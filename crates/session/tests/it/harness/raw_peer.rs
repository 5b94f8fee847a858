//! A member that runs another program: it takes part in the mesh, but sends any bytes.

use std::collections::VecDeque;

use clock::Moment;
use ed25519_compact::{KeyPair, Seed};
use mesh::node::{self, Node, NodeConfig, NodeEvent};
use protocol::{
    peer::{DeliveryClass, MemberRole, PeerId, PublicKeys},
    signaling::HostCommand,
};
use ride::{
    message::PeerMessage,
    timeline::{SigningKey, keys},
};
use session::{Input, Output, SocketEvent};

use super::{CODE, World, tab::Program};

/// The program: a mesh node without a session. It never votes.
pub struct RawPeer {
    node: Node,
    socket: u32,
    seed: [u8; 32],
    pub key: SigningKey,
    /// Payloads of other members.
    pub received: Vec<(PeerId, DeliveryClass, Vec<u8>)>,
    outputs: VecDeque<Output>,
}

impl RawPeer {
    fn new(role: MemberRole, seed: [u8; 32], random: u64) -> Self {
        let key = SigningKey::from_seed(seed).unwrap();
        let node = Node::new(NodeConfig {
            keys: PublicKeys {
                sign: key.public(),
                agree: [7; 32],
            },
            role,
            ballot_key: None,
            resume: None,
            seed: random,
            p2p_available: true,
            group_offset: None,
            room_snapshot: None,
        });
        Self {
            node,
            socket: 0,
            seed,
            key,
            received: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Signature of the bytes of an event, whatever they are.
    pub fn sign_event(&self, bytes: &[u8]) -> [u8; 64] {
        let pair = KeyPair::from_seed(Seed::new(self.seed));
        *pair.sk.sign([keys::CONTEXT, bytes].concat(), None)
    }

    /// Messages received from one member.
    pub fn messages(&self, from: &PeerId) -> Vec<PeerMessage> {
        let received = self.received.iter().filter(|(peer, ..)| peer == from);
        let messages = received.filter_map(|(.., bytes)| PeerMessage::decode(bytes).ok());
        messages.collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.node.poll_timeout()
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn handle(&mut self, now: Moment, input: Input) {
        let input = match input {
            Input::Timeout => node::Input::Timeout,
            Input::Socket { socket, event } if socket == self.socket => match event {
                SocketEvent::Opened => node::Input::SocketOpened,
                SocketEvent::Text(text) => node::Input::SocketText(text),
                SocketEvent::Binary(bytes) => node::Input::SocketBinary(bytes),
                SocketEvent::Closed { code, reason } => node::Input::SocketClosed { code, reason },
            },
            Input::Rtc {
                peer,
                connection,
                event,
            } => node::Input::Rtc {
                peer,
                connection,
                event,
            },
            Input::Wake => node::Input::ProbeSocket,
            _ => return,
        };
        self.feed(now, input);
    }

    fn feed(&mut self, now: Moment, input: node::Input) {
        self.node.handle(now, input);
        while let Some(output) = self.node.poll_output() {
            let output = match output {
                node::Output::OpenSocket => {
                    self.socket += 1;
                    Output::OpenSocket {
                        code: CODE.parse().unwrap(),
                        socket: self.socket,
                    }
                }
                node::Output::CloseSocket => Output::CloseSocket,
                node::Output::SendText(text) => Output::SendText(text),
                node::Output::SendBinary(bytes) => Output::SendBinary(bytes),
                node::Output::Rtc {
                    peer,
                    connection,
                    command,
                } => Output::Rtc {
                    peer,
                    connection,
                    command,
                },
                node::Output::Event(event) => {
                    if let NodeEvent::Received {
                        from,
                        class,
                        payload,
                    } = event
                    {
                        self.received.push((from, class, payload));
                    }
                    continue;
                }
            };
            self.outputs.push_back(output);
        }
    }
}

impl World {
    /// A rider with another program joins.
    pub fn join_raw_peer(&mut self) -> usize {
        self.join_raw(MemberRole::Rider)
    }

    /// A spectator with another program joins.
    pub fn join_raw_spectator(&mut self) -> usize {
        self.join_raw(MemberRole::Spectator)
    }

    /// A bridge with another program joins.
    pub fn join_raw_bridge(&mut self) -> usize {
        self.join_raw(MemberRole::Bridge)
    }

    /// A companion with another program joins.
    pub fn join_raw_companion(&mut self) -> usize {
        self.join_raw(MemberRole::Companion)
    }

    fn join_raw(&mut self, role: MemberRole) -> usize {
        let at = self.add_browser();
        let (seed, random) = (self.entropy(), self.random());
        self.start_program(at, RawPeer::new(role, seed, random));
        self.run_until("the welcome", |world| {
            world.raw_peer(at).node.me().is_some()
        });
        at
    }

    pub fn raw_peer(&self, at: usize) -> &RawPeer {
        match &self.tabs[at].program {
            Some(Program::RawPeer(peer)) => peer,
            _ => panic!("{at} runs a session"),
        }
    }

    /// Forgets what a raw peer has received so far.
    pub fn forget_received(&mut self, at: usize) {
        if let Some(Program::RawPeer(peer)) = &mut self.tabs[at].program {
            peer.received.clear();
        }
    }

    pub fn raw_peer_id(&self, at: usize) -> PeerId {
        let me = self.raw_peer(at).node.me();
        me.expect("a member").peer.clone()
    }

    /// Sends bytes from a raw peer to a rider.
    pub fn send_raw(&mut self, at: usize, to: usize, class: DeliveryClass, payload: Vec<u8>) {
        let to = self.peer(to);
        self.feed_node(at, node::Input::Send { to, class, payload });
    }

    pub fn send_message(&mut self, at: usize, to: usize, message: &PeerMessage) {
        let class = match message {
            PeerMessage::Telemetry(_) => DeliveryClass::Telemetry,
            _ => DeliveryClass::Control,
        };
        self.send_raw(at, to, class, message.encode());
    }

    /// Sends a message from a raw peer to all members.
    pub fn broadcast_message(&mut self, at: usize, message: &PeerMessage) {
        let (class, payload) = (DeliveryClass::Control, message.encode());
        self.feed_node(at, node::Input::Broadcast { class, payload });
    }

    /// Sends a command of the host from a raw peer.
    pub fn command_raw(&mut self, at: usize, command: HostCommand) {
        self.feed_node(at, node::Input::Command(command));
    }

    pub fn feed_node(&mut self, at: usize, input: node::Input) {
        let now = self.clocks(at).moment;
        if let Some(Program::RawPeer(peer)) = &mut self.tabs[at].program {
            peer.feed(now, input);
        }
        self.carry_out(at);
    }
}
