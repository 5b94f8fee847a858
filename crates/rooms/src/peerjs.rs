//! Broker of the PeerJS dialect: peers that choose their own ids, and messages between them.
//!
//! The dialect is that of the npm packages `peer` 1.0.2 ("upstream" here) and `peerjs` 1.5.5.
//! `docs/PROTOCOL.md` describes it in full.
//!
//! [`PeerJsBroker`] is a state machine without IO. The server calls [`PeerJsBroker::handle`] for
//! each input, drains [`PeerJsBroker::poll_output`] until it returns `None`, and sends
//! [`Input::Timeout`] at [`PeerJsBroker::poll_timeout`].
//!
//! - With [`Settings::rooms`], the token names the room. An id exists inside its room only, so no
//!   message to a peer depends on another room.
//! - A forwarded message carries the sender's real id and its payload unread.
//! - A message to an absent peer is queued, within bounds. If it is not delivered in time, its
//!   sender receives EXPIRE, once per pair of sender and receiver. Messages queued for a peer whose
//!   socket was lost are never delivered to a peer with another token.
//! - All peers of a room know its token, so an id passes to another socket only if the old socket
//!   does not answer a probe. After an answered probe, the id is not probed for a while.
//! - A peer whose socket was lost does not count as connected. Its room receives LEAVE only if the
//!   peer does not return in time, because clients close their data connections on LEAVE.

mod api;
mod connect;
mod leave;
mod message;
mod queue;
mod room;

pub use api::{Counts, Input, Output, PeerJsRefusal, Settings, Tally};
pub use message::{MAX_ID, MAX_TOKEN, Message, MessageKind, OPEN, PeerJsParseError};

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use clock::Moment;

use crate::{ClientKey, room::SocketId};
use room::{ConnectedPeer, IdClaim, PeerJsRoom, QueueUsage};

/// A room may fill at most one part in this many of the queue limits, so that no room can use them
/// up for all others.
pub const ROOM_SHARE: u32 = 16;
/// Without rooms, a sender may fill at most one part in this many of the queue limits. That is
/// enough for messages to many peers, and leaves space for all other senders.
pub const SENDER_SHARE: u32 = 64;
/// All senders of one client may fill at most one part in this many of the queue limits, in however
/// many rooms they are.
pub const CLIENT_SHARE: u32 = 8;

/// Time after an answered probe in which the peer is not probed again. Otherwise any peer that
/// knows the token could make the server send probes without end.
pub const PROBE_PAUSE: Duration = Duration::from_secs(3);

/// All PeerJS peers of a server.
pub struct PeerJsBroker {
    settings: Settings,
    /// Rooms by token. Without rooms there is a single one with an empty name.
    rooms: HashMap<Arc<str>, PeerJsRoom>,
    /// Queued messages of each client that has any.
    clients: HashMap<ClientKey, QueueUsage>,
    /// Open sockets, each of a connected peer or of a claimant of its id.
    identities: HashMap<SocketId, SocketIdentity>,
    timers: BTreeSet<Timer>,
    counts: Counts,
    tally: Tally,
    /// Number of the next queued message; numbers keep the order of arrival.
    next_number: u64,
    outputs: VecDeque<Output>,
}

/// Room and id of a socket.
#[derive(Clone)]
struct SocketIdentity {
    room: Arc<str>,
    id: Arc<str>,
    client: ClientKey,
    /// Set if the socket has the id; not set while it only claims it.
    is_open: bool,
}

/// Timeout of an id.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: Moment,
    room: Arc<str>,
    id: Arc<str>,
    kind: TimerKind,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum TimerKind {
    /// The peer's socket did not answer the probe.
    ProbeTimeout,
    /// The peer did not return after the loss of its socket.
    ReturnTimeout,
    /// The messages that this sender queued for the peer have expired.
    Expiry { from: Arc<str> },
}

impl PeerJsBroker {
    /// Broker without peers.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            rooms: HashMap::new(),
            clients: HashMap::new(),
            identities: HashMap::new(),
            timers: BTreeSet::new(),
            counts: Counts::default(),
            tally: Tally::default(),
            next_number: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Handles an input.
    pub fn handle(&mut self, now: Moment, input: Input<'_>) {
        self.fire_timers(now);
        match input {
            Input::Connect {
                socket,
                client,
                key,
                id,
                token,
            } => {
                let socket_of = (socket, client);
                if let Err(refusal) = self.connect(now, socket_of, key, id, token) {
                    self.outputs.push_back(Output::Refuse { socket, refusal });
                }
            }
            Input::Message { socket, message } => match message {
                Ok(message) => self.handle_message(now, socket, message),
                Err(PeerJsParseError::Malformed) => self.tally.malformed += 1,
                Err(PeerJsParseError::UnknownType) => self.tally.unknown_type += 1,
            },
            Input::ProbeAnswered { socket } => self.probe_answered(now, socket),
            Input::Closed { socket, goodbye } => self.closed(now, socket, goodbye),
            Input::Timeout => {}
        }
    }

    /// Next output; `None` when all are done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Time at which the broker needs [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.timers.first().map(|timer| timer.at)
    }

    /// Numbers of this moment.
    pub fn counts(&self) -> Counts {
        Counts {
            rooms: self.rooms.len(),
            ..self.counts
        }
    }

    /// Totals since the start.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Returns `true` if the room of a token has peers, or peers that may return. Without rooms,
    /// every token names the same room, which always exists.
    pub fn has_room(&self, token: &str) -> bool {
        !self.settings.rooms || self.rooms.contains_key(token)
    }

    /// Returns `true` if the room of a token has its maximum number of peers.
    pub fn is_full(&self, token: &str) -> bool {
        let room = self.rooms.get(token).filter(|_| self.settings.rooms);
        room.is_some_and(|room| room.connected.len() >= self.settings.room_size as usize)
    }

    /// Ids of the connected peers that a peer with this token can reach.
    pub fn ids(&self, token: &str) -> impl Iterator<Item = &str> {
        let room = self.rooms.get(self.room_name(token));
        room.into_iter()
            .flat_map(|room| room.connected.keys().map(|id| &**id))
    }

    fn room_name<'a>(&self, token: &'a str) -> &'a str {
        if self.settings.rooms { token } else { "" }
    }

    fn handle_message(&mut self, now: Moment, socket: SocketId, message: Message<'_>) {
        let Some(identity) = self
            .identities
            .get(&socket)
            .filter(|identity| identity.is_open)
        else {
            self.tally.not_open += 1;
            return;
        };
        let Message::Forward { kind, to, payload } = message else {
            return;
        };
        let Some(to) = to else {
            return match kind {
                MessageKind::Leave => self.leave(socket),
                _ => self.tally.malformed += 1,
            };
        };
        let room = self.rooms.get(&identity.room);
        let receiver = room.and_then(|room| room.connected.get(&*to));
        if let Some(receiver) = receiver {
            let text = message::forward(kind, &identity.id, &to, payload);
            self.relay(receiver.socket, text);
        } else if to.len() > MAX_ID {
            self.tally.malformed += 1;
        } else if kind.is_queued() {
            let text = message::forward(kind, &identity.id, &to, payload);
            self.queue(now, &identity.clone(), &to, text);
        }
    }

    fn relay(&mut self, socket: SocketId, text: String) {
        self.tally.relayed += 1;
        self.tally.relayed_bytes += text.len() as u64;
        self.outputs.push_back(Output::Send { socket, text });
    }

    /// Handles all timers that are due.
    fn fire_timers(&mut self, now: Moment) {
        while self.timers.first().is_some_and(|timer| timer.at <= now) {
            let Some(Timer { room, id, kind, .. }) = self.timers.pop_first() else {
                return;
            };
            match kind {
                TimerKind::ProbeTimeout => self.hand_over_to_claimant(&room, &id),
                TimerKind::ReturnTimeout => self.handle_return_timeout(&room, &id),
                TimerKind::Expiry { from } => self.expire(&room, &id, &from),
            }
            self.remove_unused(&room, &id);
        }
    }

    fn set_timer(&mut self, at: Moment, room: &Arc<str>, id: &Arc<str>, kind: TimerKind) {
        self.timers.insert(timer(at, room, id, kind));
    }

    fn cancel_timer(&mut self, at: Moment, room: &Arc<str>, id: &Arc<str>, kind: TimerKind) {
        self.timers.remove(&timer(at, room, id, kind));
    }

    /// Removes an absent peer without state, and an empty room.
    fn remove_unused(&mut self, name: &Arc<str>, id: &str) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        if room
            .absent
            .get(id)
            .is_some_and(queue::AbsentPeer::is_unused)
        {
            room.absent.remove(id);
        }
        if room.connected.is_empty() && room.absent.is_empty() {
            self.rooms.remove(name);
        }
    }
}

impl fmt::Debug for PeerJsBroker {
    /// Prints numbers only, because the names of rooms are secrets.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("PeerJsBroker")
            .field("counts", &self.counts())
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

fn timer(at: Moment, room: &Arc<str>, id: &Arc<str>, kind: TimerKind) -> Timer {
    Timer {
        at,
        room: room.clone(),
        id: id.clone(),
        kind,
    }
}

#[cfg(test)]
mod tests;
