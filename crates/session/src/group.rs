//! The session's connection to the group: the mesh node, and group time while it is known.

use litemap::LiteMap;

use clock::{Duration, GroupTime, Moment};
use mesh::{
    clock_sync::GroupOffset,
    node::{Input, Node, NodeConfig, NodeEvent, RtcCommand},
};
use protocol::{
    code::SessionCode,
    peer::{DeliveryClass, MemberRole, PeerId},
    signaling::{HostTerm, Resume},
};
use ride::{message::PeerMessage, timeline::SigningKey};

use crate::{
    api::{Input as SessionInput, Output, SocketEvent},
    rider::{public_keys, seed_number},
};

/// Time without a server, while a new member joins, after which the attempt ends. A server that is
/// restarted answers earlier.
pub(crate) const SERVER_TIMEOUT: Duration = Duration::from_secs(5);

/// Connection to the group, or none: before joining, after leaving, and in a solo ride.
#[derive(Debug, Default)]
pub(crate) struct Group {
    node: Option<Node>,
    code: Option<SessionCode>,
    /// Number of the newest socket.
    socket: u32,
    /// Number of the newest peer connection to each member, while it is open.
    connections: LiteMap<PeerId, u32>,
    /// Group time minus the own clock, when last known: from before a reload, or from before the
    /// group was lost. Zero in a solo ride.
    last_offset: Option<GroupOffset>,
}

impl Group {
    /// Joins a ride.
    pub(crate) fn join(&mut self, code: SessionCode, config: NodeConfig) {
        self.code = Some(code);
        self.node = Some(Node::new(config));
    }

    /// Joins a ride as a member who does not ride, with keys made of random bytes. Returns false if
    /// there are none.
    pub(crate) fn join_beside(
        &mut self,
        code: SessionCode,
        role: MemberRole,
        entropy: Option<[u8; 32]>,
        p2p_available: bool,
        resume: Option<Resume>,
    ) -> bool {
        let key = entropy.and_then(|seed| Some((SigningKey::from_seed(seed).ok()?, seed)));
        let Some((key, seed)) = key else { return false };
        let config = NodeConfig {
            keys: public_keys(&key, &seed),
            role,
            ballot_key: None,
            resume,
            seed: seed_number(&seed),
            p2p_available,
            group_offset: None,
            room_snapshot: None,
        };
        self.join(code, config);
        true
    }

    /// Ends the connection to the group and keeps group time running.
    pub(crate) fn close(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        self.remember_offset(now);
        if self.node.take().is_some() {
            // Events of the old socket carry its number and are dropped.
            self.socket += 1;
            self.connections.clear();
            outputs.extend([Output::CloseSocket, Output::CloseConnections]);
        }
    }

    /// Tells whether a peer connection is the one in use.
    pub(crate) fn is_current(&self, peer: &PeerId, connection: u32) -> bool {
        self.connections.get(peer) == Some(&connection)
    }

    fn follow_connection(&mut self, peer: &PeerId, connection: u32, command: &RtcCommand) {
        match command {
            RtcCommand::Open { .. } => {
                self.connections.insert(peer.clone(), connection);
            }
            RtcCommand::Close if self.is_current(peer, connection) => {
                self.connections.remove(peer);
            }
            _ => {}
        }
    }

    pub(crate) fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    /// Tells whether the server has let this rider in.
    pub(crate) fn is_joined(&self) -> bool {
        self.node.as_ref().is_some_and(|node| node.me().is_some())
    }

    pub(crate) fn host_terms(&self) -> &[HostTerm] {
        self.node.as_ref().map_or(&[], Node::host_terms)
    }

    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        self.node.as_ref()?.poll_timeout()
    }

    /// Sets group time minus the own clock, for the time until the group says it.
    pub(crate) fn set_last_offset(&mut self, offset: Option<GroupOffset>) {
        self.last_offset = offset;
    }

    pub(crate) fn last_offset(&self) -> Option<GroupOffset> {
        self.last_offset
    }

    /// Leaves a time that has just passed out of group time: the page did not run, and its ride has
    /// waited. In a group with other riders, the ride has gone on.
    pub(crate) fn wait_for(&mut self, now: Moment, absence: Duration) {
        if self.node.is_some() {
            return self.handle(now, Input::Waited(absence));
        }
        let micros = i64::try_from(absence.as_micros()).unwrap_or(i64::MAX);
        if let Some(offset) = &mut self.last_offset {
            offset.0 = offset.0.saturating_sub(micros);
        }
    }

    /// Remembers group time for a time when no rider can say it.
    pub(crate) fn remember_offset(&mut self, now: Moment) {
        let known = self.node.as_ref().and_then(|node| node.group_offset(now));
        self.last_offset = known.or(self.last_offset);
    }

    /// Group time: of the mesh, or continued from the last known offset.
    pub(crate) fn time(&self, now: Moment) -> Option<GroupTime> {
        let of_mesh = self.node.as_ref().and_then(|node| node.group_time(now));
        of_mesh.or_else(|| Some(self.last_offset?.at(now)))
    }

    /// Moment of a group time on the own clock, never later than now.
    pub(crate) fn moment_of(&self, now: Moment, at: GroupTime) -> Moment {
        let age = self.time(now).map(|time| time.since(at));
        now.before(age.unwrap_or_default())
    }

    /// Feeds the node, if there is one.
    pub(crate) fn handle(&mut self, now: Moment, input: Input) {
        if let Some(node) = &mut self.node {
            node.handle(now, input);
        }
    }

    /// Feeds the node with time, and events of the socket and of peer connections. Ignores other
    /// inputs of a session.
    pub(crate) fn handle_input(&mut self, now: Moment, input: SessionInput) {
        match input {
            SessionInput::Timeout => self.handle(now, Input::Timeout),
            SessionInput::Socket { socket, event } => self.handle_socket(now, socket, event),
            SessionInput::Rtc {
                peer,
                connection,
                event,
            } => {
                let input = Input::Rtc {
                    peer,
                    connection,
                    event,
                };
                self.handle(now, input);
            }
            _ => {}
        }
    }

    /// Takes an event of the socket, if it is the one in use.
    pub(crate) fn handle_socket(&mut self, now: Moment, socket: u32, event: SocketEvent) {
        if socket == self.socket {
            self.handle(
                now,
                match event {
                    SocketEvent::Opened => Input::SocketOpened,
                    SocketEvent::Text(text) => Input::SocketText(text),
                    SocketEvent::Binary(bytes) => Input::SocketBinary(bytes),
                    SocketEvent::Closed { code, reason } => Input::SocketClosed { code, reason },
                },
            );
        }
    }

    pub(crate) fn send(
        &mut self,
        now: Moment,
        to: &PeerId,
        class: DeliveryClass,
        message: &PeerMessage,
    ) {
        let (to, payload) = (to.clone(), message.encode());
        self.handle(now, Input::Send { to, class, payload });
    }

    /// Sends a payload of which only the newest counts.
    pub(crate) fn send_telemetry(&mut self, now: Moment, to: PeerId, payload: Vec<u8>) {
        let class = DeliveryClass::Telemetry;
        self.handle(now, Input::Send { to, class, payload });
    }

    pub(crate) fn broadcast(&mut self, now: Moment, class: DeliveryClass, message: &PeerMessage) {
        let payload = message.encode();
        self.handle(now, Input::Broadcast { class, payload });
    }

    /// Next event of the node. Its other outputs are passed on to the driver.
    pub(crate) fn poll_event(&mut self, outputs: &mut impl Extend<Output>) -> Option<NodeEvent> {
        use mesh::node::Output as NodeOutput;
        loop {
            let output = match self.node.as_mut()?.poll_output()? {
                NodeOutput::Event(event) => return Some(event),
                NodeOutput::OpenSocket => {
                    self.socket += 1;
                    Output::OpenSocket {
                        code: self.code.clone()?,
                        socket: self.socket,
                    }
                }
                NodeOutput::CloseSocket => Output::CloseSocket,
                NodeOutput::SendText(text) => Output::SendText(text),
                NodeOutput::SendBinary(bytes) => Output::SendBinary(bytes),
                NodeOutput::Rtc {
                    peer,
                    connection,
                    command,
                } => {
                    self.follow_connection(&peer, connection, &command);
                    Output::Rtc {
                        peer,
                        connection,
                        command,
                    }
                }
            };
            outputs.extend([output]);
        }
    }
}
