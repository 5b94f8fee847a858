//! JSON messages on the sockets of tunnel peers and visitors.
//!
//! Binary messages of the same sockets carry frames of the multiplexer. On the visitor's socket they
//! are the frame alone; on the peer's socket the visitor's number precedes it, as four bytes, most
//! significant first.

use protocol::signaling::{IceServer, Signal};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::identity::{TokenHash, TunnelCode, TunnelKey};

/// Version of the messages and frames of tunnels.
pub const VERSION: u32 = 1;
/// Largest message on both sockets in bytes, of text and of frames with the visitor's number.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// Longest name of a tunnel in bytes.
pub const MAX_NAME: usize = 80;

/// Number of a visitor on the peer's socket. The server never assigns it twice within a socket.
pub type VisitorId = u32;

/// Message from a tunnel peer to the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum PeerMessage {
    /// First message: serves the code that belongs to this key. A newer socket with the same key
    /// replaces an older one.
    Open {
        /// [`VERSION`] of the peer.
        version: u32,
        /// Secret of the owner.
        key: TunnelKey,
        /// Hash of the token that visitors need.
        token_hash: TokenHash,
        /// Name to show, at most [`MAX_NAME`] bytes.
        name: String,
    },
    /// WebRTC signal for a visitor.
    Signal {
        /// Receiving visitor.
        visitor: VisitorId,
        /// Signal to deliver.
        signal: Signal,
    },
    /// Closes the relayed channel of a visitor.
    Close {
        /// Visitor to close.
        visitor: VisitorId,
    },
    /// Liveness check, answered by [`ToPeer::Pong`].
    Ping,
}

/// Message from the server to a tunnel peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ToPeer {
    /// Answer to [`PeerMessage::Open`].
    Opened {
        /// Code that is served.
        code: TunnelCode,
        /// Origin of the tunnel, such as `http://abcdefghij234567.localhost:3002`.
        origin: String,
        /// STUN and TURN servers.
        ice_servers: Vec<IceServer>,
    },
    /// The tunnel is not served; the socket closes.
    Refused {
        /// Machine-readable reason.
        reason: RefusedReason,
        /// Sentence to show.
        message: String,
    },
    /// A visitor has come. Its first frame is the multiplexer's hello.
    Visitor {
        /// Number of the visitor.
        visitor: VisitorId,
    },
    /// A visitor has gone.
    Gone {
        /// Number of the visitor.
        visitor: VisitorId,
    },
    /// WebRTC signal of a visitor.
    Signal {
        /// Sending visitor.
        visitor: VisitorId,
        /// Signal of the visitor.
        signal: Signal,
    },
    /// Answer to [`PeerMessage::Ping`].
    Pong,
}

/// Reason why a server does not serve a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedReason {
    /// The server has no listener for tunnels.
    Disabled,
    /// The server serves its maximum of tunnels.
    Full,
    /// The versions differ.
    Version,
    /// The message is malformed.
    Malformed,
    /// A newer socket with the same key has replaced this one.
    Replaced,
    /// The first message came too late.
    Timeout,
}

/// Message from a visitor to the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum VisitorMessage {
    /// WebRTC signal for the peer.
    Signal {
        /// Signal to deliver.
        signal: Signal,
    },
    /// Liveness check, answered by [`ToVisitor::Pong`].
    Ping,
}

/// Message from the server to a visitor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum ToVisitor {
    /// The peer is there, and a relayed channel to it is open. Sent again when the peer has come
    /// back: then the channel is a new one.
    Ready {
        /// Name of the tunnel.
        name: String,
        /// STUN and TURN servers.
        ice_servers: Vec<IceServer>,
    },
    /// The peer is not connected to the server. The relayed channel has ended.
    Offline,
    /// WebRTC signal of the peer.
    Signal {
        /// Signal of the peer.
        signal: Signal,
    },
    /// Answer to [`VisitorMessage::Ping`].
    Pong,
}

/// Parses a message of at most [`MAX_MESSAGE`] bytes; `None` if it is malformed.
pub fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    let fits = text.len() <= MAX_MESSAGE;
    fits.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Text of a message.
pub fn to_text<T: Serialize>(message: &T) -> String {
    serde_json::to_string(message).unwrap_or_default()
}

/// Frame with the number of its visitor before it.
pub fn with_visitor(visitor: VisitorId, frame: &[u8]) -> Vec<u8> {
    [&visitor.to_be_bytes(), frame].concat()
}

/// Visitor's number and frame of a binary message; `None` if it is too short.
pub fn split_visitor(message: &[u8]) -> Option<(VisitorId, &[u8])> {
    let (number, frame) = message.split_first_chunk()?;
    Some((VisitorId::from_be_bytes(*number), frame))
}
