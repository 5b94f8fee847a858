//! The settings that bound what anybody may ask of the server.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// How much the server takes. 0 means any number where it is said so; every
/// limit that is met is answered and counted.
#[derive(Debug, Clone, Args)]
pub struct LimitSettings {
    /// Messages that one peer may send in any second (0: any number). Relayed
    /// frames of the app are counted in bytes instead
    #[arg(long, env = "GRUPPETTO_MESSAGES_PER_SECOND", hide_env_values = true, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub messages_per_second: u32,

    /// Bytes that one peer may send in a second, with eight seconds' worth at
    /// once (0: any number). A relayed frame counts as 4 KiB at least
    #[arg(long, env = "GRUPPETTO_RELAY_BYTES_PER_SECOND", hide_env_values = true, default_value_t = 1_048_576, value_parser = relay_bytes)]
    pub relay_bytes_per_second: u32,

    /// Sockets that may be open from one address
    #[arg(long, env = "GRUPPETTO_MAX_SOCKETS_PER_ADDRESS", hide_env_values = true, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_sockets_per_address: u32,

    /// Sockets that may be open in all
    #[arg(long, env = "GRUPPETTO_MAX_SOCKETS", hide_env_values = true, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_sockets: u32,

    /// HTTP connections, sockets not counted, that may be open from one
    /// address which is not a trusted proxy
    #[arg(long, env = "GRUPPETTO_MAX_CONNECTIONS_PER_ADDRESS", hide_env_values = true, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections_per_address: u32,

    /// HTTP connections, sockets not counted, that may be open in all
    #[arg(long, env = "GRUPPETTO_MAX_CONNECTIONS", hide_env_values = true, default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// Milliseconds in which a request's head must have come, and for which a
    /// connection may be idle between requests
    #[arg(long, env = "GRUPPETTO_HEADER_TIMEOUT_MS", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub header_timeout_ms: u64,

    /// Codes of no ride that may be tried from one address in a minute
    /// (0: any number); known codes do not count
    #[arg(long, env = "GRUPPETTO_JOINS_PER_MINUTE_PER_ADDRESS", hide_env_values = true, default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub joins_per_minute_per_address: u32,

    /// Codes of no ride that may be tried in a minute from everywhere
    /// (0: any number)
    #[arg(long, env = "GRUPPETTO_JOINS_PER_MINUTE", hide_env_values = true, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub joins_per_minute: u32,

    /// Rooms that simple-peer and PeerJS clients of one address may open in a
    /// minute (0: any number). There a code that nobody uses opens a room, so
    /// guessing means opening many; entering a room that is there does not count
    #[arg(long, env = "GRUPPETTO_NEW_ROOMS_PER_MINUTE_PER_ADDRESS", hide_env_values = true, default_value_t = 120, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub new_rooms_per_minute_per_address: u32,

    /// Rooms that simple-peer and PeerJS clients may open in a minute from
    /// everywhere (0: any number)
    #[arg(long, env = "GRUPPETTO_NEW_ROOMS_PER_MINUTE", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub new_rooms_per_minute: u32,

    /// Rides that may be started from one address in an hour (0: any number)
    #[arg(
        long,
        env = "GRUPPETTO_RIDES_PER_HOUR",
        hide_env_values = true,
        default_value_t = 60
    )]
    pub rides_per_hour: u32,

    /// Lines that the log has in a second at most (0: any number); what is
    /// left out is counted
    #[arg(
        long,
        env = "GRUPPETTO_LOG_LINES_PER_SECOND",
        hide_env_values = true,
        default_value_t = 200
    )]
    pub log_lines_per_second: u32,

    /// Who may read /metrics: everybody, nobody, or programs on this machine
    #[arg(
        long,
        env = "GRUPPETTO_METRICS",
        hide_env_values = true,
        default_value = "loopback"
    )]
    pub metrics: MetricsAccess,
}

impl LimitSettings {
    /// How long a request's head may take.
    pub fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }
}

/// Who may read `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricsAccess {
    /// Everybody.
    On,
    /// Nobody.
    Off,
    /// Programs on this machine, and nobody through a proxy.
    Loopback,
}

/// A peer that may send less than one frame in eight seconds could say nothing.
fn relay_bytes(text: &str) -> Result<u32, String> {
    const LEAST: u32 = 16_384;
    match text.parse() {
        Ok(bytes) if bytes == 0 || bytes >= LEAST => Ok(bytes),
        Ok(bytes) => Err(format!("{bytes} is neither 0 nor at least {LEAST}")),
        Err(_) => Err("is not a number of bytes".to_owned()),
    }
}
