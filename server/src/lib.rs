//! Server of Gruppetto: it serves the app, starts rides, introduces riders to each
//! other, and relays frames between riders without a direct link.
//!
//! Modules form layers: a module imports only from modules with a lower number in
//! this list, which `tests/layers.rs` checks.
//!
//! 1. [`shutdown`], [`tls`], [`turn`], [`session_codes`] and small helpers
//! 2. [`error`]: errors and reasons of refusals
//! 3. [`config`]: all settings
//! 4. [`descriptors`], [`metrics`], [`limits`], [`logging`], [`tokens`] (signed by the server)
//! 5. [`journal`]: endings of rides and bans, in a file
//! 6. [`check`] of an installation; [`hub`]: rides and rooms, driven around the state machines of `rooms`;
//!    [`intervals_icu`]: calls that are passed on to it
//! 7. [`tunnels`]: which tunnels are connected, and what is passed on for their visitors
//! 8. [`state`]: the state that handlers share
//! 9. [`sockets`]: WebSockets, a file per dialect
//! 10. [`http`]: HTTP endpoints, the app's pages, and the origins of tunnels
//! 11. [`middleware`]: all layers around the routes
//! 12. [`router`]: all routes
//! 13. `serve`: accepting connections
//!
//! This file wires them: it listens, serves and shuts down.
//!
//! Contract: the server knows session codes, peers, the host and the epoch. What
//! riders send each other is opaque bytes, kept in memory only while it is being
//! relayed, and never logged.

pub mod check;
pub mod config;
pub mod descriptors;
pub mod error;
pub mod http;
pub mod hub;
pub mod intervals_icu;
pub mod journal;
mod labeled_enum;
pub mod limits;
pub mod logging;
pub mod metrics;
pub mod middleware;
mod private_file;
pub mod router;
mod serve;
pub mod session_codes;
pub mod shutdown;
pub mod sockets;
pub mod state;
mod sync;
pub mod tls;
pub mod tokens;
pub mod tunnels;
pub mod turn;
mod wall_clock;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;

use error::StartError;
use serve::ConnectionLimits;
use state::AppState;

/// Maximum number of connections that wait to be accepted, for the case that all
/// riders reconnect at once: a connection beyond it is retried by the client's TCP
/// after a second or more. This is Linux's default limit (`net.core.somaxconn`).
pub const BACKLOG: u32 = 4_096;

/// Listens on an address.
///
/// # Errors
/// [`StartError::AddressInUse`] or [`StartError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    bind(address).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => StartError::AddressInUse(address),
        _ => StartError::Listen(address, error),
    })
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restarted server can use its port at once, in spite of connections in
    // TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown` resolves, then stops within 10 s: first sockets are
/// told when to reconnect, while `/health` reports that the server is draining;
/// then no more connections are accepted, and open requests complete.
pub async fn run(
    listener: TcpListener,
    handler: Router,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let (stop, stop_requested) = tokio::sync::oneshot::channel();
    let drain = drain(state.clone(), shutdown, stop);
    let (is_accepting, accepting_ended) = tokio::sync::oneshot::channel::<()>();
    let stopped = async move {
        let _ = stop_requested.await;
        drop(is_accepting);
    };
    let limits = ConnectionLimits::of_app(&state.config.limits);
    let serving = serve::serve(listener, handler, state.clone(), limits, stopped);
    let request_timeout = async {
        let _ = accepting_ended.await;
        tokio::time::sleep(shutdown::REQUEST_TIMEOUT).await;
    };
    tokio::select! {
        () = serving => {}
        () = request_timeout => {}
        () = drain => {}
        () = run_periodic_tasks(&state) => {}
    }
    if timeout(shutdown::JOURNAL_TIMEOUT, state.hub.journal_flushed())
        .await
        .is_err()
    {
        tracing::warn!("some endings and bans were not written in time");
    }
    tracing::info!("stopped");
}

/// Serves the metrics to everyone who can reach `listener`, until it is dropped.
/// Apart from the server's own limits, so that they can be read when it is full.
pub async fn serve_metrics(listener: TcpListener, handler: Router) {
    if let Err(error) = axum::serve(listener, handler).await {
        tracing::warn!(%error, "metrics are no longer served");
    }
}

/// Listens for visitors of tunnels, if there are any by the settings, and begins to serve
/// tunnels. If that fails, says so in the log, and the server has no tunnels.
pub async fn listen_for_tunnels(state: &AppState) -> Option<TcpListener> {
    let settings = &state.config.tunnels;
    let address = settings.listen_address(state.config.listen_address().port())?;
    let bound = bind(address).and_then(|it| Ok((it.local_addr()?, it)));
    match bound {
        Ok((bound, listener)) => {
            let origin = settings.origin(bound.port());
            tracing::info!(%origin, address = %bound, "tunnels are served");
            state.tunnels.open(origin);
            Some(listener)
        }
        Err(error) => {
            let reason = match error.kind() {
                std::io::ErrorKind::AddrInUse => "is in use by another program".to_owned(),
                _ => format!("cannot be listened on ({error})"),
            };
            tracing::warn!(
                "There are no tunnels, because {address} {reason}: choose another address with \
                 --tunnel-addr (GRUPPETTO_TUNNEL_ADDR), or none with --tunnel-origin=none."
            );
            None
        }
    }
}

/// Serves visitors of tunnels until the server shuts down.
pub async fn serve_tunnels(listener: TcpListener, handler: Router, state: AppState) {
    let limits = ConnectionLimits::of_tunnels(&state.config.tunnels);
    let stopped = state.draining.begun();
    serve::serve(listener, handler, state, limits, stopped).await;
}

/// Closes all sockets once `shutdown` resolves, then sends `stop`. Never resolves.
async fn drain(
    state: AppState,
    shutdown: impl Future<Output = ()>,
    stop: tokio::sync::oneshot::Sender<()>,
) {
    shutdown.await;
    tracing::info!("draining");
    state.draining.begin();
    if timeout(shutdown::SOCKET_TIMEOUT, state.hub.all_sockets_closed())
        .await
        .is_err()
    {
        tracing::warn!("some sockets did not close in time");
    }
    // The receiver is the task that accepts connections.
    let _ = stop.send(());
    std::future::pending().await
}

/// Updates metrics, and reports dropped log lines and jumps of the wall clock every
/// second. Never resolves.
async fn run_periodic_tasks(state: &AppState) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let mut wall_clock_jumps = wall_clock::JumpDetector::default();
    loop {
        seconds.tick().await;
        if let Some(seconds) = wall_clock_jumps.check(wall_clock::now(), state.hub.now()) {
            tracing::warn!(
                seconds,
                "the wall clock was set, or the machine slept: riders who are in a ride stay in it"
            );
            state.hub.wall_clock_was_set();
        }
        state.hub.update_room_metrics();
        state.metrics.sample(state.hub.now());
        logging::report_dropped_lines();
    }
}
