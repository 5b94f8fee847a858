use std::time::Duration;

use super::RtcCommand;
use protocol::{
    election::Election,
    peer::{DeliveryClass, Incarnation, PeerNumber},
    signaling::{AttemptOutcome, CandidateType, Signal},
};

/// One page load of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageId {
    pub(crate) number: PeerNumber,
    pub(crate) incarnation: Incarnation,
}

/// Conditions of a link outside of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkConditions {
    /// True if both sockets are open, so that frames and signals reach the peer over the server.
    pub(crate) relay_available: bool,
    /// True if a direct connection is wanted.
    pub(crate) direct_wanted: bool,
    /// True if the server reports that the peer's socket is lost.
    pub(crate) is_away: bool,
    /// True if other members are reached without the server, so that silence is the peer's own.
    pub(crate) others_reached: bool,
    /// Time that a connection attempt may take.
    pub(crate) attempt_timeout: Duration,
}

/// Path of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// Data channels of the peer connection.
    Direct,
    /// The server.
    Relay,
}

/// Output of a link, to be carried out by the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkOutput {
    /// Open a peer connection with a number.
    Open { connection: u32 },
    /// Give a command to a peer connection.
    Rtc {
        connection: u32,
        command: RtcCommand,
    },
    /// Send a signal to the peer's page.
    Signal(Signal),
    /// Relay a frame to the peer's page.
    Relay {
        class: DeliveryClass,
        frame: Vec<u8>,
    },
    /// A payload arrived.
    Received {
        class: DeliveryClass,
        payload: Vec<u8>,
    },
    /// The payload of the peer's heartbeats changed.
    HeartbeatPayload(Vec<u8>),
    /// Votes arrived directly from the peer.
    Election(Election),
    /// An attempt is repeated on the present connection.
    AttemptRepeated,
    /// A connection became direct for the first time.
    BecameDirect,
    /// An attempt failed, with the farthest own candidate that it had.
    AttemptFailed(AttemptOutcome, Option<CandidateType>),
}
