//! Addresses that the program is started with.

use std::{fmt, str::FromStr};

use hyper::Uri;
use protocol::code::SessionCode;
use thiserror::Error;

use crate::server::{RideUrl, ServerUrl};

/// Origin of the local web site, the only one that is contacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteUrl(ServerUrl);

/// Server that the tunnel goes through, with or without a ride.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelUrl {
    /// Server.
    pub server: ServerUrl,
    /// Ride whose riders see the page.
    pub ride: Option<SessionCode>,
}

/// Reason why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not scheme, host and port alone.
    #[error("is not scheme, host and port alone, such as http://127.0.0.1:8080")]
    NotAnOrigin,
    /// Neither the address of a server nor of a ride.
    #[error(
        "is neither the address of a server, such as https://ride.example, nor of a ride, such as https://ride.example/ride/brave-otter-0042"
    )]
    NotAServer,
}

impl SiteUrl {
    /// Address to connect to.
    pub(super) fn server(&self) -> &ServerUrl {
        &self.0
    }

    /// True if scheme, host and port are those of the site. All names of the loopback address are
    /// the same host, if the site has one of them.
    pub(super) fn is_origin(&self, scheme: &str, authority: &str) -> bool {
        let Ok(other) = format!("{scheme}://{authority}").parse::<ServerUrl>() else {
            return false;
        };
        other.has_tls() == self.0.has_tls()
            && other.port() == self.0.port()
            && self.is_host(other.host())
    }

    /// True if a host is that of the site.
    pub(super) fn is_host(&self, host: &str) -> bool {
        let own = self.0.host();
        own.eq_ignore_ascii_case(host) || (is_loopback(own) && is_loopback(host))
    }
}

/// True for names and addresses of the loopback interface.
fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let ip = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for SiteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SiteUrl {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let uri: Uri = text.parse().map_err(|_| AddressError::NotAnOrigin)?;
        let has_user = uri.authority().is_some_and(|it| it.as_str().contains('@'));
        let is_origin = uri.path() == "/" && uri.query().is_none() && !text.contains(['?', '#']);
        if has_user || !is_origin {
            return Err(AddressError::NotAnOrigin);
        }
        let server = text.parse().map_err(|_| AddressError::NotAnOrigin)?;
        Ok(Self(server))
    }
}

impl fmt::Display for TunnelUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(f)?;
        match &self.ride {
            Some(code) => write!(f, "/ride/{code}"),
            None => Ok(()),
        }
    }
}

impl FromStr for TunnelUrl {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Ok(RideUrl { server, code }) = text.parse() {
            let ride = Some(code);
            return Ok(Self { server, ride });
        }
        let SiteUrl(server) = text.parse().map_err(|_| AddressError::NotAServer)?;
        Ok(Self { server, ride: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_is_an_origin_alone() {
        for (text, shown) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            (" https://site.example/ ", "https://site.example"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(text.parse::<SiteUrl>().unwrap().to_string(), shown);
        }
        for text in [
            "127.0.0.1:8080",
            "ftp://127.0.0.1",
            "http://user:secret@127.0.0.1",
            "http://127.0.0.1/folder",
            "http://127.0.0.1/?query",
            "http://127.0.0.1/#fragment",
            "http://",
            "",
        ] {
            assert_eq!(
                text.parse::<SiteUrl>(),
                Err(AddressError::NotAnOrigin),
                "{text}"
            );
        }
    }

    #[test]
    fn a_ride_may_be_left_out() {
        for (text, has_ride) in [
            ("https://ride.example", false),
            ("https://ride.example/", false),
            ("https://ride.example/ride/brave-otter-0042", true),
        ] {
            let url: TunnelUrl = text.parse().unwrap();
            assert_eq!(url.ride.is_some(), has_ride);
            assert_eq!(url.to_string(), text.trim_end_matches('/'));
        }
        for text in [
            "https://ride.example/solo",
            "https://ride.example/ride/x",
            "x",
        ] {
            assert_eq!(
                text.parse::<TunnelUrl>(),
                Err(AddressError::NotAServer),
                "{text}"
            );
        }
    }

    #[test]
    fn names_of_the_loopback_address_are_one_host() {
        let site: SiteUrl = "http://127.0.0.1:8080".parse().unwrap();
        assert!(site.is_origin("http", "127.0.0.1:8080"));
        assert!(site.is_origin("http", "LOCALHOST:8080"));
        assert!(site.is_origin("http", "[::1]:8080"));
        assert!(!site.is_origin("https", "127.0.0.1:8080"));
        assert!(!site.is_origin("http", "127.0.0.1:8081"));
        assert!(!site.is_origin("http", "127.0.0.1.example:8080"));
        let site: SiteUrl = "https://site.example".parse().unwrap();
        assert!(site.is_origin("https", "site.example:443"));
        assert!(!site.is_origin("https", "localhost"));
    }
}
