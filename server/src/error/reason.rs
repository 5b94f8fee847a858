use protocol::signaling::ErrorCode;
use rooms::peerjs::PeerJsRefusal;
use rooms::simple_peer::SimplePeerRefusal;

use crate::labeled_enum::labeled_enum;

/// Scope of a limit on concurrent connections or sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// Limit of one client address.
    Address,
    /// Limit of the whole server.
    Server,
}

labeled_enum! {
    /// Reason for which a request, a socket or a message is refused.
    RefusalReason {
        /// No ride has this code.
        NoSuchRide = "no-such-ride",
        /// The ride or room has its maximum number of members.
        RideFull = "ride-full",
        /// The host has locked the ride.
        RideLocked = "ride-locked",
        /// Another peer has the id.
        IdTaken = "id-taken",
        /// The address names an invalid key, code, id or token.
        BadAddress = "bad-address",
        /// The resume token is not valid for this rider and ride.
        BadToken = "bad-token",
        /// The message cannot be parsed, or is not allowed in this state.
        BadMessage = "bad-message",
        /// The message is larger than allowed.
        TooLarge = "too-large",
        /// The page uses another version of the protocol.
        UnsupportedVersion = "unsupported-version",
        /// A command of the host came from another rider.
        NotHost = "not-host",
        /// Only the first host may take the ride back.
        NotFirstHost = "not-first-host",
        /// The host's command names a rider who is not in the ride.
        NoSuchRider = "no-such-rider",
        /// The host has banned the maximum number of riders.
        TooManyBans = "too-many-bans",
        /// Another message came before hello.
        NotInRide = "not-in-ride",
        /// No hello came in time.
        NoHello = "no-hello",
        /// One peer exceeded its message or byte rate.
        MessageRate = "message-rate",
        /// Too many unknown codes were tried.
        JoinRate = "join-rate",
        /// One address started too many rides.
        StartRate = "start-rate",
        /// One address has its maximum number of sockets.
        SocketsPerAddress = "sockets-per-address",
        /// The server has its maximum number of sockets.
        Sockets = "sockets",
        /// One address has its maximum number of HTTP connections.
        ConnectionsPerAddress = "connections-per-address",
        /// The server has its maximum number of HTTP connections.
        Connections = "connections",
        /// The head of a request did not arrive in time.
        SlowRequest = "slow-request",
        /// A client did not read the response to its request.
        SlowDownload = "slow-download",
        /// A request without a path, or not with exactly one `Host`.
        MalformedRequest = "malformed-request",
        /// The operating system gave no file descriptor for a file of the site.
        FileUnavailable = "file-unavailable",
        /// The send queue of a socket exceeded its limit.
        SlowReader = "slow-reader",
        /// The server has its maximum number of rides, rooms or peers.
        ServerFull = "server-full",
        /// One address made too many calls to intervals.icu.
        ServiceCallRate = "service-call-rate",
        /// One address has its maximum number of open calls to intervals.icu.
        ServiceCallsPerAddress = "service-calls-per-address",
        /// The server has its maximum number of open calls to intervals.icu.
        ServiceCalls = "service-calls",
        /// intervals.icu cannot be reached.
        ServiceUnreachable = "service-unreachable",
        /// intervals.icu did not answer in time.
        ServiceTimeout = "service-timeout",
        /// intervals.icu gave an answer that is not passed on.
        BadServiceAnswer = "bad-service-answer",
        /// The host of a request is not that of a tunnel.
        WrongHost = "wrong-host",
        /// The token for a tunnel is missing or wrong.
        TunnelToken = "tunnel-token",
        /// One address tried too many tokens for tunnels.
        TunnelTokenRate = "tunnel-token-rate",
        /// The peer of a tunnel is not connected.
        TunnelOffline = "tunnel-offline",
        /// A tunnel did not answer in time.
        TunnelTimeout = "tunnel-timeout",
        /// A tunnel failed to answer, or its answer is not passed on.
        TunnelFailed = "tunnel-failed",
        /// The server has its maximum number of tunnels.
        Tunnels = "tunnels",
        /// A tunnel has its maximum number of visitors.
        TunnelVisitors = "tunnel-visitors",
        /// One address has its maximum number of open requests to a tunnel.
        TunnelStreams = "tunnel-streams",
        /// The server is shutting down.
        Draining = "draining",
        /// The page's origin is not allowed.
        ForeignOrigin = "foreign-origin",
        /// The client is not allowed to read this resource.
        Forbidden = "forbidden",
        /// An error code without a reason of its own.
        Other = "other",
    }
}

impl RefusalReason {
    /// Reason for a limit on open WebSockets.
    pub fn of_socket_limit(scope: LimitScope) -> Self {
        match scope {
            LimitScope::Address => Self::SocketsPerAddress,
            LimitScope::Server => Self::Sockets,
        }
    }

    /// Reason for a limit on open calls to intervals.icu.
    pub fn of_call_limit(scope: LimitScope) -> Self {
        match scope {
            LimitScope::Address => Self::ServiceCallsPerAddress,
            LimitScope::Server => Self::ServiceCalls,
        }
    }

    /// Reason for a limit on open HTTP connections.
    pub fn of_connection_limit(scope: LimitScope) -> Self {
        match scope {
            LimitScope::Address => Self::ConnectionsPerAddress,
            LimitScope::Server => Self::Connections,
        }
    }
}

impl From<ErrorCode> for RefusalReason {
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
            ErrorCode::TooManyBans => Self::TooManyBans,
            ErrorCode::Unknown => Self::Other,
        }
    }
}

impl From<PeerJsRefusal> for RefusalReason {
    fn from(refusal: PeerJsRefusal) -> Self {
        match refusal {
            PeerJsRefusal::Missing
            | PeerJsRefusal::InvalidKey
            | PeerJsRefusal::InvalidToken
            | PeerJsRefusal::InvalidId => Self::BadAddress,
            PeerJsRefusal::IdTaken => Self::IdTaken,
            PeerJsRefusal::ServerFull => Self::ServerFull,
            PeerJsRefusal::RoomFull => Self::RideFull,
        }
    }
}

impl From<SimplePeerRefusal> for RefusalReason {
    fn from(refusal: SimplePeerRefusal) -> Self {
        match refusal {
            SimplePeerRefusal::BadCode => Self::BadAddress,
            SimplePeerRefusal::RoomFull => Self::RideFull,
            SimplePeerRefusal::ServerFull => Self::ServerFull,
        }
    }
}
