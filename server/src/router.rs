//! All routes of the server.

use std::path::Path;

use axum::Router;
use axum::http::header;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::error::{ApiError, NO_STORE};
use crate::http::tunnel::{TunnelSite, files, request, session, socket};
use crate::http::{health, intervals_icu, metrics, peerjs, rides};
use crate::metrics::DialectName;
use crate::middleware::{self, cross_origin, require_known_origin};
use crate::sockets;
use crate::state::AppState;

/// The whole server as one service: the app's `pages` (see
/// [`pages`](crate::http::pages::pages)) and the server's own routes, with all
/// layers. Requests need their peer's address as [`axum::extract::ConnectInfo`],
/// which [`run`](crate::run) adds.
pub fn build_handler(state: AppState, pages: Router) -> Router {
    // Starting and joining rides, and calls that are passed on, are restricted to pages of
    // known origins.
    let guarded = Router::new()
        .route("/api/rides", post(rides::start))
        .route("/ws/{code}", any(sockets::app::upgrade))
        .route("/intervals-icu/{*call}", any(intervals_icu::pass_through))
        .route_layer(from_fn_with_state(
            (state.clone(), DialectName::App),
            require_known_origin,
        ));
    let peerjs = peerjs_routes().route_layer(from_fn_with_state(
        (state.clone(), DialectName::PeerJs),
        require_known_origin,
    ));
    let simple_peer = Router::new()
        .route("/signal/{code}", any(sockets::simple_peer::upgrade))
        .route_layer(from_fn_with_state(
            (state.clone(), DialectName::SimplePeer),
            require_known_origin,
        ));
    let open = Router::new()
        .route("/api/rides/{code}", get(rides::find))
        .route("/api/intervals-icu", get(intervals_icu::access))
        .route("/api/tunnel", any(sockets::tunnel::peer::upgrade))
        .route("/api/{*rest}", any(async || ApiError::NotFound))
        .route("/health", get(health::health))
        .route("/metrics", get(metrics::metrics));
    let uncached = guarded.merge(peerjs).merge(simple_peer).merge(open).layer(
        SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, NO_STORE),
    );
    let own = uncached
        .route("/ride/{code}/qr.svg", get(rides::qr_code))
        .with_state(state.clone());
    middleware::apply(state, own.merge(pages))
}

/// The service at `GRUPPETTO_METRICS_ADDR`: `/metrics` for everyone.
pub fn build_metrics_handler(state: AppState) -> Router {
    Router::new()
        .route("/metrics", get(metrics::open_metrics))
        .with_state(state)
}

/// The service at `GRUPPETTO_TUNNEL_ADDR`: the origins of tunnels, with the shell page from the
/// folder of the built site. It has neither the app's pages nor its API.
pub fn build_tunnel_handler(state: AppState, site: &Path) -> Router {
    let routes = Router::new()
        .route("/.gruppetto/session", post(session::create))
        .route("/.gruppetto/socket", any(socket))
        .route("/.gruppetto/", any(files::file))
        .route("/.gruppetto/{*file}", any(files::file))
        .fallback(request::answer)
        .with_state(TunnelSite::new(state.clone(), site));
    middleware::apply_to_tunnels(state, routes)
}

/// Routes of the PeerJS dialect. A client with the path `/` uses `/peerjs`,
/// `/peerjs/id` and `/peerjs/peers`, one with the path `/peerjs` the others.
fn peerjs_routes() -> Router<AppState> {
    Router::new()
        .route("/peerjs", get(peerjs::root))
        .route("/peerjs/", get(peerjs::root))
        .route("/peerjs/peerjs", get(peerjs::socket))
        .route("/peerjs/id", get(peerjs::id))
        .route("/peerjs/peers", get(peerjs::peers))
        .route("/peerjs/{key}/id", get(peerjs::id))
        .route("/peerjs/{key}/peers", get(peerjs::peers))
        .route_layer(from_fn(cross_origin))
}
