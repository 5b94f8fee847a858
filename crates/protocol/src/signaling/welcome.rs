use serde::{Deserialize, Serialize};

use super::DirectLinkSettings;
use crate::peer::{Incarnation, MemberRole, PeerId, PeerNumber, PublicKeys, Token};

/// Answer to a hello that was accepted: everything that a page needs to take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// [`VERSION`](super::VERSION) of the server.
    pub version: u32,
    /// Id of the receiving member.
    pub peer: PeerId,
    /// Number of the receiving member.
    pub number: PeerNumber,
    /// Page load of the receiving member.
    pub incarnation: Incarnation,
    /// Secret with which the page resumes as this member.
    pub token: Token,
    /// Role of the receiving member.
    #[serde(default, skip_serializing_if = "MemberRole::is_rider")]
    pub role: MemberRole,
    /// The host. Absent while the ride has no rider, and while a server that lost its memory collects
    /// snapshots: members keep their own knowledge until
    /// [`ServerMessage::Restored`](super::ServerMessage::Restored).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<PeerId>,
    /// Rider who may reclaim the host role; absent when `host` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_host: Option<PeerId>,
    /// Set while the ride is locked.
    #[serde(default)]
    pub locked: bool,
    /// Ban tokens, see [`ServerMessage::Banned`](super::ServerMessage::Banned).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bans: Vec<Token>,
    /// Current epoch, counted from 1; 0 before the first rider joined.
    pub epoch: u32,
    /// The newest host terms, oldest first, at most [`MAX_HOST_TERMS`](super::MAX_HOST_TERMS).
    pub hosts: Vec<HostTerm>,
    /// Token of the current term, see [`ServerMessage::Host`](super::ServerMessage::Host).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_token: Option<Token>,
    /// The other members, by number.
    pub members: Vec<Member>,
    /// ICE servers for `RTCPeerConnection`.
    pub ice_servers: Vec<IceServer>,
    /// The server's wall clock, in milliseconds since the Unix epoch.
    pub server_time: u64,
    /// Limits that the server enforces.
    pub limits: Limits,
    /// Set if direct links are allowed.
    pub p2p: bool,
    /// Settings for making direct links.
    #[serde(default)]
    pub direct: DirectLinkSettings,
    /// Origins of tunnels, such as `https://*.tunnel.example`, see
    /// [`TunnelOrigin`](crate::tunnel_origin::TunnelOrigin); absent if the server has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tunnel_origin: Option<String>,
}

impl Welcome {
    /// Returns `true` if the receiving member is the host.
    pub fn is_host(&self) -> bool {
        self.host.as_ref() == Some(&self.peer)
    }
}

/// A member of the ride as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Id.
    pub peer: PeerId,
    /// Number; the lowest is the longest present.
    pub number: PeerNumber,
    /// Current page load.
    pub incarnation: Incarnation,
    /// Role.
    #[serde(default, skip_serializing_if = "MemberRole::is_rider")]
    pub role: MemberRole,
    /// Set while its socket is lost, during the grace period.
    pub away: bool,
    /// Public keys.
    pub keys: PublicKeys,
}

/// Term of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostTerm {
    /// Epoch, counted from 1; a higher one supersedes.
    pub epoch: u32,
    /// The host.
    pub peer: PeerId,
    /// Ed25519 key that signs the timeline's events of this epoch, as 64 hexadecimal digits.
    #[serde(with = "crate::peer::hex")]
    pub sign_key: [u8; 32],
}

/// STUN or TURN server, with the fields of `RTCIceServer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IceServer {
    /// `stun:`, `turn:` or `turns:` URLs.
    pub urls: Vec<String>,
    /// User name, for TURN only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Password, for TURN only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Limits that the server enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Largest socket message, in bytes.
    pub max_message_bytes: u32,
    /// Largest number of riders in one ride. Members of other roles do not count.
    pub max_riders: u32,
    /// Number of riders, those with the lowest numbers, that have direct links with each other.
    pub max_direct: u32,
    /// Grace period for a member that lost its socket, in milliseconds.
    pub grace_ms: u32,
    /// Bytes that the server relays for one rider per second; absent means unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay_bytes_per_second: Option<u32>,
    /// Largest file that riders send each other, in bytes. The server sees no file; pages keep to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_bytes: Option<u32>,
    /// Largest number of riders who show their camera at a time. The server sees no pictures; pages
    /// keep to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cameras: Option<u8>,
}
