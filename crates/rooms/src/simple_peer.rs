//! The server's side of the simple-peer dialect: rooms that open by being
//! entered, and messages that go to one member or to all others.
//!
//! Two generations of client speak it. Both are told their id and whether they
//! are host, and pass signals by `target`; the second also says `join` with a
//! name and an FTP, and is told who else did. The whole of it is in
//! `docs/PROTOCOL.md`.
//!
//! Law: [`Rooms`] is a plain value without IO, with nothing to do by itself:
//! the server feeds it with [`Rooms::handle`] and drains [`Rooms::poll_output`]
//! until it is empty.
//!
//! - A room lives while somebody is in it; every member has a socket.
//! - The longest-present member is host: the first in, and whoever is next
//!   when that one goes.
//! - A message carries the sender that the room knows, under `from`, and never
//!   another word on who is host than the room's. All its other fields go on
//!   as they came.

mod api;
mod message;

pub use api::{
    Code, CodeError, Counts, Input, MAX_CODE, MAX_NAME, Output, Profile, Refusal, Settings, Tally,
};
pub use message::{Message, Nonsense};

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use crate::room::SocketId;
use protocol::peer::PeerId;

/// All simple-peer rooms of a server.
#[derive(Debug)]
pub struct Rooms {
    settings: Settings,
    rooms: HashMap<Code, Room>,
    seats: HashMap<SocketId, Seat>,
    tally: Tally,
    outputs: VecDeque<Output>,
}

/// Where a socket sits.
#[derive(Clone, Debug)]
struct Seat {
    code: Code,
    number: u64,
}

/// One room. A room in the list has a member.
#[derive(Debug, Default)]
struct Room {
    /// In the order in which they came: the first is host.
    members: BTreeMap<u64, Member>,
    next_number: u64,
}

#[derive(Debug)]
struct Member {
    socket: SocketId,
    peer: PeerId,
    /// What it said of itself, once it did.
    joined: Option<Profile>,
}

impl Rooms {
    /// No rooms yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            rooms: HashMap::new(),
            seats: HashMap::new(),
            tally: Tally::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Changes the rooms.
    pub fn handle(&mut self, input: Input<'_>) {
        match input {
            Input::Connect {
                socket,
                code,
                fresh_peer,
            } => {
                if let Err(refusal) = self.connect(socket, code, fresh_peer) {
                    self.outputs.push_back(Output::Refuse { socket, refusal });
                }
            }
            Input::Message { socket, message } => match message {
                Ok(message) => self.message(socket, &message),
                Err(Nonsense::Malformed) => self.tally.malformed += 1,
                Err(Nonsense::Forged) => self.tally.forged += 1,
            },
            Input::Closed { socket } => self.closed(socket),
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether somebody is in the room of a code.
    pub fn has_room(&self, code: &Code) -> bool {
        self.rooms.contains_key(code)
    }

    /// What the rooms hold.
    pub fn counts(&self) -> Counts {
        Counts {
            rooms: self.rooms.len(),
            peers: self.seats.len(),
        }
    }

    /// What the rooms have done.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    fn connect(&mut self, socket: SocketId, code: Code, peer: PeerId) -> Result<(), Refusal> {
        let full = self.rooms.len() >= self.settings.max_rooms as usize;
        match self.rooms.get(&code) {
            None if full => return Err(Refusal::ServerFull),
            Some(room) if room.members.len() >= self.settings.max_riders as usize => {
                return Err(Refusal::RoomFull);
            }
            _ => {}
        }
        let room = self.rooms.entry(code.clone()).or_default();
        let number = room.next_number;
        room.next_number += 1;
        let joined = None;
        let member = Member {
            socket,
            peer,
            joined,
        };
        room.members.insert(number, member);
        self.seats.insert(socket, Seat { code, number });
        self.tell_identity(socket);
        Ok(())
    }

    /// Tells a socket who it is and whether it is host.
    fn tell_identity(&mut self, socket: SocketId) {
        if let Some((room, number)) = self.place(socket)
            && let Some(member) = room.members.get(&number)
        {
            let text = message::identity(&member.peer, room.is_host(number));
            self.send(socket, text.into());
        }
    }

    fn message(&mut self, socket: SocketId, message: &Message<'_>) {
        match message.joins() {
            Some(profile) => self.join(socket, profile),
            None => self.pass(socket, message),
        }
    }

    fn pass(&mut self, socket: SocketId, message: &Message<'_>) {
        let Some((room, number)) = self.place(socket) else {
            return;
        };
        let is_meant = |member: &&Member| {
            let target = message.target();
            target.is_none_or(|target| member.peer.as_str() == target)
        };
        let receivers: Vec<_> = room
            .others(number)
            .filter(is_meant)
            .map(|member| member.socket)
            .collect();
        self.pass_to(socket, message, &receivers);
    }

    fn pass_to(&mut self, from: SocketId, message: &Message<'_>, receivers: &[SocketId]) {
        let Some((room, number)) = self.place(from) else {
            return;
        };
        let Some(sender) = room.members.get(&number) else {
            return;
        };
        if receivers.is_empty() {
            self.tally.nobody += 1;
            return;
        }
        let text: Arc<str> = message.from(&sender.peer, room.is_host(number)).into();
        self.tally.relayed += 1;
        self.tally.relayed_bytes += text.len() as u64;
        for receiver in receivers {
            self.send(*receiver, text.clone());
        }
    }

    /// A client says who rides there. It hears who did so before; the others
    /// hear of it the first time alone, because they call whom they hear of.
    fn join(&mut self, socket: SocketId, profile: Profile) {
        let Some(seat) = self.seats.get(&socket) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&seat.code) else {
            return;
        };
        let number = seat.number;
        let Some(member) = room.members.get_mut(&number) else {
            return;
        };
        let is_first_time = member.joined.replace(profile).is_none();
        let existing = message::existing(room.others(number).filter_map(Member::entry));
        let joined = room.members[&number]
            .entry()
            .map(|entry| message::joined(&entry, room.is_host(number)));
        let others: Vec<_> = room.others(number).map(|member| member.socket).collect();
        self.send(socket, existing.into());
        if let Some(joined) = joined.filter(|_| is_first_time) {
            self.send_all(&others, joined.into());
        }
    }

    fn closed(&mut self, socket: SocketId) {
        let Some(Seat { code, number }) = self.seats.remove(&socket) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&code) else {
            return;
        };
        let was_host = room.is_host(number);
        let Some(member) = room.members.remove(&number) else {
            return;
        };
        let others: Vec<_> = room.members.values().map(|it| it.socket).collect();
        self.send_all(&others, message::left(&member.peer).into());
        match others.first() {
            // The next in line is told in the only words there are for it.
            Some(next) if was_host => self.tell_identity(*next),
            Some(_) => {}
            None => drop(self.rooms.remove(&code)),
        }
    }

    fn place(&self, socket: SocketId) -> Option<(&Room, u64)> {
        let seat = self.seats.get(&socket)?;
        Some((self.rooms.get(&seat.code)?, seat.number))
    }

    fn send(&mut self, socket: SocketId, text: Arc<str>) {
        self.outputs.push_back(Output::Send { socket, text });
    }

    fn send_all(&mut self, sockets: &[SocketId], text: Arc<str>) {
        for socket in sockets {
            self.send(*socket, text.clone());
        }
    }
}

impl Room {
    fn is_host(&self, number: u64) -> bool {
        self.members.keys().next() == Some(&number)
    }

    fn others(&self, number: u64) -> impl Iterator<Item = &Member> {
        let others = self.members.iter().filter(move |(one, _)| **one != number);
        others.map(|(_, member)| member)
    }
}

impl Member {
    fn entry(&self) -> Option<message::Entry<'_>> {
        let profile = self.joined.as_ref()?;
        Some(message::Entry::new(&self.peer, profile))
    }
}

#[cfg(test)]
mod tests;
