//! `GET /metrics`: text for scrapers, JSON for people.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::health::status;
use crate::config::MetricsAccess;
use crate::error::ApiError;
use crate::metrics::export::{open_metrics_text, prometheus_text, to_json};
use crate::state::AppState;
use crate::wall_clock;

const OPEN_METRICS: &str = "application/openmetrics-text";
const OPEN_METRICS_TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const TEXT_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
/// Answers `GET /metrics` at the server's own address, for clients that the settings
/// allow. An address of this machine proves nothing: requests through a proxy come
/// from there, too, and not every proxy marks them.
///
/// # Errors
/// [`ApiError::Forbidden`] or [`ApiError::NotFound`], if the settings deny
/// access.
pub async fn metrics(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let settings = &state.config.limits;
    match settings.metrics {
        MetricsAccess::On => {}
        MetricsAccess::Off => return Err(ApiError::NotFound),
        MetricsAccess::Token if has_token(&headers, settings.metrics_token.as_deref()) => {}
        MetricsAccess::Token => return Err(ApiError::Forbidden),
    }
    Ok(open_metrics(State(state), headers).await)
}

/// Answers `GET /metrics` for everyone: text if the client accepts one of the
/// scrapers' formats by name, otherwise JSON.
pub async fn open_metrics(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.hub.update_room_metrics();
    let accepted = headers.get_all(header::ACCEPT).iter();
    let accepted: Vec<_> = accepted.filter_map(|value| value.to_str().ok()).collect();
    let accepts = |kind: &str| accepted.iter().any(|value| value.contains(kind));
    if accepts(OPEN_METRICS) {
        text(OPEN_METRICS_TYPE, open_metrics_text(&state.metrics))
    } else if accepts("text/plain") {
        text(TEXT_TYPE, prometheus_text(&state.metrics))
    } else {
        Json(json!({
            "status": status(&state),
            "timestamp": wall_clock::now().unix_ms(),
            "metrics": to_json(&state.metrics, state.hub.now()),
        }))
        .into_response()
    }
}

fn has_token(headers: &HeaderMap, token: Option<&str>) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match (given, token) {
        // Hashes are compared, so that the time tells nothing of the token.
        (Some(given), Some(token)) => Sha256::digest(given) == Sha256::digest(token),
        _ => false,
    }
}

fn text(kind: HeaderValue, body: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}
