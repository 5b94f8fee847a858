//! The server's settings: environment variables, or flags of the same name.

mod ice;
mod limits;
mod peerjs;
mod plain;
mod sentence;
mod values;

pub use ice::{Bundling, IceSettings};
pub use limits::{LimitSettings, MetricsAccess};
pub use peerjs::PeerJs;
pub use values::{IceServers, List, Network, PublicUrl};

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::{Parser, ValueEnum};
use protocol::signaling::IceServer;
use tracing_subscriber::EnvFilter;

use crate::error::StartError;
use plain::with_plain_names;
use sentence::sentence;
use values::plain_ice_server;

/// The public STUN server that riders of a public server are told of when
/// nothing else is set.
const PUBLIC_STUN: &str = "stun:stun.l.google.com:19302";

/// What is shorter could be guessed.
const SHORTEST_SECRET: usize = 16;

/// Gruppetto: group workout rides on indoor trainers, in the browser.
///
/// Every setting is a flag or an environment variable. The server keeps
/// everything in memory and writes no files but the one of its secret, and not
/// that one either where GRUPPETTO_SECRET is set.
#[derive(Debug, Clone, Parser)]
#[command(name = "gruppetto", version)]
pub struct Config {
    /// Address and port to listen on [default: 127.0.0.1:3000]
    #[arg(long, env = "GRUPPETTO_ADDR", hide_env_values = true, value_parser = address)]
    pub addr: Option<SocketAddr>,

    /// Folder of the built site [default: target/site]
    #[arg(long, env = "GRUPPETTO_SITE_ROOT", hide_env_values = true)]
    pub site_root: Option<PathBuf>,

    /// Address under which riders reach the server, like https://ride.example.
    /// Invitations and QR codes use it; unset, they use the address that the
    /// browser asked for
    #[arg(long, env = "GRUPPETTO_PUBLIC_URL", hide_env_values = true)]
    pub public_url: Option<PublicUrl>,

    /// STUN and TURN servers for direct links: comma-separated URLs
    /// (stun:host:port,turn:host:port), or a JSON list of
    /// {"urls":[…],"username":…,"credential":…}, or "none". Unset: none while
    /// GRUPPETTO_PUBLIC_URL is unset or a loopback address, otherwise the
    /// public stun:stun.l.google.com:19302. STUN_SERVERS is read too
    #[arg(long, env = "GRUPPETTO_ICE_SERVERS", hide_env_values = true)]
    pub ice_servers: Option<IceServers>,

    /// Whether riders may link directly; if not, the server relays everything.
    /// P2P_ENABLED is read too
    #[arg(long, env = "GRUPPETTO_P2P_ENABLED", hide_env_values = true, default_value = "true", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub p2p_enabled: bool,

    /// Direct links.
    #[command(flatten)]
    pub ice: IceSettings,

    /// Other addresses under which riders reach the server, comma-separated,
    /// like https://club.example: pages from there may start and join rides,
    /// pages from anywhere else may not. PeerJS and simple-peer clients may come
    /// from anywhere while this is unset. ALLOWED_ORIGINS is read too
    #[arg(
        long,
        env = "GRUPPETTO_ALLOWED_ORIGINS",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub allowed_origins: List<PublicUrl>,

    /// Addresses of the proxies before this server, or networks like
    /// 10.0.0.0/8, comma-separated: only from them X-Forwarded-For is believed
    #[arg(
        long,
        env = "GRUPPETTO_TRUSTED_PROXIES",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub trusted_proxies: List<Network>,

    /// What is logged: a level (error, warn, info, debug) or a tracing filter
    #[arg(long, env = "GRUPPETTO_LOG", hide_env_values = true, default_value = "info", value_parser = log_filter)]
    pub log: String,

    /// How it is logged
    #[arg(
        long,
        env = "GRUPPETTO_LOG_FORMAT",
        hide_env_values = true,
        default_value = "text"
    )]
    pub log_format: LogFormat,

    /// Milliseconds for which a rider who lost the connection keeps the place
    #[arg(long, env = "GRUPPETTO_GRACE_MS", hide_env_values = true, default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(0..=3_600_000))]
    pub grace_ms: u64,

    /// Milliseconds of silence after which a rider's connection counts as lost;
    /// pages say something every second. 0: only when the network says so
    #[arg(long, env = "GRUPPETTO_RIDER_SILENCE_MS", hide_env_values = true, default_value_t = 4_500, value_parser = rider_silence)]
    pub rider_silence_ms: u64,

    /// Milliseconds for which the host's connection may be lost, and the host
    /// be reached by nobody directly, before another rider is host
    #[arg(long, env = "GRUPPETTO_HOST_GRACE_MS", hide_env_values = true, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(0..=3_600_000))]
    pub host_grace_ms: u64,

    /// What the tokens are signed with by which riders come back to their ride,
    /// even to a server that was restarted: 16 characters and more, the same on
    /// every start. Unset, it is made once and kept in GRUPPETTO_SECRET_FILE.
    /// Other users may see flags, so better set the environment variable
    #[arg(long, env = "GRUPPETTO_SECRET", hide_env_values = true, value_parser = secret)]
    pub secret: Option<String>,

    /// File of the secret, made with mode 600 where there is none [default:
    /// gruppetto/secret in $XDG_STATE_HOME or ~/.local/state]
    #[arg(long, env = "GRUPPETTO_SECRET_FILE", hide_env_values = true)]
    pub secret_file: Option<PathBuf>,

    /// Milliseconds that a ride lives on after its last rider left
    #[arg(long, env = "GRUPPETTO_ROOM_TTL_MS", hide_env_values = true, default_value_t = 600_000, value_parser = clap::value_parser!(u64).range(0..=86_400_000))]
    pub room_ttl_ms: u64,

    /// Riders that one ride takes
    #[arg(long, env = "GRUPPETTO_MAX_RIDERS", hide_env_values = true, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub max_riders: u32,

    /// Riders of a ride, the first to come, who link directly; the others are
    /// relayed
    #[arg(long, env = "GRUPPETTO_MAX_DIRECT", hide_env_values = true, default_value_t = 16, value_parser = clap::value_parser!(u32).range(0..=64))]
    pub max_direct: u32,

    /// Rides that the server keeps at once
    #[arg(long, env = "GRUPPETTO_MAX_ROOMS", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_rooms: u32,

    /// Bytes that one socket message may have; no page sends more than 65,536
    #[arg(long, env = "GRUPPETTO_MAX_MESSAGE_BYTES", hide_env_values = true, default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(16_384..=65_536))]
    pub max_message_bytes: u32,

    /// Bytes that may wait for one rider's socket before it is closed as too
    /// slow
    #[arg(long, env = "GRUPPETTO_MAX_QUEUE_BYTES", hide_env_values = true, default_value_t = 4_194_304, value_parser = clap::value_parser!(u32).range(131_072..))]
    pub max_queue_bytes: u32,

    /// Milliseconds in which a new socket must say hello
    #[arg(long, env = "GRUPPETTO_HELLO_TIMEOUT_MS", hide_env_values = true, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub hello_timeout_ms: u64,

    /// Milliseconds between the server's pings on a socket
    #[arg(long, env = "GRUPPETTO_PING_INTERVAL_MS", hide_env_values = true, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub ping_interval_ms: u64,

    /// Milliseconds of silence after which a socket is given up
    #[arg(long, env = "GRUPPETTO_PING_TIMEOUT_MS", hide_env_values = true, default_value_t = 45_000, value_parser = clap::value_parser!(u64).range(200..=3_600_000))]
    pub ping_timeout_ms: u64,

    /// How much anybody may ask of the server.
    #[command(flatten)]
    pub limits: LimitSettings,

    /// PeerJS clients.
    #[command(flatten)]
    pub peerjs: PeerJs,
}

impl Config {
    /// Reads flags and environment. Asked for `--help` or `--version`, it
    /// prints that and ends the process, as flags of every program do.
    ///
    /// # Errors
    /// [`StartError::Setting`] with a sentence that names the setting.
    pub fn load() -> Result<Self, StartError> {
        let arguments = with_plain_names(std::env::args_os(), |name| std::env::var_os(name));
        let config = Self::try_parse_from(arguments).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
            _ => StartError::Setting(sentence(&error)),
        })?;
        config.ice.check().map_err(StartError::Setting)?;
        config.check()?;
        Ok(config)
    }

    /// What no setting says by itself.
    fn check(&self) -> Result<(), StartError> {
        let (interval, patience) = (self.ping_interval_ms, self.ping_timeout_ms);
        match interval < patience {
            true => Ok(()),
            false => Err(StartError::Setting(format!(
                "The setting --ping-timeout-ms (GRUPPETTO_PING_TIMEOUT_MS) is {patience} and must be more than \
                 --ping-interval-ms (GRUPPETTO_PING_INTERVAL_MS), which is {interval}: otherwise sockets are \
                 given up before they are asked whether they live."
            ))),
        }
    }

    /// The servers that riders are told of for direct links.
    pub fn ice_servers(&self) -> Vec<IceServer> {
        match (&self.ice_servers, &self.public_url) {
            (Some(servers), _) => servers.0.clone(),
            (None, Some(url)) if !url.is_loopback() => vec![plain_ice_server(PUBLIC_STUN)],
            (None, _) => Vec::new(),
        }
    }

    /// For how long a lost rider keeps the place.
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }

    /// For how long a rider may say nothing.
    pub fn rider_silence(&self) -> Duration {
        Duration::from_millis(self.rider_silence_ms)
    }

    /// For how long a lost host is waited for.
    pub fn host_grace(&self) -> Duration {
        Duration::from_millis(self.host_grace_ms)
    }

    /// Where the secret is kept, if anywhere is known.
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

    /// How long a new socket may take to say hello.
    pub fn hello_timeout(&self) -> Duration {
        Duration::from_millis(self.hello_timeout_ms)
    }

    /// How often the server pings.
    pub fn ping_interval(&self) -> Duration {
        Duration::from_millis(self.ping_interval_ms)
    }

    /// How long a socket may stay silent.
    pub fn ping_timeout(&self) -> Duration {
        Duration::from_millis(self.ping_timeout_ms)
    }
}

/// Lines for people, or JSON for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One readable line each.
    Text,
    /// One JSON object each.
    Json,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "is not an address and a port like 127.0.0.1:3000".to_owned())
}

fn rider_silence(text: &str) -> Result<u64, String> {
    let parsed = text.parse::<u64>().ok();
    let known = parsed.filter(|ms| *ms == 0 || (3_000..=3_600_000).contains(ms));
    known.ok_or_else(|| "is neither 0 nor 3000 to 3600000: pages say something every second".into())
}

fn secret(text: &str) -> Result<String, String> {
    match text.len() >= SHORTEST_SECRET {
        true => Ok(text.to_owned()),
        false => Err(format!("has fewer than {SHORTEST_SECRET} characters")),
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
    fn a_variable_that_is_set_to_nothing_is_not_set() {
        let empty = with_plain_names(["gruppetto".into()].into_iter(), |_| Some("".into()));
        assert_eq!(empty.len(), 1);
        let config = parse(&["--allowed-origins", "", "--trusted-proxies", " "]);
        assert!(config.allowed_origins.is_empty() && config.trusted_proxies.is_empty());
    }

    #[test]
    fn a_server_that_would_give_sockets_up_before_it_asks_them_does_not_start() {
        assert!(parse(&[]).check().is_ok());
        for interval in ["45000", "60000"] {
            let refused = parse(&["--ping-interval-ms", interval]).check();
            let message = refused.expect_err("refused").to_string();
            assert!(message.contains("(GRUPPETTO_PING_TIMEOUT_MS) is 45000"));
            assert!(message.contains(&format!("which is {interval}:")));
        }
    }

    #[test]
    fn no_message_may_be_larger_than_pages_can_read() {
        let larger = ["gruppetto", "--max-message-bytes", "65537"];
        assert!(Config::try_parse_from(larger).is_err());
    }

    #[test]
    fn every_setting_is_in_the_documentation() {
        use clap::CommandFactory;
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
    fn only_a_public_server_names_a_public_stun_server() {
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
