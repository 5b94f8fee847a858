//! What the connection panel shows, and only while it is open.

use std::time::Duration;

/// What is known of the way to one rider.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinkFacts {
    /// There and back.
    pub round_trip: Option<Duration>,
    /// How far the rider's clock, as known here, may be off.
    pub clock_error: Option<Duration>,
    /// How old the rider's newest numbers are.
    pub age: Option<Duration>,
    /// The ends of a direct link.
    pub ends: Option<Ends>,
}

/// The candidates that a direct link runs between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The own one.
    pub local: Candidate,
    /// The other's.
    pub remote: Candidate,
}

/// Where an ICE candidate comes from (RFC 8445, section 5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// The device's own address.
    Host,
    /// The address that a STUN server saw.
    ServerReflexive,
    /// The address that the other rider saw.
    PeerReflexive,
    /// An address on a TURN server.
    Relay,
}

impl Candidate {
    /// The type by its name in the statistics (W3C WebRTC, `candidateType`).
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "host" => Some(Self::Host),
            "srflx" => Some(Self::ServerReflexive),
            "prflx" => Some(Self::PeerReflexive),
            "relay" => Some(Self::Relay),
            _ => None,
        }
    }

    /// Its name in the statistics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
        }
    }
}

/// What is known of all links together, since the page was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NetworkFacts {
    /// How far group time may be off from the host's clock.
    pub clock_error: Option<Duration>,
    /// Direct connections that were tried.
    pub attempts: u64,
    /// Links that became direct.
    pub directs: u64,
    /// How long the newest one took to.
    pub connect_time: Option<Duration>,
    /// Direct links that went back to the relay.
    pub fallbacks: u64,
    /// Bytes sent to riders, whatever the way.
    pub bytes_sent: u64,
    /// Bytes that came from riders.
    pub bytes_received: u64,
    /// What came and did not count: forged, unreadable, or of a page that is gone.
    pub ignored: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_named_as_the_statistics_name_them() {
        for name in ["host", "srflx", "prflx", "relay"] {
            assert_eq!(Candidate::parse(name).map(Candidate::as_str), Some(name));
        }
        assert_eq!(Candidate::parse("tcp"), None);
    }
}
