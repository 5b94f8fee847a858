//! Handling of the signaling socket's messages by the node.

use clock::{Moment, WallTime};

use super::{
    Node, NodeEvent, ServerInfo,
    members::{MemberChange, Peer},
    room_state,
};
use crate::peer_limits::PeerLimits;
use protocol::{
    peer::{PeerId, PeerNumber, Token},
    signaling::{
        ClientMessage, ErrorCode, Hello, HostTerm, Member, RestoredRoom, Resume, RoomSnapshot,
        ServerMessage, VERSION, Welcome, close,
    },
};

impl Node {
    pub(super) fn socket_opened(&mut self) {
        if !self.socket.is_opening() {
            return;
        }
        let kept = self.kept_snapshot.as_ref();
        let kept = kept.and_then(|snapshot| snapshot.hosts.last());
        let kept = kept.map_or(0, |term| term.epoch);
        let (hello, epoch) = (self.hello(), self.epoch().max(kept));
        self.socket.send_hello(&hello, epoch, &mut self.outputs);
    }

    pub(super) fn socket_text(&mut self, now: Moment, text: &str) {
        self.socket.received(now);
        if !self.socket.exists() {
            return;
        }
        match ServerMessage::parse(text) {
            Ok(message) => self.handle_message(now, message),
            Err(_) => self.outputs.ignored(),
        }
    }

    pub(super) fn socket_closed(&mut self, now: Moment, code: u16) {
        if !self.socket.exists() {
            return;
        }
        match code {
            close::REPLACED => self.end(NodeEvent::Replaced),
            close::KICKED => self.end(NodeEvent::Kicked {
                reason: String::new(),
            }),
            close::ENDED => self.end(NodeEvent::RideEnded),
            _ => self.socket.closed(now, &mut self.outputs),
        }
    }

    pub(super) fn remove_all_peers(&mut self) {
        for number in self.members.numbers() {
            self.remove_peer(number);
        }
        self.limits = PeerLimits::default();
    }

    /// Introduction of this page, with a snapshot of the room for a server that lost its memory.
    fn hello(&self) -> ClientMessage {
        let hello = |snapshot: Option<RoomSnapshot>| {
            ClientMessage::Hello(Hello {
                version: VERSION,
                keys: self.keys,
                role: self.role,
                resume: self.socket.resume().cloned(),
                snapshot: snapshot.map(Box::new),
            })
        };
        let snapshot = match self.me() {
            Some(_) => Some(self.snapshot()),
            None => self.kept_snapshot.clone(),
        };
        let whole = hello(snapshot.clone());
        let limit = self.server.as_ref().map(|it| it.limits.max_message_bytes);
        let fits = limit.is_none_or(|limit| whole.to_json().len() <= limit as usize);
        match fits {
            true => whole,
            false => hello(snapshot.map(room_state::shortened)),
        }
    }

    fn handle_message(&mut self, now: Moment, message: ServerMessage) {
        match message {
            ServerMessage::Welcome(welcome) => self.welcomed(now, *welcome),
            ServerMessage::Error { code, message } => self.handle_error(code, message),
            ServerMessage::Replaced => self.end(NodeEvent::Replaced),
            ServerMessage::Kicked { reason } => self.end(NodeEvent::Kicked { reason }),
            ServerMessage::Ended => self.end(NodeEvent::RideEnded),
            ServerMessage::Closing { retry_after_ms } => {
                let outputs = &mut self.outputs;
                self.socket.server_closes(now, retry_after_ms, outputs);
            }
            ServerMessage::Pong => self.socket.ponged(),
            _ if !self.socket.is_open() => self.outputs.ignored(),
            ServerMessage::Joined { member } => self.apply(now, MemberChange::Joined(member)),
            ServerMessage::Away { peer } => self.apply(now, MemberChange::Away(peer)),
            ServerMessage::Returned { member } => self.apply(now, MemberChange::Returned(member)),
            ServerMessage::Left { peer, reason } => {
                self.apply(now, MemberChange::Left(peer, reason));
            }
            ServerMessage::Host {
                term,
                first_host,
                host_token,
            } => self.begin_term(term, first_host, host_token),
            ServerMessage::Locked { locked } => {
                if self.room.set_locked(locked) {
                    self.outputs.event(NodeEvent::LockChanged(locked));
                }
            }
            ServerMessage::Banned { token } => self.room.add_ban(token),
            ServerMessage::Restored(restored) => self.room_restored(now, *restored),
            ServerMessage::Signal {
                from,
                incarnation,
                signal,
            } => self.handle_signal(now, &from, incarnation, signal),
        }
    }

    fn handle_error(&mut self, code: ErrorCode, message: String) {
        match self.socket.is_open() {
            false if code.is_final() && self.members.any_direct() => {
                self.socket.give_up(&mut self.outputs);
                self.outputs.event(NodeEvent::JoinRefused { code, message });
            }
            false if code.is_final() => self.end(NodeEvent::JoinRefused { code, message }),
            true if code.is_denial() => {
                let event = NodeEvent::CommandRefused { code, message };
                self.outputs.event(event);
            }
            _ => self.outputs.ignored(),
        }
    }

    fn welcomed(&mut self, now: Moment, welcome: Welcome) {
        let resume = Resume {
            peer: welcome.peer.clone(),
            token: welcome.token.clone(),
            incarnation: Some(welcome.incarnation),
        };
        self.socket.welcomed(now, resume);
        self.reporter.socket_opened();
        self.server = Some(ServerInfo {
            welcomed_at: now,
            time: WallTime::from_unix_ms(welcome.server_time),
            ice_servers: welcome.ice_servers.clone(),
            direct: welcome.direct,
            limits: welcome.limits,
            p2p: welcome.p2p,
            tunnel_origin: welcome.tunnel_origin.clone(),
        });
        self.traffic
            .set_relay_limit(now, welcome.limits.relay_bytes_per_second);
        let own = Member {
            peer: welcome.peer.clone(),
            number: welcome.number,
            incarnation: welcome.incarnation,
            role: welcome.role,
            away: false,
            keys: self.keys,
        };
        let identity = |member: &Member| (member.peer.clone(), member.number, member.incarnation);
        let before = self.me().map(identity);
        let is_same = before.as_ref() == Some(&identity(&own));
        self.members.set_own(own);
        if before.is_some() {
            self.outputs.event(NodeEvent::SocketRestored);
        }
        let epoch = welcome.hosts.last().map_or(0, |term| term.epoch);
        match is_same {
            true => self.catch_up(now, welcome),
            false => self.start(now, welcome),
        }
        self.announce_reclaim();
        for peer in self.members.peers_mut() {
            peer.link.signals_lost(now);
        }
        if epoch < self.epoch() {
            self.correct_server(now);
        }
    }

    /// Begins with the members of a welcome.
    fn start(&mut self, now: Moment, welcome: Welcome) {
        self.remove_all_peers();
        self.update_room(&welcome);
        self.outputs.event(NodeEvent::Welcomed {
            peer: welcome.peer,
            number: welcome.number,
            incarnation: welcome.incarnation,
            token: welcome.token,
            members: welcome.members.clone(),
            server_time: WallTime::from_unix_ms(welcome.server_time),
        });
        for member in welcome.members {
            self.add_peer(now, member);
        }
        if self.room.is_locked() {
            self.outputs.event(NodeEvent::LockChanged(true));
        }
    }

    /// Continues after a lost socket: changes in the meantime are reported as if they happened now.
    fn catch_up(&mut self, now: Moment, welcome: Welcome) {
        let before = self.announced_state();
        let epoch = welcome.hosts.last().map_or(0, |term| term.epoch);
        match epoch < self.epoch() {
            // Epochs never go back.
            true => self.outputs.ignored(),
            false => self.update_room(&welcome),
        }
        for change in self.members.changes_to(welcome.members) {
            self.apply(now, change);
        }
        self.announce_changes(before);
    }

    fn apply(&mut self, now: Moment, change: MemberChange) {
        match change {
            MemberChange::Joined(member) => {
                self.outputs.event(NodeEvent::Joined(member.clone()));
                self.add_peer(now, member);
            }
            MemberChange::Away(peer) => {
                if let Some(known) = self.members.peer_by_id_mut(&peer) {
                    known.member.away = true;
                    self.outputs.event(NodeEvent::Away(peer));
                }
            }
            MemberChange::Returned(member) => {
                if self.members.peer(member.number).is_none() {
                    return;
                }
                if let Some(mut link) = self.members.set_returned(now, member.clone()) {
                    link.close();
                    while let Some(output) = link.poll_output() {
                        self.carry_out_link_output(&member, output);
                    }
                }
                self.outputs.event(NodeEvent::Returned(member));
            }
            MemberChange::Left(peer, reason) => {
                if let Some(known) = self.members.peer_by_id(&peer) {
                    self.remove_peer(known.member.number);
                    self.outputs.event(NodeEvent::Left { peer, reason });
                }
            }
        }
    }

    fn add_peer(&mut self, now: Moment, member: Member) {
        if let Some(replaced) = self.members.insert(now, member) {
            self.close_link(replaced);
        }
    }

    fn remove_peer(&mut self, number: PeerNumber) {
        if let Some(peer) = self.members.remove(number) {
            self.limits.remove_peer(&peer.member.peer);
            self.close_link(peer);
        }
    }

    fn close_link(&mut self, mut peer: Peer) {
        self.reporter.remove_peer(&peer.member.peer);
        peer.link.close();
        while let Some(output) = peer.link.poll_output() {
            self.carry_out_link_output(&peer.member, output);
        }
    }

    fn begin_term(&mut self, term: HostTerm, first_host: PeerId, token: Option<Token>) {
        if self.room.terms.begin(term.clone(), first_host) {
            self.room.keep_host_token(token);
            self.outputs.event(NodeEvent::HostChanged(term));
            self.announce_reclaim();
        }
    }

    /// Takes over the room that the server restored from the snapshots of its members.
    fn room_restored(&mut self, now: Moment, restored: RestoredRoom) {
        let epoch = restored.hosts.last().map_or(0, |term| term.epoch);
        if epoch < self.epoch() {
            self.outputs.ignored();
            return self.correct_server(now);
        }
        let before = self.announced_state();
        self.succession.server_named_host();
        self.room
            .terms
            .replace(restored.hosts, Some(restored.first_host));
        self.room.keep_host_token(restored.host_token);
        self.room.set_locked(restored.locked);
        self.announce_changes(before);
        self.announce_reclaim();
    }

    /// Takes over host terms, lock and bans of a welcome. A server that lost its memory does not
    /// know them yet: then the present ones stay.
    fn update_room(&mut self, welcome: &Welcome) {
        if welcome.host.is_some() {
            self.succession.server_named_host();
            self.room.update(welcome);
        }
    }

    fn announced_state(&self) -> (Option<HostTerm>, bool) {
        let term = self.room.terms.newest().cloned();
        (term, self.room.is_locked())
    }

    /// Informs the session of differences from `before`.
    fn announce_changes(&mut self, before: (Option<HostTerm>, bool)) {
        let (term, locked) = self.announced_state();
        if let Some(term) = term.filter(|term| Some(term) != before.0.as_ref()) {
            self.outputs.event(NodeEvent::HostChanged(term));
        }
        if locked != before.1 {
            self.outputs.event(NodeEvent::LockChanged(locked));
        }
    }

    /// Informs the server of a newer epoch than it knows, if the hello did not.
    fn correct_server(&mut self, now: Moment) {
        let epoch = self.epoch();
        self.socket.server_is_behind(now, epoch, &mut self.outputs);
    }
}
