use serde::{Deserialize, Serialize};

/// Settings for making direct links, the same for all riders of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DirectLinkSettings {
    /// Timeout of one connection attempt, in milliseconds.
    pub timeout_ms: u32,
    /// `bundlePolicy` of the `RTCPeerConnection`.
    pub bundle_policy: BundlePolicy,
    /// `iceCandidatePoolSize` of the `RTCPeerConnection`.
    pub candidate_pool: u8,
}

impl Default for DirectLinkSettings {
    fn default() -> Self {
        Self {
            timeout_ms: 10_000,
            bundle_policy: BundlePolicy::Balanced,
            candidate_pool: 0,
        }
    }
}

/// Bundle policy of an `RTCPeerConnection` (RFC 9429, section 4.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BundlePolicy {
    /// One transport per kind of media: the browsers' default.
    #[default]
    Balanced,
    /// One transport for everything.
    MaxBundle,
    /// One transport per media section.
    MaxCompat,
}
