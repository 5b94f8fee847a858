//! HTTP connections: accepted up to a limit, closed if the head of a request does
//! not arrive in time or the client does not read the response, and shut down
//! gracefully.

mod read_ahead;
mod request_check;
mod write_deadline;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::Service;

use crate::config::{LimitSettings, TunnelSettings};
use crate::error::{ApiError, LimitScope, RefusalReason};
use crate::limits::{ConnectionPermit, is_among};
use crate::state::AppState;
use read_ahead::ReadAhead;
use request_check::check_request;
use write_deadline::WriteDeadline;

/// Pause after a failed accept, usually because the process is out of file
/// descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(500);
/// Maximum size of the head of a request to the app. Browsers send heads of 1 to 2 KiB.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Unsent bytes that the kernel takes per connection before the connection counts
/// as not writable. The kernel's own limit grows to megabytes, for clients that
/// never read.
const MAX_UNSENT_BYTES: u32 = 64 * 1024;
/// Response to a connection over the limit, whose request is not read.
const CONNECTION_LIMIT_RESPONSE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-length: 0\r\nretry-after: 10\r\nconnection: close\r\n\r\n";

/// Limits on the connections of one listener.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Maximum size of a request's head, and of hyper's buffer for a response that is
    /// being written.
    max_head: usize,
    /// Time within which the client must accept some of a waiting response.
    write_timeout: Duration,
}

impl ConnectionLimits {
    /// Limits of the app's listener.
    pub fn of_app(settings: &LimitSettings) -> Self {
        Self {
            max_head: MAX_HEAD_BYTES,
            write_timeout: settings.write_timeout(),
        }
    }

    /// Limits of the tunnels' listener, where a film that is paused stops a response for long.
    pub fn of_tunnels(settings: &TunnelSettings) -> Self {
        Self {
            max_head: settings.tunnel_max_head_bytes as usize,
            write_timeout: settings.idle_timeout(),
        }
    }
}

/// Serves `handler` until `stopped` resolves, within `limits`, then accepts no more connections and returns when all open requests are answered. Dropping the future aborts them.
/// Upgraded sockets are not affected.
pub async fn serve(
    listener: TcpListener,
    handler: Router,
    state: AppState,
    limits: ConnectionLimits,
    stopped: impl Future<Output = ()>,
) {
    let (stop, stopping) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut stopped = pin!(stopped);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    if let Some(permit) = admit(&state, &stream, peer) {
                        let handler = handler.clone();
                        let (state, stopping) = (state.clone(), stopping.clone());
                        let served = connection(stream, peer, handler, state, limits, stopping);
                        open.spawn(hold_permit(permit, served));
                    }
                }
                Err(error) => handle_accept_error(&error).await,
            },
            Some(_) = open.join_next(), if !open.is_empty() => {}
            () = &mut stopped => break,
        }
    }
    drop(listener);
    stop.send_replace(true);
    while open.join_next().await.is_some() {}
}

async fn hold_permit(permit: ConnectionPermit, served: impl Future<Output = ()>) {
    served.await;
    drop(permit);
}

/// Takes a permit for a connection. Without one, the connection is refused.
fn admit(state: &AppState, stream: &TcpStream, peer: SocketAddr) -> Option<ConnectionPermit> {
    let proxies = &state.config.trusted_proxies;
    let connections = &state.limits.connections;
    let permit = match is_among(peer.ip(), proxies) {
        true => connections.acquire_shared(),
        false => connections.acquire(peer.ip()),
    };
    permit.map_err(|scope| refuse(state, stream, scope)).ok()
}

fn refuse(state: &AppState, stream: &TcpStream, scope: LimitScope) {
    count(state, RefusalReason::of_connection_limit(scope));
    // Best effort, without waiting for a client that floods the server.
    let _ = stream.try_write(CONNECTION_LIMIT_RESPONSE);
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    handler: Router,
    state: AppState,
    limits: ConnectionLimits,
    mut stopping: watch::Receiver<bool>,
) {
    if prepare(&stream, state.config.ping_timeout()).is_err() {
        return;
    }
    let has_request = Arc::new(AtomicBool::new(false));
    let ever_had_request = has_request.clone();
    let stream = ReadAhead::new(stream);
    let received = stream.received();
    let stream = WriteDeadline::new(stream, limits.write_timeout);
    let enforcement = stream.enforcement();
    let service = service_fn({
        let (state, enforcement) = (state.clone(), enforcement.clone());
        move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(received.clone());
            has_request.store(true, Ordering::Relaxed);
            let answered = answer(handler.clone(), state.clone(), peer, request);
            let enforcement = enforcement.clone();
            async move {
                let response = answered.await;
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    // Sockets have a timeout of their own, because a phone may
                    // suspend a page for longer than a download may stall.
                    enforcement.stop();
                }
                Ok::<_, Infallible>(response)
            }
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(state.config.limits.header_timeout())
        .max_buf_size(limits.max_head)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut served = pin!(served);
    let stopped = async { drop(stopping.wait_for(|stop| *stop).await) };
    let result = tokio::select! {
        result = &mut served => result,
        () = stopped => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if enforcement.has_expired() {
        count(&state, RefusalReason::SlowDownload);
    } else if result.is_err_and(|error| error.is_timeout())
        // A timeout after at least one request is an ordinary idle connection.
        && !ever_had_request.load(Ordering::Relaxed)
    {
        count(&state, RefusalReason::SlowRequest);
    }
}

/// Sets the options of a new connection.
fn prepare(stream: &TcpStream, ping_timeout: Duration) -> io::Result<()> {
    // Nagle's algorithm would delay small frames until the one before is
    // acknowledged.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES)?;
    // Without it, the kernel keeps what a closed connection has not sent for
    // minutes, for a client that never reads (tcp(7), TCP_USER_TIMEOUT).
    socket.set_tcp_user_timeout(Some(ping_timeout))
}

/// Answers a request. A malformed request does not reach the handler, and a panic
/// in the handler becomes a response with status 500.
async fn answer(
    mut handler: Router,
    state: AppState,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Response {
    let mut request: Request = request.map(Body::new);
    if let Err(error) = check_request(&request) {
        count(&state, RefusalReason::MalformedRequest);
        return error.into_response();
    }
    request.extensions_mut().insert(ConnectInfo(peer));
    // The handler is a clone that is dropped after a panic, so nothing sees its
    // state. A `Router` is always ready, so `poll_ready` is not needed.
    match AssertUnwindSafe(async { handler.call(request).await })
        .catch_unwind()
        .await
    {
        Ok(Ok(response)) => response,
        Err(_) => {
            state.metrics.count_panic();
            ApiError::Internal.into_response()
        }
    }
}

fn count(state: &AppState, reason: RefusalReason) {
    state.metrics.count_refusal(reason);
    tracing::info!(reason = reason.name(), "refused");
}

/// Handles a failed accept: ignores a connection that the client has closed
/// already, otherwise waits before the next attempt.
async fn handle_accept_error(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        return;
    }
    tracing::warn!(%error, "cannot accept connections");
    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
}
