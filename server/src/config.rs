//! The server's settings: environment variables, or flags of the same name.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, ValueEnum};
use mesh::signaling::IceServer;
use tracing_subscriber::EnvFilter;

use crate::error::StartError;

/// The public STUN server that riders of a public server are told of when
/// nothing else is set.
const PUBLIC_STUN: &str = "stun:stun.l.google.com:19302";

/// Gruppetto: group workout rides on indoor trainers, in the browser.
///
/// Every setting is a flag or an environment variable. The server keeps
/// everything in memory and writes no files.
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
    /// public stun:stun.l.google.com:19302
    #[arg(long, env = "GRUPPETTO_ICE_SERVERS", hide_env_values = true)]
    pub ice_servers: Option<IceServers>,

    /// Whether riders may link directly; if not, the server relays everything
    #[arg(long, env = "GRUPPETTO_P2P_ENABLED", hide_env_values = true, default_value = "true", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub p2p_enabled: bool,

    /// Other addresses under which riders reach the server, comma-separated,
    /// like https://club.example: pages from there may start and join rides,
    /// pages from anywhere else may not
    #[arg(
        long,
        env = "GRUPPETTO_ALLOWED_ORIGINS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub allowed_origins: Vec<PublicUrl>,

    /// Addresses of the proxies before this server, comma-separated: only from
    /// them X-Forwarded-For is believed
    #[arg(
        long,
        env = "GRUPPETTO_TRUSTED_PROXIES",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<IpAddr>,

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

    /// Rides that may be started from one address in an hour (0: any number)
    #[arg(
        long,
        env = "GRUPPETTO_RIDES_PER_HOUR",
        hide_env_values = true,
        default_value_t = 60
    )]
    pub rides_per_hour: u32,

    /// Bytes that one socket message may have
    #[arg(long, env = "GRUPPETTO_MAX_MESSAGE_BYTES", hide_env_values = true, default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(16_384..=1_048_576))]
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
}

impl Config {
    /// Reads flags and environment. Asked for `--help` or `--version`, it
    /// prints that and ends the process, as flags of every program do.
    ///
    /// # Errors
    /// [`StartError::Setting`] with a sentence that names the setting.
    pub fn load() -> Result<Self, StartError> {
        Self::try_parse().map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.exit(),
            _ => StartError::Setting(sentence(&error)),
        })
    }

    /// The settings with nothing given.
    pub fn defaults() -> Self {
        Self::parse_from(["gruppetto"])
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

/// An origin: `http` or `https`, a host, and perhaps a port; nothing after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    scheme: String,
    authority: String,
    host: String,
}

impl PublicUrl {
    /// Whether only this machine can open it.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host == "localhost"
            || host.ends_with(".localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Whether a `Host` header names this origin. The scheme does not count: a
    /// proxy before the server may have ended TLS.
    pub fn is_at(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let standard_port = [":443", ":80"]
            .iter()
            .find_map(|port| host.strip_suffix(port));
        self.authority == host || standard_port.is_some_and(|name| self.authority == name)
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}://{}", self.scheme, self.authority)
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "is not an address like https://ride.example without a path";
        let uri: Uri = text
            .trim()
            .trim_end_matches('/')
            .parse()
            .map_err(|_| WANTED)?;
        let scheme = uri
            .scheme_str()
            .filter(|scheme| ["http", "https"].contains(scheme))
            .ok_or(WANTED)?;
        let authority = uri
            .authority()
            .filter(|it| !it.as_str().contains('@'))
            .ok_or(WANTED)?;
        if uri
            .path_and_query()
            .is_some_and(|rest| rest.as_str() != "/")
        {
            return Err(WANTED.into());
        }
        let standard_port = if scheme == "https" { ":443" } else { ":80" };
        let lower = authority.as_str().to_ascii_lowercase();
        Ok(Self {
            scheme: scheme.to_owned(),
            authority: lower
                .strip_suffix(standard_port)
                .unwrap_or(&lower)
                .to_owned(),
            host: authority.host().to_ascii_lowercase(),
        })
    }
}

/// The STUN and TURN servers that were set.
#[derive(Debug, Clone, PartialEq)]
pub struct IceServers(Vec<IceServer>);

impl FromStr for IceServers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let servers = if text.starts_with('[') {
            serde_json::from_str(text)
                .map_err(|error| format!("is not a JSON list of servers ({error})"))?
        } else if text.is_empty() || text == "none" {
            Vec::new()
        } else {
            text.split(',')
                .map(|url| plain_ice_server(url.trim()))
                .collect()
        };
        match servers
            .iter()
            .flat_map(|server: &IceServer| &server.urls)
            .find(|url| !is_ice_url(url))
        {
            Some(url) => Err(format!(
                "has {url:?}, which does not begin with stun:, stuns:, turn: or turns:"
            )),
            None => Ok(Self(servers)),
        }
    }
}

fn plain_ice_server(url: &str) -> IceServer {
    IceServer {
        urls: vec![url.to_owned()],
        username: None,
        credential: None,
    }
}

fn is_ice_url(url: &str) -> bool {
    ["stun:", "stuns:", "turn:", "turns:"].iter().any(|scheme| {
        url.strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "is not an address and a port like 127.0.0.1:3000".to_owned())
}

fn log_filter(text: &str) -> Result<String, String> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("is not a log level (error, warn, info, debug) or filter".to_owned()),
    }
}

/// One sentence for what clap says in several lines.
fn sentence(error: &clap::Error) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let Some(flag) = context(ContextKind::InvalidArg) else {
        let rendered = error.render().to_string();
        let first = rendered.lines().next().unwrap_or_default();
        return format!(
            "{}: --help lists the settings.",
            first.trim_start_matches("error: ")
        );
    };
    let flag = flag.split(' ').next().unwrap_or(flag);
    let Some(value) = context(ContextKind::InvalidValue) else {
        return format!("{flag} is not a setting, or is given wrongly: --help lists the settings.");
    };
    let reason = std::error::Error::source(error)
        .map_or_else(|| "is not one of its values".into(), ToString::to_string);
    let reason = match reason
        .strip_prefix("is ")
        .or_else(|| reason.strip_prefix("has "))
    {
        Some(_) => reason,
        None => format!("is not accepted ({reason})"),
    };
    let variable = flag
        .trim_start_matches('-')
        .replace('-', "_")
        .to_ascii_uppercase();
    format!(
        "The setting {flag} (GRUPPETTO_{variable}) {reason}: it is {value:?} now; --help explains it."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Config, String> {
        Config::try_parse_from(["gruppetto"].iter().chain(flags)).map_err(|error| sentence(&error))
    }

    #[test]
    fn a_setting_that_does_not_parse_is_named_in_one_sentence() {
        for (flags, name) in [
            (
                ["--addr", "nonsense"],
                "--addr (GRUPPETTO_ADDR) is not an address and a port",
            ),
            (
                ["--public-url", "ride.example"],
                "GRUPPETTO_PUBLIC_URL) is not an address like https://ride.example",
            ),
            (
                ["--max-riders", "many"],
                "--max-riders (GRUPPETTO_MAX_RIDERS) is not accepted (invalid digit",
            ),
            (
                ["--max-riders", "0"],
                "(GRUPPETTO_MAX_RIDERS) is not accepted (0 is not in 1..=64)",
            ),
            (
                ["--ice-servers", "http://x"],
                "(GRUPPETTO_ICE_SERVERS) has \"http://x\"",
            ),
            (
                ["--log-format", "xml"],
                "(GRUPPETTO_LOG_FORMAT) is not one of its values",
            ),
            (["--log", "!!="], "(GRUPPETTO_LOG) is not a log level"),
            (["--p2p-enabled", "perhaps"], "(GRUPPETTO_P2P_ENABLED)"),
        ] {
            let message = parse(&flags).expect_err("refused");
            assert!(message.contains(name), "{message}");
            assert!(
                !message.contains('\n') && message.ends_with('.'),
                "{message}"
            );
        }
    }

    #[test]
    fn an_unknown_flag_is_named() {
        let message = parse(&["--colour"]).expect_err("refused");
        assert!(message.contains("--colour"), "{message}");
    }

    #[test]
    fn only_a_public_server_names_a_public_stun_server() {
        let urls = |flags: &[&str]| {
            parse(flags)
                .expect("settings")
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

    #[test]
    fn ice_servers_are_a_list_of_urls_or_json() {
        let servers = |text: &str| text.parse::<IceServers>().expect("servers").0;
        assert_eq!(servers("stun:a:1, turn:b:2").len(), 2);
        let json = servers(r#"[{"urls":["turn:b:2"],"username":"u","credential":"c"}]"#);
        assert_eq!(json[0].username.as_deref(), Some("u"));
    }

    #[test]
    fn an_origin_is_compared_without_its_standard_port_or_case() {
        let origin = |text: &str| text.parse::<PublicUrl>().expect("an origin").to_string();
        assert_eq!(origin("https://Ride.Example:443/"), "https://ride.example");
        assert_eq!(
            origin("http://ride.example:8080"),
            "http://ride.example:8080"
        );
        assert!("https://ride.example/path".parse::<PublicUrl>().is_err());
        assert!("null".parse::<PublicUrl>().is_err());
    }
}
