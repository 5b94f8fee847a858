use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::config::{Config, IpNetwork};

/// Header in which proxies name the address of their client.
pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// Address of the client that sent a request, see [`client_address`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl<S: AsRef<Config> + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        // Without the connection's address, all clients share one allowance.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into(), |info| info.0);
        let trusted = &state.as_ref().trusted_proxies;
        Ok(Self(client_address(peer, &parts.headers, trusted)))
    }
}

/// Address of the client: the peer of the connection or, if that is a trusted
/// proxy, the last address in `X-Forwarded-For` that is not a trusted proxy.
pub fn client_address(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNetwork]) -> IpAddr {
    let is_trusted = |address: &IpAddr| is_among(*address, trusted);
    let peer = peer.ip();
    if !is_trusted(&peer) {
        return peer;
    }
    let forwarded: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut client = peer;
    for text in forwarded.iter().rev() {
        let Some(address) = forwarded_address(text.trim()) else {
            break;
        };
        client = address;
        if !is_trusted(&address) {
            break;
        }
    }
    client
}

/// Address in one entry of `X-Forwarded-For`, which some proxies write with a port:
/// `192.0.2.1`, `192.0.2.1:4000`, `2001:db8::1`, `[2001:db8::1]` or
/// `[2001:db8::1]:4000`.
fn forwarded_address(text: &str) -> Option<IpAddr> {
    let in_brackets = |text: &str| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()))
        .or_else(|| in_brackets(text))
}

/// Returns `true` if an address lies in one of the networks.
pub fn is_among(address: IpAddr, networks: &[IpNetwork]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const BEN: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_forwarded_address_with_a_port_counts_without_it() {
        for (text, address) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:4000", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:4000", Some("2001:db8::1")),
            ("unknown", None),
            ("_hidden:4000", None),
        ] {
            let found = forwarded_address(text).map(|it| it.to_string());
            assert_eq!(found.as_deref(), address, "{text}");
        }
    }

    #[test]
    fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
        let mut headers = HeaderMap::new();
        headers.insert(
            FORWARDED_FOR,
            "203.0.113.9, 192.0.2.1".parse().expect("a value"),
        );
        let peer = SocketAddr::new(BEN, 4_000);
        assert_eq!(client_address(peer, &headers, &[]), BEN);
        assert_eq!(client_address(peer, &headers, &[BEN.into()]), ANA);
        assert_eq!(
            client_address(peer, &headers, &[BEN.into(), ANA.into()]).to_string(),
            "203.0.113.9"
        );
    }
}
