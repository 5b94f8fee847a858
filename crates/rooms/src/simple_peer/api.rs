use std::{fmt, str::FromStr, sync::Arc};

use serde_json::Number;

use super::message;
use crate::room::SocketId;
use protocol::{peer::PeerId, signaling::close};

/// Largest number of characters in a code.
pub const MAX_CODE: usize = 64;
/// Largest number of characters in a name, as a person counts them; longer names are cut.
pub const MAX_NAME: usize = 64;
/// Largest length of a name in bytes; longer names are cut.
pub const MAX_NAME_BYTES: usize = 1_280;

/// Code of a simple-peer room: 1 to [`MAX_CODE`] characters without control characters and slashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoomCode(Arc<str>);

/// Error for a text that is not a [`RoomCode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code is 1 to {MAX_CODE} characters without slashes or control characters")]
pub struct RoomCodeError;

/// Limits of the simple-peer rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Largest number of members in a room.
    pub max_riders: u32,
    /// Largest number of rooms.
    pub max_rooms: u32,
}

/// Input of the broker.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A socket opened.
    Connect {
        /// The socket.
        socket: SocketId,
        /// Code in its address.
        code: RoomCode,
        /// Random, unique id for its client.
        fresh_peer: PeerId,
    },
    /// A socket sent a text message.
    Message {
        /// Sending socket.
        socket: SocketId,
        /// Result of [`Message::parse`](message::Message::parse).
        message: Result<message::Message<'a>, message::SimplePeerParseError>,
    },
    /// A socket closed, from either side.
    Closed {
        /// The socket.
        socket: SocketId,
    },
}

/// Output of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a text message.
    Send {
        /// Receiving socket.
        socket: SocketId,
        /// The message.
        text: Arc<str>,
    },
    /// Tell a socket the reason of a refusal and close it. The broker has forgotten it.
    Refuse {
        /// The socket.
        socket: SocketId,
        /// Reason.
        refusal: SimplePeerRefusal,
    },
}

/// Reason for which a socket is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SimplePeerRefusal {
    /// The address holds no valid code.
    #[error("That is not a code: it takes 1 to 64 characters.")]
    BadCode,
    /// The room has its maximum number of members.
    #[error("This room is full.")]
    RoomFull,
    /// The server has its maximum number of rooms.
    #[error("This server is full. Try again later.")]
    ServerFull,
}

/// Numbers of this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rooms.
    pub rooms: usize,
    /// Members of all rooms.
    pub peers: usize,
}

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Forwarded messages, each counted once for all its receivers.
    pub relayed: u64,
    /// Bytes of the forwarded messages, each counted once.
    pub relayed_bytes: u64,
    /// Ignored messages that could not be parsed.
    pub malformed: u64,
    /// Ignored messages of types that only the server sends.
    pub forged: u64,
    /// Messages dropped because the room has no such receiver.
    pub without_receiver: u64,
}

/// Rider of a client of the second generation, from its `join` message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Name, at most [`MAX_NAME`] characters and [`MAX_NAME_BYTES`] bytes.
    pub name: String,
    /// FTP as the client sent it.
    pub ftp: Option<Number>,
}

impl SimplePeerRefusal {
    /// Error message to send before the socket is closed with [`Self::close_code`].
    pub fn to_json(self) -> String {
        message::refusal(self)
    }

    /// Close code of the socket.
    pub fn close_code(self) -> u16 {
        close::REFUSED
    }
}

impl RoomCode {
    /// Text of the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoomCode {
    type Err = RoomCodeError;

    fn from_str(text: &str) -> Result<Self, RoomCodeError> {
        let fits = (1..=MAX_CODE).contains(&text.chars().count());
        let is_clean = !text.contains(|letter: char| letter.is_control() || letter == '/');
        if fits && is_clean {
            Ok(Self(text.into()))
        } else {
            Err(RoomCodeError)
        }
    }
}

impl fmt::Display for RoomCode {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}
