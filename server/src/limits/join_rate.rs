use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::network::{Network, client_network, networks_of};
use super::{AddressTable, SlidingWindow, Usage};
use crate::error::{ApiError, whole_seconds};
use crate::sync::lock;

const MINUTE: Duration = Duration::from_secs(60);
/// Time for which an address counts as known after it used a valid code.
const KNOWN_FOR: Duration = Duration::from_secs(3_600);

/// Rate limiter for unknown codes, so that guessing codes is pointless.
///
/// A client that used up its attempts is refused with any code, because an
/// answer would tell a valid code from an unknown one. Clients are counted in
/// several networks (see [`networks_of`]). When the attempts of a wider network, or
/// of all addresses together, are used up, unknown clients are refused; a client
/// that used a valid code or started a ride in the last hour, and has no miss in
/// the last minute, is still admitted.
#[derive(Debug)]
pub struct JoinRateLimiter {
    per_address: u32,
    attempts: Mutex<Attempts>,
}

#[derive(Debug)]
struct Attempts {
    misses: SlidingWindow,
    by_address: AddressTable<AddressAttempts>,
}

#[derive(Debug)]
struct AddressAttempts {
    misses: SlidingWindow,
    last_hit: Option<Duration>,
}

/// Reason why a code lookup gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupError {
    /// No ride or room has this code.
    NotFound,
    /// Too many unknown codes were tried, so the code was not looked up. Holds
    /// the time until the next attempt.
    RateLimited(Duration),
}

/// Result of an attempt to use a code, as far as it counts for the limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The code led to a ride or room with members.
    Hit,
    /// The code was unknown, or opened a new room.
    Miss,
    /// The attempt was refused for a reason that reveals nothing about codes.
    NotCounted,
}

impl JoinRateLimiter {
    /// Limiter for the given numbers of misses in any minute, from one address
    /// and from all addresses. 0 means unlimited.
    pub fn new(per_address: u32, overall: u32) -> Self {
        let attempts = Attempts {
            misses: SlidingWindow::new(overall, MINUTE),
            by_address: AddressTable::new(),
        };
        Self {
            per_address,
            attempts: Mutex::new(attempts),
        }
    }

    /// Looks a code up for `address` at `now` and counts the outcome.
    ///
    /// # Errors
    /// [`LookupError`].
    pub fn attempt<T>(
        &self,
        address: IpAddr,
        now: Duration,
        find: impl FnOnce() -> Option<T>,
    ) -> Result<T, LookupError> {
        self.check(address, now).map_err(LookupError::RateLimited)?;
        match find() {
            Some(found) => {
                self.record_hit(address, now);
                Ok(found)
            }
            None => {
                self.record_miss(address, now);
                Err(LookupError::NotFound)
            }
        }
    }

    /// Checks that `address` may try a code at `now`.
    ///
    /// # Errors
    /// The time until the next attempt.
    pub fn check(&self, address: IpAddr, now: Duration) -> Result<(), Duration> {
        let mut attempts = lock(&self.attempts);
        let own = attempts.by_address.find(client_network(address));
        if own.is_some_and(|it| it.is_known(now)) {
            return Ok(());
        }
        for (network, _) in networks_of(address) {
            let entry = attempts.by_address.find(network);
            if let Some(wait) = entry.and_then(|it| it.misses.wait(now)) {
                return Err(wait);
            }
        }
        attempts.misses.wait(now).map_or(Ok(()), Err)
    }

    /// Counts the outcome of an attempt.
    pub fn record(&self, address: IpAddr, now: Duration, outcome: AttemptOutcome) {
        match outcome {
            AttemptOutcome::Hit => self.record_hit(address, now),
            AttemptOutcome::Miss => self.record_miss(address, now),
            AttemptOutcome::NotCounted => {}
        }
    }

    /// Counts an unknown code tried by `address`.
    pub fn record_miss(&self, address: IpAddr, now: Duration) {
        let mut attempts = lock(&self.attempts);
        // At the limit, a further miss changes nothing.
        let _ = attempts.misses.take(now);
        for (network, clients) in networks_of(address) {
            let entry = self.entry(&mut attempts, network, clients, now);
            let _ = entry.misses.take(now);
        }
    }

    /// Notes that `address` used a valid code, or started a ride.
    pub fn record_hit(&self, address: IpAddr, now: Duration) {
        let mut attempts = lock(&self.attempts);
        let network = client_network(address);
        self.entry(&mut attempts, network, 1, now).last_hit = Some(now);
    }

    fn entry<'a>(
        &self,
        attempts: &'a mut Attempts,
        network: Network,
        clients: u32,
        now: Duration,
    ) -> &'a mut AddressAttempts {
        let fresh = || AddressAttempts {
            misses: SlidingWindow::new(self.per_address.saturating_mul(clients), MINUTE),
            last_hit: None,
        };
        attempts.by_address.find_or_insert_with(network, now, fresh)
    }
}

impl AddressAttempts {
    fn is_known(&self, now: Duration) -> bool {
        self.misses.count(now) == 0 && !self.known_for(now).is_zero()
    }

    fn known_for(&self, now: Duration) -> Duration {
        let until = self.last_hit.map_or(Duration::ZERO, |at| at + KNOWN_FOR);
        until.saturating_sub(now)
    }
}

impl Usage for AddressAttempts {
    /// One miss weighs as much as the longest time that a hit is remembered.
    fn used(&self, now: Duration) -> Duration {
        KNOWN_FOR * self.misses.count(now) as u32 + self.known_for(now)
    }
}

impl From<LookupError> for ApiError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::NotFound => Self::NoSuchRide,
            LookupError::RateLimited(wait) => Self::TooManyCodesTried {
                retry_after: whole_seconds(wait),
            },
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
    fn an_address_with_too_many_misses_is_refused_even_with_a_valid_code() {
        let limiter = JoinRateLimiter::new(2, 0);
        limiter.record_miss(address(1), Duration::ZERO);
        limiter.record_miss(address(1), Duration::from_secs(20));
        let now = Duration::from_secs(30);
        assert_eq!(limiter.check(address(1), now), Err(Duration::from_secs(30)));
        assert_eq!(limiter.check(address(2), now), Ok(()));
        assert_eq!(limiter.check(address(1), MINUTE), Ok(()));
    }

    #[test]
    fn misses_of_many_addresses_are_counted_together() {
        let limiter = JoinRateLimiter::new(5, 10);
        (0..10).for_each(|last| limiter.record_miss(address(last), Duration::ZERO));
        assert_eq!(limiter.check(address(99), Duration::ZERO), Err(MINUTE));
        assert_eq!(limiter.check(address(99), MINUTE), Ok(()));
    }

    #[test]
    fn known_addresses_are_admitted_while_others_guess_unless_they_miss_themselves() {
        let limiter = JoinRateLimiter::new(5, 10);
        limiter.record_hit(address(50), Duration::ZERO);
        limiter.record_hit(address(51), Duration::ZERO);
        limiter.record_miss(address(51), Duration::ZERO);
        (0..10).for_each(|last| limiter.record_miss(address(last), Duration::ZERO));
        assert_eq!(limiter.check(address(50), Duration::ZERO), Ok(()));
        assert!(limiter.check(address(51), Duration::ZERO).is_err());
    }

    #[test]
    fn the_networks_of_one_ipv6_customer_cannot_use_up_the_attempts_of_all() {
        let limiter = JoinRateLimiter::new(60, 1_000);
        let of_56 = |number: u128| IpAddr::V6((0x2001_0db8_u128 << 96 | number << 64).into());
        let mut misses = 0;
        for number in 0..17 {
            for _ in 0..60 {
                if limiter.check(of_56(number), Duration::ZERO).is_ok() {
                    limiter.record_miss(of_56(number), Duration::ZERO);
                    misses += 1;
                }
            }
        }
        assert_eq!(misses, 120, "the allowance of a /56");
        assert_eq!(limiter.check(address(1), Duration::ZERO), Ok(()));
        // Another client of the /56 has started a ride, so it does not guess.
        assert!(limiter.check(of_56(99), Duration::ZERO).is_err());
        limiter.record_hit(of_56(99), Duration::ZERO);
        assert_eq!(limiter.check(of_56(99), Duration::ZERO), Ok(()));
    }

    #[test]
    fn valid_codes_may_be_used_any_number_of_times() {
        let limiter = JoinRateLimiter::new(1, 1);
        for _ in 0..1_000 {
            let found = limiter.attempt(address(1), Duration::ZERO, || Some(()));
            assert_eq!(found, Ok(()));
        }
        let miss = |_| limiter.attempt(address(2), Duration::ZERO, || None::<()>);
        let [first, second] = [(); 2].map(miss);
        assert_eq!(first, Err(LookupError::NotFound));
        assert_eq!(second, Err(LookupError::RateLimited(MINUTE)));
    }
}
