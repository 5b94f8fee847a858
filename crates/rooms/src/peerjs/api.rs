use std::time::Duration;

use super::message::{Message, Nonsense};
use crate::room::SocketId;

/// How a broker behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether the token is the room: peers reach only those of their room.
    /// If not, every peer reaches every other, and the token is the secret
    /// that an id is taken over with.
    pub rooms: bool,
    /// The word that every client has to name.
    pub key: String,
    /// The most connected peers of a room.
    pub room_size: u32,
    /// The most connected peers in all.
    pub max_peers: u32,
    /// How long a message waits for a peer who is not there.
    pub expire: Duration,
    /// How long a peer whose socket dropped may take to come back before the
    /// others of its room are told that it left.
    pub heartbeat_timeout: Duration,
    /// How long the old socket of an id may take to show that it lives when
    /// another one asks for the id.
    pub probe_timeout: Duration,
    /// The most messages from one peer that wait for one other.
    pub pair_messages: u32,
    /// The most bytes from one peer that wait for one other.
    pub pair_bytes: u32,
    /// The most pairs with messages that wait, in all. A room may have a
    /// [`ROOM_SHARE`](super::ROOM_SHARE)th of it, without rooms a sender a
    /// [`SENDER_SHARE`](super::SENDER_SHARE)th.
    pub max_pairs: u32,
    /// The most bytes that wait, in all, with the same shares.
    pub max_queue_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rooms: true,
            key: "peerjs".into(),
            room_size: 4,
            max_peers: 20_000,
            expire: Duration::from_secs(5),
            heartbeat_timeout: Duration::from_secs(60),
            probe_timeout: Duration::from_secs(2),
            pair_messages: 64,
            pair_bytes: 256 * 1024,
            max_pairs: 4_096,
            max_queue_bytes: 32 * 1024 * 1024,
        }
    }
}

/// What happens to a broker. Without `Debug`, since it holds tokens.
#[derive(Clone)]
pub enum Input<'a> {
    /// A socket opened; what its address said, as far as it said it.
    Connect {
        /// Which.
        socket: SocketId,
        /// The word that every client has to name.
        key: Option<&'a str>,
        /// Who it wants to be.
        id: Option<&'a str>,
        /// Its room, or its secret.
        token: Option<&'a str>,
    },
    /// A socket said something.
    Message {
        /// Which.
        socket: SocketId,
        /// What, or why that is nothing.
        message: Result<Message<'a>, Nonsense>,
    },
    /// A socket that was probed has said something since, whatever it was.
    Alive {
        /// Which.
        socket: SocketId,
    },
    /// A socket is gone, whoever closed it.
    Closed {
        /// Which.
        socket: SocketId,
        /// Whether the client closed it, rather than lost it.
        goodbye: bool,
    },
    /// The time of [`super::Broker::poll_timeout`] has come.
    Timeout,
}

/// What a broker wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Tell a socket that it is in: [`OPEN`](super::OPEN).
    Open {
        /// Which.
        socket: SocketId,
    },
    /// Send a text message.
    Send {
        /// On which socket.
        socket: SocketId,
        /// What.
        text: String,
    },
    /// Tell a socket why it is not in, and close it; the broker knows it no
    /// more and needs no [`Input::Closed`] for it.
    Refuse {
        /// Which.
        socket: SocketId,
        /// Why.
        refusal: Refusal,
    },
    /// Close a socket after what was sent before; the broker knows it no more
    /// and needs no [`Input::Closed`] for it.
    Close {
        /// Which.
        socket: SocketId,
        /// Close code, see [`protocol::signaling::close`].
        code: u16,
        /// For the log and the developer tools.
        reason: &'static str,
    },
    /// Find out whether a socket still lives, and say [`Input::Alive`] if it
    /// does.
    Probe {
        /// Which.
        socket: SocketId,
    },
}

/// Why a socket is not let in. The first four and [`Refusal::ServerFull`] are
/// in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The address lacks a parameter.
    #[error("No id, token, or key supplied to websocket server")]
    Missing,
    /// Another key than the server's.
    #[error("Invalid key provided")]
    InvalidKey,
    /// The token is too long.
    #[error("Invalid token provided")]
    InvalidToken,
    /// Somebody else has the id.
    #[error("ID is taken")]
    IdTaken,
    /// The id is too long, or not of the clients' pattern.
    #[error("Invalid id provided")]
    InvalidId,
    /// The server has as many peers as it takes.
    #[error("Server has reached its concurrent user limit")]
    ServerFull,
    /// The room has as many peers as it takes.
    #[error("Room is full")]
    RoomFull,
}

/// What a broker holds at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rooms with somebody in them, or with somebody who may come back.
    pub rooms: usize,
    /// Connected peers.
    pub peers: usize,
    /// Peers whose socket dropped and who may come back.
    pub away: usize,
    /// Sockets that wait for the old socket of their id to answer.
    pub claims: usize,
    /// Pairs of a sender and an absent receiver with messages that wait.
    pub pairs: usize,
    /// Bytes of those messages.
    pub queued_bytes: u64,
}

/// What a broker has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages passed on, those that waited among them.
    pub relayed: u64,
    /// Their bytes, as they were sent.
    pub relayed_bytes: u64,
    /// Messages that waited for nobody.
    pub expired: u64,
    /// Messages dropped because nothing more could wait.
    pub queue_full: u64,
    /// Messages ignored because they could not be read, or had no receiver
    /// that could be.
    pub malformed: u64,
    /// Messages ignored for their type.
    pub unknown_type: u64,
    /// Messages ignored because their socket was not let in yet.
    pub not_open: u64,
}
