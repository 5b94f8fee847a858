use std::time::Duration;

use super::message::{Message, PeerJsParseError};
use crate::{ClientKey, room::SocketId};

/// Settings of the broker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Set if the token names the room and peers reach only the peers of their room. Otherwise, all
    /// peers reach each other, and the token is the secret with which an id is taken over.
    pub rooms: bool,
    /// Key that every client must present.
    pub key: String,
    /// Largest number of connected peers in a room.
    pub room_size: u32,
    /// Largest number of connected peers in all rooms together.
    pub max_peers: u32,
    /// Time that a message is queued for an absent peer.
    pub expire: Duration,
    /// Time that a peer may take to return after the loss of its socket, before its room receives
    /// LEAVE.
    pub heartbeat_timeout: Duration,
    /// Time that the socket of an id may take to answer a probe when another socket claims the id.
    pub probe_timeout: Duration,
    /// Largest number of messages queued by one peer for one other.
    pub pair_messages: u32,
    /// Largest number of bytes queued by one peer for one other.
    pub pair_bytes: u32,
    /// Largest number of pairs of peers with queued messages, in all rooms together. A room may
    /// have one part in [`ROOM_SHARE`](super::ROOM_SHARE) of it; without rooms, a sender one part
    /// in [`SENDER_SHARE`](super::SENDER_SHARE). A client may have one part in
    /// [`CLIENT_SHARE`](super::CLIENT_SHARE), in all its rooms together.
    pub max_pairs: u32,
    /// Largest number of queued bytes in all rooms together, with the same shares.
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

/// Input of the broker. It has no `Debug`, because it contains tokens.
#[derive(Clone)]
pub enum Input<'a> {
    /// A socket opened, with the parameters of its address.
    Connect {
        /// The socket.
        socket: SocketId,
        /// Client that the socket belongs to.
        client: ClientKey,
        /// Key, see [`Settings::key`].
        key: Option<&'a str>,
        /// Id that the client wants.
        id: Option<&'a str>,
        /// Name of its room; without rooms, the secret of its id.
        token: Option<&'a str>,
    },
    /// A socket sent a text message.
    Message {
        /// Sending socket.
        socket: SocketId,
        /// Result of [`Message::parse`].
        message: Result<Message<'a>, PeerJsParseError>,
    },
    /// A socket has sent something after [`Output::Probe`].
    ProbeAnswered {
        /// The socket.
        socket: SocketId,
    },
    /// A socket closed, from either side.
    Closed {
        /// The socket.
        socket: SocketId,
        /// Set if the client closed the socket; not set if the connection was lost.
        goodbye: bool,
    },
    /// The time of [`PeerJsBroker::poll_timeout`](super::PeerJsBroker::poll_timeout) has come.
    Timeout,
}

/// Output of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send [`OPEN`](super::OPEN) to a socket: it has its id.
    Open {
        /// The socket.
        socket: SocketId,
    },
    /// Send a text message.
    Send {
        /// Receiving socket.
        socket: SocketId,
        /// The message.
        text: String,
    },
    /// Tell a socket the reason of a refusal and close it. The broker has forgotten it and needs no
    /// [`Input::Closed`] for it.
    Refuse {
        /// The socket.
        socket: SocketId,
        /// Reason.
        refusal: PeerJsRefusal,
    },
    /// Close a socket after the messages sent before. The broker has forgotten it and needs no
    /// [`Input::Closed`] for it.
    Close {
        /// The socket.
        socket: SocketId,
        /// Close code, see [`protocol::signaling::close`].
        code: u16,
        /// Reason for the log and the developer tools.
        reason: &'static str,
    },
    /// Send a ping to a socket, to be followed by [`Input::ProbeAnswered`] if it answers.
    Probe {
        /// The socket.
        socket: SocketId,
    },
}

/// Reason for which a socket does not get its id. The texts of the first four and of
/// [`PeerJsRefusal::ServerFull`] are upstream's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PeerJsRefusal {
    /// The address lacks a parameter.
    #[error("No id, token, or key supplied to websocket server")]
    Missing,
    /// The key is not the server's.
    #[error("Invalid key provided")]
    InvalidKey,
    /// The token is too long.
    #[error("Invalid token provided")]
    InvalidToken,
    /// Another peer has the id.
    #[error("ID is taken")]
    IdTaken,
    /// The id is too long or does not match the clients' pattern.
    #[error("Invalid id provided")]
    InvalidId,
    /// The server has its maximum number of peers.
    #[error("Server has reached its concurrent user limit")]
    ServerFull,
    /// The room has its maximum number of peers.
    #[error("Room is full")]
    RoomFull,
}

/// Numbers of this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rooms with peers, or with peers that may return.
    pub rooms: usize,
    /// Connected peers.
    pub peers: usize,
    /// Peers that lost their socket and may return.
    pub away: usize,
    /// Sockets that claim an id whose socket is being probed.
    pub claims: usize,
    /// Pairs of a sender and an absent receiver with queued messages.
    pub pairs: usize,
    /// Bytes of the queued messages.
    pub queued_bytes: u64,
}

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Forwarded messages, including those that were queued before.
    pub relayed: u64,
    /// Bytes of the forwarded messages.
    pub relayed_bytes: u64,
    /// Queued messages that expired.
    pub expired: u64,
    /// Messages dropped because a queue limit was reached.
    pub queue_full: u64,
    /// Ignored messages that could not be parsed, or that had no possible receiver.
    pub malformed: u64,
    /// Ignored messages of an unknown type.
    pub unknown_type: u64,
    /// Ignored messages of sockets that had no id yet.
    pub not_open: u64,
}
