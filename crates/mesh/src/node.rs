//! One page's side of the mesh: its socket, its links, its clock.
//!
//! - `signaling_socket`: opens the socket, checks it, and reconnects.
//! - `members`: the member list, with the links.
//! - `host_terms`, `room_state`: the host terms, the lock and the bans, and snapshots of them.
//! - `succession`: election of a host while the server is unreachable.
//! - `connection_scheduler`: which members are reached directly, and when attempts start.
//! - `traffic`: frames and heartbeats.
//! - `group_time`: estimate of group time.
//! - `link_reporter`: reports of the links to the server.
//! - `outputs`: queue of outputs, and the counters.
//!
//! Each of these owns its state, is given a view of the others, and returns decisions or outputs;
//! [`Node`] connects them.
//!
//! Contract: [`Node`] is a plain value without IO. The driver reads the clock once, calls
//! [`Node::handle`], drains [`Node::poll_output`] until it returns `None`, and calls again with
//! [`Input::Timeout`] at [`Node::poll_timeout`]; the timer runs in a worker, so that a hidden tab
//! keeps its heartbeats. A new node is due at once. No input makes the node panic: messages and
//! frames that are invalid, or from an unknown member or an older page load, are ignored and
//! counted.

mod api;
mod connection_scheduler;
mod group_time;
mod host_terms;
mod link_reporter;
mod members;
mod outputs;
mod room_state;
mod server_messages;
mod signaling_socket;
mod succession;
mod traffic;

pub use api::{Input, NodeConfig, NodeEvent, Output, Stats};

pub use crate::link::{RtcCommand, RtcEvent, SdpKind};

use std::time::Duration;

use clock::{GroupTime, Moment, WallTime};

use crate::{
    clock_sync::GroupOffset,
    link::LinkOutput,
    peer_limits::{PeerLimits, PeerRequest},
    random::Random,
};
use connection_scheduler::ConnectionScheduler;
use group_time::{GroupTimeEstimator, GroupTimeView};
use link_reporter::LinkReporter;
use members::Members;
use outputs::Outputs;
use protocol::{
    election::BallotKey,
    peer::{DeliveryClass, Incarnation, LinkState, MemberRole, PeerId, PeerNumber, PublicKeys},
    signaling::{
        AttemptOutcome, ClientMessage, DirectLinkSettings, HostCommand, HostTerm, IceServer,
        Limits, MAX_REASON, Member, RoomSnapshot, Signal,
    },
    text::truncate,
};
use room_state::RoomState;
use signaling_socket::SignalingSocket;
use succession::{Decision, Succession, SuccessionView};
use traffic::{OwnState, Traffic};

/// Silence of a member after which the own socket is checked.
const SILENCE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// One page's side of the mesh.
#[derive(Debug)]
pub struct Node {
    keys: PublicKeys,
    role: MemberRole,
    ballot_key: Option<BallotKey>,
    /// Snapshot from before a reload.
    kept_snapshot: Option<RoomSnapshot>,
    socket: SignalingSocket,
    server: Option<ServerInfo>,
    members: Members,
    room: RoomState,
    /// True if the session knows that this rider may reclaim the host role.
    announced_reclaim: bool,
    succession: Succession,
    scheduler: ConnectionScheduler,
    traffic: Traffic,
    limits: PeerLimits,
    group_time: GroupTimeEstimator,
    reporter: LinkReporter,
    outputs: Outputs,
}

/// Facts about the server from the newest welcome.
#[derive(Debug)]
struct ServerInfo {
    welcomed_at: Moment,
    /// The server's wall clock at that moment.
    time: WallTime,
    ice_servers: Vec<IceServer>,
    direct: DirectLinkSettings,
    limits: Limits,
    p2p: bool,
    tunnel_origin: Option<String>,
}

impl Node {
    /// Node that opens its socket at once: see [`Node::poll_timeout`].
    pub fn new(config: NodeConfig) -> Self {
        let mut random = Random::new(config.seed);
        Self {
            keys: config.keys,
            role: config.role,
            ballot_key: config.ballot_key,
            kept_snapshot: config.room_snapshot,
            socket: SignalingSocket::new(config.resume, random.next()),
            server: None,
            members: Members::new(random),
            room: RoomState::default(),
            announced_reclaim: false,
            succession: Succession::default(),
            scheduler: ConnectionScheduler::new(config.p2p_available),
            traffic: Traffic::default(),
            limits: PeerLimits::default(),
            group_time: GroupTimeEstimator::new(config.group_offset),
            reporter: LinkReporter::default(),
            outputs: Outputs::default(),
        }
    }

    /// Handles an input.
    pub fn handle(&mut self, now: Moment, input: Input) {
        if self.is_over() {
            return;
        }
        self.dispatch(now, input);
        self.socket.tick(now, &mut self.outputs);
        self.tick_links(now);
        self.send_report(now);
    }

    /// Next output to carry out.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop()
    }

    /// Moment at which the node expects [`Input::Timeout`]; one in the past means at once.
    pub fn poll_timeout(&self) -> Option<Moment> {
        if self.is_over() {
            return None;
        }
        let links = self.members.peers().map(|peer| peer.link.timeout());
        let others = [
            self.socket.timeout(),
            self.scheduler.timeout(&self.members),
            Some(self.reporter.timeout()),
            self.succession.timeout(),
        ];
        links.chain(others.into_iter().flatten()).min()
    }

    /// Returns true if the node has ended: left, refused, kicked or replaced, or the ride is over.
    pub fn is_over(&self) -> bool {
        self.socket.is_finished()
    }

    /// This page's own member, once the server has welcomed it.
    pub fn me(&self) -> Option<&Member> {
        self.members.own()
    }

    /// Returns true if this rider is the host.
    pub fn is_host(&self) -> bool {
        self.host().is_some_and(|host| self.members.is_own(host))
    }

    /// The host, once the server has named it.
    pub fn host(&self) -> Option<&PeerId> {
        self.room.terms.host()
    }

    /// Newest epoch; 0 before the welcome.
    pub fn epoch(&self) -> u32 {
        self.room.terms.epoch()
    }

    /// Host terms with their signing keys, oldest first, at most the newest 64.
    pub fn host_terms(&self) -> &[HostTerm] {
        self.room.terms.all()
    }

    /// Rider that started the ride or was handed it, and may reclaim the host role.
    pub fn first_host(&self) -> Option<&PeerId> {
        self.room.terms.first_host()
    }

    /// Returns true if another rider is host and this one may reclaim the role.
    pub fn may_reclaim(&self) -> bool {
        let me = self.me();
        me.is_some_and(|me| self.room.terms.may_reclaim(&me.peer))
    }

    /// Returns true if decisions of the host may be void later, because the server is unreachable
    /// and too few riders are reached. The session disables the host's controls, and tells the
    /// others why.
    pub fn host_controls_suspended(&self) -> bool {
        self.succession.controls_suspended()
    }

    /// Returns true if the ride is locked and admits no new members.
    pub fn is_locked(&self) -> bool {
        self.room.is_locked()
    }

    /// The other members, by number.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.peers().map(|peer| &peer.member)
    }

    /// Snapshot of the room that a page keeps for its reload, once the server has welcomed it: see
    /// [`NodeConfig::room_snapshot`].
    pub fn room_snapshot(&self) -> Option<RoomSnapshot> {
        let is_known = self.me().is_some();
        is_known.then(|| room_state::for_reload(self.snapshot()))
    }

    /// State of the link to a member; none for a peer that is not in the ride.
    pub fn link_state(&self, peer: &PeerId) -> Option<LinkState> {
        self.members.peer_by_id(peer).map(|peer| peer.link.state())
    }

    /// Group time, once it is known. It never runs backwards.
    pub fn group_time(&self, now: Moment) -> Option<GroupTime> {
        self.group_time.group_time(now)
    }

    /// Group time minus the monotonic clock, once it is known. A page keeps it for its reload: see
    /// [`NodeConfig::group_offset`].
    pub fn group_offset(&self, now: Moment) -> Option<GroupOffset> {
        self.group_time.offset(now)
    }

    /// Largest difference of group time from the host's, once it is known.
    pub fn clock_error(&self, now: Moment) -> Option<Duration> {
        self.group_time.error(now)
    }

    /// Median round trip to a member, once measured.
    pub fn round_trip(&self, peer: &PeerId) -> Option<Duration> {
        self.members.peer_by_id(peer)?.link.round_trip()
    }

    /// Largest error of the offset between a member's clock and the own one, once measured.
    pub fn peer_clock_error(&self, peer: &PeerId) -> Option<Duration> {
        self.members.peer_by_id(peer)?.link.clock_error()
    }

    /// Time that the newest direct connection to a member took to become direct.
    pub fn connect_time(&self, peer: &PeerId) -> Option<Duration> {
        self.members.peer_by_id(peer)?.link.connect_time()
    }

    /// Returns false for a browser without `RTCPeerConnection`.
    pub fn has_webrtc(&self) -> bool {
        self.scheduler.has_webrtc()
    }

    /// Returns false if the server allows no direct links.
    pub fn allows_direct_links(&self) -> bool {
        self.server.as_ref().is_none_or(|server| server.p2p)
    }

    /// Bytes per second of frames that the server relays for this page; 0 while it is unknown.
    pub fn relay_bytes_per_second(&self) -> u32 {
        let limits = self.server.as_ref().map(|server| server.limits);
        let announced = limits.and_then(|limits| limits.relay_bytes_per_second);
        announced.unwrap_or_default()
    }

    /// Size in bytes of the largest file that riders of this server send each other, if known.
    pub fn max_file_bytes(&self) -> Option<u32> {
        self.server.as_ref()?.limits.max_file_bytes
    }

    /// Largest number of riders of a ride who show their camera at a time, if known.
    pub fn max_cameras(&self) -> Option<u8> {
        self.server.as_ref()?.limits.max_cameras
    }

    /// Origins of tunnels of this server, as in its welcome; `None` if it has none.
    pub fn tunnel_origin(&self) -> Option<&str> {
        self.server.as_ref()?.tunnel_origin.as_deref()
    }

    /// ICE servers of the newest welcome, for connections of the app's own; empty while unknown.
    pub fn ice_servers(&self) -> &[IceServer] {
        self.server
            .as_ref()
            .map_or(&[], |server| server.ice_servers.as_slice())
    }

    /// Counters since the node was made.
    pub fn stats(&self) -> Stats {
        self.outputs.stats
    }

    fn dispatch(&mut self, now: Moment, input: Input) {
        match input {
            Input::SocketOpened => self.socket_opened(),
            Input::SocketText(text) => self.socket_text(now, &text),
            Input::SocketBinary(bytes) => {
                self.socket.received(now);
                let (members, outputs) = (&mut self.members, &mut self.outputs);
                if traffic::receive_relayed(now, &bytes, members, outputs).is_none() {
                    outputs.ignored();
                }
            }
            Input::SocketClosed { code, .. } => self.socket_closed(now, code),
            Input::Rtc {
                peer,
                connection,
                event,
            } => self.handle_rtc_event(now, &peer, connection, event),
            Input::Candidate {
                peer,
                connection,
                candidate,
            } => {
                let peer = self.members.peer_by_id_mut(&peer);
                if peer.is_some_and(|peer| peer.link.count_success(connection)) {
                    let outcomes = &mut self.outputs.stats.outcomes;
                    outcomes.add(AttemptOutcome::Direct, candidate);
                }
            }
            Input::Send { to, class, payload } => self.send(&to, class, &payload),
            Input::Broadcast { class, payload } => {
                let all = self.members.following_ride();
                let (members, outputs) = (&mut self.members, &mut self.outputs);
                self.traffic.send(&all, class, &payload, members, outputs);
            }
            Input::SetHeartbeatPayload(payload) => {
                let (members, outputs) = (&mut self.members, &mut self.outputs);
                self.traffic
                    .set_heartbeat_payload(now, payload, members, outputs);
            }
            Input::Command(command) => self.send_command(command),
            Input::SetPartner(partner) => self.scheduler.set_partner(partner),
            Input::Leave => self.leave(),
            Input::ProbeSocket => self.socket.probe(now, &mut self.outputs),
            Input::Waited(passed) => {
                if self.members.following_ride().is_empty() {
                    self.group_time.leave_out(passed);
                }
            }
            Input::Timeout => {}
        }
    }

    fn send(&mut self, to: &PeerId, class: DeliveryClass, payload: &[u8]) {
        let Some(peer) = self.members.peer_by_id(to) else {
            return self.outputs.dropped();
        };
        let to = [peer.member.number];
        let (members, outputs) = (&mut self.members, &mut self.outputs);
        self.traffic.send(&to, class, payload, members, outputs);
    }

    fn send_command(&mut self, command: HostCommand) {
        if !self.socket.is_open() {
            return self.outputs.dropped();
        }
        let command = match command {
            HostCommand::Kick { peer, mut reason } => {
                reason.truncate(truncate(&reason, MAX_REASON, MAX_REASON).len());
                HostCommand::Kick { peer, reason }
            }
            other => other,
        };
        self.outputs.send(&ClientMessage::Command(command));
    }

    fn leave(&mut self) {
        if self.socket.is_open() {
            self.outputs.send(&ClientMessage::Leave);
        }
        self.finish();
    }

    /// Ends the node with an event that gives the reason.
    fn end(&mut self, reason: NodeEvent) {
        self.finish();
        self.outputs.event(reason);
    }

    fn finish(&mut self) {
        self.remove_all_peers();
        self.socket.finish(&mut self.outputs);
    }

    fn handle_rtc_event(&mut self, now: Moment, peer: &PeerId, connection: u32, event: RtcEvent) {
        let Some(peer) = self.members.peer_by_id_mut(peer) else {
            return;
        };
        let number = peer.member.number;
        match event {
            RtcEvent::Frame { bytes, .. } => {
                let (members, outputs) = (&mut self.members, &mut self.outputs);
                traffic::receive_direct(now, number, connection, &bytes, members, outputs);
            }
            event => peer.link.handle_event(now, connection, event),
        }
        self.drain_link(number);
    }

    /// Handles a WebRTC signal from another member's page.
    fn handle_signal(
        &mut self,
        now: Moment,
        from: &PeerId,
        incarnation: Incarnation,
        signal: Signal,
    ) {
        let connection = self.scheduler.next_connection();
        let peer = self.members.peer_by_id_mut(from);
        let Some(peer) = peer.filter(|peer| peer.member.incarnation == incarnation) else {
            return self.outputs.ignored();
        };
        if !peer.link.accepts_signals() {
            return;
        }
        let is_offer = matches!(signal, Signal::Offer { .. });
        if is_offer && !self.limits.allow(now, from, PeerRequest::Offer) {
            return self.outputs.ignored();
        }
        peer.link.handle_signal(now, connection, signal);
    }

    /// Brings all links up to date after an input.
    fn tick_links(&mut self, now: Moment) {
        if self.me().is_none() || self.is_over() {
            return;
        }
        let numbers = self.members.numbers();
        self.traffic.relay_bucket.fill(now);
        for number in &numbers {
            let (server, is_socket_open) = (self.server.as_ref(), self.socket.is_open());
            let conditions =
                self.scheduler
                    .conditions(&self.members, server, is_socket_open, *number);
            if let Some(peer) = self.members.peer_mut(*number) {
                let bucket = &mut self.traffic.relay_bucket;
                peer.link.tick(now, conditions, bucket);
            }
            self.announce_link_state(now, *number);
        }
        self.check_silence(now);
        self.tick_succession(now);
        self.start_connection_attempts(now, &numbers);
        self.tick_group_time(now);
        self.send_heartbeats(now);
        numbers
            .into_iter()
            .for_each(|number| self.drain_link(number));
    }

    fn announce_link_state(&mut self, now: Moment, number: PeerNumber) {
        let Some(peer) = self.members.peer_mut(number) else {
            return;
        };
        let state = peer.link.state();
        let before = peer.announced.replace(state);
        if before == Some(state) {
            return;
        }
        let stats = &mut self.outputs.stats;
        stats.fallbacks += u64::from(before == Some(LinkState::Direct));
        let peer_id = peer.member.peer.clone();
        if state == LinkState::Direct {
            stats.connect_time = peer.link.connect_time().or(stats.connect_time);
            self.reporter.became_direct(now, &peer_id);
        }
        self.outputs.event(NodeEvent::LinkChanged {
            peer: peer_id,
            state,
        });
    }

    /// Checks the own socket when a member became silent, which may mean that the own network is
    /// lost.
    fn check_silence(&mut self, now: Moment) {
        let present = self.members.peers().filter(|peer| !peer.member.away);
        let silent_from = present.map(|peer| peer.link.last_received_at() + SILENCE_TIMEOUT);
        if let Some(silent_from) = silent_from.filter(|at| *at <= now).max() {
            self.socket.doubt(now, silent_from, &mut self.outputs);
        }
    }

    fn tick_succession(&mut self, now: Moment) {
        for (from, election) in self.succession.take_received() {
            let view = SuccessionView {
                members: &self.members,
                terms: &self.room.terms,
                ballot_key: self.ballot_key.as_ref(),
                is_server_reachable: self.socket.is_open(),
            };
            let decisions = self.succession.judge(now, view, from, election);
            self.carry_out(now, decisions);
        }
        let view = SuccessionView {
            members: &self.members,
            terms: &self.room.terms,
            ballot_key: self.ballot_key.as_ref(),
            is_server_reachable: self.socket.is_open(),
        };
        let decisions = self.succession.tick(now, view);
        self.carry_out(now, decisions);
    }

    fn carry_out(&mut self, now: Moment, decisions: Vec<Decision>) {
        for decision in decisions {
            match decision {
                Decision::Elected(term) => {
                    self.room.terms.elected(term.clone());
                    self.outputs.event(NodeEvent::HostChanged(term));
                    self.announce_reclaim();
                    let peers = self.members.peers_mut();
                    peers.for_each(|peer| peer.link.send_heartbeat_now(now));
                }
                Decision::SendElection { to, election } => {
                    if let Some(peer) = self.members.peer_mut(to) {
                        peer.link.send_election(&election);
                    }
                }
                Decision::SuspendControls(suspended) => {
                    let event = NodeEvent::HostControlsSuspended(suspended);
                    self.outputs.event(event);
                }
                Decision::Ignored => self.outputs.ignored(),
            }
        }
    }

    /// Informs the session, once, that this rider may reclaim the host role. The server decides, so
    /// only while it is reachable.
    fn announce_reclaim(&mut self) {
        if !self.socket.is_open() {
            return;
        }
        let may_reclaim = self.may_reclaim();
        let announced = std::mem::replace(&mut self.announced_reclaim, may_reclaim);
        if may_reclaim && !announced {
            self.outputs.event(NodeEvent::ReclaimAvailable);
        }
    }

    fn start_connection_attempts(&mut self, now: Moment, numbers: &[PeerNumber]) {
        for number in numbers {
            if !self.scheduler.is_due(now, &self.members, *number) {
                continue;
            }
            let connection = self.scheduler.next_connection();
            if let Some(peer) = self.members.peer_mut(*number) {
                self.reporter.attempt_started(now, &peer.member.peer);
                peer.link.start_connection_attempt(now, connection);
            }
        }
    }

    fn tick_group_time(&mut self, now: Moment) {
        let server = self.server.as_ref();
        let view = GroupTimeView {
            members: &self.members,
            host: self.room.terms.host(),
            server_clock: server.map(|server| (server.time, server.welcomed_at)),
        };
        self.group_time.tick(now, &view);
    }

    fn send_heartbeats(&mut self, now: Moment) {
        let own = OwnState {
            group_offset: self.group_time.settled_offset(now),
            supports_p2p: self.scheduler.supports_p2p(self.server.as_ref()),
            epoch: self.epoch(),
        };
        let (members, outputs) = (&mut self.members, &mut self.outputs);
        self.traffic.send_heartbeats(now, own, members, outputs);
    }

    fn send_report(&mut self, now: Moment) {
        let (stats, is_open) = (self.outputs.stats, self.socket.is_open());
        let report = self.reporter.tick(now, &self.members, stats, is_open);
        if let Some(report) = report {
            self.outputs.send(&ClientMessage::Report(report));
        }
    }

    fn drain_link(&mut self, number: PeerNumber) {
        while let Some(peer) = self.members.peer_mut(number)
            && let Some(output) = peer.link.poll_output()
        {
            let member = peer.member.clone();
            self.carry_out_link_output(&member, output);
        }
    }

    fn carry_out_link_output(&mut self, member: &Member, output: LinkOutput) {
        let (outputs, peer) = (&mut self.outputs, || member.peer.clone());
        match output {
            LinkOutput::Open { connection } => {
                let server = self.server.as_ref();
                let command = RtcCommand::Open {
                    ice_servers: server.map_or_else(Vec::new, |it| it.ice_servers.clone()),
                    direct: server.map(|server| server.direct).unwrap_or_default(),
                };
                outputs.command(peer(), connection, command);
            }
            LinkOutput::Rtc {
                connection,
                command,
            } => outputs.command(peer(), connection, command),
            LinkOutput::Signal(signal) => {
                if self.socket.is_open() {
                    outputs.send(&ClientMessage::Signal {
                        to: peer(),
                        incarnation: member.incarnation,
                        signal,
                    });
                }
            }
            LinkOutput::Relay { class, frame } => outputs.relay(&[member.number], class, &frame),
            LinkOutput::Received { class, payload } => outputs.event(NodeEvent::Received {
                from: peer(),
                class,
                payload,
            }),
            LinkOutput::HeartbeatPayload(payload) => outputs.event(NodeEvent::HeartbeatPayload {
                from: peer(),
                payload,
            }),
            LinkOutput::Election(election) => self.succession.receive(member.number, election),
            LinkOutput::AttemptRepeated => outputs.stats.connection_attempts += 1,
            LinkOutput::BecameDirect => outputs.stats.direct_connections += 1,
            LinkOutput::AttemptFailed(outcome, candidate) => {
                outputs.stats.failed_attempts += 1;
                outputs.stats.outcomes.add(outcome, candidate);
            }
        }
    }

    fn snapshot(&self) -> RoomSnapshot {
        let members = self.members().cloned().collect();
        self.room.snapshot(members, self.succession.elections())
    }
}
