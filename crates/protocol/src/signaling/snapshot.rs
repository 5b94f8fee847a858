use serde::{Deserialize, Serialize};

use super::{HostTerm, Member};
use crate::{
    election::Election,
    peer::{PeerId, Token},
};

/// A page's knowledge of its room, from which a server that lost its memory restores the room. A
/// server that still has the room ignores it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomSnapshot {
    /// Host terms, oldest first; the last one names the host.
    pub hosts: Vec<HostTerm>,
    /// Newest token of a host term, signed by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_token: Option<Token>,
    /// Rider who may reclaim the host role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_host: Option<PeerId>,
    /// The other members.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Ban tokens, signed by the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bans: Vec<Token>,
    /// Set while the ride is locked.
    #[serde(default)]
    pub locked: bool,
    /// Elections that took place while the server was unreachable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elections: Vec<Election>,
}

/// Result of restoring a room from the snapshots of its riders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoredRoom {
    /// Host terms, oldest first; the last one names the host.
    pub hosts: Vec<HostTerm>,
    /// Token of the last term, if the server has evidence for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_token: Option<Token>,
    /// Rider who may reclaim the host role.
    pub first_host: PeerId,
    /// Set while the ride is locked.
    pub locked: bool,
}
