use serde::{Deserialize, Serialize};

/// How riders make their direct links; the same for all of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DirectLinks {
    /// How long a link may take to become direct before the attempt counts as
    /// failed, in milliseconds.
    pub timeout_ms: u32,
    /// `bundlePolicy` of the `RTCPeerConnection`.
    pub bundle_policy: BundlePolicy,
    /// `iceCandidatePoolSize` of the `RTCPeerConnection`.
    pub candidate_pool: u8,
}

impl Default for DirectLinks {
    fn default() -> Self {
        Self {
            timeout_ms: 10_000,
            bundle_policy: BundlePolicy::Balanced,
            candidate_pool: 0,
        }
    }
}

/// How many transports a connection gathers candidates for (RFC 9429, section
/// 4.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BundlePolicy {
    /// One a kind of media: the browsers' own choice.
    #[default]
    Balanced,
    /// One for everything.
    MaxBundle,
    /// One each.
    MaxCompat,
}
