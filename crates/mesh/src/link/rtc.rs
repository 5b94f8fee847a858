use protocol::{
    peer::DeliveryClass,
    signaling::{DirectLinkSettings, IceServer},
};

/// Type of a session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdpKind {
    /// Starts a negotiation.
    Offer,
    /// Completes a negotiation.
    Answer,
}

/// Command to a peer connection. The driver carries out the commands of one connection strictly one
/// after the other, each to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RtcCommand {
    /// Create the `RTCPeerConnection` and its three data channels, negotiated by id: 0 control
    /// (ordered), 1 telemetry (unordered, `maxRetransmits` 0), 2 bulk (ordered). `binaryType` is
    /// `arraybuffer`.
    Open {
        /// `iceServers` of its configuration.
        ice_servers: Vec<IceServer>,
        /// Bundle policy and candidate pool of its configuration.
        direct: DirectLinkSettings,
    },
    /// `createOffer` and `setLocalDescription`, answered by [`RtcEvent::LocalDescription`].
    CreateOffer {
        /// True to restart ICE, which searches for network paths anew.
        ice_restart: bool,
    },
    /// `setRemoteDescription`. The driver answers an offer with `setLocalDescription` and reports
    /// it by [`RtcEvent::LocalDescription`]; the browser rolls back an own offer in progress.
    SetRemote {
        /// Offer or answer.
        kind: SdpKind,
        /// Session description.
        sdp: String,
    },
    /// `addIceCandidate`. Failures are ignored, as in perfect negotiation (WebRTC, section 10.7).
    AddCandidate(String),
    /// Send a message on a data channel.
    Send {
        /// Channel.
        class: DeliveryClass,
        /// Message.
        bytes: Vec<u8>,
    },
    /// Close and forget the connection; its further events are not wanted.
    Close,
}

/// Event of a peer connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RtcEvent {
    /// A local description was set and is to be sent.
    LocalDescription {
        /// Offer or answer.
        kind: SdpKind,
        /// Session description.
        sdp: String,
    },
    /// A local candidate was found, a JSON-encoded `RTCIceCandidateInit`.
    Candidate(String),
    /// A data channel opened.
    Opened(DeliveryClass),
    /// A data channel closed.
    Closed(DeliveryClass),
    /// A message arrived on a data channel.
    Frame {
        /// Channel.
        class: DeliveryClass,
        /// Message.
        bytes: Vec<u8>,
    },
    /// `bufferedAmount` of a data channel: reported after a send that leaves it above its
    /// [`low_watermark`](super::low_watermark), and whenever it falls to that
    /// (`bufferedAmountLowThreshold`), which is then set anew.
    Buffered {
        /// Channel.
        class: DeliveryClass,
        /// Buffered bytes.
        bytes: u32,
    },
    /// `connectionState` became `failed`, or a command failed.
    Failed,
}
