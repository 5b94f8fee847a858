use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use super::client_address::counted_address;
use crate::error::LimitScope;
use crate::sync::lock;

/// Limit on concurrent connections, per client address and in total.
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
    by_address: HashMap<IpAddr, u32>,
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
        let address = counted_address(address);
        let mut counts = lock(&self.counts);
        let of_address = counts.by_address.get(&address).copied().unwrap_or(0);
        if of_address >= self.max_per_address {
            return Err(LimitScope::Address);
        }
        self.count_total(&mut counts)?;
        counts.by_address.insert(address, of_address + 1);
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
        if let Some(count) = counts.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
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
    fn closed_connections_leave_no_entries() {
        let limiter = ConnectionLimiter::new(10, 10);
        let mut open: Vec<_> = (0..5).map(|last| limiter.acquire(address(last))).collect();
        open.push(limiter.acquire_shared());
        assert_eq!(limiter.open_count(), 6);
        drop(open);
        assert_eq!(limiter.open_count(), 0);
        assert!(lock(&limiter.counts).by_address.is_empty());
    }
}
