//! What counters are told apart by.

use protocol::peer::DeliveryClass;
use protocol::signaling::ErrorCode;
use rooms::{peerjs, simple_peer};

use crate::limits::Full;

/// An enum whose values have names, and a list of them in their order.
macro_rules! named {
    ($(#[$about:meta])* $type:ident { $($(#[$doc:meta])* $value:ident = $name:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type { $($(#[$doc])* $value,)* }

        impl $type {
            /// All of them, in order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$value),*];

            /// Its name in labels, JSON and the log.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name,)* }
            }
        }
    };
}

named! {
    /// The dialects.
    DialectName {
        /// The app's own, at `/ws/{code}`.
        App = "app",
        /// That of PeerJS, at `/peerjs`.
        PeerJs = "peerjs",
        /// That of simple-peer, at `/signal/{code}`.
        SimplePeer = "simple-peer",
    }
}

named! {
    /// What is handed on: signaling, or a relayed frame of some class.
    Traffic {
        /// To build a direct link.
        Signal = "signal",
        /// Frames that must come, soon.
        Control = "control",
        /// Frames of which only the newest counts.
        Telemetry = "telemetry",
        /// Frames that must come, some time.
        Bulk = "bulk",
    }
}

named! {
    /// Why something was refused.
    Reason {
        /// No room has this code.
        NoSuchRide = "no-such-ride",
        /// The room takes nobody else.
        RideFull = "ride-full",
        /// The room's host lets nobody else in.
        RideLocked = "ride-locked",
        /// Somebody else has the id.
        IdTaken = "id-taken",
        /// A key, a code, an id or a token that is none.
        BadAddress = "bad-address",
        /// The proof of being somebody is none.
        BadToken = "bad-token",
        /// What came cannot be read, or makes no sense there.
        BadMessage = "bad-message",
        /// What came is over the limit.
        TooLarge = "too-large",
        /// The page is of another version.
        UnsupportedVersion = "unsupported-version",
        /// Somebody who is not host asked for what only the host may do.
        NotHost = "not-host",
        /// Somebody who is not the first host asked to take the ride back.
        NotFirstHost = "not-first-host",
        /// What the host asked for is about nobody who is there.
        NoSuchRider = "no-such-rider",
        /// The host has removed as many as may be.
        TooManyRemoved = "too-many-removed",
        /// Something else came before hello.
        NotInRide = "not-in-ride",
        /// Nothing came in time.
        NoHello = "no-hello",
        /// One peer said too much too fast.
        MessageRate = "message-rate",
        /// One address, or all together, tried too many codes.
        JoinRate = "join-rate",
        /// One address started too many rides.
        StartRate = "start-rate",
        /// One address has too many sockets.
        SocketsPerAddress = "sockets-per-address",
        /// The server has.
        Sockets = "sockets",
        /// One address has too many connections.
        ConnectionsPerAddress = "connections-per-address",
        /// The server has.
        Connections = "connections",
        /// A request's head did not come in time.
        SlowRequest = "slow-request",
        /// A reader was too slow for its queue.
        SlowReader = "slow-reader",
        /// The server has as many rooms as it takes.
        ServerFull = "server-full",
        /// The server is about to stop.
        Draining = "draining",
        /// The page is of another origin.
        ForeignOrigin = "foreign-origin",
        /// What was asked for is not for everybody.
        Forbidden = "forbidden",
        /// Something else that a dialect refuses.
        Other = "other",
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

impl From<ErrorCode> for Reason {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::NoSuchRide => Self::NoSuchRide,
            ErrorCode::RideFull => Self::RideFull,
            ErrorCode::RideLocked => Self::RideLocked,
            ErrorCode::BadToken => Self::BadToken,
            ErrorCode::BadMessage => Self::BadMessage,
            ErrorCode::TooLarge => Self::TooLarge,
            ErrorCode::UnsupportedVersion => Self::UnsupportedVersion,
            ErrorCode::NotInRide => Self::NotInRide,
            ErrorCode::RateLimited => Self::MessageRate,
            ErrorCode::TooManyRides => Self::ServerFull,
            ErrorCode::NotHost => Self::NotHost,
            ErrorCode::NotFirstHost => Self::NotFirstHost,
            ErrorCode::NoSuchRider => Self::NoSuchRider,
            ErrorCode::TooManyBans => Self::TooManyRemoved,
            ErrorCode::Unknown => Self::Other,
        }
    }
}

impl From<peerjs::Refusal> for Reason {
    fn from(refusal: peerjs::Refusal) -> Self {
        use peerjs::Refusal as Why;
        match refusal {
            Why::Missing | Why::InvalidKey | Why::InvalidToken | Why::InvalidId => Self::BadAddress,
            Why::IdTaken => Self::IdTaken,
            Why::ServerFull => Self::ServerFull,
            Why::RoomFull => Self::RideFull,
        }
    }
}

impl From<simple_peer::Refusal> for Reason {
    fn from(refusal: simple_peer::Refusal) -> Self {
        use simple_peer::Refusal as Why;
        match refusal {
            Why::BadCode => Self::BadAddress,
            Why::RoomFull => Self::RideFull,
            Why::ServerFull => Self::ServerFull,
        }
    }
}

impl Reason {
    /// Why no other socket is taken.
    pub fn of_sockets(full: Full) -> Self {
        match full {
            Full::Address => Self::SocketsPerAddress,
            Full::Server => Self::Sockets,
        }
    }

    /// Why no other connection is taken.
    pub fn of_connections(full: Full) -> Self {
        match full {
            Full::Address => Self::ConnectionsPerAddress,
            Full::Server => Self::Connections,
        }
    }
}
