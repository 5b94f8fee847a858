//! The server's settings: each is a flag and an environment variable.
//!
//! [`Config`] is parsed with clap, so the doc comments of its fields are the texts
//! of `--help`. Invalid settings are reported in one sentence (`parse_error`).

mod aliases;
mod ice;
mod ice_servers;
mod ice_url;
mod intervals_icu;
mod limits;
mod parse_error;
mod peerjs;
mod tunnels;
mod values;

pub use ice::{BundlePolicyArg, IceSettings};
pub use ice_servers::IceServers;
pub use ice_url::{IceKind, IceTransport, IceUrl};
pub use intervals_icu::{IntervalsIcuAccess, IntervalsIcuSettings};
pub use limits::{LimitSettings, MetricsAccess};
pub use peerjs::PeerJsSettings;
pub use tunnels::{TunnelOrigin, TunnelOriginSetting, TunnelSettings};
pub use values::{CommaSeparated, IpNetwork, PublicUrl};

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};
use protocol::signaling::IceServer;
use tracing_subscriber::EnvFilter;

use crate::error::StartError;
use aliases::with_aliases;
use ice_servers::ice_server_without_credentials;
use parse_error::to_sentence;

/// STUN server for riders of a public server whose ICE servers are not set.
const PUBLIC_STUN: &str = "stun:stun.l.google.com:19302";

/// Address and port to listen on, unless set.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// Minimum length of a secret in bytes. A shorter one could be guessed.
const MIN_SECRET_BYTES: usize = 16;

/// Gruppetto: group workout rides on indoor trainers, in the browser.
///
/// Every setting is a flag or an environment variable. The server keeps
/// everything in memory. The only files it writes are the secret file, unless
/// GRUPPETTO_SECRET is set, and beside it the endings and bans of rides.
#[derive(Debug, Clone, Parser)]
#[command(name = "gruppetto", version)]
pub struct Config {
    /// Task instead of serving
    #[arg(value_enum, value_name = "TASK")]
    pub command: Option<Command>,

    /// Address and port to listen on [default: 127.0.0.1:3000]
    #[arg(long, env = "GRUPPETTO_ADDR", hide_env_values = true, value_parser = address)]
    pub addr: Option<SocketAddr>,

    /// Folder of the built site [default: target/site]
    #[arg(long, env = "GRUPPETTO_SITE_ROOT", hide_env_values = true)]
    pub site_root: Option<PathBuf>,

    /// Address at which riders reach the server, such as https://ride.example.
    /// Invitations and QR codes contain it. If unset, they contain the address
    /// that the browser requested
    #[arg(long, env = "GRUPPETTO_PUBLIC_URL", hide_env_values = true)]
    pub public_url: Option<PublicUrl>,

    /// STUN and TURN servers for direct links: comma-separated STUN URLs
    /// (stun:host:port), a JSON list of
    /// {"urls":[…],"username":…,"credential":…}, which TURN servers need, or
    /// "none". If unset: no servers
    /// while GRUPPETTO_PUBLIC_URL is unset or a loopback address, otherwise the
    /// public stun:stun.l.google.com:19302. Alias: STUN_SERVERS
    #[arg(long, env = "GRUPPETTO_ICE_SERVERS", hide_env_values = true)]
    pub ice_servers: Option<IceServers>,

    /// Allow direct links between riders. If disabled, the server relays
    /// everything. Alias: P2P_ENABLED
    #[arg(long, env = "GRUPPETTO_P2P_ENABLED", hide_env_values = true, default_value = "true", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub p2p_enabled: bool,

    /// Settings of direct links.
    #[command(flatten)]
    pub ice: IceSettings,

    /// Other origins whose pages may start and join rides, comma-separated, such
    /// as https://club.example. Pages of all other origins are refused. While this
    /// is unset, PeerJS and simple-peer clients are accepted from any origin.
    /// Alias: ALLOWED_ORIGINS
    #[arg(
        long,
        env = "GRUPPETTO_ALLOWED_ORIGINS",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub allowed_origins: CommaSeparated<PublicUrl>,

    /// Addresses of reverse proxies, or networks such as 10.0.0.0/8,
    /// comma-separated. The header X-Forwarded-For is used only if it comes from
    /// one of them
    #[arg(
        long,
        env = "GRUPPETTO_TRUSTED_PROXIES",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub trusted_proxies: CommaSeparated<IpNetwork>,

    /// Log level (error, warn, info, debug), or a tracing filter
    #[arg(long, env = "GRUPPETTO_LOG", hide_env_values = true, default_value = "info", value_parser = log_filter)]
    pub log: String,

    /// Log format
    #[arg(
        long,
        env = "GRUPPETTO_LOG_FORMAT",
        hide_env_values = true,
        default_value = "text"
    )]
    pub log_format: LogFormat,

    /// Grace period in milliseconds for which a rider without a connection stays
    /// in the ride
    #[arg(long, env = "GRUPPETTO_GRACE_MS", hide_env_values = true, default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(0..=3_600_000))]
    pub grace_ms: u64,

    /// Milliseconds of silence after which a rider's connection counts as lost.
    /// Pages send a message every second. 0: only when the operating system
    /// reports the connection as lost
    #[arg(long, env = "GRUPPETTO_RIDER_SILENCE_MS", hide_env_values = true, default_value_t = 4_500, value_parser = rider_silence)]
    pub rider_silence_ms: u64,

    /// Milliseconds without a connection to the host, while no rider reports a
    /// direct link to the host, after which another rider becomes host
    #[arg(long, env = "GRUPPETTO_HOST_GRACE_MS", hide_env_values = true, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(0..=3_600_000))]
    pub host_grace_ms: u64,

    /// Secret that signs resume tokens, with which riders return to their ride
    /// even after a restart of the server. At least 16 characters, the same on
    /// every start. If unset, a secret is created once and stored in
    /// GRUPPETTO_SECRET_FILE. Other users of the machine can see flags, so prefer
    /// the environment variable
    #[arg(long, env = "GRUPPETTO_SECRET", hide_env_values = true, value_parser = secret)]
    pub secret: Option<String>,

    /// File that stores the secret, created with mode 600 if it does not exist
    /// [default: gruppetto/secret in $XDG_STATE_HOME or ~/.local/state]. A file
    /// beside it, with the ending .rides, keeps rides that have ended and riders
    /// who were kicked from coming back after a restart of the server, even if
    /// GRUPPETTO_SECRET is set
    #[arg(long, env = "GRUPPETTO_SECRET_FILE", hide_env_values = true)]
    pub secret_file: Option<PathBuf>,

    /// Milliseconds for which an empty ride is kept
    #[arg(long, env = "GRUPPETTO_ROOM_TTL_MS", hide_env_values = true, default_value_t = 600_000, value_parser = clap::value_parser!(u64).range(0..=86_400_000))]
    pub room_ttl_ms: u64,

    /// Milliseconds for which a ride without any rider so far is kept. Starting a
    /// ride costs a stranger nothing, so such rides must not fill the server
    #[arg(long, env = "GRUPPETTO_UNJOINED_TTL_MS", hide_env_values = true, default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(0..=86_400_000))]
    pub unjoined_ttl_ms: u64,

    /// Maximum number of riders in a ride
    #[arg(long, env = "GRUPPETTO_MAX_RIDERS", hide_env_values = true, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub max_riders: u32,

    /// Number of riders in a ride, in the order of joining, who get direct links.
    /// The others are relayed
    #[arg(long, env = "GRUPPETTO_MAX_DIRECT", hide_env_values = true, default_value_t = 16, value_parser = clap::value_parser!(u32).range(0..=64))]
    pub max_direct: u32,

    /// Maximum number of rides on the server
    #[arg(long, env = "GRUPPETTO_MAX_ROOMS", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_rooms: u32,

    /// Maximum size of a WebSocket message in bytes; pages send 65,536 at most
    #[arg(long, env = "GRUPPETTO_MAX_MESSAGE_BYTES", hide_env_values = true, default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(16_384..=65_536))]
    pub max_message_bytes: u32,

    /// Maximum size of a socket's send queue in bytes. If the receiver reads so
    /// slowly that the queue exceeds it, the socket is closed
    #[arg(long, env = "GRUPPETTO_MAX_QUEUE_BYTES", hide_env_values = true, default_value_t = 4_194_304, value_parser = clap::value_parser!(u32).range(131_072..))]
    pub max_queue_bytes: u32,

    /// Maximum size of the send queues of all sockets of one address in bytes. Each
    /// may hold 64 KiB in any case
    #[arg(long, env = "GRUPPETTO_MAX_QUEUE_BYTES_PER_ADDRESS", hide_env_values = true, default_value_t = 16_777_216, value_parser = clap::value_parser!(u32).range(131_072..))]
    pub max_queue_bytes_per_address: u32,

    /// Maximum size of all send queues in bytes. One queue may hold an eighth of
    /// what is left of it, and 64 KiB in any case
    #[arg(long, env = "GRUPPETTO_MAX_QUEUE_BYTES_TOTAL", hide_env_values = true, default_value_t = 268_435_456, value_parser = clap::value_parser!(u32).range(1_048_576..))]
    pub max_queue_bytes_total: u32,

    /// Milliseconds within which a new socket must send hello
    #[arg(long, env = "GRUPPETTO_HELLO_TIMEOUT_MS", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub hello_timeout_ms: u64,

    /// Interval of the server's pings on a socket in milliseconds
    #[arg(long, env = "GRUPPETTO_PING_INTERVAL_MS", hide_env_values = true, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub ping_interval_ms: u64,

    /// Milliseconds of silence after which a socket is closed
    #[arg(long, env = "GRUPPETTO_PING_TIMEOUT_MS", hide_env_values = true, default_value_t = 45_000, value_parser = clap::value_parser!(u64).range(200..=3_600_000))]
    pub ping_timeout_ms: u64,

    /// Limits.
    #[command(flatten)]
    pub limits: LimitSettings,

    /// Settings of the PeerJS dialect.
    #[command(flatten)]
    pub peerjs: PeerJsSettings,

    /// Settings of intervals.icu.
    #[command(flatten)]
    pub intervals_icu: IntervalsIcuSettings,

    /// Settings of tunnels.
    #[command(flatten)]
    pub tunnels: TunnelSettings,
}

impl Config {
    /// Reads flags and environment variables. With `--help` or `--version`, prints
    /// the text and exits the process. `commands` are other programs of this binary, each
    /// with flags of its own: if the first argument names one, its flags are read instead,
    /// and errors in them exit the process.
    ///
    /// # Errors
    /// [`StartError::Setting`] with a sentence that names the setting.
    pub fn load(commands: Vec<clap::Command>) -> Result<Program, StartError> {
        let first = std::env::args_os().nth(1);
        let is_named = |it: &clap::Command| first.as_deref() == Some(it.get_name().as_ref());
        let has_command = commands.iter().any(is_named);
        let program = Self::command()
            .subcommands(commands)
            .disable_help_subcommand(true)
            .args_conflicts_with_subcommands(true);
        if has_command
            && let Some((name, flags)) = program.clone().get_matches().remove_subcommand()
        {
            return Ok(Program::Command(name, flags));
        }
        let arguments = with_aliases(std::env::args_os(), |name| std::env::var_os(name));
        let matches = program.try_get_matches_from(arguments);
        let config = matches.and_then(|matches| Self::from_arg_matches(&matches));
        Self::checked(config).map(|config| Program::Server(Box::new(config)))
    }

    /// Reads environment variables only.
    ///
    /// # Errors
    /// [`StartError::Setting`] with a sentence that names the setting.
    pub fn from_environment() -> Result<Self, StartError> {
        let name = std::iter::once("gruppetto".into());
        let arguments = with_aliases(name, |name| std::env::var_os(name));
        Self::checked(Self::try_parse_from(arguments))
    }

    fn checked(config: Result<Self, clap::Error>) -> Result<Self, StartError> {
        let config = config.map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
            _ => StartError::Setting(to_sentence(&error)),
        })?;
        config.ice.check().map_err(StartError::Setting)?;
        config.check()?;
        Ok(config)
    }

    /// Checks conditions between several settings.
    fn check(&self) -> Result<(), StartError> {
        let (interval, timeout) = (self.ping_interval_ms, self.ping_timeout_ms);
        match interval < timeout {
            true => Ok(()),
            false => Err(StartError::Setting(format!(
                "The setting --ping-timeout-ms (GRUPPETTO_PING_TIMEOUT_MS) is {timeout} and must be more than \
                 --ping-interval-ms (GRUPPETTO_PING_INTERVAL_MS), which is {interval}: otherwise sockets are \
                 closed before they are pinged."
            ))),
        }
    }

    /// Address and port to listen on.
    pub fn listen_address(&self) -> SocketAddr {
        self.addr.unwrap_or(DEFAULT_ADDRESS)
    }

    /// ICE servers for direct links.
    pub fn ice_servers(&self) -> Vec<IceServer> {
        match (&self.ice_servers, &self.public_url) {
            (Some(servers), _) => servers.0.clone(),
            (None, Some(url)) if !url.is_loopback() => {
                vec![ice_server_without_credentials(PUBLIC_STUN)]
            }
            (None, _) => Vec::new(),
        }
    }

    /// Grace period for which a rider without a connection stays in the ride.
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }

    /// Silence after which a rider's connection counts as lost.
    pub fn rider_silence(&self) -> Duration {
        Duration::from_millis(self.rider_silence_ms)
    }

    /// Time without a connection to the host after which another rider becomes
    /// host.
    pub fn host_grace(&self) -> Duration {
        Duration::from_millis(self.host_grace_ms)
    }

    /// Path of the secret file; `None` without a setting and a home folder.
    pub fn secret_file(&self) -> Option<PathBuf> {
        let folder = |name| {
            let folder = std::env::var_os(name).map(PathBuf::from);
            folder.filter(|folder| folder.is_absolute())
        };
        let state =
            || folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
        let file = self.secret_file.clone();
        file.or_else(|| Some(state()?.join("gruppetto/secret")))
    }

    /// Path of the file with endings and bans, beside the secret file.
    pub fn journal_file(&self) -> Option<PathBuf> {
        let mut path = self.secret_file()?.into_os_string();
        path.push(".rides");
        Some(path.into())
    }

    /// Time within which a new socket must send hello.
    pub fn hello_timeout(&self) -> Duration {
        Duration::from_millis(self.hello_timeout_ms)
    }

    /// Interval of the server's pings.
    pub fn ping_interval(&self) -> Duration {
        Duration::from_millis(self.ping_interval_ms)
    }

    /// Silence after which a socket is closed.
    pub fn ping_timeout(&self) -> Duration {
        Duration::from_millis(self.ping_timeout_ms)
    }
}

/// Program that the arguments ask for.
#[derive(Debug, Clone)]
pub enum Program {
    /// The server, or a task with its settings.
    Server(Box<Config>),
    /// Another program of the binary, with its flags.
    Command(String, clap::ArgMatches),
}

/// Task that the program does instead of serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Command {
    /// Checks the settings: whether the public address leads to the running server, whether each
    /// STUN and TURN server answers, and which limits the system sets
    Check,
}

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One readable line per event
    Text,
    /// One JSON object per event
    Json,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "is not an address and a port such as 127.0.0.1:3000".to_owned())
}

fn rider_silence(text: &str) -> Result<u64, String> {
    let parsed = text.parse::<u64>().ok();
    let valid = parsed.filter(|ms| *ms == 0 || (3_000..=3_600_000).contains(ms));
    valid.ok_or_else(|| {
        "is neither 0 nor between 3000 and 3600000: pages send a message every second".into()
    })
}

fn secret(text: &str) -> Result<String, String> {
    match text.len() >= MIN_SECRET_BYTES {
        true => Ok(text.to_owned()),
        false => Err(format!("has fewer than {MIN_SECRET_BYTES} characters")),
    }
}

fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("is not a log level (error, warn, info, debug) or filter".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Config {
        Config::try_parse_from(["gruppetto"].iter().chain(flags)).expect("settings")
    }

    #[test]
    fn the_check_is_asked_for_before_or_after_the_settings() {
        for flags in [["check", "--max-riders=8"], ["--max-riders=8", "check"]] {
            let config = parse(&flags);
            assert_eq!(
                (config.command, config.max_riders),
                (Some(Command::Check), 8)
            );
        }
        assert_eq!(parse(&[]).command, None);
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let empty = with_aliases(["gruppetto".into()].into_iter(), |_| Some("".into()));
        assert_eq!(empty.len(), 1);
        let config = parse(&["--allowed-origins", "", "--trusted-proxies", " "]);
        assert!(config.allowed_origins.is_empty() && config.trusted_proxies.is_empty());
    }

    #[test]
    fn a_ping_timeout_shorter_than_the_ping_interval_is_refused() {
        assert!(parse(&[]).check().is_ok());
        for interval in ["45000", "60000"] {
            let refused = parse(&["--ping-interval-ms", interval]).check();
            let message = refused.expect_err("refused").to_string();
            assert!(message.contains("(GRUPPETTO_PING_TIMEOUT_MS) is 45000"));
            assert!(message.contains(&format!("which is {interval}:")));
        }
    }

    #[test]
    fn the_maximum_message_size_cannot_exceed_what_pages_can_read() {
        let larger = ["gruppetto", "--max-message-bytes", "65537"];
        assert!(Config::try_parse_from(larger).is_err());
    }

    #[test]
    fn every_setting_is_documented() {
        let page = include_str!("../../docs/operations.md");
        let command = Config::command();
        let settings = command.get_arguments().filter_map(|it| it.get_env());
        let missing: Vec<_> = settings
            .filter_map(|name| name.to_str())
            .filter(|name| !page.contains(&format!("`{name}`")))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn only_a_public_server_uses_the_public_stun_server_by_default() {
        let urls = |flags: &[&str]| {
            parse(flags)
                .ice_servers()
                .into_iter()
                .flat_map(|it| it.urls)
                .collect::<Vec<_>>()
        };
        assert!(urls(&[]).is_empty());
        assert!(urls(&["--public-url", "http://127.0.0.1:3000"]).is_empty());
        assert!(urls(&["--public-url", "http://[::1]:3000"]).is_empty());
        assert!(urls(&["--public-url", "http://localhost:3000/"]).is_empty());
        assert_eq!(
            urls(&["--public-url", "https://ride.example"]),
            [PUBLIC_STUN]
        );
        assert!(
            urls(&[
                "--public-url",
                "https://ride.example",
                "--ice-servers",
                "none"
            ])
            .is_empty()
        );
    }
}
