//! `GET /metrics`: text for scrapers, JSON for people.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

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
/// Headers that proxies add to a forwarded request.
const PROXY_HEADERS: [&str; 6] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Answers `GET /metrics`: text if the client accepts one of the scrapers'
/// formats by name, otherwise JSON.
///
/// # Errors
/// [`ApiError::Forbidden`] or [`ApiError::NotFound`], if the settings deny
/// access.
pub async fn metrics(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    match state.config.limits.metrics {
        MetricsAccess::On => {}
        MetricsAccess::Off => return Err(ApiError::NotFound),
        MetricsAccess::Loopback if is_local(peer, &headers) => {}
        MetricsAccess::Loopback => return Err(ApiError::Forbidden),
    }
    state.hub.update_room_metrics();
    let accepted = headers.get_all(header::ACCEPT).iter();
    let accepted: Vec<_> = accepted.filter_map(|value| value.to_str().ok()).collect();
    let accepts = |kind: &str| accepted.iter().any(|value| value.contains(kind));
    Ok(if accepts(OPEN_METRICS) {
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
    })
}

/// Returns `true` if the request comes directly from a program on this machine.
/// The client address in a proxy's header is not used: a client can forge it.
fn is_local(peer: SocketAddr, headers: &HeaderMap) -> bool {
    let is_forwarded = PROXY_HEADERS.iter().any(|name| headers.contains_key(*name));
    peer.ip().to_canonical().is_loopback() && !is_forwarded
}

fn text(kind: HeaderValue, body: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unforwarded_requests_from_a_loopback_address_are_local() {
        let peer = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let loopback = peer("127.0.0.1:4000");
        let none = HeaderMap::new();
        assert!(is_local(loopback, &none));
        assert!(is_local(peer("[::1]:4000"), &none));
        assert!(!is_local(peer("192.0.2.1:4000"), &none));
        for name in PROXY_HEADERS {
            let mut headers = HeaderMap::new();
            headers.insert(name, "127.0.0.1".parse().expect("a value"));
            assert!(!is_local(loopback, &headers), "{name}");
        }
    }
}
