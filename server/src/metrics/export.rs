//! Metrics as text for scrapers and as JSON for people.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use protocol::peer::LinkState;
use protocol::signaling::AttemptOutcome;
use serde_json::{Map, Value, json};

use super::links::{LinkMetrics, candidate_label, candidates, outcome_labels};
use super::tunnels::{Direction, StatusClass, TunnelMetrics, VisitorKind};
use super::{DialectMetrics, DialectName, Histogram, Metrics, Traffic};
use crate::error::RefusalReason;

/// OpenMetrics text, version 1.0.0.
pub fn open_metrics_text(metrics: &Metrics) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = encode(&mut text, &metrics.registry);
    text
}

/// Prometheus text, version 0.0.4. It differs from OpenMetrics: the family of a
/// counter has the name of its samples, which ends with `_total`, and there is
/// no end mark.
pub fn prometheus_text(metrics: &Metrics) -> String {
    let open_metrics = open_metrics_text(metrics);
    let is_counter = |name: &str| {
        let declaration = format!("# TYPE {name} counter\n");
        open_metrics.contains(&declaration)
    };
    let mut text = String::new();
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(keyword), Some(name), Some(rest)) if is_counter(name) => {
                text += &format!("# {keyword} {name}_total {rest}\n");
            }
            _ => text += &format!("{line}\n"),
        }
    }
    text
}

/// All values as one JSON object, with the rates at `now`.
pub fn to_json(metrics: &Metrics, now: Duration) -> Value {
    let rates = metrics.rates(now);
    let dialects = || {
        DialectName::ALL
            .into_iter()
            .map(|name| metrics.dialect(name))
    };
    let links = &metrics.links;
    json!({
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
            "connectSeconds": distribution(&links.connect_time),
            "outcomes": outcomes(links),
            "roundTripSeconds": {
                "direct": links.round_trip(LinkState::Direct).map(distribution),
                "relayed": links.round_trip(LinkState::Relayed).map(distribution),
            },
        },
        "relaySeconds": distribution(&metrics.relay_time),
        "queueDrops": {
            "telemetry": metrics.queues.telemetry.get(),
            "socket": metrics.queues.sockets.get(),
        },
        "tunnels": tunnels(&metrics.tunnels),
        "refusals": refusals(metrics),
    })
}

fn tunnels(metrics: &TunnelMetrics) -> Value {
    let visitors = VisitorKind::ALL.map(|it| (it.name().to_owned(), metrics.visitors(it).into()));
    let bytes = Direction::ALL.map(|it| (it.name().to_owned(), metrics.bytes(it).into()));
    let requests = StatusClass::ALL.map(|it| (it.name().to_owned(), metrics.requests(it).into()));
    json!({
        "open": metrics.tunnels(),
        "visitors": Value::Object(visitors.into_iter().collect()),
        "relayedBytes": Value::Object(bytes.into_iter().collect()),
        "requests": Value::Object(requests.into_iter().collect()),
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

/// Ended attempts, without kinds that have not occurred.
fn outcomes(links: &LinkMetrics) -> Value {
    let kinds = AttemptOutcome::ALL.into_iter().flat_map(|outcome| {
        candidates().map(|candidate| (outcome, candidate, links.attempts_with(outcome, candidate)))
    });
    let entry = |(outcome, candidate, count)| {
        let (result, reason) = outcome_labels(outcome);
        let candidate = candidate_label(candidate);
        json!({ "result": result, "reason": reason, "candidate": candidate, "count": count })
    };
    kinds.filter(|kind| kind.2 > 0).map(entry).collect()
}

fn distribution(histogram: &Histogram) -> Value {
    json!({
        "count": histogram.count(),
        "p50": histogram.quantile(0.5),
        "p99": histogram.quantile(0.99),
    })
}

/// Refusals by reason, without reasons that have not occurred.
fn refusals(metrics: &Metrics) -> Value {
    let counts = RefusalReason::ALL
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
    fn prometheus_text_declares_counters_under_the_name_of_their_samples() {
        let metrics = Metrics::new();
        metrics.count_refusal(RefusalReason::BadToken);
        let open_metrics = open_metrics_text(&metrics);
        assert!(
            open_metrics.contains("# TYPE gruppetto_refusals counter\n"),
            "{open_metrics}"
        );
        assert!(open_metrics.ends_with("# EOF\n"));
        let text = prometheus_text(&metrics);
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
