use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::network::networks_of;
use super::{AddressTable, TokenBucket, Usage};
use crate::sync::lock;

/// Rate limiter for an action of clients: one token bucket per network that a client
/// is counted in (see [`networks_of`]), with the capacity of one period.
#[derive(Debug)]
pub struct AddressRateLimiter {
    limit: u32,
    period: Duration,
    buckets: Mutex<AddressTable<TokenBucket>>,
}

impl Usage for TokenBucket {
    fn used(&self, now: Duration) -> Duration {
        TokenBucket::used(self, now)
    }
}

impl AddressRateLimiter {
    /// Limiter for `limit` actions per address and `period`. 0 means unlimited.
    pub fn new(limit: u32, period: Duration) -> Self {
        Self {
            limit,
            period,
            buckets: Mutex::default(),
        }
    }

    /// Takes one action from the allowance of `address` at `now`.
    ///
    /// # Errors
    /// The time until the next action is admitted.
    pub fn take(&self, address: IpAddr, now: Duration) -> Result<(), Duration> {
        if self.limit == 0 {
            return Ok(());
        }
        let mut buckets = lock(&self.buckets);
        let mut taken = Vec::new();
        for (network, clients) in networks_of(address) {
            let bucket = buckets.find_or_insert_with(network, now, TokenBucket::default);
            let mut after = *bucket;
            after.take(
                now,
                self.period / self.limit.saturating_mul(clients),
                self.period,
            )?;
            taken.push((network, after));
        }
        // Nothing is taken from any network unless all of them have something left.
        for (network, after) in taken {
            *buckets.find_or_insert_with(network, now, TokenBucket::default) = after;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    const ANA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const BEN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn an_address_that_used_its_hourly_allowance_waits_until_one_more_start_fits() {
        let limiter = AddressRateLimiter::new(2, HOUR);
        assert_eq!(limiter.take(ANA, Duration::ZERO), Ok(()));
        assert_eq!(limiter.take(ANA, Duration::ZERO), Ok(()));
        assert_eq!(limiter.take(ANA, Duration::ZERO), Err(HOUR / 2));
        assert_eq!(limiter.take(BEN, Duration::ZERO), Ok(()));
        assert_eq!(limiter.take(ANA, HOUR / 2), Ok(()));
    }

    #[test]
    fn the_networks_of_one_ipv6_customer_cannot_fill_the_server_with_rides() {
        let limiter = AddressRateLimiter::new(60, HOUR);
        let of_48 = |number: u128| IpAddr::V6((0x2001_0db8_u128 << 96 | number << 64).into());
        let started = (0..170).flat_map(|number| [of_48(number * 256); 60]);
        let started = started.filter(|address| limiter.take(*address, Duration::ZERO).is_ok());
        assert_eq!(started.count(), 240, "the allowance of a /48");
        assert_eq!(limiter.take(ANA, Duration::ZERO), Ok(()));
    }
}
