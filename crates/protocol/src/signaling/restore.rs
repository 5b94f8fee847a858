use serde::{Deserialize, Serialize};

use super::{HostTerm, Member};
use crate::{
    election::Election,
    peer::{PeerId, Token},
};

/// What a page knows of the ride, so that a server that lost its memory can
/// put it together again. A server that knows the ride does not look at it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restore {
    /// The terms, oldest first; the last says who is host.
    pub hosts: Vec<HostTerm>,
    /// Who may take the ride back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_host: Option<PeerId>,
    /// The others.
    #[serde(default)]
    pub members: Vec<Member>,
    /// The server's notes of who may not come back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub barred: Vec<Token>,
    /// Whether nobody new gets in.
    #[serde(default)]
    pub locked: bool,
    /// The terms that riders voted for while there was no server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elections: Vec<Election>,
}

/// What the riders' restoring came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restored {
    /// The terms, oldest first; the last says who is host.
    pub hosts: Vec<HostTerm>,
    /// Who may take the ride back.
    pub first_host: PeerId,
    /// Whether nobody new gets in.
    pub locked: bool,
}
