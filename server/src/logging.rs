//! The log: one line an event, for people or for machines, on standard error,
//! and never so many that the log itself becomes the fault.

mod flood;

use std::io::{IsTerminal, stderr};
use std::sync::OnceLock;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{Config, LogFormat};
use flood::Flood;

/// Of this process's one log.
static FLOOD: OnceLock<Flood> = OnceLock::new();

/// Writes the log from now on as `config` says. Call it once.
pub fn start(config: &Config) {
    // Parsed once already, when the setting was read.
    let filter = EnvFilter::new(&config.log);
    let flood = FLOOD.get_or_init(|| Flood::new(config.limits.log_lines_per_second));
    let lines = fmt::layer()
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines.with_filter(filter_fn(tells_no_payload).and(flood.filter())))
        .init();
}

/// Whatever the setting asks for: below `info` these write what people say.
fn tells_no_payload(metadata: &Metadata<'_>) -> bool {
    const WRITES_FRAMES: [&str; 2] = ["tungstenite", "tokio_tungstenite"];
    let of = |name: &str| metadata.target().split("::").next() == Some(name);
    *metadata.level() <= Level::INFO || !WRITES_FRAMES.into_iter().any(of)
}

/// Says how many lines were left out lately, if any were. Called every second.
pub fn report_left_out() {
    if let Some(flood) = FLOOD.get() {
        flood.report();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_filter_brings_frames_into_the_log() {
        static WRITTEN: AtomicUsize = AtomicUsize::new(0);
        let count = || {
            WRITTEN.fetch_add(1, Ordering::Relaxed);
            std::io::sink()
        };
        let lines = fmt::layer().with_writer(count);
        let log = tracing_subscriber::registry()
            .with(EnvFilter::new("trace,tungstenite::protocol=trace"))
            .with(lines.with_filter(filter_fn(tells_no_payload)));
        tracing::subscriber::with_default(log, || {
            tracing::trace!(target: "tungstenite::protocol::frame", "received frame");
            tracing::debug!(target: "tokio_tungstenite", "a message");
            assert_eq!(WRITTEN.load(Ordering::Relaxed), 0);
            tracing::trace!("something else");
            tracing::warn!(target: "tungstenite", "no payload");
        });
        assert_eq!(WRITTEN.load(Ordering::Relaxed), 2);
    }
}
