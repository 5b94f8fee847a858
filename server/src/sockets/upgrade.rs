//! From a request to an open socket with a seat, or with words why not.

use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use protocol::signaling::close;

use super::connection::{Connection, say_goodbye};
use super::dialect::Dialect;
use crate::error::ApiError;
use crate::hub::OpenSocket;
use crate::limits::{Client, Permit};
use crate::metrics::{DialectName, Present, Reason};
use crate::state::AppState;

/// A little over what is allowed is still read, so that the close that says so
/// is not lost in a reset connection.
const READ_FACTOR: usize = 4;
/// What every socket holds ready for what it may read. Small, since most sockets
/// are silent most of the time: more is read ahead below, and let go.
const READ_BYTES: usize = 512;
/// So much is put together before it is written: some common messages. A socket
/// keeps about as much once it had a burst.
const WRITE_BYTES: usize = 8 * 1024;
/// What the operating system has not taken yet of one message and its frame.
const MAX_WRITE_BUFFER_BYTES: usize = 1024 * 1024;

/// A socket that nothing can be done for: the words for it in its dialect, then
/// its end with [`close::REFUSED`].
#[derive(Debug)]
pub struct TurnedAway {
    words: String,
    reason: Reason,
}

/// What an open socket is counted by.
pub struct Lease {
    _counted: Present,
    _permit: Permit,
    _open: OpenSocket,
}

/// Counts and logs that a socket is not wanted before it had a seat.
pub fn turn_away(
    state: &AppState,
    dialect: DialectName,
    reason: Reason,
    words: String,
) -> TurnedAway {
    state.metrics.refused(reason);
    let (dialect, why) = (dialect.name(), reason.name());
    tracing::info!(dialect, reason = why, "refused");
    TurnedAway { words, reason }
}

/// Answers an upgrade that `client` asked for. `open` is called when the socket
/// is open; what it refuses is said on the socket, since a page
/// cannot read the status of a refused upgrade.
pub fn upgrade<D: Dialect>(
    ws: WebSocketUpgrade,
    state: AppState,
    Client(client): Client,
    open: impl FnOnce(&AppState) -> Result<D, TurnedAway> + Send + 'static,
) -> Response {
    if state.draining.has_begun() {
        return ApiError::Draining.into_response();
    }
    let permit = match state.limits.sockets.enter(client) {
        Ok(permit) => permit,
        Err(full) => return ApiError::TooManySockets(full).into_response(),
    };
    let readable = state.config.max_message_bytes as usize * READ_FACTOR;
    ws.read_buffer_size(READ_BYTES)
        .write_buffer_size(WRITE_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(readable)
        .max_frame_size(readable)
        .on_upgrade(async move |mut socket| {
            let lease = Lease {
                _counted: state.metrics.dialect(D::NAME).socket(),
                _permit: permit,
                _open: state.hub.open_socket(),
            };
            // In a task of its own, which is smaller than the one of the upgrade.
            match open(&state) {
                Ok(dialect) => {
                    let connection = Connection::new(socket, lease, state, dialect);
                    tokio::spawn(Box::new(connection).run());
                }
                Err(TurnedAway { words, reason }) => {
                    tokio::spawn(async move {
                        if socket.send(Message::text(words)).await.is_ok() {
                            let reason = reason.name().into();
                            say_goodbye(socket, lease, close::REFUSED, reason).await;
                        }
                    });
                }
            }
        })
}
