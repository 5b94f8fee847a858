//! Statistics for the connection panel, updated only while it is open.

use std::time::Duration;

pub use mesh::link::OutcomeCounts;
pub use protocol::signaling::{AttemptOutcome, CandidateType};

/// Statistics of the link to one rider. `None` is a value not measured yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkStats {
    /// Round-trip time.
    pub round_trip: Option<Duration>,
    /// Largest possible error of the estimate of the rider's clock.
    pub clock_error: Option<Duration>,
    /// Age of the rider's newest numbers.
    pub age: Option<Duration>,
    /// Candidates of a direct link.
    pub candidate_pair: Option<CandidatePair>,
}

/// The two ICE candidates that a direct link runs between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidatePair {
    /// This rider's candidate.
    pub local: CandidateType,
    /// The other rider's candidate.
    pub remote: CandidateType,
}

/// Possibility of direct links, and the reason where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DirectLinks {
    /// They are possible, or none has been tried yet.
    #[default]
    Possible,
    /// The browser has no WebRTC.
    NoWebRtc,
    /// The server allows none.
    NotAllowed,
    /// The browser opens no connection, for this reason.
    Blocked(String),
    /// The browser refuses STUN or TURN servers.
    ServersRefused {
        /// URLs of the refused servers.
        urls: Vec<String>,
        /// Number of entries that are used.
        used: usize,
    },
}

/// Statistics of all links together, counted since the page was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NetworkStats {
    /// Largest possible error of the estimate of group time.
    pub clock_error: Option<Duration>,
    /// Attempts to connect directly.
    pub attempts: u64,
    /// Attempts that led to a direct connection.
    pub direct_connections: u64,
    /// How attempts ended.
    pub outcomes: OutcomeCounts,
    /// Time that the newest direct connection took to open.
    pub connect_time: Option<Duration>,
    /// Direct links that fell back to the relay.
    pub fallbacks: u64,
    /// Bytes sent to riders, directly and over the relay.
    pub bytes_sent: u64,
    /// Bytes received from riders, directly and over the relay.
    pub bytes_received: u64,
    /// Messages rejected because they were forged, unreadable, or sent by a
    /// page load that is over.
    pub ignored: u64,
}
