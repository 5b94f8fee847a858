use protocol::{
    peer::DeliveryClass,
    signaling::{DirectLinkSettings, IceServer},
};

/// What a session description is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SdpKind {
    /// Opens a negotiation.
    Offer,
    /// Closes it.
    Answer,
}

/// What a connection is told to do. The driver does the commands of one
/// connection strictly one after the other, each to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RtcCommand {
    /// Make the `RTCPeerConnection` and its three data channels, negotiated by
    /// id: 0 control (ordered), 1 telemetry (unordered, `maxRetransmits` 0),
    /// 2 bulk (ordered); `binaryType` is `arraybuffer`.
    Open {
        /// For its configuration.
        ice_servers: Vec<IceServer>,
        /// The bundle policy and candidate pool of its configuration.
        direct: DirectLinkSettings,
    },
    /// `createOffer` and `setLocalDescription`; answered by
    /// [`RtcEvent::LocalDescription`].
    CreateOffer {
        /// Whether the network paths are looked for anew.
        ice_restart: bool,
    },
    /// `setRemoteDescription`. An offer is answered by the driver itself with
    /// `setLocalDescription` and told by [`RtcEvent::LocalDescription`]; an own
    /// offer under way is rolled back by the browser.
    SetRemote {
        /// Offer or answer.
        kind: SdpKind,
        /// The session description.
        sdp: String,
    },
    /// `addIceCandidate`; failures are swallowed, as perfect negotiation has it.
    AddCandidate(String),
    /// Send on a data channel.
    Send {
        /// Which channel.
        class: DeliveryClass,
        /// What.
        bytes: Vec<u8>,
    },
    /// Close and forget the connection; no event of it is wanted any more.
    Close,
}

/// What happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RtcEvent {
    /// A local description is set and is to be sent.
    LocalDescription {
        /// Offer or answer.
        kind: SdpKind,
        /// The session description.
        sdp: String,
    },
    /// A local candidate, a JSON-encoded `RTCIceCandidateInit`.
    Candidate(String),
    /// A data channel is open.
    Opened(DeliveryClass),
    /// A data channel is closed.
    Closed(DeliveryClass),
    /// A data channel's message.
    Frame {
        /// Which channel.
        class: DeliveryClass,
        /// What came.
        bytes: Vec<u8>,
    },
    /// A data channel's `bufferedAmount`: told after a send that leaves it
    /// above its [`low_watermark`](super::low_watermark), and whenever it falls
    /// to that (`bufferedAmountLowThreshold`), which is then set anew.
    Buffered {
        /// Which channel.
        class: DeliveryClass,
        /// In bytes.
        bytes: u32,
    },
    /// `connectionState` is `failed`, or a command could not be done.
    Failed,
}
