//! HTTP connections: accepted up to a limit, closed if the head of a request does
//! not arrive in time, and shut down gracefully.

mod read_ahead;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::Service;

use crate::error::{LimitScope, RefusalReason};
use crate::limits::{ConnectionPermit, is_among};
use crate::state::AppState;
use read_ahead::ReadAhead;

/// Pause after a failed accept, usually because the process is out of file
/// descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(500);
/// Response to a connection over the limit, whose request is not read.
const CONNECTION_LIMIT_RESPONSE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-length: 0\r\nretry-after: 10\r\nconnection: close\r\n\r\n";

/// Serves `handler` until `stopped` resolves, then accepts no more connections and
/// returns when all open requests are answered. Dropping the future aborts them.
/// Upgraded sockets are not affected.
pub async fn serve(
    listener: TcpListener,
    handler: Router,
    state: AppState,
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
                        let served = connection(stream, peer, handler, state.clone(), stopping.clone());
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
    let reason = RefusalReason::of_connection_limit(scope);
    state.metrics.count_refusal(reason);
    tracing::info!(reason = reason.name(), "refused");
    // Best effort, without waiting for a client that floods the server.
    let _ = stream.try_write(CONNECTION_LIMIT_RESPONSE);
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    handler: Router,
    state: AppState,
    mut stopping: watch::Receiver<bool>,
) {
    // Nagle's algorithm would delay small frames until the one before is
    // acknowledged.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let has_request = Arc::new(AtomicBool::new(false));
    let ever_had_request = has_request.clone();
    let service = service_fn(move |request| {
        has_request.store(true, Ordering::Relaxed);
        answer(handler.clone(), peer, request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(state.config.limits.header_timeout())
        .serve_connection(TokioIo::new(ReadAhead::new(stream)), service)
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
    // A timeout after at least one request is an ordinary idle connection.
    if result.is_err_and(|error| error.is_timeout()) && !ever_had_request.load(Ordering::Relaxed) {
        let reason = RefusalReason::SlowRequest;
        state.metrics.count_refusal(reason);
        tracing::info!(reason = reason.name(), "refused");
    }
}

async fn answer(
    mut handler: Router,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request: Request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    // A `Router` is always ready, so `poll_ready` is not needed.
    handler.call(request).await
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
