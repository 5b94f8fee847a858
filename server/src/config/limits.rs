//! Limits on what clients may ask of the server.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// Limits of the server. 0 means unlimited where the description says so. A client
/// that exceeds a limit gets an error, and the refusal is counted.
#[derive(Debug, Clone, Args)]
pub struct LimitSettings {
    /// Maximum number of messages that one peer sends in any second (0:
    /// unlimited). Relayed frames of the app are limited by bytes instead
    #[arg(long, env = "GRUPPETTO_MESSAGES_PER_SECOND", hide_env_values = true, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub messages_per_second: u32,

    /// Maximum number of bytes that one peer sends per second, with bursts of up to
    /// eight seconds' worth (0: unlimited). A relayed frame counts as at least
    /// 4 KiB
    #[arg(long, env = "GRUPPETTO_RELAY_BYTES_PER_SECOND", hide_env_values = true, default_value_t = 1_048_576, value_parser = relay_bytes)]
    pub relay_bytes_per_second: u32,

    /// Size in bytes of the largest file that riders send each other
    #[arg(long, env = "GRUPPETTO_MAX_FILE_BYTES", hide_env_values = true, default_value_t = 200_000_000, value_parser = clap::value_parser!(u32).range(1..=2_000_000_000))]
    pub max_file_bytes: u32,

    /// Maximum number of riders of one ride who show their camera at a time (0:
    /// cameras are switched off). The server sees no pictures; pages keep to it
    #[arg(long, env = "GRUPPETTO_MAX_CAMERAS", hide_env_values = true, default_value_t = 6, value_parser = clap::value_parser!(u8).range(0..=16))]
    pub max_cameras: u8,

    /// Maximum number of open WebSockets from one address
    #[arg(long, env = "GRUPPETTO_MAX_SOCKETS_PER_ADDRESS", hide_env_values = true, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_sockets_per_address: u32,

    /// Maximum number of open WebSockets
    #[arg(long, env = "GRUPPETTO_MAX_SOCKETS", hide_env_values = true, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_sockets: u32,

    /// Maximum number of open HTTP connections from one address that is not a
    /// trusted proxy, without WebSockets
    #[arg(long, env = "GRUPPETTO_MAX_CONNECTIONS_PER_ADDRESS", hide_env_values = true, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections_per_address: u32,

    /// Maximum number of open HTTP connections, without WebSockets
    #[arg(long, env = "GRUPPETTO_MAX_CONNECTIONS", hide_env_values = true, default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,

    /// Milliseconds within which the head of a request must arrive, and for which a
    /// connection may be idle between requests
    #[arg(long, env = "GRUPPETTO_HEADER_TIMEOUT_MS", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub header_timeout_ms: u64,

    /// Milliseconds within which a client must accept 16 KiB of a response that
    /// waits for it, or all of it. Otherwise the connection is closed
    #[arg(long, env = "GRUPPETTO_WRITE_TIMEOUT_MS", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub write_timeout_ms: u64,

    /// Maximum number of unknown session codes tried from one address per minute
    /// (0: unlimited). Valid codes do not count
    #[arg(long, env = "GRUPPETTO_JOINS_PER_MINUTE_PER_ADDRESS", hide_env_values = true, default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub joins_per_minute_per_address: u32,

    /// Maximum number of unknown session codes tried from all addresses per minute
    /// (0: unlimited)
    #[arg(long, env = "GRUPPETTO_JOINS_PER_MINUTE", hide_env_values = true, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub joins_per_minute: u32,

    /// Maximum number of new riders who join one ride per minute, after the first
    /// 64 (0: unlimited). At most half of them, after the first 36, may come from one
    /// address. All other riders introduce themselves to each of them.
    /// Riders who return do not count
    #[arg(long, env = "GRUPPETTO_NEWCOMERS_PER_MINUTE", hide_env_values = true, default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub newcomers_per_minute: u32,

    /// Maximum number of new riders who join from one address per minute, in all
    /// rides (0: unlimited). Riders who return do not count
    #[arg(long, env = "GRUPPETTO_NEWCOMERS_PER_MINUTE_PER_ADDRESS", hide_env_values = true, default_value_t = 120, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub newcomers_per_minute_per_address: u32,

    /// Maximum number of times that one rider returns to a ride per minute, after
    /// the first 8 (0: unlimited)
    #[arg(long, env = "GRUPPETTO_RETURNS_PER_MINUTE", hide_env_values = true, default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub returns_per_minute: u32,

    /// Maximum number of rooms that simple-peer and PeerJS clients of one address
    /// open per minute (0: unlimited). In these dialects an unused code opens a new
    /// room, so guessing codes opens many. Joining an existing room does not count
    #[arg(long, env = "GRUPPETTO_NEW_ROOMS_PER_MINUTE_PER_ADDRESS", hide_env_values = true, default_value_t = 120, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub new_rooms_per_minute_per_address: u32,

    /// Maximum number of rooms that simple-peer and PeerJS clients of all addresses
    /// open per minute (0: unlimited)
    #[arg(long, env = "GRUPPETTO_NEW_ROOMS_PER_MINUTE", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub new_rooms_per_minute: u32,

    /// Maximum number of rides started from one address per hour (0: unlimited)
    #[arg(
        long,
        env = "GRUPPETTO_RIDES_PER_HOUR",
        hide_env_values = true,
        default_value_t = 60
    )]
    pub rides_per_hour: u32,

    /// Maximum number of log lines per second (0: unlimited). Dropped lines are
    /// counted
    #[arg(
        long,
        env = "GRUPPETTO_LOG_LINES_PER_SECOND",
        hide_env_values = true,
        default_value_t = 200
    )]
    pub log_lines_per_second: u32,

    /// Access to /metrics at the server's own address. With "token", only requests
    /// with GRUPPETTO_METRICS_TOKEN
    #[arg(
        long,
        env = "GRUPPETTO_METRICS",
        hide_env_values = true,
        default_value = "token"
    )]
    pub metrics: MetricsAccess,

    /// Token with which /metrics may be read, as "Authorization: Bearer …". At
    /// least 16 characters. If unset, no request has it
    #[arg(long, env = "GRUPPETTO_METRICS_TOKEN", hide_env_values = true, value_parser = super::secret)]
    pub metrics_token: Option<String>,

    /// Address and port at which /metrics is served to everyone who can reach it,
    /// such as 127.0.0.1:9100. If unset, there is no such address
    #[arg(long, env = "GRUPPETTO_METRICS_ADDR", hide_env_values = true, value_parser = super::address)]
    pub metrics_addr: Option<SocketAddr>,
}

impl LimitSettings {
    /// Time within which the head of a request must arrive.
    pub fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    /// Time within which a client must accept some of a waiting response.
    pub fn write_timeout(&self) -> Duration {
        Duration::from_millis(self.write_timeout_ms)
    }
}

/// Access to `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricsAccess {
    /// All clients
    On,
    /// No client
    Off,
    /// Clients with the token
    Token,
}

/// Parses the byte limit. With less than 16 KiB, the burst could be too small for one
/// frame.
fn relay_bytes(text: &str) -> Result<u32, String> {
    const MIN: u32 = 16_384;
    match text.parse() {
        Ok(bytes) if bytes == 0 || bytes >= MIN => Ok(bytes),
        Ok(bytes) => Err(format!("{bytes} is neither 0 nor at least {MIN}")),
        Err(_) => Err("is not a number of bytes".to_owned()),
    }
}
