use serde::{Deserialize, Serialize};

use crate::peer::{LinkState, PeerId};

/// How a page reaches the others, and what it took since its last report.
///
/// The room waits for a host who lost its socket as long as somebody reaches it
/// directly; the rest is for the server's counts.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// All links of the page.
    pub links: Vec<LinkReport>,
    /// Connections that were tried.
    #[serde(default)]
    pub attempts: u32,
    /// Links that became direct.
    #[serde(default)]
    pub successes: u32,
    /// Direct links that went back to the relay, or were lost.
    #[serde(default)]
    pub fallbacks: u32,
}

/// One link of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkReport {
    /// To whom.
    pub peer: PeerId,
    /// How that rider is reached.
    pub state: LinkState,
    /// How long the newest connection took to become direct, in milliseconds;
    /// told once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u32>,
}
