use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::network::{Network, networks_of};
use crate::error::LimitScope;
use crate::sync::lock;

/// Part of the free connections that one client may hold: as the server fills up,
/// the limit of each client shrinks, so that a few clients cannot take everything
/// (dynamic thresholds; Choudhury and Hahne, 1998). With `n` clients that take all
/// they get, `1 / (1 + n / 8)` of all connections stay free.
const FREE_SHARE: u32 = 8;
/// Connections that a client may hold however full the server is: those of a
/// browser with two pages.
const MIN_SHARE: u32 = 16;

/// Limit on concurrent connections, per client and in total. A client is counted in
/// several networks, see [`networks_of`]. With a limit per client that is at least the
/// limit in total, one client may hold all connections.
///
/// Each connection holds a [`ConnectionPermit`], so memory is bounded by the
/// number of open connections.
#[derive(Debug, Clone)]
pub struct ConnectionLimiter {
    max_per_address: u32,
    max_total: u32,
    counts: Arc<Mutex<OpenCounts>>,
}

#[derive(Debug, Default)]
struct OpenCounts {
    total: u32,
    by_network: HashMap<Network, u32>,
}

/// Permission for one connection; dropping it releases the connection's count.
#[derive(Debug)]
pub struct ConnectionPermit {
    counts: Arc<Mutex<OpenCounts>>,
    /// `None`: counted in the total only.
    address: Option<IpAddr>,
}

impl ConnectionLimiter {
    /// Limiter without open connections.
    pub fn new(max_per_address: u32, max_total: u32) -> Self {
        Self {
            max_per_address,
            max_total,
            counts: Arc::default(),
        }
    }

    /// Admits one connection from `address`.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn acquire(&self, address: IpAddr) -> Result<ConnectionPermit, LimitScope> {
        let mut counts = lock(&self.counts);
        let free = self.max_total.saturating_sub(counts.total);
        let share = match self.max_per_address < self.max_total {
            true => (free / FREE_SHARE).max(MIN_SHARE).min(self.max_per_address),
            false => self.max_total,
        };
        let has_room = networks_of(address).all(|(network, clients)| {
            let open = counts.by_network.get(&network).copied().unwrap_or(0);
            open < share.saturating_mul(clients)
        });
        if free > 0 && !has_room {
            return Err(LimitScope::Address);
        }
        self.count_total(&mut counts)?;
        for (network, _) in networks_of(address) {
            *counts.by_network.entry(network).or_default() += 1;
        }
        Ok(self.permit(Some(address)))
    }

    /// Admits one connection from an address that many clients share, such as
    /// a proxy. Only the total is limited.
    ///
    /// # Errors
    /// [`LimitScope::Server`].
    pub fn acquire_shared(&self) -> Result<ConnectionPermit, LimitScope> {
        self.count_total(&mut lock(&self.counts))?;
        Ok(self.permit(None))
    }

    /// Number of open connections.
    pub fn open_count(&self) -> u32 {
        lock(&self.counts).total
    }

    fn count_total(&self, counts: &mut OpenCounts) -> Result<(), LimitScope> {
        if counts.total >= self.max_total {
            return Err(LimitScope::Server);
        }
        counts.total += 1;
        Ok(())
    }

    fn permit(&self, address: Option<IpAddr>) -> ConnectionPermit {
        ConnectionPermit {
            counts: self.counts.clone(),
            address,
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        counts.total -= 1;
        let Some(address) = self.address else { return };
        for (network, _) in networks_of(address) {
            if let Some(count) = counts.by_network.get_mut(&network) {
                *count -= 1;
                if *count == 0 {
                    counts.by_network.remove(&network);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Address in a /24 of its own.
    fn address(number: u8) -> IpAddr {
        [198, 51, number, 1].into()
    }

    #[test]
    fn one_address_cannot_use_up_all_connections() {
        let limiter = ConnectionLimiter::new(2, 3);
        let _open: Vec<_> = (0..2).map(|_| limiter.acquire(address(1))).collect();
        assert_eq!(limiter.acquire(address(1)).err(), Some(LimitScope::Address));
        let third = limiter.acquire(address(2));
        assert!(third.is_ok());
        assert_eq!(limiter.acquire(address(3)).err(), Some(LimitScope::Server));
        drop(third);
        assert!(limiter.acquire(address(3)).is_ok());
    }

    #[test]
    fn one_address_may_hold_all_connections_where_the_settings_say_so() {
        let limiter = ConnectionLimiter::new(1_000, 1_000);
        let open: Vec<_> = (0..1_000).map(|_| limiter.acquire(address(1))).collect();
        assert!(open.iter().all(Result::is_ok));
        assert_eq!(limiter.acquire(address(2)).err(), Some(LimitScope::Server));
    }

    #[test]
    fn as_many_greedy_clients_as_fill_the_server_leave_room_for_others() {
        let limiter = ConnectionLimiter::new(256, 16_384);
        let mut open = Vec::new();
        for number in 0..64 {
            while let Ok(permit) = limiter.acquire(address(number)) {
                open.push(permit);
            }
        }
        // Without the shrinking share, these 64 would hold everything.
        assert!(open.len() < 16_000, "{}", open.len());
        for number in 64..=255 {
            assert!(limiter.acquire(address(number)).is_ok());
        }
    }

    #[test]
    fn the_networks_of_one_ipv6_customer_share_an_allowance() {
        let limiter = ConnectionLimiter::new(10, 16_384);
        let of_48 = |number: u128| IpAddr::V6((0x2001_0db8_u128 << 96 | number << 64).into());
        let open = (0..1_000).flat_map(|number| [of_48(number); 10]);
        let open: Vec<_> = open.filter_map(|it| limiter.acquire(it).ok()).collect();
        assert_eq!(open.len(), 40, "the allowance of a /48");
    }

    #[test]
    fn closed_connections_leave_no_entries() {
        let limiter = ConnectionLimiter::new(10, 10);
        let mut open: Vec<_> = (0..5).map(|last| limiter.acquire(address(last))).collect();
        open.push(limiter.acquire_shared());
        assert_eq!(limiter.open_count(), 6);
        drop(open);
        assert_eq!(limiter.open_count(), 0);
        assert!(lock(&limiter.counts).by_network.is_empty());
    }
}
