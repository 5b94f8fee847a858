//! `/health`: whether the server takes work, and a few counts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::state::AppState;

/// The body of `/health`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`, or `draining` with status 503 when the server is about to stop.
    status: &'static str,
    /// The server's wall clock in Unix milliseconds.
    timestamp: u64,
    /// The server's version.
    version: &'static str,
    /// Living rides.
    rooms: usize,
    /// Riders in them who are connected.
    riders: usize,
    /// Frames relayed since the start: it stands still while all links are
    /// direct.
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
        timestamp: unix_millis(),
        version: env!("CARGO_PKG_VERSION"),
        rooms: counts.rooms,
        riders: counts.riders,
        relayed_frames: counts.relayed_frames,
    };
    (code, Json(health))
}

/// What the server says of itself.
pub fn status(state: &AppState) -> &'static str {
    match state.draining.has_begun() {
        false => "ok",
        true => "draining",
    }
}

/// The wall clock in Unix milliseconds, 0 when it stands before 1970.
pub fn unix_millis() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_millis() as u64
}
