//! The axum half of Gruppetto: serves the app, opens rides, introduces riders
//! to each other, and relays for those who have no direct link.
//!
//! - [`config`]: the settings; [`state`]: what every handler can reach.
//! - [`router`]: all routes; [`middleware`]: all layers; [`error`]: all that
//!   can go wrong, and how it is said.
//! - [`hub`]: the rides and their sockets, around the rooms of `mesh`;
//!   [`sockets`]: one file a dialect.
//! - [`rides`], [`peerjs`], [`health`], [`qr`], [`codes`], [`pages`]: what HTTP serves;
//!   [`limits`], [`metrics`], [`shutdown`]: how much, how much it was, and how
//!   it ends; [`tokens`]: what it signs, so that a restart forgets nobody;
//!   [`turn`]: passwords for a TURN server.
//!
//! Law: the server knows codes, peers, who is host and the epoch. What riders
//! tell each other is bytes to it, in memory for as long as they are on their
//! way, and never in the log.

pub mod codes;
pub mod config;
pub mod error;
pub mod health;
pub mod hub;
pub mod limits;
pub mod logging;
pub mod metrics;
pub mod middleware;
pub mod pages;
pub mod peerjs;
pub mod qr;
pub mod rides;
pub mod router;
mod serve;
pub mod shutdown;
pub mod sockets;
pub mod state;
pub mod tokens;
pub mod turn;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;

use error::StartError;
use state::AppState;

/// Connections that may wait to be accepted when all riders come back at once:
/// whoever finds no place is silently kept waiting for a second or more. As
/// many as Linux allows by default (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;

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
    // A restarted server has its port at once.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `shutdown` resolves, then ends within 10 s: sockets are told
/// when to come back while `/health` already says that the server drains, then
/// nothing new is accepted, then open requests end.
pub async fn run(
    listener: TcpListener,
    handler: Router,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let watched = state.clone();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let drain = async move {
        shutdown.await;
        tracing::info!("draining");
        state.draining.begin();
        if timeout(shutdown::SOCKETS_END, state.hub.all_closed())
            .await
            .is_err()
        {
            tracing::warn!("some sockets did not close in time");
        }
        // Received by the one who accepts connections.
        let _ = stop.send(());
        std::future::pending().await
    };
    let (accepting, ended) = tokio::sync::oneshot::channel::<()>();
    let stopped = async move {
        let _ = stopped.await;
        drop(accepting);
    };
    let serving = serve::serve(listener, handler, watched.clone(), stopped);
    let out_of_time = async {
        let _ = ended.await;
        tokio::time::sleep(shutdown::REQUESTS_END).await;
    };
    tokio::select! {
        () = serving => {}
        () = out_of_time => {}
        () = drain => {}
        () = count_seconds(&watched) => {}
    }
    tracing::info!("stopped");
}

/// What is to be done every second, for ever.
async fn count_seconds(state: &AppState) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        seconds.tick().await;
        state.hub.count_rooms();
        state.metrics.sample(state.hub.now());
        logging::report_left_out();
    }
}
