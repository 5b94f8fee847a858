//! The server's side of one ride: who is in it, who is host, who is reached
//! over which socket.
//!
//! Law: [`Room`] is a plain value without IO. The server feeds it with
//! [`Room::handle`], drains [`Room::poll_output`] until it is empty, and wakes
//! it with [`Input::Timeout`] at [`Room::poll_timeout`].
//!
//! - A rider is *present* (has a socket), *away* (lost it, or says nothing over
//!   it, within the grace) or gone; present and away riders are the ride's members.
//! - A token is signed ([`Signer`]), not remembered: who holds a good one is the
//!   same rider, within the grace the same member, later again under the same id
//!   with a new number and page load.
//! - The first rider in is host, with epoch 1. When the host leaves, or is away
//!   for longer than the host's grace and reached by nobody directly, the
//!   longest-present rider is host with the next epoch, one with a socket before
//!   one without. The first host may take the ride back, unless it handed it
//!   over of its own will.
//! - A rider whom the host removed never comes back.
//! - A room that was lost with the server's memory is put together again by its
//!   riders: see [`Room::restored`].
//! - Frames are relayed unread, under a sender that the room sets.

mod api;
mod elected;
mod gate;
mod host;
mod join;
mod relay;
mod report;
mod restore;
mod signer;
mod silence;
mod tell;
mod welcome;

pub use api::{Input, Join, Output, RoomSettings, SocketId, Summary};
pub use signer::{ResumeClaims, Signer, Statement};

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use gate::Barred;
use protocol::{
    peer::{Incarnation, MemberRole, PeerId, PeerNumber, PublicKeys},
    signaling::{
        ClientMessage, ErrorCode, HostCommand, HostTerm, LeftReason, Member, ServerMessage, Signal,
        close,
    },
};
use restore::{KnownPage, Memory};

/// One ride on the server.
#[derive(Debug)]
pub struct Room {
    settings: RoomSettings,
    signer: Arc<dyn Signer>,
    memory: Memory,
    members: BTreeMap<PeerNumber, Rider>,
    gone: VecDeque<Gone>,
    barred: Vec<Barred>,
    /// Every number in here is a member's, so indexing `members` with it is sound.
    sockets: HashMap<SocketId, PeerNumber>,
    next_number: u32,
    /// A member's number too, while there is any member and the room is not
    /// being restored.
    host: Option<PeerNumber>,
    /// Who may take the ride back; known as soon as there was a host.
    first_host: Option<PeerId>,
    terms: VecDeque<HostTerm>,
    /// The next epoch is above it: somebody may have seen it.
    epoch_floor: u32,
    /// The highest epoch of a token that somebody came with.
    signed_epoch: u32,
    /// For whose sake the host lately began a new term, and when.
    passed: Vec<(PeerId, Duration)>,
    locked: bool,
    ended: bool,
    dies_at: Option<Duration>,
    dead: bool,
    looks_at: Duration,
    /// Whether nobody was heard of late.
    hushed: bool,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct Rider {
    peer: PeerId,
    keys: PublicKeys,
    incarnation: Incarnation,
    /// The incarnation by which its page came, if it was given another: the page may
    /// not have heard of that yet.
    before: Option<Incarnation>,
    presence: Presence,
    /// When its socket last said something.
    heard: Duration,
    /// Whether it came with a token, or anew; if not, others told of it.
    vouched: bool,
    /// Whom it reaches directly, as it last reported.
    reaches: Vec<PeerId>,
    /// The pages that it knew when it came back to a room that was lost, as far
    /// as it was not told to forget them.
    knows: Vec<KnownPage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Present(SocketId),
    Away { since: Duration, until: Duration },
}

/// Kept so that who comes back has a newer page load than before.
#[derive(Debug)]
struct Gone {
    peer: PeerId,
    incarnation: Incarnation,
}

impl Room {
    /// An empty room, which dies when nobody joins within its time to live.
    pub fn new(settings: RoomSettings, signer: Arc<dyn Signer>, now: Duration) -> Self {
        let dies_at = Some(now + settings.ttl);
        Self {
            settings,
            signer,
            memory: Memory::Whole,
            members: BTreeMap::new(),
            gone: VecDeque::new(),
            barred: Vec::new(),
            sockets: HashMap::new(),
            next_number: 1,
            host: None,
            first_host: None,
            terms: VecDeque::new(),
            epoch_floor: 0,
            signed_epoch: 0,
            passed: Vec::new(),
            locked: false,
            ended: false,
            dies_at,
            dead: false,
            looks_at: now,
            hushed: false,
            outputs: VecDeque::new(),
        }
    }

    /// A room that a server lost with its memory, for whoever comes back to it
    /// with a good token. They tell it the rest.
    pub fn restored(settings: RoomSettings, signer: Arc<dyn Signer>, now: Duration) -> Self {
        let memory = Memory::lost(now, settings.restore_wait);
        Self {
            memory,
            ..Self::new(settings, signer, now)
        }
    }

    /// Changes the room. `now` is monotonic, since the origin of [`Room::new`].
    pub fn handle(&mut self, now: Duration, input: Input) {
        let heard = match &input {
            Input::Join(Join { socket, .. })
            | Input::Message { socket, .. }
            | Input::Relay { socket, .. } => Some(*socket),
            Input::Closed { .. } | Input::Timeout => None,
        };
        self.hear(now, heard);
        self.expire(now);
        match input {
            Input::Join(join) => self.join(now, join),
            Input::Message { socket, message } => self.message(now, socket, message),
            Input::Relay { socket, bytes } => self.relay(now, socket, &bytes),
            Input::Closed { socket } => self.closed(now, socket),
            Input::Timeout => {}
        }
        // A hello is heard once it is let in.
        self.hear(now, heard);
        self.succeed(now);
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the room wants [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        let graces = self.members.values().filter_map(Rider::away_until);
        let dies_at = self.dies_at.filter(|_| !self.dead);
        let restored_at = match &self.memory {
            Memory::Restoring(restoring) => Some(restoring.until()),
            Memory::Whole | Memory::Restored => None,
        };
        let others = [dies_at, restored_at, self.succession_at(), self.looks_at()];
        graces.chain(others.into_iter().flatten()).min()
    }

    /// Whether the room can be forgotten, and its code with it.
    pub fn is_dead(&self, now: Duration) -> bool {
        self.dies_at.is_some_and(|at| at <= now)
    }

    /// What may be said of the ride to anybody.
    pub fn summary(&self) -> Summary {
        Summary {
            riders: self.members.len() as u32,
            full: self.is_full(),
            locked: self.locked,
        }
    }

    /// The sockets of the room, to tell them all something.
    pub fn sockets(&self) -> impl Iterator<Item = SocketId> + '_ {
        self.sockets.keys().copied()
    }

    fn expire(&mut self, now: Duration) {
        self.look_for_silence(now);
        let over = |rider: &Rider| rider.away_until().is_some_and(|until| until <= now);
        let ended: Vec<_> = self
            .members
            .iter()
            .filter(|(_, rider)| over(rider))
            .map(|(number, _)| *number)
            .collect();
        for number in ended {
            self.remove(now, number, LeftReason::Gone);
        }
        self.finish_restoring(now);
        self.dead |= self.is_dead(now);
    }

    fn message(&mut self, now: Duration, socket: SocketId, message: ClientMessage) {
        let Some(&number) = self.sockets.get(&socket) else {
            self.stop_waiting(socket);
            return self.turn_away(socket, ErrorCode::NotInRide, close::POLICY);
        };
        match message {
            ClientMessage::Signal {
                to,
                incarnation,
                signal,
            } => {
                self.signal(number, &to, incarnation, signal);
            }
            ClientMessage::Ping => self.send(socket, ServerMessage::Pong),
            ClientMessage::Leave => {
                self.remove(now, number, LeftReason::Left);
                self.close(socket, close::LEFT, "left the ride");
            }
            ClientMessage::Report(report) => self.report(number, report),
            ClientMessage::Command(command) => {
                if let Err(refused) = self.command(now, number, command) {
                    self.send(socket, ServerMessage::error(refused));
                }
            }
            // A second hello.
            ClientMessage::Hello(_) => {
                self.send(socket, ServerMessage::error(ErrorCode::BadMessage));
            }
        }
    }

    /// Executes a command of the host.
    fn command(
        &mut self,
        now: Duration,
        number: PeerNumber,
        command: HostCommand,
    ) -> Result<(), ErrorCode> {
        match command {
            HostCommand::Kick { peer, reason } => self.kick(now, number, peer, reason),
            HostCommand::Lock => self.set_locked(number, true),
            HostCommand::Unlock => self.set_locked(number, false),
            HostCommand::HandOver { to } => self.hand_over(number, &to),
            HostCommand::End => self.end(now, number),
            HostCommand::Reclaim => self.reclaim(number),
        }
    }

    /// A socket is gone since then.
    fn closed(&mut self, since: Duration, socket: SocketId) {
        self.stop_waiting(socket);
        let Some(number) = self.sockets.remove(&socket) else {
            return;
        };
        let until = since + self.settings.grace;
        if let Some(rider) = self.members.get_mut(&number) {
            rider.presence = Presence::Away { since, until };
            rider.reaches.clear();
            let peer = rider.peer.clone();
            self.tell_others(number, &ServerMessage::Away { peer });
        }
    }

    fn remove(&mut self, now: Duration, number: PeerNumber, reason: LeftReason) {
        let Some(rider) = self.members.remove(&number) else {
            return;
        };
        if let Presence::Present(socket) = rider.presence {
            self.sockets.remove(&socket);
        }
        let peer = rider.peer.clone();
        self.remember(rider);
        for other in self.members.values_mut() {
            other.knows.retain(|known| known.number != number);
        }
        self.tell_others(number, &ServerMessage::Left { peer, reason });
        if self.members.is_empty() {
            self.dies_at = Some(now + self.settings.ttl);
        }
        if self.host == Some(number) {
            self.host = None;
            self.appoint();
        }
    }

    fn signal(&mut self, from: PeerNumber, to: &PeerId, load: Incarnation, signal: Signal) {
        let target = self.members.values().find(|rider| rider.peer == *to);
        let (Some(target), Some(sender)) = (target, self.members.get(&from)) else {
            return;
        };
        let Presence::Present(socket) = target.presence else {
            return;
        };
        if target.incarnation == load {
            let from = sender.peer.clone();
            let incarnation = sender.incarnation;
            self.send(
                socket,
                ServerMessage::Signal {
                    from,
                    incarnation,
                    signal,
                },
            );
        }
    }

    fn number_of(&self, peer: &PeerId) -> Option<PeerNumber> {
        let mut members = self.members.iter();
        let member = members.find(|(_, rider)| rider.peer == *peer);
        member.map(|(number, _)| *number)
    }

    fn is_full(&self) -> bool {
        self.members.len() >= self.settings.max_riders as usize
    }

    fn member(&self, number: PeerNumber, rider: &Rider) -> Member {
        Member {
            peer: rider.peer.clone(),
            number,
            incarnation: rider.incarnation,
            role: MemberRole::Rider,
            away: rider.socket().is_none(),
            keys: rider.keys,
        }
    }
}

impl Rider {
    fn socket(&self) -> Option<SocketId> {
        match self.presence {
            Presence::Present(socket) => Some(socket),
            Presence::Away { .. } => None,
        }
    }

    fn away_until(&self) -> Option<Duration> {
        match self.presence {
            Presence::Present(_) => None,
            Presence::Away { until, .. } => Some(until),
        }
    }
}

#[cfg(test)]
mod tests;
