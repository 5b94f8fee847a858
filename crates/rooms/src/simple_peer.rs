//! Broker of the simple-peer dialect: rooms that open when a client enters them, and messages to
//! one member or to all others.
//!
//! Two generations of clients speak the dialect. Both receive their id and whether they are host,
//! and send signals with a `target`. The second generation also sends `join` with a name and an
//! FTP, and receives the names of the others. `docs/PROTOCOL.md` describes the dialect in full.
//!
//! [`SimplePeerBroker`] is a state machine without IO and without timeouts: the server calls
//! [`SimplePeerBroker::handle`] for each input and drains [`SimplePeerBroker::poll_output`] until
//! it returns `None`.
//!
//! - A room exists while it has members. Each member has a socket.
//! - The host is the member that has been present for the longest time.
//! - A forwarded message carries the sender's real id in `from`, and the room's knowledge in
//!   `isHost`, if that field is present. All other fields are forwarded unchanged.

mod api;
mod message;

pub use api::{
    Counts, Input, MAX_CODE, MAX_NAME, MAX_NAME_BYTES, Output, Profile, RoomCode, RoomCodeError,
    Settings, SimplePeerRefusal, Tally,
};
pub use message::{Message, SimplePeerParseError};

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use crate::room::SocketId;
use message::PeerProfile;
use protocol::peer::PeerId;

/// All simple-peer rooms of a server.
#[derive(Debug)]
pub struct SimplePeerBroker {
    settings: Settings,
    rooms: HashMap<RoomCode, ClientRoom>,
    memberships: HashMap<SocketId, Membership>,
    tally: Tally,
    outputs: VecDeque<Output>,
}

/// Room and number of a socket's client.
#[derive(Clone, Debug)]
struct Membership {
    code: RoomCode,
    number: u64,
}

/// One room with at least one client.
#[derive(Debug, Default)]
struct ClientRoom {
    /// Clients in the order of their arrival. The first one is host.
    clients: BTreeMap<u64, Client>,
    next_number: u64,
}

#[derive(Debug)]
struct Client {
    socket: SocketId,
    peer: PeerId,
    /// Profile from its `join` message; `None` before.
    profile: Option<Profile>,
}

impl SimplePeerBroker {
    /// Broker without rooms.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            rooms: HashMap::new(),
            memberships: HashMap::new(),
            tally: Tally::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Handles an input.
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
                Ok(message) => self.handle_message(socket, &message),
                Err(SimplePeerParseError::Malformed) => self.tally.malformed += 1,
                Err(SimplePeerParseError::Forged) => self.tally.forged += 1,
            },
            Input::Closed { socket } => self.remove(socket),
        }
    }

    /// Next output; `None` when all are done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns `true` if the room of a code has members.
    pub fn has_room(&self, code: &RoomCode) -> bool {
        self.rooms.contains_key(code)
    }

    /// Numbers of this moment.
    pub fn counts(&self) -> Counts {
        Counts {
            rooms: self.rooms.len(),
            peers: self.memberships.len(),
        }
    }

    /// Totals since the start.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    fn connect(
        &mut self,
        socket: SocketId,
        code: RoomCode,
        peer: PeerId,
    ) -> Result<(), SimplePeerRefusal> {
        let is_server_full = self.rooms.len() >= self.settings.max_rooms as usize;
        match self.rooms.get(&code) {
            None if is_server_full => return Err(SimplePeerRefusal::ServerFull),
            Some(room) if room.clients.len() >= self.settings.max_riders as usize => {
                return Err(SimplePeerRefusal::RoomFull);
            }
            _ => {}
        }
        let room = self.rooms.entry(code.clone()).or_default();
        let number = room.next_number;
        room.next_number += 1;
        let client = Client {
            socket,
            peer,
            profile: None,
        };
        room.clients.insert(number, client);
        self.memberships.insert(socket, Membership { code, number });
        self.send_identity(socket);
        Ok(())
    }

    /// Sends a client its id and whether it is host.
    fn send_identity(&mut self, socket: SocketId) {
        if let Some((room, number)) = self.room_of(socket)
            && let Some(client) = room.clients.get(&number)
        {
            let text = message::identity(&client.peer, room.is_host(number));
            self.send(socket, text.into());
        }
    }

    fn handle_message(&mut self, socket: SocketId, message: &Message<'_>) {
        match message.joins() {
            Some(profile) => self.join(socket, profile),
            None => self.forward(socket, message),
        }
    }

    /// Forwards a message to its target, or to all others.
    fn forward(&mut self, from: SocketId, message: &Message<'_>) {
        let Some((room, number)) = self.room_of(from) else {
            return;
        };
        let Some(sender) = room.clients.get(&number) else {
            return;
        };
        let is_target = |client: &&Client| {
            let target = message.target();
            target.is_none_or(|target| client.peer.as_str() == target)
        };
        let receivers: Vec<_> = room
            .others(number)
            .filter(is_target)
            .map(|client| client.socket)
            .collect();
        if receivers.is_empty() {
            self.tally.without_receiver += 1;
            return;
        }
        let text: Arc<str> = message.from(&sender.peer, room.is_host(number)).into();
        self.tally.relayed += 1;
        self.tally.relayed_bytes += text.len() as u64;
        self.send_all(&receivers, text);
    }

    /// Sets the profile of a client and sends it the profiles of the others. Only its first `join`
    /// is announced to the others, because clients open a connection for each announcement.
    fn join(&mut self, socket: SocketId, profile: Profile) {
        let Some(Membership { code, number }) = self.memberships.get(&socket).cloned() else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&code) else {
            return;
        };
        let Some(client) = room.clients.get_mut(&number) else {
            return;
        };
        let is_first_join = client.profile.replace(profile).is_none();
        let existing = message::existing(room.others(number).filter_map(Client::joined));
        let announcement = room.clients[&number]
            .joined()
            .map(|client| message::joined(&client, room.is_host(number)));
        let others: Vec<_> = room.others(number).map(|client| client.socket).collect();
        self.send(socket, existing.into());
        if let Some(announcement) = announcement.filter(|_| is_first_join) {
            self.send_all(&others, announcement.into());
        }
    }

    fn remove(&mut self, socket: SocketId) {
        let Some(Membership { code, number }) = self.memberships.remove(&socket) else {
            return;
        };
        let Some(room) = self.rooms.get_mut(&code) else {
            return;
        };
        let was_host = room.is_host(number);
        let Some(client) = room.clients.remove(&number) else {
            return;
        };
        let others: Vec<_> = room.clients.values().map(|it| it.socket).collect();
        self.send_all(&others, message::left(&client.peer).into());
        match others.first() {
            // The dialect announces a new host only by a second identity message.
            Some(next) if was_host => self.send_identity(*next),
            Some(_) => {}
            None => drop(self.rooms.remove(&code)),
        }
    }

    fn room_of(&self, socket: SocketId) -> Option<(&ClientRoom, u64)> {
        let membership = self.memberships.get(&socket)?;
        Some((self.rooms.get(&membership.code)?, membership.number))
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

impl ClientRoom {
    fn is_host(&self, number: u64) -> bool {
        self.clients.keys().next() == Some(&number)
    }

    fn others(&self, number: u64) -> impl Iterator<Item = &Client> {
        let others = self.clients.iter().filter(move |(one, _)| **one != number);
        others.map(|(_, client)| client)
    }
}

impl Client {
    /// Id and profile of a client that has sent `join`.
    fn joined(&self) -> Option<PeerProfile<'_>> {
        let profile = self.profile.as_ref()?;
        Some(PeerProfile {
            peer: &self.peer,
            profile,
        })
    }
}

#[cfg(test)]
mod tests;
