//! The log: one line per event on standard error, as text or JSON, with a maximum
//! number of lines per second so that logging itself does not slow the server
//! down.

mod panics;
mod rate_limiter;

use std::io::{IsTerminal, stderr};
use std::sync::OnceLock;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Config, LogFormat};
use rate_limiter::LogRateLimiter;

/// Rate limiter of the process's log, set by [`start`].
static RATE_LIMITER: OnceLock<LogRateLimiter> = OnceLock::new();

/// Starts the log as `config` says, also for panics. Call it once.
pub fn start(config: &Config) {
    // The filter was parsed when the setting was read, so it is valid.
    let filter = EnvFilter::new(&config.log);
    let rate_limiter =
        RATE_LIMITER.get_or_init(|| LogRateLimiter::new(config.limits.log_lines_per_second));
    let lines = fmt::layer()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        // A standard error that is full or closed must not stop the server.
        .log_internal_errors(false);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines.with_filter(filter_fn(has_no_payload).and(rate_limiter.filter())))
        .init();
    panics::log_panics();
}

/// Returns `false` for events that contain what riders send, whatever the filter
/// setting says: those of the WebSocket libraries below `info`.
fn has_no_payload(metadata: &Metadata<'_>) -> bool {
    const LOGS_FRAMES: [&str; 2] = ["tungstenite", "tokio_tungstenite"];
    let is_from = |name: &str| metadata.target().split("::").next() == Some(name);
    *metadata.level() <= Level::INFO || !LOGS_FRAMES.into_iter().any(is_from)
}

/// Logs the number of lines dropped since the last call, if there are any. Called
/// once per second.
pub fn report_dropped_lines() {
    if let Some(rate_limiter) = RATE_LIMITER.get() {
        rate_limiter.report();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn frames_are_not_logged_with_any_filter() {
        static LINES: AtomicUsize = AtomicUsize::new(0);
        let count = || {
            LINES.fetch_add(1, Ordering::Relaxed);
            std::io::sink()
        };
        let lines = fmt::layer().with_writer(count);
        let log = tracing_subscriber::registry()
            .with(EnvFilter::new("trace,tungstenite::protocol=trace"))
            .with(lines.with_filter(filter_fn(has_no_payload)));
        tracing::subscriber::with_default(log, || {
            tracing::trace!(target: "tungstenite::protocol::frame", "received frame");
            tracing::debug!(target: "tokio_tungstenite", "a message");
            assert_eq!(LINES.load(Ordering::Relaxed), 0);
            tracing::trace!("something else");
            tracing::warn!(target: "tungstenite", "no payload");
        });
        assert_eq!(LINES.load(Ordering::Relaxed), 2);
    }
}
