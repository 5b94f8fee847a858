//! One ride on the server: its members, its host and its relay.
//!
//! [`Room`] is a state machine without IO. The server calls [`Room::handle`] for each input, drains
//! [`Room::poll_output`] until it returns `None`, and sends [`Input::Timeout`] at
//! [`Room::poll_timeout`].
//!
//! - A member is *present* while it has a socket, and *away* from the loss of its socket to the end
//!   of the grace period, when it is removed.
//! - A resume token is signed by the server ([`Signer`]), which therefore keeps no sessions. During
//!   the grace period its holder resumes as the same member; later it joins under the same id with
//!   a new number and a new incarnation.
//! - Members of all roles are admitted, relayed and banned alike, but only riders count as such,
//!   become host and vote. A member's role is fixed when it joins.
//! - The first rider is the host, with epoch 1. When the host leaves, or is away for longer than
//!   the host's grace period and most connected riders report no direct link to it, the rider that
//!   has been present for the longest time becomes host of the next epoch; connected ones come first.
//!   The first host may reclaim the role, unless it handed it over.
//! - A kicked rider is banned from the ride.
//! - A room that was lost with the server's memory is restored from the snapshots of its riders:
//!   see [`Room::restored`].
//! - Frames are relayed unread. The room sets their sender.
//!
//! Each part of the state is owned by one type, which gets a view of the others where it needs one
//! and returns its decisions:
//!
//! | type | state |
//! |---|---|
//! | `Members` | members, their presence and sockets |
//! | `Access` | lock and bans |
//! | `HostTerms` | host, terms, epochs, succession |
//! | `Liveness` | last message of each socket |
//! | `Restoration`, `HostEvidence`, `SnapshotVotes` | what members of a restored room present, and new members that wait |
//! | `Lifetime` | end of the room |
//!
//! `Room` connects them and queues the outputs.

mod access;
mod api;
mod host_evidence;
mod host_terms;
mod join;
mod join_rate;
mod known_pages;
mod lifetime;
mod liveness;
mod members;
mod outputs;
mod relay;
mod restoration;
mod restore;
mod signer;
mod snapshot_votes;
mod standings;
mod welcome;

pub use api::{Input, Join, Output, RoomSettings, SocketId, Summary};
pub use signer::{HostClaims, ResumeClaims, Signer, Statement};
pub use standings::{Standing, StandingChange, Standings};

use std::sync::Arc;

use clock::{Moment, WallTime};
use protocol::{
    frame::{FrameError, ToServer},
    peer::{MemberRole, PeerId, PeerNumber},
    signaling::{ClientMessage, ErrorCode, HostCommand, LeftReason, ServerMessage, close},
};

use access::Access;
use host_terms::HostTerms;
use join_rate::JoinRate;
use lifetime::Lifetime;
use liveness::Liveness;
use members::{Members, Presence};
use outputs::Outputs;
use restoration::Restoration;

/// One ride on the server.
#[derive(Debug)]
pub struct Room {
    settings: RoomSettings,
    signer: Arc<dyn Signer>,
    members: Members,
    access: Access,
    terms: HostTerms,
    liveness: Liveness,
    restoration: Restoration,
    join_rate: JoinRate,
    lifetime: Lifetime,
    outputs: Outputs,
}

impl Room {
    /// Empty room. It ends if no member joins within its time to live.
    pub fn new(settings: RoomSettings, signer: Arc<dyn Signer>, now: Moment) -> Self {
        Self {
            members: Members::new(),
            access: Access::default(),
            terms: HostTerms::default(),
            liveness: Liveness::new(settings.silence, now),
            restoration: Restoration::not_needed(),
            join_rate: JoinRate::new(settings.newcomers_per_minute, settings.returns_per_minute),
            lifetime: Lifetime::until(now + settings.ttl.min(settings.unjoined_ttl)),
            outputs: Outputs::default(),
            settings,
            signer,
        }
    }

    /// Room that the server lost with its memory, opened again for a holder of a valid resume
    /// token. It is restored from the tokens and snapshots that its members present, and from the
    /// standings that outlived the memory. `server_time` is the server's wall clock.
    pub fn restored(
        settings: RoomSettings,
        signer: Arc<dyn Signer>,
        standings: Arc<dyn Standings>,
        now: Moment,
        server_time: WallTime,
    ) -> Self {
        Self {
            restoration: Restoration::begin(now, server_time, &settings, standings),
            ..Self::new(settings, signer, now)
        }
    }

    /// Handles an input.
    pub fn handle(&mut self, now: Moment, input: Input) {
        let heard = match &input {
            Input::Join(Join { socket, .. })
            | Input::Message { socket, .. }
            | Input::Relay { socket, .. } => Some(*socket),
            Input::Closed { .. } | Input::Timeout => None,
        };
        self.note_heard(now, heard);
        self.handle_timeouts(now);
        match input {
            Input::Join(join) => self.join(now, join),
            Input::Message { socket, message } => self.handle_message(now, socket, message),
            Input::Relay { socket, bytes } => self.relay(now, socket, &bytes),
            Input::Closed { socket } => self.disconnect(now, socket),
            Input::Timeout => {}
        }
        // A joining socket has a member only now.
        self.note_heard(now, heard);
        self.succeed_absent_host(now);
    }

    /// Next output; `None` when all are done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop()
    }

    /// Time at which the room needs [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Moment> {
        let timeouts = [
            self.members.next_expiry(),
            self.lifetime.poll_timeout(),
            self.restoration.ends_at(),
            self.terms.succession_at(
                &self.members,
                self.settings.max_direct,
                self.settings.host_grace,
            ),
            self.liveness.next_check(&self.members),
        ];
        timeouts.into_iter().flatten().min()
    }

    /// Returns `true` if the room has ended and can be dropped.
    pub fn is_dead(&self, now: Moment) -> bool {
        self.lifetime.is_over(now)
    }

    /// Returns `true` if the room has had a member, and has issued its token.
    pub fn was_joined(&self) -> bool {
        self.lifetime.was_extended()
    }

    /// Public summary of the ride.
    pub fn summary(&self) -> Summary {
        Summary {
            riders: self.members.riders().count() as u32,
            full: self.is_full_for(MemberRole::Rider),
            locked: self.access.is_locked(),
        }
    }

    /// Sockets of the present members, in no particular order.
    pub fn sockets(&self) -> impl Iterator<Item = SocketId> + '_ {
        self.members.sockets()
    }

    /// Returns `true` if no further member of this role is admitted.
    fn is_full_for(&self, role: MemberRole) -> bool {
        self.members.count_beside(role) >= self.max_members_beside(role)
    }

    fn max_members_beside(&self, role: MemberRole) -> usize {
        match role.is_rider() {
            true => self.settings.max_riders as usize,
            false => self.settings.max_other_members as usize,
        }
    }

    fn note_heard(&mut self, now: Moment, socket: Option<SocketId>) {
        if let Some(socket) = socket.filter(|it| self.members.of_socket(*it).is_some()) {
            self.liveness.heard(now, socket);
        }
    }

    fn handle_timeouts(&mut self, now: Moment) {
        for silent in self.liveness.check(now, &self.members) {
            self.outputs.close(silent.socket, close::SILENT, "silent");
            self.disconnect(silent.last_heard, silent.socket);
        }
        for number in self.members.expired(now) {
            self.remove(now, number, LeftReason::Gone);
        }
        self.finish_restoring(now);
        self.restoration.expire(now);
        self.lifetime.handle_timeout(now);
    }

    fn succeed_absent_host(&mut self, now: Moment) {
        let at = self.terms.succession_at(
            &self.members,
            self.settings.max_direct,
            self.settings.host_grace,
        );
        if at.is_some_and(|at| at <= now) {
            let announcement = self.terms.appoint(&self.members);
            self.announce(announcement);
        }
    }

    fn handle_message(&mut self, now: Moment, socket: SocketId, message: ClientMessage) {
        let Some(number) = self.members.of_socket(socket) else {
            return self.refuse_stranger(socket);
        };
        match message {
            ClientMessage::Signal {
                to,
                incarnation,
                signal,
            } => {
                let output = relay::deliver_signal(&self.members, number, &to, incarnation, signal);
                output.into_iter().for_each(|it| self.outputs.push(it));
            }
            ClientMessage::Ping => self.outputs.send(socket, ServerMessage::Pong),
            ClientMessage::Leave => {
                self.remove(now, number, LeftReason::Left);
                self.outputs.close(socket, close::LEFT, "left the ride");
            }
            ClientMessage::Report(report) => self.members.set_links(number, report.links),
            ClientMessage::Command(command) => {
                if let Err(refused) = self.execute(now, number, command) {
                    self.outputs.send(socket, ServerMessage::error(refused));
                }
            }
            // A second hello.
            ClientMessage::Hello(_) => {
                let error = ServerMessage::error(ErrorCode::BadMessage);
                self.outputs.send(socket, error);
            }
        }
    }

    fn execute(
        &mut self,
        now: Moment,
        from: PeerNumber,
        command: HostCommand,
    ) -> Result<(), ErrorCode> {
        let rider = self.members.get(from).filter(|member| member.is_rider());
        let rider = rider.ok_or(ErrorCode::NotHost)?;
        match command {
            HostCommand::Kick { peer, reason } => self.kick(now, from, peer, reason),
            HostCommand::Lock => self.set_locked(from, true),
            HostCommand::Unlock => self.set_locked(from, false),
            HostCommand::HandOver { to } => {
                let announcement = self.terms.hand_over(from, &to, &self.members)?;
                self.announce(Some(announcement));
                Ok(())
            }
            HostCommand::End => self.end(now, from),
            HostCommand::Reclaim => {
                let announcement = self.terms.reclaim(from, rider)?;
                self.announce(announcement);
                Ok(())
            }
        }
    }

    fn kick(
        &mut self,
        now: Moment,
        from: PeerNumber,
        peer: PeerId,
        reason: String,
    ) -> Result<(), ErrorCode> {
        self.terms.require_host(from)?;
        let target = self.members.number_of(&peer);
        if target.is_none_or(|number| number == from) {
            return Err(ErrorCode::NoSuchRider);
        }
        if self.access.has_all_bans() {
            return Err(ErrorCode::TooManyBans);
        }
        self.ban(now, peer, reason);
        Ok(())
    }

    /// Bans a peer, removes it if it is a member, and gives the ban token to the others.
    fn ban(&mut self, now: Moment, peer: PeerId, reason: String) {
        let member = self.members.find(&peer);
        let number = member.map(|(number, _)| number);
        if let Some(socket) = member.and_then(|(_, member)| member.socket()) {
            self.outputs.close_kicked(socket, reason.clone());
        }
        self.terms.revoke_first_host(&peer);
        self.outputs.record(StandingChange::Banned(peer.clone()));
        let token = self.access.ban(peer, reason, &*self.signer);
        if let Some(number) = number {
            self.remove(now, number, LeftReason::Kicked);
        }
        self.terms.fill_first_host(&self.members);
        self.announce(Some(ServerMessage::Banned { token }));
    }

    fn set_locked(&mut self, from: PeerNumber, locked: bool) -> Result<(), ErrorCode> {
        self.terms.require_host(from)?;
        if self.access.set_locked(locked) {
            self.announce(Some(ServerMessage::Locked { locked }));
        }
        Ok(())
    }

    /// Ends the ride for everyone. From then on, every hello is refused.
    fn end(&mut self, now: Moment, from: PeerNumber) -> Result<(), ErrorCode> {
        self.terms.require_host(from)?;
        self.announce(Some(ServerMessage::Ended));
        for socket in self.members.remove_all() {
            let reason = "the host ended the ride";
            self.outputs.close(socket, close::ENDED, reason);
        }
        self.terms.end();
        self.lifetime.end(now);
        Ok(())
    }

    fn relay(&mut self, now: Moment, socket: SocketId, bytes: &[u8]) {
        let Some(from) = self.members.of_socket(socket) else {
            return self.refuse_stranger(socket);
        };
        let (error, code) = match ToServer::decode(bytes) {
            Ok(frame) => {
                let output = relay::relay_frame(&self.members, from, &frame);
                return output.into_iter().for_each(|it| self.outputs.push(it));
            }
            Err(FrameError::TooLarge(_)) => (ErrorCode::TooLarge, close::TOO_LARGE),
            Err(_) => (ErrorCode::BadMessage, close::MALFORMED),
        };
        self.outputs.refuse(socket, error, code);
        self.disconnect(now, socket);
    }

    /// Closes a socket that sent something else than a hello before it joined.
    fn refuse_stranger(&mut self, socket: SocketId) {
        self.restoration.stop_waiting(socket);
        self.outputs
            .refuse(socket, ErrorCode::NotInRide, close::POLICY);
    }

    /// The socket has been lost since then; its member is away.
    fn disconnect(&mut self, since: Moment, socket: SocketId) {
        self.restoration.stop_waiting(socket);
        let away = self.away_since(since);
        let Some(number) = self.members.disconnect(socket, away) else {
            return;
        };
        if let Some(member) = self.members.get(number) {
            let peer = member.peer.clone();
            self.announce_except(number, ServerMessage::Away { peer });
        }
    }

    fn remove(&mut self, now: Moment, number: PeerNumber, reason: LeftReason) {
        let Some(peer) = self.members.remove(number) else {
            return;
        };
        if reason == LeftReason::Left {
            self.outputs.record(StandingChange::Left(peer.clone()));
        }
        self.announce(Some(ServerMessage::Left { peer, reason }));
        if self.members.is_empty() {
            self.lifetime.limit(now + self.settings.ttl);
        }
        let announcement = self.terms.succeed(number, &self.members);
        self.announce(announcement);
    }

    fn away_since(&self, since: Moment) -> Presence {
        Presence::Away {
            since,
            until: since + self.settings.grace,
        }
    }

    /// Sends a message, if there is one, to all connected members.
    fn announce(&mut self, message: Option<ServerMessage>) {
        if let Some(message) = message {
            let message = self.with_host_token(message);
            self.outputs.broadcast(&self.members, &message);
        }
    }

    fn announce_except(&mut self, except: PeerNumber, message: ServerMessage) {
        let message = self.with_host_token(message);
        self.outputs
            .broadcast_except(&self.members, except, &message);
    }

    /// Adds the token to the announcement of a new term.
    fn with_host_token(&self, mut message: ServerMessage) -> ServerMessage {
        if let ServerMessage::Host { host_token, .. } = &mut message {
            *host_token = self.host_token();
        }
        message
    }
}

#[cfg(test)]
mod tests;
