//! HTTP connections: accepted up to a bound, given up when a request's head
//! does not come in time, ended gently.

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

use crate::limits::{Full, Permit, is_among};
use crate::metrics::Reason;
use crate::state::AppState;
use read_ahead::ReadAhead;

/// How long to wait when the operating system has no more sockets to give.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(500);
/// The answer to a connection too many, which is not read.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-length: 0\r\nretry-after: 10\r\nconnection: close\r\n\r\n";

/// Serves `handler` until `stopped` resolves; then accepts nothing new, and
/// ends when all requests are answered. Dropped, it gives them up. Sockets that
/// were upgraded live on.
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
                    if let Some(permit) = let_in(&state, &stream, peer) {
                        let handler = handler.clone();
                        let served = connection(stream, peer, handler, state.clone(), stopping.clone());
                        open.spawn(while_permitted(permit, served));
                    }
                }
                Err(error) => cannot_accept(&error).await,
            },
            Some(_) = open.join_next(), if !open.is_empty() => {}
            () = &mut stopped => break,
        }
    }
    drop(listener);
    stop.send_replace(true);
    while open.join_next().await.is_some() {}
}

async fn while_permitted(permit: Permit, served: impl Future<Output = ()>) {
    served.await;
    drop(permit);
}

/// A connection that one more is taken for; the others are told so, as far as
/// that goes without waiting.
fn let_in(state: &AppState, stream: &TcpStream, peer: SocketAddr) -> Option<Permit> {
    let proxies = &state.config.trusted_proxies;
    let connections = &state.limits.connections;
    let entered = match is_among(peer.ip(), proxies) {
        true => connections.enter_from_many(),
        false => connections.enter(peer.ip()),
    };
    entered.map_err(|full| refuse(state, stream, full)).ok()
}

fn refuse(state: &AppState, stream: &TcpStream, full: Full) {
    let reason = Reason::of_connections(full);
    state.metrics.refused(reason);
    tracing::info!(reason = reason.name(), "refused");
    // Best effort: whoever floods is not waited for.
    let _ = stream.try_write(TOO_MANY);
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    handler: Router,
    state: AppState,
    mut stopping: watch::Receiver<bool>,
) {
    // Frames are small and must not wait for each other's acknowledgement.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let asked = Arc::new(AtomicBool::new(false));
    let ever_asked = asked.clone();
    let service = service_fn(move |request| {
        asked.store(true, Ordering::Relaxed);
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
    // Idle after its requests is how a connection may end.
    if result.is_err_and(|error| error.is_timeout()) && !ever_asked.load(Ordering::Relaxed) {
        let reason = Reason::SlowRequest;
        state.metrics.refused(reason);
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
    // A router is always ready.
    handler.call(request).await
}

/// A connection that was gone before it was accepted is nothing; without free
/// sockets, accepting again at once would only burn time.
async fn cannot_accept(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        return;
    }
    tracing::warn!(%error, "cannot accept connections");
    tokio::time::sleep(OUT_OF_SOCKETS).await;
}
