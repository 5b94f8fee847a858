//! Settings of more than one word: addresses and lists of servers.

use std::net::IpAddr;
use std::ops::Deref;
use std::str::FromStr;

use axum::http::Uri;
use protocol::signaling::IceServer;

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

/// Values with commas between them; none where nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(Vec<T>);

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: FromStr> FromStr for List<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        let values = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        values.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// One address, or all that begin with the same bits (RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Of an IPv4 address as IPv6 has it, so that both are of one kind.
    bits: u128,
    prefix: u32,
}

impl Network {
    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = (self.bits ^ mapped(address)).leading_zeros();
        differing >= self.prefix
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self {
            bits: mapped(address),
            prefix: u128::BITS,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "is not a list of addresses or networks like 10.0.0.0/8";
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| WANTED)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(most), str::parse).map_err(|_| WANTED)?;
        if length > most {
            return Err(WANTED.into());
        }
        Ok(Self {
            bits: mapped(address),
            prefix: u128::BITS - most + length,
        })
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

/// The STUN and TURN servers that were set.
#[derive(Debug, Clone, PartialEq)]
pub struct IceServers(pub(super) Vec<IceServer>);

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

/// A server that needs no name and no password.
pub fn plain_ice_server(url: &str) -> IceServer {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_begin_as_it_does() {
        let holds = |networks: &str, address: &str| {
            let networks: List<Network> = networks.parse().expect("networks");
            let address = address.parse().expect("an address");
            networks.iter().any(|network| network.contains(address))
        };
        assert!(holds("10.0.0.0/8, 192.0.2.1", "10.200.3.4"));
        assert!(holds("10.0.0.0/8,192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!holds("10.0.0.0/8,192.0.2.1", "192.0.2.2"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1"));
        assert!(!holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
        for wrong in [
            "10.0.0.0/33",
            "10.0.0.0/",
            "proxy",
            "::1/129",
            "10.0.0.0/8/8",
        ] {
            assert!(wrong.parse::<List<Network>>().is_err(), "{wrong}");
        }
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
