//! URLs of STUN and TURN servers.
//!
//! They are checked as strictly as browsers do in the constructor of `RTCPeerConnection` (W3C
//! WebRTC, "validate an ICE server URL"; RFC 7064 and 7065), because a browser that refuses one URL
//! refuses the whole list, and all riders stay relayed.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Port of `stun:` and `turn:` URLs without one (RFC 7064, section 3.2).
const DEFAULT_PORT: u16 = 3478;
/// Port of `stuns:` and `turns:` URLs without one.
const DEFAULT_TLS_PORT: u16 = 5349;
/// Longest DNS name in characters (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 253;

/// URL of a STUN or TURN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceUrl {
    /// Kind of the server.
    pub kind: IceKind,
    /// Protocol to the server.
    pub transport: IceTransport,
    /// DNS name or IP address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    text: String,
}

/// Kind of an ICE server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceKind {
    /// Tells a rider's address as seen from outside.
    Stun,
    /// Relays for a rider.
    Turn,
}

/// Protocol to an ICE server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceTransport {
    /// UDP: `stun:`, `turn:`.
    Udp,
    /// TCP: `turn:` with `?transport=tcp`.
    Tcp,
    /// TLS over TCP: `stuns:`, `turns:`.
    Tls,
    /// DTLS over UDP: `turns:` with `?transport=udp`.
    Dtls,
}

impl fmt::Display for IceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for IceUrl {
    /// Predicate about the URL: "has the port 70000, …".
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        let (kind, is_secure) = match scheme {
            "stun" => (IceKind::Stun, false),
            "stuns" => (IceKind::Stun, true),
            "turn" => (IceKind::Turn, false),
            "turns" => (IceKind::Turn, true),
            _ => return Err("does not begin with stun:, stuns:, turn: or turns:".into()),
        };
        if rest.starts_with("//") {
            return Err(format!("has // after {scheme}:, where the host begins"));
        }
        let (address, query) = match rest.split_once('?') {
            Some((address, query)) => (address, Some(query)),
            None => (rest, None),
        };
        let is_tcp = match (kind, query) {
            (_, None) => is_secure,
            (IceKind::Stun, Some(_)) => {
                return Err(format!(
                    "has a ? after the address, which {scheme}: URLs cannot have"
                ));
            }
            (IceKind::Turn, Some("transport=udp")) => false,
            (IceKind::Turn, Some("transport=tcp")) => true,
            (IceKind::Turn, Some(_)) => {
                return Err(
                    "has something else than transport=udp or transport=tcp after the ?".into(),
                );
            }
        };
        let transport = match (is_secure, is_tcp) {
            (false, false) => IceTransport::Udp,
            (false, true) => IceTransport::Tcp,
            (true, true) => IceTransport::Tls,
            (true, false) => IceTransport::Dtls,
        };
        let (host, port) = host_and_port(address)?;
        let default_port = if is_secure {
            DEFAULT_TLS_PORT
        } else {
            DEFAULT_PORT
        };
        Ok(Self {
            kind,
            transport,
            host,
            port: port.unwrap_or(default_port),
            text: text.to_owned(),
        })
    }
}

fn host_and_port(address: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("has a [ without a ]")?;
            host.parse::<Ipv6Addr>()
                .map_err(|_| format!("has the host [{host}], which is not an IPv6 address"))?;
            match port.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if port.is_empty() => (host, None),
                None => return Err("has something else than a port after the ]".into()),
            }
        }
        None => {
            if address.matches(':').count() > 1 {
                return Err("has more than one : in its address; an IPv6 address needs brackets, as in [2001:db8::1]".into());
            }
            let (host, port) = match address.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            };
            check_name(host)?;
            (host, port)
        }
    };
    let port = port.map(|port| {
        let digits = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|port| port.parse().ok());
        number
            .filter(|port| *port != 0)
            .ok_or_else(|| format!("has the port {port:?}, which is not a number from 1 to 65535"))
    });
    Ok((host.to_owned(), port.transpose()?))
}

/// Accepts an IPv4 address or a DNS name. A name that ends in a number would be parsed as an IPv4
/// address (WHATWG URL, "ends in a number").
fn check_name(host: &str) -> Result<(), String> {
    let refused = |reason: &str| Err(format!("has the host {host:?}, {reason}"));
    if host.is_empty() {
        return Err("has no host".into());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !name.bytes().all(is_allowed) {
        return refused("which has other characters than letters, digits, dots and hyphens");
    }
    if name.len() > MAX_NAME || name.split('.').any(str::is_empty) {
        return refused("which is not a host name");
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && host.parse::<Ipv4Addr>().is_err() {
        return refused("which is not an IPv4 address");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        match text.parse::<IceUrl>() {
            Ok(url) => panic!("accepted: {url:?}"),
            Err(reason) => reason,
        }
    }

    #[test]
    fn a_url_has_a_kind_a_transport_a_host_and_a_port() {
        use {IceKind::*, IceTransport::*};
        for (text, kind, transport, host, port) in [
            ("stun:a.example", Stun, Udp, "a.example", 3478),
            ("stun:192.0.2.1:19302", Stun, Udp, "192.0.2.1", 19302),
            ("stuns:a.example.", Stun, Tls, "a.example.", 5349),
            ("turn:[2001:db8::1]:80", Turn, Udp, "2001:db8::1", 80),
            ("turn:a?transport=udp", Turn, Udp, "a", 3478),
            ("turn:a:443?transport=tcp", Turn, Tcp, "a", 443),
            ("turns:a_b-c:65535?transport=tcp", Turn, Tls, "a_b-c", 65535),
            ("turns:[::1]?transport=udp", Turn, Dtls, "::1", 5349),
        ] {
            let url: IceUrl = text.parse().expect(text);
            assert_eq!((url.kind, url.transport), (kind, transport), "{text}");
            assert_eq!((url.host.as_str(), url.port), (host, port), "{text}");
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn a_url_that_browsers_refuse_is_refused_with_the_reason() {
        for (text, reason) in [
            ("stun:a?transport=udp", "a ? after the address"),
            ("stuns:a?", "a ? after the address"),
            ("turn:a?transport=sctp", "transport=udp or transport=tcp"),
            ("turn:a?transport=tcp&x", "transport=udp or transport=tcp"),
            ("stun://a", "// after stun:"),
            ("turn://user:pass@a", "// after turn:"),
            ("stun:a:65536", "port \"65536\""),
            ("stun:a:0", "port \"0\""),
            ("stun:a:", "port \"\""),
            ("stun:a:+80", "port \"+80\""),
            ("stun:", "no host"),
            ("stun", "no host"),
            ("turn::3478", "no host"),
            ("stun:2001:db8::1", "needs brackets"),
            ("stun:[a]", "not an IPv6 address"),
            ("stun:[::1", "without a ]"),
            ("stun:[::1]3478", "after the ]"),
            ("stun:user@a", "other characters"),
            ("stun:a/b", "other characters"),
            ("stun:a b", "other characters"),
            ("stun:a..b", "not a host name"),
            ("stun:1.2.3.4.5", "not an IPv4 address"),
            ("http://a", "does not begin with stun:"),
            ("STUN:a", "does not begin with stun:"),
            ("", "does not begin with stun:"),
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains(reason), "{text}: {refusal}");
            assert!(
                refusal.starts_with("has ") || refusal.starts_with("does not"),
                "{refusal}"
            );
        }
    }
}
