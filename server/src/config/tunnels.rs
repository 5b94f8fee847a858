//! Settings of tunnels.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use tunnel::identity::TunnelCode;

use super::PublicUrl;

/// Address and port to listen on for visitors, unless set.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3002);

/// Settings of tunnels.
#[derive(Debug, Clone, Args)]
pub struct TunnelSettings {
    /// Origins of tunnels, such as https://*.tunnel.example, with the wildcard as the
    /// whole first label, or "none": no tunnels [default: http://*.localhost with the port
    /// of GRUPPETTO_TUNNEL_ADDR]
    #[arg(long, env = "GRUPPETTO_TUNNEL_ORIGIN", hide_env_values = true)]
    pub tunnel_origin: Option<TunnelOriginSetting>,

    /// Address and port to listen on for visitors of tunnels [default: 127.0.0.1:3002, or
    /// a free port if that of GRUPPETTO_ADDR is 0]. If it is in use, the server has no
    /// tunnels
    #[arg(long, env = "GRUPPETTO_TUNNEL_ADDR", hide_env_values = true, value_parser = super::address)]
    pub tunnel_addr: Option<SocketAddr>,

    /// Maximum number of bytes that the server passes on per second for one tunnel, both
    /// directions together, with bursts of one second's worth (0: unlimited)
    #[arg(long, env = "GRUPPETTO_TUNNEL_RELAY_BYTES_PER_SECOND", hide_env_values = true, default_value_t = 2_000_000, value_parser = relay_bytes)]
    pub tunnel_relay_bytes_per_second: u32,

    /// Maximum number of tunnels. A quarter of them, but at least 16, may come from one
    /// address
    #[arg(long, env = "GRUPPETTO_MAX_TUNNELS", hide_env_values = true, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub max_tunnels: u32,

    /// Maximum number of visitors of one tunnel. At most half of them may come from one address.
    /// Requests that the server passes on for one address count as one visitor
    #[arg(long, env = "GRUPPETTO_MAX_TUNNEL_VISITORS", hide_env_values = true, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub max_tunnel_visitors: u32,

    /// Maximum size in bytes of the head of a request to a tunnel
    #[arg(long, env = "GRUPPETTO_TUNNEL_MAX_HEAD_BYTES", hide_env_values = true, default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(8_192..=40_960))]
    pub tunnel_max_head_bytes: u32,

    /// Maximum number of open requests and WebSockets that the server passes on for one
    /// address to one tunnel
    #[arg(long, env = "GRUPPETTO_TUNNEL_MAX_STREAMS", hide_env_values = true, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub tunnel_max_streams: u32,

    /// Milliseconds within which a tunnel must answer a request that the server passes on,
    /// or take some of its body
    #[arg(long, env = "GRUPPETTO_TUNNEL_RESPONSE_TIMEOUT_MS", hide_env_values = true, default_value_t = 65_000, value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub tunnel_response_timeout_ms: u64,

    /// Milliseconds without a byte after which a response or a WebSocket that the server
    /// passes on ends
    #[arg(long, env = "GRUPPETTO_TUNNEL_IDLE_MS", hide_env_values = true, default_value_t = 600_000, value_parser = clap::value_parser!(u64).range(1_000..=86_400_000))]
    pub tunnel_idle_ms: u64,
}

/// Value of the setting of origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TunnelOriginSetting {
    /// No tunnels.
    Off,
    /// Origins with a wildcard.
    Wildcard(TunnelOrigin),
}

/// Origins of tunnels: scheme, parent domain and port. The tunnel's code is the first label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelOrigin(PublicUrl);

impl TunnelSettings {
    /// Address to listen on, for a server whose own port is `port`; `None` if there are no
    /// tunnels.
    pub fn listen_address(&self, port: u16) -> Option<SocketAddr> {
        if self.tunnel_origin == Some(TunnelOriginSetting::Off) {
            return None;
        }
        let default = match port {
            0 => SocketAddr::new(DEFAULT_ADDRESS.ip(), 0),
            _ => DEFAULT_ADDRESS,
        };
        Some(self.tunnel_addr.unwrap_or(default))
    }

    /// Origins of a server that listens for visitors at a port.
    pub fn origin(&self, port: u16) -> TunnelOrigin {
        match &self.tunnel_origin {
            Some(TunnelOriginSetting::Wildcard(origin)) => origin.clone(),
            _ => TunnelOrigin::local(port),
        }
    }

    /// Time within which a request must be answered.
    pub fn response_timeout(&self) -> Duration {
        Duration::from_millis(self.tunnel_response_timeout_ms)
    }

    /// Time without a byte after which a response or a WebSocket ends.
    pub fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.tunnel_idle_ms)
    }
}

impl TunnelOrigin {
    /// Origins on this machine. Browsers resolve names below `localhost` to it (RFC 6761,
    /// section 6.3), and treat their pages as secure.
    pub fn local(port: u16) -> Self {
        let url = format!("http://localhost:{port}").parse();
        Self(url.expect("a host and a port are an origin"))
    }

    /// Origin of a tunnel.
    pub fn of(&self, code: &TunnelCode) -> String {
        format!("{}://{code}.{}", self.scheme(), self.0.authority())
    }

    /// Code that a `Host` header names; `None` if it is not the host of a tunnel.
    pub fn code_at(&self, host: &str) -> Option<TunnelCode> {
        let host = host.to_ascii_lowercase();
        let (label, parent) = host.split_once('.')?;
        let (name, port) = match parent.rsplit_once(':') {
            Some((name, port)) => (name, port.parse().ok()?),
            None => (parent, if self.0.is_https() { 443 } else { 80 }),
        };
        let is_here = name == self.0.host() && port == self.0.port();
        is_here.then(|| label.parse().ok()).flatten()
    }

    /// Returns `true` for `https`.
    pub fn is_https(&self) -> bool {
        self.0.is_https()
    }

    fn scheme(&self) -> &'static str {
        if self.is_https() { "https" } else { "http" }
    }
}

impl fmt::Display for TunnelOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://*.{}", self.scheme(), self.0.authority())
    }
}

impl FromStr for TunnelOriginSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "none" => Ok(Self::Off),
            text => text.parse().map(Self::Wildcard),
        }
    }
}

impl FromStr for TunnelOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "is neither \"none\" nor an origin such as https://*.tunnel.example, \
             whose first label is the wildcard";
        let (scheme, host) = text.trim().split_once("://*.").ok_or(EXPECTED)?;
        let url: PublicUrl = format!("{scheme}://{host}").parse().map_err(|_| EXPECTED)?;
        let labels = |name: &str| name.split('.').all(is_label);
        match labels(url.host()) && url.host().parse::<IpAddr>().is_err() {
            true => Ok(Self(url)),
            false => Err(EXPECTED.into()),
        }
    }
}

/// Label of a host name (RFC 1123, section 2.1).
fn is_label(text: &str) -> bool {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    !text.is_empty() && text.bytes().all(is_letter)
}

/// Parses the byte limit. With less than 64 KiB, a frame would be more than the burst.
fn relay_bytes(text: &str) -> Result<u32, String> {
    const MIN: u32 = 65_536;
    match text.parse() {
        Ok(bytes) if bytes == 0 || bytes >= MIN => Ok(bytes),
        Ok(bytes) => Err(format!("{bytes} is neither 0 nor at least {MIN}")),
        Err(_) => Err("is not a number of bytes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    const CODE: &str = "abcdefghij234567";

    fn settings(flags: &[&str]) -> TunnelSettings {
        Config::parse_from(["gruppetto"].iter().chain(flags)).tunnels
    }

    #[test]
    fn an_origin_has_a_wildcard_as_its_whole_first_label() {
        for text in [
            "https://*.tunnel.example",
            "http://*.localhost:3002",
            "https://*.tunnel.example:8443/",
        ] {
            let origin: TunnelOrigin = text.parse().expect("an origin");
            assert_eq!(origin.to_string(), text.trim_end_matches('/'));
        }
        for text in [
            "",
            "https://tunnel.example",
            "https://a*.tunnel.example",
            "https://*.*.example",
            "https://*.127.0.0.1",
            "https://*.tunnel.example/path",
            "ftp://*.tunnel.example",
            "https://*.",
            "https://*.a@b.example",
        ] {
            let error = text.parse::<TunnelOriginSetting>().expect_err(text);
            assert!(error.starts_with("is neither"), "{error}");
        }
    }

    #[test]
    fn a_host_names_a_tunnel_only_with_a_code_below_the_parent_at_the_port() {
        let code: TunnelCode = CODE.parse().expect("a code");
        let local = TunnelOrigin::local(3_002);
        assert_eq!(local.of(&code), format!("http://{CODE}.localhost:3002"));
        let public: TunnelOrigin = "https://*.tunnel.example".parse().expect("an origin");
        for (origin, host) in [
            (&local, format!("{CODE}.localhost:3002")),
            (&local, format!("{}.LOCALHOST:3002", CODE.to_uppercase())),
            (&public, format!("{CODE}.tunnel.example")),
            (&public, format!("{CODE}.tunnel.example:443")),
        ] {
            assert_eq!(origin.code_at(&host), Some(code.clone()), "{host}");
        }
        for (origin, host) in [
            (&local, "localhost:3002".to_owned()),
            (&local, format!("{CODE}.localhost")),
            (&local, format!("{CODE}.localhost:3003")),
            (&local, format!("x.{CODE}.localhost:3002")),
            (&local, "abc.localhost:3002".to_owned()),
            (&public, "ride.tunnel.example".to_owned()),
            (&public, format!("{CODE}.tunnel.example.other.example")),
            (&public, format!("{CODE}.tunnel.example:x")),
            (&public, CODE.to_owned()),
        ] {
            assert_eq!(origin.code_at(&host), None, "{host}");
        }
    }

    #[test]
    fn the_default_origin_follows_the_port_and_a_free_port_that_of_the_server() {
        let usual = settings(&[]);
        assert_eq!(usual.listen_address(3_000), Some(DEFAULT_ADDRESS));
        assert_eq!(usual.origin(3_002).to_string(), "http://*.localhost:3002");
        let free = usual.listen_address(0).expect("an address");
        assert_eq!(free.to_string(), "127.0.0.1:0");
        let other = settings(&["--tunnel-addr", "127.0.0.1:4000"]);
        assert_eq!(
            other.listen_address(0).map(|it| it.port()),
            Some(4_000),
            "as set"
        );
        let set = settings(&["--tunnel-origin", "https://*.tunnel.example"]);
        assert_eq!(set.origin(3_002).to_string(), "https://*.tunnel.example");
        let off = settings(&["--tunnel-origin", "none"]);
        assert_eq!(off.listen_address(3_000), None);
    }
}
