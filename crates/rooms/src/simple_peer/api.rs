use std::{fmt, str::FromStr, sync::Arc};

use serde_json::Number;

use super::message;
use crate::room::SocketId;
use protocol::{peer::PeerId, signaling::close};

/// The most characters of a code.
pub const MAX_CODE: usize = 64;
/// The most characters of a name; longer ones are cut.
pub const MAX_NAME: usize = 64;

/// What people share to meet: 1 to [`MAX_CODE`] characters, none of them a
/// control character or a slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Code(Arc<str>);

/// A text is no [`Code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code is 1 to {MAX_CODE} characters without slashes or control characters")]
pub struct CodeError;

/// How much the rooms take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The most members of a room.
    pub max_riders: u32,
    /// The most rooms.
    pub max_rooms: u32,
}

/// What happens to the rooms.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A socket opened.
    Connect {
        /// Which.
        socket: SocketId,
        /// The room that it asked for.
        code: Code,
        /// Its id: unique and random.
        fresh_peer: PeerId,
    },
    /// A socket said something.
    Message {
        /// Which.
        socket: SocketId,
        /// What, or why that is nothing.
        message: Result<message::Message<'a>, message::Nonsense>,
    },
    /// A socket is gone, whoever closed it.
    Closed {
        /// Which.
        socket: SocketId,
    },
}

/// What the rooms want done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a text message.
    Send {
        /// On which socket.
        socket: SocketId,
        /// What.
        text: Arc<str>,
    },
    /// Close a socket that is not let in; the rooms do not know it.
    Refuse {
        /// Which.
        socket: SocketId,
        /// Why.
        refusal: Refusal,
    },
}

/// Why a socket is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// What it asked for is no code.
    #[error("That is not a code: it takes 1 to 64 characters.")]
    BadCode,
    /// The room has as many members as it takes.
    #[error("This room is full.")]
    RoomFull,
    /// The server has as many rooms as it takes.
    #[error("This server is full. Try again later.")]
    ServerFull,
}

/// What the rooms hold at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rooms.
    pub rooms: usize,
    /// Members of all of them.
    pub peers: usize,
}

/// What the rooms have done since they began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages passed on, each counted once however many got it.
    pub relayed: u64,
    /// Their bytes, each counted once too.
    pub relayed_bytes: u64,
    /// Messages ignored because they could not be read.
    pub malformed: u64,
    /// Messages dropped because only the server says such.
    pub forged: u64,
    /// Messages for somebody who is not in the room.
    pub nobody: u64,
}

/// What a client of the second generation says of its rider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Up to [`MAX_NAME`] characters.
    pub name: String,
    /// As the client gave it.
    pub ftp: Option<Number>,
}

impl Refusal {
    /// The message that says so before the socket is closed, with
    /// [`close::REFUSED`].
    pub fn to_json(self) -> String {
        message::refusal(self)
    }

    /// The code that the socket is closed with.
    pub fn close_code(self) -> u16 {
        close::REFUSED
    }
}

impl Code {
    /// The text of the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let fits = (1..=MAX_CODE).contains(&text.chars().count());
        let is_clean = !text.contains(|letter: char| letter.is_control() || letter == '/');
        if fits && is_clean {
            Ok(Self(text.into()))
        } else {
            Err(CodeError)
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}
