//! How often one address may start a ride, and who that address is.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;

/// Addresses remembered at most; beyond it, those with full allowance go first.
const MAX_ADDRESSES: usize = 10_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// A bucket for each address: it holds an hour's allowance and fills evenly.
#[derive(Debug)]
pub struct StartLimit {
    per_hour: u32,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// How much of the allowance is used, in time that refills it.
    used: Duration,
    at: Duration,
}

impl StartLimit {
    /// Lets each address start `per_hour` rides in an hour; 0 means any number.
    pub fn new(per_hour: u32) -> Self {
        Self {
            per_hour,
            buckets: Mutex::default(),
        }
    }

    /// Takes one start from the allowance of `address` at `now`.
    ///
    /// # Errors
    /// The time after which one more would be let in.
    pub fn take(&self, address: IpAddr, now: Duration) -> Result<(), Duration> {
        if self.per_hour == 0 {
            return Ok(());
        }
        let cost = HOUR / self.per_hour;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_ADDRESSES {
            buckets.retain(|_, bucket| !bucket.used_at(now).is_zero());
        }
        let used = buckets
            .get(&network(address))
            .map_or(Duration::ZERO, |bucket| bucket.used_at(now));
        if used + cost > HOUR {
            return Err(used + cost - HOUR);
        }
        buckets.insert(
            network(address),
            Bucket {
                used: used + cost,
                at: now,
            },
        );
        Ok(())
    }
}

impl Bucket {
    fn used_at(self, now: Duration) -> Duration {
        self.used.saturating_sub(now.saturating_sub(self.at))
    }
}

/// An IPv6 customer has a whole /64: it counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// Who asks: the peer of the connection, or, where that is a trusted proxy,
/// the last address of `X-Forwarded-For` that is not one.
pub fn client_address(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.contains(&address.to_canonical());
    let peer = peer.ip();
    if !is_trusted(&peer) {
        return peer;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
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

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const BEN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn an_address_that_used_its_hour_waits_until_one_more_fits() {
        let limit = StartLimit::new(2);
        assert_eq!(limit.take(ANA, Duration::ZERO), Ok(()));
        assert_eq!(limit.take(ANA, Duration::ZERO), Ok(()));
        assert_eq!(limit.take(ANA, Duration::ZERO), Err(HOUR / 2));
        assert_eq!(limit.take(BEN, Duration::ZERO), Ok(()));
        assert_eq!(limit.take(ANA, HOUR / 2), Ok(()));
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_the_allowance() {
        let limit = StartLimit::new(1);
        let address = |text: &str| text.parse().expect("an address");
        assert_eq!(limit.take(address("2001:db8::1"), Duration::ZERO), Ok(()));
        assert!(limit.take(address("2001:db8::2"), Duration::ZERO).is_err());
        assert_eq!(
            limit.take(address("2001:db8:0:1::1"), Duration::ZERO),
            Ok(())
        );
    }

    #[test]
    fn a_forwarded_address_counts_only_behind_a_trusted_proxy() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            "203.0.113.9, 192.0.2.1".parse().expect("a value"),
        );
        let peer = SocketAddr::new(BEN, 4_000);
        assert_eq!(client_address(peer, &headers, &[]), BEN);
        assert_eq!(client_address(peer, &headers, &[BEN]), ANA);
        assert_eq!(
            client_address(peer, &headers, &[BEN, ANA]).to_string(),
            "203.0.113.9"
        );
    }
}
