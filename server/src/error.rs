//! Errors of the server's start and of HTTP requests, and the reasons for which
//! anything is refused.
//!
//! - [`StartError`]: the server does not start. Its text is one sentence for the
//!   operator: the setting at fault and what to do.
//! - [`ApiError`]: a request is refused with a status and a JSON body
//!   `{"error":{"code","message"}}`; the message can be shown as it is. The
//!   response carries its [`RefusalReason`] as an extension, by which it is
//!   counted and logged.
//! - [`RefusalReason`]: label of a refusal in metrics and the log, of all
//!   dialects.
//!
//! Errors on a socket are sent in the socket's dialect, for the app as
//! `protocol::signaling::ErrorCode`.

mod reason;

pub use reason::{LimitScope, RefusalReason};

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Caching of everything that may be different the next time.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Error that prevents the server from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A flag or an environment variable is unknown or invalid.
    #[error("{0}")]
    Setting(String),
    /// Another program listens on the address.
    #[error(
        "{0} is in use by another program: stop that program, or choose another address with --addr (GRUPPETTO_ADDR)."
    )]
    AddressInUse(SocketAddr),
    /// The server cannot listen on the address for another reason.
    #[error("Cannot listen on {0} ({1}): choose another address with --addr (GRUPPETTO_ADDR).")]
    Listen(SocketAddr, std::io::Error),
    /// The folder of the built site does not exist or is empty.
    #[error(
        "The site folder {} is missing or empty: run `make build`, or set the folder with --site-root (GRUPPETTO_SITE_ROOT).",
        .0.display()
    )]
    SiteMissing(PathBuf),
    /// Others may know or replace the secret in the secret file.
    #[error("The secret file {} {advice}.", .file.display())]
    UnsafeSecretFile {
        /// The file.
        file: PathBuf,
        /// Why it is unsafe, and what to do.
        advice: String,
    },
    /// The operating system refused a resource that the server always needs.
    #[error("The server cannot run: {0}.")]
    System(#[from] std::io::Error),
}

/// Error that a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No ride has this code, or the text is not a code.
    #[error("There is no ride with this code. Check the code, or start a new ride.")]
    NoSuchRide,
    /// The server has its maximum number of rides.
    #[error("The server is full and cannot take another ride. Try again in a few minutes.")]
    ServerFull,
    /// This address started too many rides in the last hour.
    #[error("Too many rides were started from your network. Try again later.")]
    RateLimited {
        /// Seconds until the next ride may be started.
        retry_after: u64,
    },
    /// Too many unknown codes were tried in the last minute, from this address
    /// or in total.
    #[error("Too many codes were tried. Wait a moment, then try again.")]
    TooManyCodesTried {
        /// Seconds until the next attempt.
        retry_after: u64,
    },
    /// The limit on open WebSockets is reached.
    #[error("{}", match .0 {
        LimitScope::Address => "Too many connections are open from your network. Close some, then try again.",
        LimitScope::Server => "The server is full and cannot take another connection. Try again in a few minutes.",
    })]
    TooManySockets(LimitScope),
    /// The client is not allowed to read this resource.
    #[error(
        "This may be read with a token, or at an address of its own (see GRUPPETTO_METRICS_TOKEN and GRUPPETTO_METRICS_ADDR)."
    )]
    Forbidden,
    /// The request comes from a page of an origin that is not allowed.
    #[error("This page may not use this server. Open the server's own address.")]
    ForeignOrigin,
    /// The PeerJS room of this token has its maximum number of peers.
    #[error("Room is full")]
    RoomFull,
    /// The server is shutting down.
    #[error("The server is restarting. Try again in a few seconds.")]
    Draining,
    /// The request's head lacks what HTTP demands.
    #[error(
        "The request is malformed: it needs a path, and exactly one Host header (RFC 9112, section 3.2)."
    )]
    MalformedRequest,
    /// A file of the site cannot be read at this moment.
    #[error("The server is overloaded. Try again in a few seconds.")]
    FileUnavailable,
    /// A handler panicked.
    #[error("The server made a mistake. Try again; if it happens again, tell its operator.")]
    Internal,
    /// The API has no such path.
    #[error("There is nothing at this address.")]
    NotFound,
    /// This address made too many calls to intervals.icu in the last minute.
    #[error("Too many requests to intervals.icu were made from your network. Try again later.")]
    TooManyCalls {
        /// Seconds until the next call may be made.
        retry_after: u64,
    },
    /// The limit on open calls to intervals.icu is reached.
    #[error(
        "The server has too many requests to intervals.icu at the moment. Try again in a few seconds."
    )]
    TooManyOpenCalls(LimitScope),
    /// An upload to intervals.icu exceeds its limit.
    #[error("This file is larger than the server passes on. Upload it at intervals.icu instead.")]
    UploadTooLarge,
    /// intervals.icu does not accept a connection, or closes it without an answer.
    #[error("The server cannot reach intervals.icu. Try again later.")]
    ServiceUnreachable,
    /// intervals.icu did not answer in time, or an upload did not arrive in time.
    #[error("intervals.icu did not answer in time. Try again later.")]
    ServiceTimeout,
    /// intervals.icu gave an answer that is not passed on.
    #[error("intervals.icu gave an answer that the server does not pass on.")]
    BadServiceAnswer,
}

impl ApiError {
    fn status(self) -> StatusCode {
        match self {
            Self::NoSuchRide | Self::NotFound => StatusCode::NOT_FOUND,
            Self::ServerFull
            | Self::Draining
            | Self::FileUnavailable
            | Self::TooManySockets(LimitScope::Server)
            | Self::TooManyOpenCalls(LimitScope::Server) => StatusCode::SERVICE_UNAVAILABLE,
            Self::MalformedRequest => StatusCode::BAD_REQUEST,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::RateLimited { .. }
            | Self::TooManyCodesTried { .. }
            | Self::RoomFull
            | Self::TooManyCalls { .. }
            | Self::TooManySockets(LimitScope::Address)
            | Self::TooManyOpenCalls(LimitScope::Address) => StatusCode::TOO_MANY_REQUESTS,
            Self::UploadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ServiceUnreachable | Self::BadServiceAnswer => StatusCode::BAD_GATEWAY,
            Self::ServiceTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::ForeignOrigin | Self::Forbidden => StatusCode::FORBIDDEN,
        }
    }

    /// Reason that the refusal is counted under. A wrong path is not counted, and
    /// panics have a counter of their own.
    fn reason(self) -> Option<RefusalReason> {
        Some(match self {
            Self::NoSuchRide => RefusalReason::NoSuchRide,
            Self::ServerFull => RefusalReason::ServerFull,
            Self::Draining => RefusalReason::Draining,
            Self::RateLimited { .. } => RefusalReason::StartRate,
            Self::TooManyCodesTried { .. } => RefusalReason::JoinRate,
            Self::TooManySockets(scope) => RefusalReason::of_socket_limit(scope),
            Self::ForeignOrigin => RefusalReason::ForeignOrigin,
            Self::RoomFull => RefusalReason::RideFull,
            Self::Forbidden => RefusalReason::Forbidden,
            Self::MalformedRequest => RefusalReason::MalformedRequest,
            Self::FileUnavailable => RefusalReason::FileUnavailable,
            Self::TooManyCalls { .. } => RefusalReason::ServiceCallRate,
            Self::TooManyOpenCalls(scope) => RefusalReason::of_call_limit(scope),
            Self::UploadTooLarge => RefusalReason::TooLarge,
            Self::ServiceUnreachable => RefusalReason::ServiceUnreachable,
            Self::ServiceTimeout => RefusalReason::ServiceTimeout,
            Self::BadServiceAnswer => RefusalReason::BadServiceAnswer,
            Self::NotFound | Self::Internal => return None,
        })
    }

    fn retry_after(self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after }
            | Self::TooManyCodesTried { retry_after }
            | Self::TooManyCalls { retry_after } => Some(retry_after),
            // Some calls end within this time, in seconds.
            Self::TooManyOpenCalls(_) => Some(5),
            // Default idle timeout of an HTTP connection, in seconds.
            Self::TooManySockets(_) | Self::FileUnavailable => Some(10),
            _ => None,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::NoSuchRide => "no-such-ride",
            Self::ServerFull => "server-full",
            Self::RateLimited { .. }
            | Self::TooManyCodesTried { .. }
            | Self::TooManyCalls { .. } => "rate-limited",
            Self::TooManySockets(_) => "too-many-sockets",
            Self::Forbidden => "forbidden",
            Self::ForeignOrigin => "foreign-origin",
            Self::RoomFull => "room-full",
            Self::Draining => "draining",
            Self::MalformedRequest => "malformed-request",
            Self::FileUnavailable => "overloaded",
            Self::Internal => "internal",
            Self::NotFound => "not-found",
            Self::TooManyOpenCalls(_) => "too-many-calls",
            Self::UploadTooLarge => "too-large",
            Self::ServiceUnreachable => "service-unreachable",
            Self::ServiceTimeout => "service-timeout",
            Self::BadServiceAnswer => "bad-service-answer",
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code(), "message": self.to_string() } });
        let caching = [(header::CACHE_CONTROL, NO_STORE)];
        let mut response = (self.status(), caching, Json(body)).into_response();
        if let Some(reason) = self.reason() {
            response.extensions_mut().insert(reason);
        }
        if let Some(retry_after) = self.retry_after() {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
        }
        response
    }
}

/// Value of a `Retry-After` header: the wait in seconds, rounded up.
pub fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}
