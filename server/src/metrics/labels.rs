//! Label values that tell counters of the same metric apart.

use protocol::peer::DeliveryClass;

use crate::labeled_enum::labeled_enum;

labeled_enum! {
    /// Signaling dialect.
    DialectName {
        /// The app's dialect, at `/ws/{code}`.
        App = "app",
        /// The dialect of PeerJS, at `/peerjs`.
        PeerJs = "peerjs",
        /// The dialect of simple-peer, at `/signal/{code}`.
        SimplePeer = "simple-peer",
    }
}

labeled_enum! {
    /// Kind of relayed traffic: a signaling message, or a frame of one of the
    /// delivery classes.
    Traffic {
        /// Offer, answer or ICE candidates of a direct link.
        Signal = "signal",
        /// Frames with reliable delivery and low latency.
        Control = "control",
        /// Frames of which only the newest is of interest.
        Telemetry = "telemetry",
        /// Frames with reliable delivery and low priority.
        Bulk = "bulk",
    }
}

impl From<DeliveryClass> for Traffic {
    fn from(class: DeliveryClass) -> Self {
        match class {
            DeliveryClass::Control => Self::Control,
            DeliveryClass::Telemetry => Self::Telemetry,
            DeliveryClass::Bulk => Self::Bulk,
        }
    }
}
