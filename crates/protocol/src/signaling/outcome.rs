use serde::{Deserialize, Serialize};

/// Type of an ICE candidate (RFC 8445, section 5.1.1), in the order of how far its path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CandidateType {
    /// An address of the device itself.
    #[serde(rename = "host")]
    Host,
    /// The device's address as the other rider saw it.
    #[serde(rename = "prflx")]
    PeerReflexive,
    /// The device's address as a STUN server saw it.
    #[serde(rename = "srflx")]
    ServerReflexive,
    /// An address allocated on a TURN server.
    #[serde(rename = "relay")]
    Relay,
}

/// Outcome of an attempt to make a link direct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AttemptOutcome {
    /// The link became direct.
    Direct,
    /// The page found no candidate, or the other one sent none.
    NoCandidates,
    /// The browser found no path between the candidates, or could not open a connection.
    ChecksFailed,
    /// The attempt took longer than allowed.
    TimedOut,
    /// The other page closed the connection, began another one, or left the ride.
    ClosedByPeer,
}

/// Number of attempts with one outcome and one type of candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeCount {
    /// The outcome.
    pub outcome: AttemptOutcome,
    /// For a direct link the farther of the two candidates that it runs between, otherwise the
    /// farthest candidate that the page had found. `None` if no type is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<CandidateType>,
    /// Number of attempts.
    pub count: u32,
}

impl CandidateType {
    /// All types, in their order.
    pub const ALL: [Self; 4] = [
        Self::Host,
        Self::PeerReflexive,
        Self::ServerReflexive,
        Self::Relay,
    ];

    /// Parses the name used in candidates (RFC 8839, section 5.1) and statistics (W3C WebRTC,
    /// `candidateType`).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Type of the first candidate in a candidate line or session description.
    pub fn of_candidate(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(" typ ")?;
        let is_named = |one: &Self| rest.starts_with(one.as_str());
        Self::ALL.into_iter().find(is_named)
    }

    /// The name used in candidates and statistics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::PeerReflexive => "prflx",
            Self::ServerReflexive => "srflx",
            Self::Relay => "relay",
        }
    }
}

impl AttemptOutcome {
    /// All outcomes.
    pub const ALL: [Self; 5] = [
        Self::Direct,
        Self::NoCandidates,
        Self::ChecksFailed,
        Self::TimedOut,
        Self::ClosedByPeer,
    ];
}

impl OutcomeCount {
    /// Largest number of different ones: of each outcome with each type of candidate or none.
    pub const MAX: usize = AttemptOutcome::ALL.len() * (CandidateType::ALL.len() + 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidate_types_have_the_names_of_the_statistics() {
        for name in ["host", "srflx", "prflx", "relay"] {
            let parsed = CandidateType::parse(name);
            assert_eq!(parsed.map(CandidateType::as_str), Some(name));
            let json = serde_json::to_string(&parsed).unwrap();
            assert_eq!(json, format!("\"{name}\""));
        }
        assert_eq!(CandidateType::parse("tcp"), None);
    }

    #[test]
    fn the_type_of_a_candidate_is_read_from_its_line() {
        let line = r#"{"candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr 0.0.0.0"}"#;
        let srflx = Some(CandidateType::ServerReflexive);
        assert_eq!(CandidateType::of_candidate(line), srflx);
        assert_eq!(CandidateType::of_candidate("candidate:1 typ tcp"), None);
        assert_eq!(CandidateType::of_candidate(r#"{"candidate":""}"#), None);
    }
}
