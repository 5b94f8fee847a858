use serde::{Deserialize, Serialize};

use super::DirectLinks;
use crate::peer::{Incarnation, PeerId, PeerNumber, PublicKeys, Role, Token};

/// All a page needs to take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// [`VERSION`](super::VERSION) of the server.
    pub version: u32,
    /// Who you are.
    pub peer: PeerId,
    /// Your number.
    pub number: PeerNumber,
    /// Your page load.
    pub incarnation: Incarnation,
    /// By which you are the same rider again. Keep it, show it to nobody.
    pub token: Token,
    /// What you may do.
    pub role: Role,
    /// Who is host; absent while a server that lost its memory asks the
    /// riders, who keep to what they know until [`ServerMessage::Restored`](super::ServerMessage::Restored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<PeerId>,
    /// Who may take the ride back; absent when the host is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_host: Option<PeerId>,
    /// Whether nobody new gets in.
    #[serde(default)]
    pub locked: bool,
    /// Notes of the riders who were removed, see [`ServerMessage::Barred`](super::ServerMessage::Barred).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub barred: Vec<Token>,
    /// The host's epoch, counted from 1.
    pub epoch: u32,
    /// The terms so far, oldest first; the newest 64 at most.
    pub hosts: Vec<HostTerm>,
    /// The others, by number; never yourself.
    pub members: Vec<Member>,
    /// For `RTCPeerConnection`.
    pub ice_servers: Vec<IceServer>,
    /// The server's wall clock, in Unix milliseconds.
    pub server_time: u64,
    /// What the server accepts.
    pub limits: Limits,
    /// Whether direct links are wanted at all.
    pub p2p: bool,
    /// How direct links are made.
    #[serde(default)]
    pub direct: DirectLinks,
}

/// One rider as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Who.
    pub peer: PeerId,
    /// Its number; the lowest is the longest present.
    pub number: PeerNumber,
    /// Its page load.
    pub incarnation: Incarnation,
    /// What it may do.
    pub role: Role,
    /// Whether its socket is lost.
    pub away: bool,
    /// Its public keys.
    pub keys: PublicKeys,
}

/// One host's time in charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostTerm {
    /// Counted from 1; a higher one supersedes.
    pub epoch: u32,
    /// The host.
    pub peer: PeerId,
    /// The Ed25519 key that signs the timeline's events of this epoch, as 64
    /// hexadecimal digits.
    #[serde(with = "crate::peer::hex")]
    pub sign_key: [u8; 32],
}

/// A STUN or TURN server, as `RTCIceServer` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URLs.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// What the server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// The largest socket message, in bytes.
    pub max_message_bytes: u32,
    /// The most riders of one ride.
    pub max_riders: u32,
    /// So many riders of the lowest numbers have direct links with each other.
    pub max_direct: u32,
    /// How long a rider who lost its socket is waited for, in milliseconds.
    pub grace_ms: u32,
    /// How many bytes a rider may have relayed in a second; absent is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay_bytes_per_second: Option<u32>,
}
