//! `GET /metrics`: what the server counts, for scrapers and for people.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use serde_json::{Map, Value, json};

use super::{DialectMetrics, DialectName, Histogram, Metrics, Reason, Traffic};
use crate::config::MetricsAccess;
use crate::error::ApiError;
use crate::health::{status, unix_millis};
use crate::state::AppState;

const OPEN_METRICS: &str = "application/openmetrics-text";
const OPEN_METRICS_TYPE: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const TEXT_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
/// By any of these a request shows that it was passed on.
const PASSED_ON: [&str; 6] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Answers `GET /metrics`: text to whoever accepts the scrapers' formats by
/// name, JSON to everybody else.
///
/// # Errors
/// [`ApiError::Forbidden`] or [`ApiError::NotFound`] for whom the settings
/// keep out.
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
    state.hub.count_rooms();
    let accepted = headers.get_all(header::ACCEPT).iter();
    let accepted: Vec<_> = accepted.filter_map(|value| value.to_str().ok()).collect();
    let accepts = |kind: &str| accepted.iter().any(|value| value.contains(kind));
    Ok(if accepts(OPEN_METRICS) {
        text(OPEN_METRICS_TYPE, open_metrics(&state.metrics))
    } else if accepts("text/plain") {
        text(TEXT_TYPE, plain(&open_metrics(&state.metrics)))
    } else {
        Json(json(&state)).into_response()
    })
}

/// Whether a program on this machine asks, and not through a proxy: what a proxy
/// says of who asked it may be what that one said itself.
fn is_local(peer: SocketAddr, headers: &HeaderMap) -> bool {
    let is_passed_on = PASSED_ON.iter().any(|name| headers.contains_key(*name));
    peer.ip().to_canonical().is_loopback() && !is_passed_on
}

fn text(kind: HeaderValue, body: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// OpenMetrics text, version 1.0.0.
fn open_metrics(metrics: &Metrics) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode(&mut text, &metrics.registry);
    text
}

/// Prometheus text, version 0.0.4: there a counter's family has the name of its
/// samples, which ends with `_total`, and there is no end mark.
fn plain(open_metrics: &str) -> String {
    let is_counter = |name: &str| {
        let kind = format!("# TYPE {name} counter\n");
        open_metrics.contains(&kind)
    };
    let mut text = String::new();
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if is_counter(name) => {
                text += &format!("# {what} {name}_total {rest}\n");
            }
            _ => text += &format!("{line}\n"),
        }
    }
    text
}

fn json(state: &AppState) -> Value {
    let metrics = &state.metrics;
    let rates = metrics.rates(state.hub.now());
    let dialects = || {
        DialectName::ALL
            .into_iter()
            .map(|name| metrics.dialect(name))
    };
    let links = &metrics.links;
    json!({
        "status": status(state),
        "timestamp": unix_millis(),
        "metrics": {
            "activeRooms": dialects().map(|it| it.rooms.get()).sum::<i64>(),
            "activePeers": dialects().map(|it| it.peers.get()).sum::<i64>(),
            "activeSockets": dialects().map(|it| it.sockets.get()).sum::<i64>(),
            "messagesPerSecond": rates.messages_per_second,
            "errorRate": rates.error_rate,
            "joins": dialects().map(|it| it.joins.get()).sum::<u64>(),
            "rooms": by_dialect(metrics, |it| it.rooms.get().into()),
            "peers": by_dialect(metrics, |it| it.peers.get().into()),
            "relayed": by_dialect(metrics, relayed),
            "links": { "direct": links.direct.get(), "relayed": links.relayed.get() },
            "p2p": {
                "attempts": links.attempts.get(),
                "successes": links.successes.get(),
                "fallbacks": links.fallbacks.get(),
                "connectSeconds": times(&links.connect_time),
            },
            "relaySeconds": times(&metrics.relay_time),
            "queueDrops": {
                "telemetry": metrics.queues.telemetry.get(),
                "socket": metrics.queues.sockets.get(),
            },
            "refusals": refusals(metrics),
        },
    })
}

fn by_dialect(metrics: &Metrics, value: impl Fn(&DialectMetrics) -> Value) -> Value {
    let names = DialectName::ALL.into_iter();
    let entry = |name: DialectName| (name.name().to_owned(), value(metrics.dialect(name)));
    Value::Object(names.map(entry).collect())
}

fn relayed(dialect: &DialectMetrics) -> Value {
    let entry = |class: Traffic| {
        let counts = json!({
            "messages": dialect.relayed_messages(class),
            "bytes": dialect.relayed_bytes(class),
        });
        (class.name().to_owned(), counts)
    };
    Value::Object(Traffic::ALL.into_iter().map(entry).collect())
}

fn times(histogram: &Histogram) -> Value {
    json!({
        "count": histogram.count(),
        "p50": histogram.quantile(0.5),
        "p99": histogram.quantile(0.99),
    })
}

/// Those that happened.
fn refusals(metrics: &Metrics) -> Value {
    let counts = Reason::ALL
        .into_iter()
        .map(|reason| (reason.name().to_owned(), metrics.refusals(reason)))
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name, count.into()));
    Value::Object(counts.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_on_this_machine_are_local_and_nobody_behind_a_proxy_is() {
        let peer = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let here = peer("127.0.0.1:4000");
        let none = HeaderMap::new();
        assert!(is_local(here, &none));
        assert!(is_local(peer("[::1]:4000"), &none));
        assert!(!is_local(peer("192.0.2.1:4000"), &none));
        for name in PASSED_ON {
            let mut headers = HeaderMap::new();
            headers.insert(name, "127.0.0.1".parse().expect("a value"));
            assert!(!is_local(here, &headers), "{name}");
        }
    }

    #[test]
    fn plain_text_names_counters_as_their_samples() {
        let metrics = Metrics::new();
        metrics.refused(Reason::BadToken);
        let open = open_metrics(&metrics);
        assert!(
            open.contains("# TYPE gruppetto_refusals counter\n"),
            "{open}"
        );
        assert!(open.ends_with("# EOF\n"));
        let text = plain(&open);
        assert!(
            text.contains("# TYPE gruppetto_refusals_total counter\n"),
            "{text}"
        );
        assert!(text.contains("gruppetto_refusals_total{reason=\"bad-token\"} 1\n"));
        assert!(text.contains("# TYPE gruppetto_rooms gauge\n"));
        assert!(text.contains("gruppetto_relay_seconds_bucket{le=\"+Inf\"} 0\n"));
        assert!(!text.contains("# EOF"));
    }
}
