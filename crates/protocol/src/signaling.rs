//! What the app and the server say to each other over the signaling socket,
//! as JSON text.
//!
//! - [`ClientMessage`] and [`ServerMessage`]: the two directions.
//! - [`Signal`]: what two riders' browsers tell each other through the server
//!   to build a direct link. The server does not look inside.
//! - [`Restore`]: what a page knows of the ride, for a server that lost its
//!   memory; [`Report`]: how a page reaches the others.
//! - [`ErrorCode`]: what can go wrong, with a sentence each.
//!
//! Law: every text from outside is parsed by [`ClientMessage::parse`] or
//! [`ServerMessage::parse`], which bound its size, its lists and its strings;
//! unknown fields are ignored, so that a field can be added later.
//!
//! Binary messages of the same socket are relayed frames: see [`crate::frame`].

mod direct;
mod error;
mod limits;
mod report;
mod restore;
mod welcome;

pub use direct::{BundlePolicy, DirectLinks};
pub use error::ErrorCode;
pub use limits::{
    MAX_BARRED, MAX_CANDIDATES, MAX_ELECTIONS, MAX_HOST_TERMS, MAX_MESSAGE_BYTES, MAX_REASON,
    MAX_RIDERS, ParseError,
};
pub use report::{LinkReport, Report};
pub use restore::{Restore, Restored};
pub use welcome::{HostTerm, IceServer, Limits, Member, Welcome};

use serde::{Deserialize, Serialize};

use crate::peer::{Incarnation, PeerId, PublicKeys, Token};

/// The version of these messages that this crate speaks.
pub const VERSION: u32 = 1;

/// Close codes of the signaling socket that are this protocol's own.
pub mod close {
    /// The ride was refused; the error that came before says why.
    pub const REFUSED: u16 = 4000;
    /// Another page took this identity over; do not connect again.
    pub const REPLACED: u16 = 4001;
    /// The same page came back on a newer socket.
    pub const SUPERSEDED: u16 = 4002;
    /// The host removed the rider; do not connect to this ride again.
    pub const KICKED: u16 = 4003;
    /// The host ended the ride for all.
    pub const ENDED: u16 = 4004;
    /// The socket said nothing for too long.
    pub const SILENT: u16 = 4005;
    /// The rider left.
    pub const LEFT: u16 = 1000;
    /// The bytes do not say anything (RFC 6455).
    pub const MALFORMED: u16 = 1007;
    /// Not allowed to say this (RFC 6455).
    pub const POLICY: u16 = 1008;
    /// Too large (RFC 6455).
    pub const TOO_LARGE: u16 = 1009;
}

/// From a rider's page to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ClientMessage {
    /// First of all: who I am. Everything else needs it.
    Hello(Hello),
    /// To be handed to another rider's page.
    Signal {
        /// The rider meant.
        to: PeerId,
        /// Its page load; dropped when it has a newer one.
        incarnation: Incarnation,
        /// What to hand over.
        signal: Signal,
    },
    /// Is this socket alive? Answered by [`ServerMessage::Pong`].
    Ping,
    /// I leave, at once and of my own will.
    Leave,
    /// How I reach the others, when that changed, once a second at most.
    Report(Report),
    /// As host: remove a rider, who may not come back to this ride.
    Kick {
        /// Who.
        peer: PeerId,
        /// Why, for that rider to read; [`MAX_REASON`] bytes at most.
        reason: String,
    },
    /// As host: let nobody new in.
    Lock,
    /// As host: let everybody in again.
    Unlock,
    /// As host: make a rider who is connected the host, for good.
    HandOver {
        /// Whom.
        to: PeerId,
    },
    /// As host: end the ride for everybody.
    End,
    /// As the first host, back in the ride: be host again.
    Reclaim,
}

/// The first message on every socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// [`VERSION`] of the page.
    pub version: u32,
    /// The page's public keys.
    pub keys: PublicKeys,
    /// Present to be the same rider again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
    /// What the page knows of the ride; counts only beside a good token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<Box<Restore>>,
}

/// The proof of being a rider the room knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// Who.
    pub peer: PeerId,
    /// The token that the welcome gave.
    pub token: Token,
    /// Present: the same page with a new socket, which keeps its incarnation.
    /// Absent: a reloaded page, which gets a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Incarnation>,
}

/// From one rider's page to another's, to build a direct link.
///
/// `attempt` counts the connections that the two pages have tried: a higher
/// one replaces the connection, signals of a lower one are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Signal {
    /// An SDP offer.
    Offer {
        /// Which connection of the pair.
        attempt: u32,
        /// The session description.
        sdp: String,
    },
    /// The SDP answer to the newest offer.
    Answer {
        /// Which connection of the pair.
        attempt: u32,
        /// The session description.
        sdp: String,
    },
    /// ICE candidates, several at a time.
    Candidates {
        /// Which connection of the pair.
        attempt: u32,
        /// Each a JSON-encoded `RTCIceCandidateInit`, not looked into.
        candidates: Vec<String>,
    },
}

/// From the server to a rider's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ServerMessage {
    /// The answer to hello: you are in.
    Welcome(Box<Welcome>),
    /// Somebody new, or back after the grace.
    Joined {
        /// Who.
        member: Member,
    },
    /// A rider's socket is lost; it may come back within the grace.
    Away {
        /// Who.
        peer: PeerId,
    },
    /// A rider has a socket again, on the same page or a newer one.
    Returned {
        /// Who, with the incarnation it has now.
        member: Member,
    },
    /// A rider is no longer in the ride.
    Left {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: LeftReason,
    },
    /// From now on this is the host.
    Host {
        /// The new term.
        term: HostTerm,
        /// Who may take the ride back.
        first_host: PeerId,
    },
    /// The ride lets nobody new in, or everybody again.
    Locked {
        /// Which.
        locked: bool,
    },
    /// A rider was removed. Keep the note: with it a server that lost its
    /// memory knows that this rider may not come back.
    Barred {
        /// Who may not come back, signed by the server.
        note: Token,
    },
    /// You were removed from the ride and may not come back; the socket closes.
    Kicked {
        /// Why, in the host's words; may be empty.
        reason: String,
    },
    /// The host ended the ride for everybody; the socket closes.
    Ended,
    /// The server, which had lost its memory, knows the ride again.
    Restored(Box<Restored>),
    /// From another rider's page. The server sets the sender.
    Signal {
        /// Who said it.
        from: PeerId,
        /// The sender's page load.
        incarnation: Incarnation,
        /// What.
        signal: Signal,
    },
    /// Something was refused; the code says what and whether to try again.
    Error {
        /// What.
        code: ErrorCode,
        /// The same as a sentence.
        message: String,
    },
    /// Another page took this identity over; the socket closes.
    Replaced,
    /// The server goes down or restarts; come back later.
    Closing {
        /// How long to wait, in milliseconds.
        retry_after_ms: u32,
    },
    /// The answer to [`ClientMessage::Ping`].
    Pong,
}

/// Why a rider is no longer in the ride.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftReason {
    /// It said so.
    Left,
    /// It was away for longer than the grace.
    Gone,
    /// The host removed it.
    Removed,
}

impl ClientMessage {
    /// Reads a text message from a rider's page.
    ///
    /// # Errors
    /// [`ParseError`] when it is over 64 KiB, is not one of these messages,
    /// or holds a list or a string longer than allowed.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let message: Self = limits::from_json(text)?;
        limits::check_client(&message)?;
        Ok(message)
    }

    /// The message as JSON.
    pub fn to_json(&self) -> String {
        limits::to_json(self)
    }
}

impl ServerMessage {
    /// An error with its own sentence.
    pub fn error(code: ErrorCode) -> Self {
        Self::Error {
            code,
            message: code.message().to_owned(),
        }
    }

    /// Reads a text message from the server.
    ///
    /// # Errors
    /// [`ParseError`] when it is over 64 KiB, is not one of these messages,
    /// or holds a list or a string longer than allowed.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let message: Self = limits::from_json(text)?;
        limits::check_server(&message)?;
        Ok(message)
    }

    /// The message as JSON.
    pub fn to_json(&self) -> String {
        limits::to_json(self)
    }
}

#[cfg(test)]
mod tests;
