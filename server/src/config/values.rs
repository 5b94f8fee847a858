//! Settings of more than one word: addresses and lists of servers.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::Uri;
use mesh::signaling::IceServer;

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
