//! Types of settings: origins, lists and networks.

use std::net::IpAddr;
use std::ops::Deref;
use std::str::FromStr;

use axum::http::Uri;

/// Origin of a web page: `http` or `https`, a host, and an optional port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    scheme: String,
    authority: String,
    host: String,
}

impl PublicUrl {
    /// Returns `true` if the host is this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.ends_with(".localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    }

    /// Returns `true` for `https`.
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Host and port as in a `Host` header, without the default port of the scheme.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// DNS name or IP address, without brackets.
    pub fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// Port, or the default one of the scheme.
    pub fn port(&self) -> u16 {
        let port = self.authority.strip_prefix(self.host.as_str());
        let port = port.and_then(|port| port.strip_prefix(':')?.parse().ok());
        port.unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// Returns `true` if a `Host` header names this origin. The scheme is not
    /// compared, because a proxy may terminate TLS.
    pub fn is_at(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let default_port = [":443", ":80"]
            .iter()
            .find_map(|port| host.strip_suffix(port));
        self.authority == host || default_port.is_some_and(|name| self.authority == name)
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
        const EXPECTED: &str = "is not an address such as https://ride.example, without a path";
        const PATH: &str =
            "has a path, but Gruppetto needs a host name of its own, as in https://ride.example";
        let uri: Uri = text
            .trim()
            .trim_end_matches('/')
            .parse()
            .map_err(|_| EXPECTED)?;
        let scheme = uri
            .scheme_str()
            .filter(|scheme| ["http", "https"].contains(scheme))
            .ok_or(EXPECTED)?;
        let authority = uri
            .authority()
            .filter(|it| !it.as_str().contains('@'))
            .ok_or(EXPECTED)?;
        if uri
            .path_and_query()
            .is_some_and(|rest| rest.as_str() != "/")
        {
            return Err(PATH.into());
        }
        let port = authority.as_str().strip_prefix(authority.host());
        let port = port.and_then(|port| port.strip_prefix(':'));
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(EXPECTED.into());
        }
        let default_port = if scheme == "https" { ":443" } else { ":80" };
        let lower = authority.as_str().to_ascii_lowercase();
        Ok(Self {
            scheme: scheme.to_owned(),
            authority: lower
                .strip_suffix(default_port)
                .unwrap_or(&lower)
                .to_owned(),
            host: authority.host().to_ascii_lowercase(),
        })
    }
}

/// Comma-separated values. An empty text gives an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommaSeparated<T>(Vec<T>);

impl<T> Deref for CommaSeparated<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: FromStr> FromStr for CommaSeparated<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        let values = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        values.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

/// One IP address, or a network in CIDR notation (RFC 4632).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpNetwork {
    /// IPv6 address, or IPv4-mapped IPv6 address.
    bits: u128,
    prefix: u32,
}

impl IpNetwork {
    /// Returns `true` if an address is in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = (self.bits ^ mapped(address)).leading_zeros();
        differing >= self.prefix
    }
}

impl From<IpAddr> for IpNetwork {
    fn from(address: IpAddr) -> Self {
        Self {
            bits: mapped(address),
            prefix: u128::BITS,
        }
    }
}

impl FromStr for IpNetwork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "is not a list of addresses or networks such as 10.0.0.0/8";
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| EXPECTED)?;
        let max = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(max), str::parse).map_err(|_| EXPECTED)?;
        if length > max {
            return Err(EXPECTED.into());
        }
        Ok(Self {
            bits: mapped(address),
            prefix: u128::BITS - max + length,
        })
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_the_addresses_with_its_prefix() {
        let contains = |networks: &str, address: &str| {
            let networks: CommaSeparated<IpNetwork> = networks.parse().expect("networks");
            let address = address.parse().expect("an address");
            networks.iter().any(|network| network.contains(address))
        };
        assert!(contains("10.0.0.0/8, 192.0.2.1", "10.200.3.4"));
        assert!(contains("10.0.0.0/8,192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!contains("10.0.0.0/8,192.0.2.1", "192.0.2.2"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1"));
        assert!(!contains("2001:db8::/32", "2001:db9::1"));
        assert!(contains("0.0.0.0/0", "203.0.113.9") && !contains("0.0.0.0/0", "2001:db8::1"));
        for invalid in [
            "10.0.0.0/33",
            "10.0.0.0/",
            "proxy",
            "::1/129",
            "10.0.0.0/8/8",
        ] {
            assert!(
                invalid.parse::<CommaSeparated<IpNetwork>>().is_err(),
                "{invalid}"
            );
        }
    }

    #[test]
    fn an_origin_is_normalized_to_lower_case_without_its_default_port() {
        let origin = |text: &str| text.parse::<PublicUrl>().expect("an origin").to_string();
        assert_eq!(origin("https://Ride.Example:443/"), "https://ride.example");
        assert_eq!(
            origin("http://ride.example:8080"),
            "http://ride.example:8080"
        );
        let path = "https://club.example/g/".parse::<PublicUrl>();
        assert!(
            path.expect_err("refused")
                .contains("needs a host name of its own")
        );
        for invalid in [
            "null",
            "https://ride.example:65536",
            "https://ride.example:",
        ] {
            assert!(invalid.parse::<PublicUrl>().is_err(), "{invalid}");
        }
    }

    #[test]
    fn an_origin_has_a_host_and_a_port_to_connect_to() {
        for (text, host, port) in [
            ("https://ride.example", "ride.example", 443),
            ("http://ride.example", "ride.example", 80),
            ("https://[2001:db8::1]:8443", "2001:db8::1", 8443),
        ] {
            let url: PublicUrl = text.parse().expect("an origin");
            assert_eq!((url.host(), url.port()), (host, port));
        }
    }
}
