//! Media connection to one other page: one `RTCPeerConnection` for sound and pictures, separate from
//! that of the data channels, so that its negotiation never disturbs the numbers.
//!
//! [`MediaConnection`] decides when a connection is made, restarted, replaced and closed. Its signals
//! travel as messages of the control class between the two pages, so it also works after the server
//! has gone.
//!
//! Each connection has three media sections that both sides send and receive (sound, camera, screen),
//! from its first offer on. A device that is switched on or off replaces the track of a section and
//! needs no negotiation.
//!
//! - `connection`: makes, loses, restarts and replaces the connection.
//! - `peer_connection`: one `RTCPeerConnection`, its negotiation, its limits and its state.
//! - `voice`: parameters of voice in session descriptions.

mod connection;
mod peer_connection;
mod voice;

use protocol::signaling::{IceServer, Signal};

pub use crate::link::SdpKind;
pub use connection::MediaConnection;

/// Command to a media connection. The driver carries out the commands of one connection one after
/// the other, each to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaCommand {
    /// Create the `RTCPeerConnection`. The side that makes the first offer adds the three media
    /// sections (`addTransceiver`, in the order sound, camera, screen, all `sendrecv`); the other side
    /// finds them in the offer and answers each with `sendrecv`.
    Open {
        /// `iceServers` of its configuration.
        ice_servers: Vec<IceServer>,
    },
    /// `createOffer` and `setLocalDescription`, answered by [`MediaEvent::LocalDescription`].
    CreateOffer {
        /// True to restart ICE.
        ice_restart: bool,
    },
    /// `setRemoteDescription`. The driver answers an offer with `setLocalDescription` and reports it
    /// by [`MediaEvent::LocalDescription`]; the browser rolls back an own offer in progress.
    SetRemote {
        /// Offer or answer.
        kind: SdpKind,
        /// Session description.
        sdp: String,
    },
    /// `addIceCandidate`. Failures are ignored.
    AddCandidate(String),
    /// Close and forget the connection; its further events are not wanted.
    Close,
}

/// Event of a media connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// A local description was set and is to be sent.
    LocalDescription {
        /// Offer or answer.
        kind: SdpKind,
        /// Session description.
        sdp: String,
    },
    /// A local candidate was found, a JSON-encoded `RTCIceCandidateInit`.
    Candidate(String),
    /// `connectionState` became `connected`.
    Connected,
    /// `connectionState` became `disconnected`.
    Disconnected,
    /// `connectionState` became `failed`, or a command failed.
    Failed,
}

/// Output of a [`MediaConnection`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaConnectionOutput {
    /// Send a signal to the other page, in the class control. Never while the page is not reachable.
    Signal(Signal),
    /// Give a command to a connection.
    Command {
        /// Number of the connection, from 1 in each [`MediaConnection`]. [`MediaCommand::Open`] is the
        /// first command of each number, [`MediaCommand::Close`] the last one.
        connection: u32,
        /// The command.
        command: MediaCommand,
    },
}

/// State of a [`MediaConnection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaConnectionState {
    /// There is no connection, and none is wanted.
    Closed,
    /// A connection is being made, or will be.
    Connecting,
    /// Sound and pictures flow.
    Connected,
    /// The connection has lost its network path and is being repaired.
    Interrupted,
    /// Several attempts have failed. Another one is made about once a minute.
    Unreachable,
}
