//! `GET /health`: whether the server takes requests, and a few counts.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::state::AppState;
use crate::wall_clock;

/// Body of `/health`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`, or `draining` with status 503 while the server shuts down.
    status: &'static str,
    /// The server's wall clock in Unix milliseconds.
    timestamp: u64,
    /// Version of the server.
    version: &'static str,
    /// Random name of this process, by which `gruppetto check` recognizes it.
    instance: String,
    /// Open rides.
    rooms: usize,
    /// Connected riders.
    riders: usize,
    /// Frames relayed since the start. The number does not change while all
    /// links are direct.
    relayed_frames: u64,
}

/// Answers `GET /health`.
pub async fn health(State(state): State<AppState>) -> (StatusCode, Json<Health>) {
    let counts = state.hub.counts();
    let code = match state.draining.has_begun() {
        false => StatusCode::OK,
        true => StatusCode::SERVICE_UNAVAILABLE,
    };
    let health = Health {
        status: status(&state),
        timestamp: wall_clock::now().unix_ms(),
        version: env!("CARGO_PKG_VERSION"),
        instance: state.instance.simple().to_string(),
        rooms: counts.rooms,
        riders: counts.riders,
        relayed_frames: counts.relayed_frames,
    };
    (code, Json(health))
}

/// Status of the server: `ok` or `draining`.
pub(super) fn status(state: &AppState) -> &'static str {
    match state.draining.has_begun() {
        false => "ok",
        true => "draining",
    }
}
