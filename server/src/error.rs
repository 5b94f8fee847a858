//! Everything that can go wrong, and how it is said.
//!
//! - [`StartError`]: the server does not start. One sentence for the person at
//!   the terminal: which setting, and what to do.
//! - [`ApiError`]: a request is refused. A status, and a JSON body
//!   `{"error":{"code","message"}}` whose message can be shown as it stands.
//!   The response carries its [`Reason`], by which it is counted and logged.
//!
//! What goes wrong on a socket is said in the socket's own dialect, with
//! `protocol::signaling::ErrorCode`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::limits::{Full, Missed};
use crate::metrics::Reason;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A flag or an environment variable does not parse, or is not known.
    #[error("{0}")]
    Setting(String),
    /// Another program has the address.
    #[error(
        "{0} is in use by another program: stop that one, or choose another address with --addr (GRUPPETTO_ADDR)."
    )]
    AddressInUse(SocketAddr),
    /// The address cannot be listened on for another reason.
    #[error("Cannot listen on {0} ({1}): choose another address with --addr (GRUPPETTO_ADDR).")]
    Listen(SocketAddr, std::io::Error),
    /// There is no built site where it should be.
    #[error(
        "The site folder {} is missing or empty: run `make build`, or say where it is with --site-root (GRUPPETTO_SITE_ROOT).",
        .0.display()
    )]
    SiteMissing(PathBuf),
    /// The operating system refused something that is always needed.
    #[error("The server cannot run: {0}.")]
    System(#[from] std::io::Error),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No living ride has this code, or the text is not a code.
    #[error("There is no ride with this code. Check the code, or start a ride of your own.")]
    NoSuchRide,
    /// The server has as many rides as it may have.
    #[error("The server is full: it cannot take another ride now. Try again in some minutes.")]
    ServerFull,
    /// This address has started too many rides lately.
    #[error("Too many rides were started from your network. Try again later.")]
    RateLimited {
        /// After how many seconds one more would be let in.
        retry_after: u64,
    },
    /// Too many codes of no ride were tried lately, from this address or from
    /// everywhere.
    #[error("Too many codes were tried. Wait a moment, then try again.")]
    TooManyTries {
        /// After how many seconds one may try again.
        retry_after: u64,
    },
    /// No other socket is taken: this address has too many, or the server has.
    #[error("{}", match .0 {
        Full::Address => "Too many connections are open from your network. Close some, then try again.",
        Full::Server => "The server is full: it cannot take another connection now. Try again in some minutes.",
    })]
    TooManySockets(Full),
    /// What was asked for is not for everybody.
    #[error("Only programs on the server's own machine may read this: GRUPPETTO_METRICS says so.")]
    Forbidden,
    /// The page that asks was not served by this server.
    #[error("This page may not use this server: open the server's own address.")]
    ForeignOrigin,
    /// The room of this token has as many peers as it takes.
    #[error("Room is full")]
    RoomFull,
    /// The server is about to stop.
    #[error("The server restarts. Try again in some seconds.")]
    Draining,
    /// There is nothing at this path of the interface.
    #[error("There is nothing at this address.")]
    NotFound,
}

impl ApiError {
    fn status(self) -> StatusCode {
        match self {
            Self::NoSuchRide | Self::NotFound => StatusCode::NOT_FOUND,
            Self::ServerFull | Self::Draining | Self::TooManySockets(Full::Server) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::RateLimited { .. }
            | Self::TooManyTries { .. }
            | Self::RoomFull
            | Self::TooManySockets(Full::Address) => StatusCode::TOO_MANY_REQUESTS,
            Self::ForeignOrigin | Self::Forbidden => StatusCode::FORBIDDEN,
        }
    }

    /// As what it is counted; a wrong path is nothing that is refused.
    fn reason(self) -> Option<Reason> {
        Some(match self {
            Self::NoSuchRide => Reason::NoSuchRide,
            Self::ServerFull => Reason::ServerFull,
            Self::Draining => Reason::Draining,
            Self::RateLimited { .. } => Reason::StartRate,
            Self::TooManyTries { .. } => Reason::JoinRate,
            Self::TooManySockets(full) => Reason::of_sockets(full),
            Self::ForeignOrigin => Reason::ForeignOrigin,
            Self::RoomFull => Reason::RideFull,
            Self::Forbidden => Reason::Forbidden,
            Self::NotFound => return None,
        })
    }

    fn retry_after(self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after } | Self::TooManyTries { retry_after } => {
                Some(retry_after)
            }
            // As long as one HTTP connection may be idle by default.
            Self::TooManySockets(_) => Some(10),
            _ => None,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::NoSuchRide => "no-such-ride",
            Self::ServerFull => "server-full",
            Self::RateLimited { .. } | Self::TooManyTries { .. } => "rate-limited",
            Self::TooManySockets(_) => "too-many-sockets",
            Self::Forbidden => "forbidden",
            Self::ForeignOrigin => "foreign-origin",
            Self::RoomFull => "room-full",
            Self::Draining => "draining",
            Self::NotFound => "not-found",
        }
    }
}

impl From<Missed> for ApiError {
    fn from(missed: Missed) -> Self {
        match missed {
            Missed::Unknown => Self::NoSuchRide,
            Missed::TooOften(wait) => Self::TooManyTries {
                retry_after: whole_seconds(wait),
            },
        }
    }
}

/// For `Retry-After`: never too early.
pub fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.code(), "message": self.to_string() } });
        let mut response = (self.status(), Json(body)).into_response();
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
