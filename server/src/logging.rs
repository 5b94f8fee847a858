//! The log: one line an event, for people or for machines, on standard error,
//! and never so many that the log itself becomes the fault.

mod flood;

use std::io::{IsTerminal, stderr};
use std::sync::OnceLock;

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
        .with(lines.with_filter(flood.filter()))
        .init();
}

/// Says how many lines were left out lately, if any were. Called every second.
pub fn report_left_out() {
    if let Some(flood) = FLOOD.get() {
        flood.report();
    }
}
