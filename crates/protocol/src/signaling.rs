//! Messages between a rider's page and the server on the signaling socket, as JSON text.
//!
//! - [`ClientMessage`] and [`ServerMessage`]: the two directions.
//! - [`HostCommand`]: requests that only the host may make.
//! - [`Signal`]: SDP and ICE candidates for another rider's page.
//! - [`RoomSnapshot`]: a page's knowledge of the room, for a server that lost its memory.
//! - [`Report`]: how a page reaches the others.
//! - [`ErrorCode`]: reasons for refusals, with a sentence each.
//!
//! All text from outside is parsed by [`ClientMessage::parse`] or [`ServerMessage::parse`], which
//! bound its size, its lists and its strings. Unknown fields are ignored, so that fields can be
//! added. Binary messages of the same socket are relayed frames: see [`crate::frame`].

mod command;
mod direct;
mod error;
mod fields;
mod limits;
mod outcome;
mod report;
mod snapshot;
mod welcome;

pub use command::HostCommand;
pub use direct::{BundlePolicy, DirectLinkSettings};
pub use error::ErrorCode;
pub use limits::{
    MAX_BANS, MAX_CANDIDATES, MAX_ELECTIONS, MAX_HOST_TERMS, MAX_ICE_SERVERS, MAX_ICE_TEXT,
    MAX_MEMBERS, MAX_MESSAGE_BYTES, MAX_OTHER_MEMBERS, MAX_REASON, MAX_RIDERS, MAX_TUNNEL_ORIGIN,
    ParseError,
};
pub use outcome::{AttemptOutcome, CandidateType, OutcomeCount};
pub use report::{LinkReport, Report};
pub use snapshot::{RestoredRoom, RoomSnapshot};
pub use welcome::{HostTerm, IceServer, Limits, Member, Welcome};

use serde::{Deserialize, Serialize};

use crate::peer::{Incarnation, MemberRole, PeerId, PublicKeys, Token};

/// Version of these messages that this crate speaks.
pub const VERSION: u32 = 2;

/// Close codes of the signaling socket. Codes from 4000 are this protocol's own; the others are
/// those of RFC 6455, section 7.4.1.
pub mod close {
    /// Join refused; the error message sent before gives the reason.
    pub const REFUSED: u16 = 4000;
    /// Another page took over this rider's identity. The closed page does not reconnect.
    pub const REPLACED: u16 = 4001;
    /// The same page opened a newer socket.
    pub const SUPERSEDED: u16 = 4002;
    /// The host kicked the rider. The closed page does not reconnect to this ride.
    pub const KICKED: u16 = 4003;
    /// The host ended the ride for everyone.
    pub const ENDED: u16 = 4004;
    /// The socket was silent for longer than the server's timeout.
    pub const SILENT: u16 = 4005;
    /// The rider left.
    pub const LEFT: u16 = 1000;
    /// A message could not be parsed.
    pub const MALFORMED: u16 = 1007;
    /// A message was not allowed.
    pub const POLICY: u16 = 1008;
    /// A message was too large.
    pub const TOO_LARGE: u16 = 1009;
}

/// Message from a rider's page to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ClientMessage {
    /// First message on every socket. All others are refused before it.
    Hello(Hello),
    /// WebRTC signal for another rider's page.
    Signal {
        /// Receiving rider.
        to: PeerId,
        /// Page load of the receiver that is meant; dropped when it has a newer one.
        incarnation: Incarnation,
        /// Signal to deliver.
        signal: Signal,
    },
    /// Liveness check of the socket, answered by [`ServerMessage::Pong`].
    Ping,
    /// Leaves the ride at once.
    Leave,
    /// State of the page's links, sent after a change, at most once a second.
    Report(Report),
    /// Command of the host, or of the first host for [`HostCommand::Reclaim`].
    #[serde(untagged)]
    Command(HostCommand),
}

/// Introduction of a page to the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// [`VERSION`] of the page.
    pub version: u32,
    /// Public keys of the page.
    pub keys: PublicKeys,
    /// Role in which a new member joins. A resumed member keeps its role.
    #[serde(default, skip_serializing_if = "MemberRole::is_rider")]
    pub role: MemberRole,
    /// Present to resume as a member that the room knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
    /// The page's knowledge of the room, for a server that lost its memory. It is considered only
    /// beside a valid token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Box<RoomSnapshot>>,
}

/// Proof of being a member that the room knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// Member to resume as.
    pub peer: PeerId,
    /// Token from the welcome.
    pub token: Token,
    /// Present when the same page opens a new socket: the incarnation stays. Absent after a reload:
    /// the server assigns a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Incarnation>,
}

/// WebRTC signal from one rider's page to another's. The server does not look inside.
///
/// `attempt` counts the connections that the two pages have tried. A higher one replaces the
/// connection; signals of a lower one are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    try_from = "fields::SignalFields"
)]
pub enum Signal {
    /// SDP offer.
    Offer {
        /// Number of the connection attempt.
        attempt: u32,
        /// Session description.
        sdp: String,
    },
    /// SDP answer to the newest offer.
    Answer {
        /// Number of the connection attempt.
        attempt: u32,
        /// Session description.
        sdp: String,
    },
    /// ICE candidates, several at a time.
    Candidates {
        /// Number of the connection attempt.
        attempt: u32,
        /// Candidates, each a JSON-encoded `RTCIceCandidateInit`.
        candidates: Vec<String>,
    },
}

/// Message from the server to a rider's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ServerMessage {
    /// Answer to a hello that was accepted.
    Welcome(Box<Welcome>),
    /// A member joined, for the first time or after its grace period had expired.
    Joined {
        /// The new member.
        member: Member,
    },
    /// A member lost its socket. It may return within the grace period.
    Away {
        /// The member.
        peer: PeerId,
    },
    /// A member has a socket again, on the same page or a newer one.
    Returned {
        /// The member with its current incarnation.
        member: Member,
    },
    /// A member is no longer in the ride.
    Left {
        /// The member.
        peer: PeerId,
        /// Reason.
        reason: LeftReason,
    },
    /// A new host term begins.
    Host {
        /// The new term.
        term: HostTerm,
        /// Rider who may reclaim the host role.
        first_host: PeerId,
        /// Token of the term, signed by the server. Pages keep the newest one and present it to a
        /// server that lost its memory. Absent while a server is not sure of the host after that.
        #[serde(skip_serializing_if = "Option::is_none")]
        host_token: Option<Token>,
    },
    /// The lock of the ride changed: a locked ride admits no new members.
    Locked {
        /// State of the lock.
        locked: bool,
    },
    /// A rider was banned. Pages keep the ban token and present it to a server that lost its
    /// memory.
    Banned {
        /// Ban token, signed by the server.
        token: Token,
    },
    /// This rider was kicked and may not return; the socket closes.
    Kicked {
        /// Reason in the host's words; may be empty.
        reason: String,
    },
    /// The host ended the ride for everyone; the socket closes.
    Ended,
    /// A server that had lost its memory has restored the room.
    Restored(Box<RestoredRoom>),
    /// WebRTC signal from another rider's page. The server sets the sender.
    Signal {
        /// Sending rider.
        from: PeerId,
        /// Page load of the sender.
        incarnation: Incarnation,
        /// The signal.
        signal: Signal,
    },
    /// A request was refused.
    Error {
        /// Reason.
        code: ErrorCode,
        /// The reason as a sentence for the rider.
        message: String,
    },
    /// Another page took over this identity; the socket closes.
    Replaced,
    /// The server shuts down or restarts; the socket closes.
    Closing {
        /// Time to wait before reconnecting, in milliseconds.
        retry_after_ms: u32,
    },
    /// Answer to [`ClientMessage::Ping`].
    Pong,
}

/// Reason why a member is no longer in the ride.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftReason {
    /// The member left.
    Left,
    /// The grace period expired.
    Gone,
    /// The host kicked the member.
    Kicked,
}

impl LeftReason {
    /// Name in messages.
    fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Gone => "gone",
            Self::Kicked => "kicked",
        }
    }
}

impl ClientMessage {
    /// Parses a text message from a rider's page.
    ///
    /// # Errors
    /// [`ParseError`] when it is over 64 KiB, is not one of these messages, or holds a list or a
    /// string longer than allowed.
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
    /// Error message with the sentence of its code.
    pub fn error(code: ErrorCode) -> Self {
        Self::Error {
            code,
            message: code.message().to_owned(),
        }
    }

    /// Parses a text message from the server.
    ///
    /// # Errors
    /// [`ParseError`] when it is over 64 KiB, is not one of these messages, or holds a list or a
    /// string longer than allowed.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let message = fields::parse_server(text)?;
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
