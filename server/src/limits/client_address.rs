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
        let Ok(address) = text.trim().parse::<IpAddr>() else {
            break;
        };
        client = address;
        if !is_trusted(&address) {
            break;
        }
    }
    client
}

/// Returns `true` if an address lies in one of the networks.
pub fn is_among(address: IpAddr, networks: &[IpNetwork]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// Address under which a client is counted: the IPv4 address, or the /64 of an
/// IPv6 address, because one IPv6 customer usually has a whole /64.
pub fn counted_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const BEN: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

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
