use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::{AddressTable, TokenBucket, Usage};
use crate::sync::lock;

const HOUR: Duration = Duration::from_secs(3_600);

/// Rate limiter for starting rides: one token bucket per address, with the
/// capacity of one hour.
#[derive(Debug)]
pub struct RideStartRateLimiter {
    per_hour: u32,
    buckets: Mutex<AddressTable<TokenBucket>>,
}

impl Usage for TokenBucket {
    fn used(&self, now: Duration) -> Duration {
        TokenBucket::used(self, now)
    }
}

impl RideStartRateLimiter {
    /// Limiter for `per_hour` rides per address and hour. 0 means unlimited.
    pub fn new(per_hour: u32) -> Self {
        Self {
            per_hour,
            buckets: Mutex::default(),
        }
    }

    /// Takes one start from the allowance of `address` at `now`.
    ///
    /// # Errors
    /// The time until the next start is admitted.
    pub fn take(&self, address: IpAddr, now: Duration) -> Result<(), Duration> {
        if self.per_hour == 0 {
            return Ok(());
        }
        lock(&self.buckets)
            .find_or_insert_with(address, now, TokenBucket::default)
            .take(now, HOUR / self.per_hour, HOUR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const BEN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn an_address_that_used_its_hourly_allowance_waits_until_one_more_start_fits() {
        let limiter = RideStartRateLimiter::new(2);
        assert_eq!(limiter.take(ANA, Duration::ZERO), Ok(()));
        assert_eq!(limiter.take(ANA, Duration::ZERO), Ok(()));
        assert_eq!(limiter.take(ANA, Duration::ZERO), Err(HOUR / 2));
        assert_eq!(limiter.take(BEN, Duration::ZERO), Ok(()));
        assert_eq!(limiter.take(ANA, HOUR / 2), Ok(()));
    }
}
