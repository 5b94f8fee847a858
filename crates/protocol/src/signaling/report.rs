use serde::{Deserialize, Serialize};

use super::OutcomeCount;
use crate::peer::{LinkState, PeerId};

/// State of a page's links, and counters since its last report.
///
/// The room delays the succession of a host that lost its socket while another rider reports a
/// direct link to it. Everything else feeds the server's metrics.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// All links of the page.
    pub links: Vec<LinkReport>,
    /// Number of connection attempts.
    #[serde(default)]
    pub attempts: u32,
    /// Number of links that became direct.
    #[serde(default)]
    pub successes: u32,
    /// Number of direct links that fell back to the relay or were lost.
    #[serde(default)]
    pub fallbacks: u32,
    /// Attempts that have ended, each kind once. Those that were interrupted because this page left,
    /// or lost its socket, are not among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<OutcomeCount>,
}

/// State of one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkReport {
    /// Rider at the other end.
    pub peer: PeerId,
    /// State of the link.
    pub state: LinkState,
    /// Time that the newest connection took to become direct, in milliseconds; reported once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u32>,
    /// Round trip between the two pages, in milliseconds; once a minute, of a link whose state has
    /// not changed for that long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<u32>,
}
