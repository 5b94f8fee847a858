use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Account, Book, Bucket};

const HOUR: Duration = Duration::from_secs(3_600);

/// How often one address may start a ride: each has an hour's allowance, which
/// fills evenly.
#[derive(Debug)]
pub struct StartLimit {
    per_hour: u32,
    book: Mutex<Book<Bucket>>,
}

impl Account for Bucket {
    fn used(&self, now: Duration) -> Duration {
        Bucket::used(self, now)
    }
}

impl StartLimit {
    /// Lets each address start `per_hour` rides in an hour; 0 means any number.
    pub fn new(per_hour: u32) -> Self {
        Self {
            per_hour,
            book: Mutex::default(),
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
        // Nothing panics while it holds the lock.
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.open(address, now, Bucket::default)
            .take(now, HOUR / self.per_hour, HOUR)
    }
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
}
