//! Upgrade of a request to an open socket that is served or rejected.

use axum::extract::FromRequestParts;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use protocol::signaling::close;

use super::connection::{Connection, close_handshake};
use super::dialect::Dialect;
use crate::error::{ApiError, RefusalReason};
use crate::hub::OpenSocketGuard;
use crate::limits::{ClientAddress, ConnectionPermit, ReceivedBytes};
use crate::metrics::{DialectName, GaugeGuard};
use crate::state::AppState;

/// Messages up to this multiple of the maximum size are still read, so that the
/// close frame with the reason is not lost in a reset connection.
pub(super) const READ_FACTOR: usize = 4;
/// Size of each socket's read buffer. It is small because most sockets are idle
/// most of the time; the connection below reads ahead into a shared buffer.
pub(super) const READ_BUFFER_BYTES: usize = 512;
/// Bytes collected before they are written: a few common messages. A socket keeps
/// about as much memory after its first burst.
pub(super) const WRITE_BUFFER_BYTES: usize = 8 * 1024;
/// Maximum size of the write buffer, reached while the operating system does not
/// accept data.
pub(super) const MAX_WRITE_BUFFER_BYTES: usize = 1024 * 1024;

/// Upgrade to a WebSocket, with the counter of the bytes of its connection.
pub struct SocketUpgrade {
    pub(super) ws: WebSocketUpgrade,
    pub(super) received: ReceivedBytes,
}

impl<S: Send + Sync> FromRequestParts<S> for SocketUpgrade {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let received = parts.extensions.get::<ReceivedBytes>().cloned();
        Ok(Self {
            ws: WebSocketUpgrade::from_request_parts(parts, state).await?,
            received: received.unwrap_or_default(),
        })
    }
}

/// Rejection of a socket that has opened: its error message is sent, then it is
/// closed with [`close::REFUSED`].
#[derive(Debug)]
pub struct RejectedSocket {
    message: String,
    reason: RefusalReason,
}

/// Counts of an open socket, released after its closing handshake.
pub struct SocketGuard {
    /// Of tunnels, the visitors and peers are counted instead.
    _gauge: Option<GaugeGuard>,
    _permit: ConnectionPermit,
    _open: OpenSocketGuard,
}

impl SocketGuard {
    pub(super) fn new(
        state: &AppState,
        permit: ConnectionPermit,
        gauge: Option<GaugeGuard>,
    ) -> Self {
        Self {
            _gauge: gauge,
            _permit: permit,
            _open: state.hub.count_open_socket(),
        }
    }
}

/// Counts and logs the rejection of a socket that has not joined any room.
pub fn reject(
    state: &AppState,
    dialect: DialectName,
    reason: RefusalReason,
    message: String,
) -> RejectedSocket {
    state.metrics.count_refusal(reason);
    let dialect = dialect.name();
    tracing::info!(dialect, reason = reason.name(), "refused");
    RejectedSocket { message, reason }
}

/// Answers an upgrade requested by `client`. `open` is called when the socket is
/// open, because a page cannot read the status of a refused upgrade, only an error
/// message on the socket.
pub fn upgrade<D: Dialect>(
    SocketUpgrade { ws, received }: SocketUpgrade,
    state: AppState,
    ClientAddress(client): ClientAddress,
    open: impl FnOnce(&AppState) -> Result<D, RejectedSocket> + Send + 'static,
) -> Response {
    if state.draining.has_begun() {
        return ApiError::Draining.into_response();
    }
    let permit = match state.limits.sockets.acquire(client) {
        Ok(permit) => permit,
        Err(scope) => return ApiError::TooManySockets(scope).into_response(),
    };
    let max_readable = state.config.max_message_bytes as usize * READ_FACTOR;
    ws.read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(max_readable)
        .max_frame_size(max_readable)
        .on_upgrade(async move |mut socket| {
            let gauge = state.metrics.dialect(D::NAME).count_socket();
            let guard = SocketGuard::new(&state, permit, Some(gauge));
            // In a new task, which needs less memory than that of the upgrade.
            match open(&state) {
                Ok(dialect) => {
                    let connection = Connection::new(socket, received, guard, state, dialect);
                    tokio::spawn(Box::new(connection).run());
                }
                Err(RejectedSocket { message, reason }) => {
                    tokio::spawn(async move {
                        if socket.send(Message::text(message)).await.is_ok() {
                            let reason = reason.name().into();
                            close_handshake(socket, guard, close::REFUSED, reason).await;
                        }
                    });
                }
            }
        })
}
