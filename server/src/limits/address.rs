use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::config::Network;
use crate::state::AppState;

/// The header by which proxies say who asked them.
pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that asks, see [`client_address`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(pub IpAddr);

impl FromRequestParts<AppState> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        // Without the connection's address all share one allowance.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into(), |info| info.0);
        let trusted = &state.config.trusted_proxies;
        Ok(Self(client_address(peer, &parts.headers, trusted)))
    }
}

/// Who asks: the peer of the connection, or, where that is a trusted proxy,
/// the last address of `X-Forwarded-For` that is not one.
pub fn client_address(peer: SocketAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
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

/// Whether an address is in one of these networks.
pub fn is_among(address: IpAddr, networks: &[Network]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// An IPv6 customer has a whole /64: it counts as one address.
pub fn network(address: IpAddr) -> IpAddr {
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
