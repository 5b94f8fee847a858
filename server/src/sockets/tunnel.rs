//! Sockets of tunnels ([`tunnel::control`] in text messages, frames in binary messages).
//!
//! - [`peer`]: `/api/tunnel`, the program beside a web site.
//! - [`visitor`]: `/.gruppetto/socket` on a tunnel's origin, the shell page.
//! - `pipe`: the loop that serves either. Unlike [`connection`](super::connection), it waits
//!   before it reads more while the other side is slow or the relay limit is reached.

pub mod peer;
mod pipe;
pub mod visitor;

use ::tunnel::control::MAX_MESSAGE;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

use super::SocketUpgrade;
use super::upgrade::{MAX_WRITE_BUFFER_BYTES, READ_BUFFER_BYTES, SocketGuard, WRITE_BUFFER_BYTES};
use crate::error::ApiError;
use crate::state::AppState;
use pipe::Pipe;

/// Answers an upgrade requested by `client`, and serves the open socket with `serve`.
fn upgrade<F: Future<Output = ()> + Send + 'static>(
    SocketUpgrade { ws, received }: SocketUpgrade,
    state: AppState,
    client: IpAddr,
    serve: impl FnOnce(Pipe) -> F + Send + 'static,
) -> Response {
    if state.draining.has_begun() {
        return ApiError::Draining.into_response();
    }
    let permit = match state.limits.sockets.acquire(client) {
        Ok(permit) => permit,
        Err(scope) => return ApiError::TooManySockets(scope).into_response(),
    };
    ws.read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(async move |socket| {
            let guard = SocketGuard::new(&state, permit, None);
            tokio::spawn(serve(Pipe::new(socket, received, guard, state)));
        })
}
