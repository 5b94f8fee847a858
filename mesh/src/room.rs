//! The server's side of one ride: who is in it, who is host, who is reached
//! over which socket.
//!
//! Law: [`Room`] is a plain value without IO. The server feeds it with
//! [`Room::handle`], drains [`Room::poll_output`] until it is empty, and wakes
//! it with [`Input::Timeout`] at [`Room::poll_timeout`].
//!
//! - A rider is *present* (has a socket), *away* (lost it, within the grace) or
//!   gone; present and away riders are the ride's members.
//! - The first rider in is host, with epoch 1. When the host leaves or its grace
//!   ends, the longest-present rider is host with the next epoch, one with a
//!   socket before one without.
//! - A token stays good while the room lives: a rider who comes back with it
//!   within the grace is the same member, later it joins again under the same
//!   id with a new number and page load.
//! - Frames are relayed unread, under a sender that the room sets.

mod api;
mod host;
mod join;
mod relay;

pub use api::{Input, Output, RoomSettings, SocketId, Summary};

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use crate::{
    peer::{Incarnation, PeerId, PeerNumber, PublicKeys, Role, Token},
    signaling::{
        ClientMessage, ErrorCode, HostTerm, LeftReason, Member, ServerMessage, Signal, close,
    },
};

/// One ride on the server.
#[derive(Debug)]
pub struct Room {
    settings: RoomSettings,
    members: BTreeMap<PeerNumber, Rider>,
    gone: VecDeque<Gone>,
    /// Every number in here is a member's, so indexing `members` with it is sound.
    sockets: HashMap<SocketId, PeerNumber>,
    next_number: u32,
    /// A member's number too, while there is any member.
    host: Option<PeerNumber>,
    terms: VecDeque<HostTerm>,
    dies_at: Option<Duration>,
    dead: bool,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct Rider {
    peer: PeerId,
    token: Token,
    keys: PublicKeys,
    incarnation: Incarnation,
    presence: Presence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Present(SocketId),
    Away { until: Duration },
}

/// Kept so that a token brings its rider back.
#[derive(Debug)]
struct Gone {
    peer: PeerId,
    token: Token,
    incarnation: Incarnation,
}

impl Room {
    /// An empty room, which dies when nobody joins within its time to live.
    pub fn new(settings: RoomSettings, now: Duration) -> Self {
        let dies_at = Some(now + settings.ttl);
        Self {
            settings,
            members: BTreeMap::new(),
            gone: VecDeque::new(),
            sockets: HashMap::new(),
            next_number: 1,
            host: None,
            terms: VecDeque::new(),
            dies_at,
            dead: false,
            outputs: VecDeque::new(),
        }
    }

    /// Changes the room. `now` is monotonic, since the origin of [`Room::new`].
    pub fn handle(&mut self, now: Duration, input: Input) {
        self.expire(now);
        match input {
            Input::Join {
                socket,
                hello,
                fresh_peer,
                fresh_token,
                server_time,
            } => {
                self.join(socket, hello, (fresh_peer, fresh_token), server_time);
            }
            Input::Message { socket, message } => self.message(now, socket, message),
            Input::Relay { socket, bytes } => self.relay(now, socket, &bytes),
            Input::Closed { socket } => self.closed(now, socket),
            Input::Timeout => {}
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the room wants [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        let graces = self.members.values().filter_map(Rider::away_until);
        let dies_at = self.dies_at.filter(|_| !self.dead);
        graces.chain(dies_at).min()
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
            locked: false,
        }
    }

    /// The sockets of the room, to tell them all something.
    pub fn sockets(&self) -> impl Iterator<Item = SocketId> + '_ {
        self.sockets.keys().copied()
    }

    fn expire(&mut self, now: Duration) {
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
        self.dead |= self.is_dead(now);
    }

    fn message(&mut self, now: Duration, socket: SocketId, message: ClientMessage) {
        let Some(&number) = self.sockets.get(&socket) else {
            return self.turn_away(socket, ErrorCode::NotInRide, close::POLICY);
        };
        match message {
            ClientMessage::Hello(_) => {
                self.send(socket, ServerMessage::error(ErrorCode::BadMessage));
            }
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
        }
    }

    fn closed(&mut self, now: Duration, socket: SocketId) {
        let Some(number) = self.sockets.remove(&socket) else {
            return;
        };
        let until = now + self.settings.grace;
        if let Some(rider) = self.members.get_mut(&number) {
            rider.presence = Presence::Away { until };
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

    fn is_full(&self) -> bool {
        self.members.len() >= self.settings.max_riders as usize
    }

    fn send(&mut self, socket: SocketId, message: ServerMessage) {
        self.outputs.push_back(Output::Send { socket, message });
    }

    fn close(&mut self, socket: SocketId, code: u16, reason: &'static str) {
        self.outputs.push_back(Output::Close {
            socket,
            code,
            reason,
        });
    }

    /// Closes a socket that is not in the ride.
    fn turn_away(&mut self, socket: SocketId, error: ErrorCode, code: u16) {
        self.send(socket, ServerMessage::error(error));
        self.close(socket, code, "refused");
    }

    /// Closes a member's socket; the member is away.
    fn cut_off(&mut self, now: Duration, socket: SocketId, error: ErrorCode, code: u16) {
        self.turn_away(socket, error, code);
        self.closed(now, socket);
    }

    fn tell_others(&mut self, except: PeerNumber, message: &ServerMessage) {
        let others = self.members.iter().filter(|(number, _)| **number != except);
        let sends = others
            .filter_map(|(_, rider)| rider.socket())
            .map(|socket| Output::Send {
                socket,
                message: message.clone(),
            });
        self.outputs.extend(sends);
    }

    fn member(&self, number: PeerNumber, rider: &Rider) -> Member {
        Member {
            peer: rider.peer.clone(),
            number,
            incarnation: rider.incarnation,
            role: self.role(number),
            away: rider.socket().is_none(),
            keys: rider.keys,
        }
    }

    fn role(&self, number: PeerNumber) -> Role {
        if self.host == Some(number) {
            Role::Host
        } else {
            Role::Rider
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
            Presence::Away { until } => Some(until),
        }
    }
}

#[cfg(test)]
mod tests;
