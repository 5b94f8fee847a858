//! The axum half of Gruppetto: serves the app, opens rides, introduces riders
//! to each other, and relays for those who have no direct link.
//!
//! - [`config`]: the settings; [`state`]: what every handler can reach.
//! - [`router`]: all routes; [`middleware`]: all layers; [`error`]: all that
//!   can go wrong, and how it is said.
//! - [`hub`]: the rides and their sockets, around the rooms of `mesh`;
//!   [`sockets`]: one file a dialect.
//! - [`rides`], [`health`], [`qr`], [`codes`], [`pages`]: what HTTP serves;
//!   [`limits`], [`shutdown`]: how much, and how it ends; [`turn`]: passwords
//!   for a TURN server.
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
pub mod middleware;
pub mod pages;
pub mod qr;
pub mod rides;
pub mod router;
pub mod shutdown;
pub mod sockets;
pub mod state;
pub mod turn;

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::time::timeout;

use error::StartError;
use state::AppState;

/// Listens on an address.
///
/// # Errors
/// [`StartError::AddressInUse`] or [`StartError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => StartError::AddressInUse(address),
            _ => StartError::Listen(address, error),
        })
}

/// Serves until `shutdown` resolves, then ends within 10 s: sockets are told
/// when to come back while `/health` already says that the server drains, then
/// nothing new is accepted, then open requests end.
///
/// # Errors
/// [`StartError::System`] when the listener fails.
pub async fn run(
    listener: TcpListener,
    handler: Router,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
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
        // Received below, unless serving has failed already.
        let _ = stop.send(());
    };
    let service = handler.into_make_service_with_connect_info::<SocketAddr>();
    let serve = async {
        let (accepting, ended) = tokio::sync::oneshot::channel::<()>();
        let graceful = axum::serve(listener, service).with_graceful_shutdown(async move {
            let _ = stopped.await;
            drop(accepting);
        });
        tokio::select! {
            result = graceful => result,
            () = async {
                let _ = ended.await;
                tokio::time::sleep(shutdown::REQUESTS_END).await;
            } => Ok(()),
        }
    };
    let drain = tokio::spawn(drain);
    let result = serve.await;
    drain.abort();
    tracing::info!("stopped");
    Ok(result?)
}
