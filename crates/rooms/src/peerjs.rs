//! The server's side of the PeerJS dialect: peers that name themselves, and
//! the messages that they pass each other.
//!
//! The wire is that of the npm packages `peer` 1.0.2 and `peerjs` 1.5.5; the
//! whole of it is in `docs/PROTOCOL.md`.
//!
//! Law: [`Broker`] is a plain value without IO. The server feeds it with
//! [`Broker::handle`], drains [`Broker::poll_output`] until it is empty, and
//! wakes it with [`Input::Timeout`] at [`Broker::poll_timeout`].
//!
//! - With [`Settings::rooms`] the token is the room. An id is known inside its
//!   room alone, so nothing that a peer is told depends on another room.
//! - A message carries the sender that the broker knows, and a payload that
//!   nobody read.
//! - A message to somebody who is not there waits, bounded; what is not
//!   fetched in time is given back to its sender as one EXPIRE a pair. What
//!   waits for a peer that dropped is never handed to one with another token.
//! - Everyone in a room knows its token, so an id there changes hands only
//!   when its old socket does not answer a probe. Who has answered one is left
//!   alone for a while.
//! - A peer whose socket dropped is no longer connected and holds no place;
//!   its room is told that it left only when it does not come back in time,
//!   because clients close their data connections on LEAVE.

mod absent;
mod api;
mod connect;
mod leave;
mod message;
mod room;

pub use api::{Counts, Input, Output, Refusal, Settings, Tally};
pub use message::{Kind, MAX_ID, MAX_TOKEN, Message, Nonsense, OPEN};

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use clock::Moment;

use crate::room::SocketId;
use room::{Claim, Connected, Room};

/// Of what may wait in all, a room may have one part in so many: no room can
/// take the place of all the others.
pub const ROOM_SHARE: u32 = 16;
/// Without rooms a sender may have one part in so many of it: whole messages to
/// many, and still no place of all the others.
pub const SENDER_SHARE: u32 = 64;

/// How long a peer that answered a probe is not probed again: whoever knows
/// the token may ask for its id, but not make the server ask without end.
pub const PROBE_REST: Duration = Duration::from_secs(3);

/// All PeerJS peers of a server.
pub struct Broker {
    settings: Settings,
    /// By token; without rooms there is one, without a name.
    rooms: HashMap<Arc<str>, Room>,
    /// The open sockets: every one is a connected peer's or its claimant's.
    seats: HashMap<SocketId, Seat>,
    timers: BTreeSet<Timer>,
    counts: Counts,
    tally: Tally,
    /// Numbers what waits, in the order in which it came.
    next_number: u64,
    outputs: VecDeque<Output>,
}

/// Where a socket sits.
#[derive(Clone)]
struct Seat {
    room: Arc<str>,
    id: Arc<str>,
    /// Whether the id is its own, rather than asked for.
    open: bool,
}

/// What is to be done about an id, and when.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: Moment,
    room: Arc<str>,
    id: Arc<str>,
    alarm: Alarm,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    /// The old socket did not answer in time.
    ProbeOver,
    /// The peer did not come back in time.
    Gone,
    /// What this sender left was not fetched in time.
    Expired { from: Arc<str> },
}

impl Broker {
    /// A broker without peers.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            rooms: HashMap::new(),
            seats: HashMap::new(),
            timers: BTreeSet::new(),
            counts: Counts::default(),
            tally: Tally::default(),
            next_number: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Changes the broker. `now` is monotonic, since any origin.
    pub fn handle(&mut self, now: Moment, input: Input<'_>) {
        self.ring(now);
        match input {
            Input::Connect {
                socket,
                key,
                id,
                token,
            } => {
                if let Err(refusal) = self.connect(now, socket, key, id, token) {
                    self.outputs.push_back(Output::Refuse { socket, refusal });
                }
            }
            Input::Message { socket, message } => match message {
                Ok(message) => self.message(now, socket, message),
                Err(Nonsense::Malformed) => self.tally.malformed += 1,
                Err(Nonsense::UnknownType) => self.tally.unknown_type += 1,
            },
            Input::Alive { socket } => self.alive(now, socket),
            Input::Closed { socket, goodbye } => self.closed(now, socket, goodbye),
            Input::Timeout => {}
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the broker wants [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.timers.first().map(|timer| timer.at)
    }

    /// What the broker holds.
    pub fn counts(&self) -> Counts {
        Counts {
            rooms: self.rooms.len(),
            ..self.counts
        }
    }

    /// What the broker has done.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether somebody is in a token's room, or may come back to it. Without
    /// rooms there is one, for everybody.
    pub fn has_room(&self, token: &str) -> bool {
        !self.settings.rooms || self.rooms.contains_key(token)
    }

    /// Whether a token's room takes nobody else.
    pub fn is_full(&self, token: &str) -> bool {
        let room = self.rooms.get(token).filter(|_| self.settings.rooms);
        room.is_some_and(|room| room.connected.len() >= self.settings.room_size as usize)
    }

    /// The ids of the connected peers that a peer with this token can reach.
    pub fn ids(&self, token: &str) -> impl Iterator<Item = &str> {
        let room = self.rooms.get(self.room_name(token));
        room.into_iter()
            .flat_map(|room| room.connected.keys().map(|id| &**id))
    }

    fn room_name<'a>(&self, token: &'a str) -> &'a str {
        if self.settings.rooms { token } else { "" }
    }

    fn message(&mut self, now: Moment, socket: SocketId, message: Message<'_>) {
        let Some(seat) = self.seats.get(&socket).filter(|seat| seat.open) else {
            self.tally.not_open += 1;
            return;
        };
        let Message::ResumeClaims { kind, to, payload } = message else {
            return;
        };
        let Some(to) = to else {
            return match kind {
                Kind::Leave => self.leave(socket),
                _ => self.tally.malformed += 1,
            };
        };
        let room = self.rooms.get(&seat.room);
        let receiver = room.and_then(|room| room.connected.get(&*to));
        if let Some(receiver) = receiver {
            let text = message::pass(kind, &seat.id, &to, payload);
            self.relay(receiver.socket, text);
        } else if to.len() > MAX_ID {
            self.tally.malformed += 1;
        } else if kind.waits() {
            let text = message::pass(kind, &seat.id, &to, payload);
            self.wait(now, &seat.clone(), &to, text);
        }
    }

    fn relay(&mut self, socket: SocketId, text: String) {
        self.tally.relayed += 1;
        self.tally.relayed_bytes += text.len() as u64;
        self.outputs.push_back(Output::Send { socket, text });
    }

    /// Does what is due.
    fn ring(&mut self, now: Moment) {
        while self.timers.first().is_some_and(|timer| timer.at <= now) {
            let Some(Timer {
                room, id, alarm, ..
            }) = self.timers.pop_first()
            else {
                return;
            };
            match alarm {
                Alarm::ProbeOver => self.hand_over(&room, &id),
                Alarm::Gone => self.gone(&room, &id),
                Alarm::Expired { from } => self.expire(&room, &id, &from),
            }
            self.tidy(&room, &id);
        }
    }

    fn set_timer(&mut self, at: Moment, room: &Arc<str>, id: &Arc<str>, alarm: Alarm) {
        self.timers.insert(timer(at, room, id, alarm));
    }

    fn cancel_timer(&mut self, at: Moment, room: &Arc<str>, id: &Arc<str>, alarm: Alarm) {
        self.timers.remove(&timer(at, room, id, alarm));
    }

    /// Forgets an absent peer that nothing waits for, and an empty room.
    fn tidy(&mut self, name: &Arc<str>, id: &str) {
        let Some(room) = self.rooms.get_mut(name) else {
            return;
        };
        if room.absent.get(id).is_some_and(absent::Absent::is_nothing) {
            room.absent.remove(id);
        }
        if room.connected.is_empty() && room.absent.is_empty() {
            self.rooms.remove(name);
        }
    }
}

impl fmt::Debug for Broker {
    /// Counts alone: names of rooms are their secrets.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Broker")
            .field("counts", &self.counts())
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

fn timer(at: Moment, room: &Arc<str>, id: &Arc<str>, alarm: Alarm) -> Timer {
    Timer {
        at,
        room: room.clone(),
        id: id.clone(),
        alarm,
    }
}

#[cfg(test)]
mod tests;
