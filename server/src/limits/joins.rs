use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Account, Book, Window};

const MINUTE: Duration = Duration::from_secs(60);
/// For so long an address that came in is known.
const KNOWN: Duration = Duration::from_secs(3_600);

/// How many codes of no ride may be tried: so few that guessing gets nowhere.
///
/// An address that used its tries is refused whatever it asks for, since an
/// answer would tell a right code from a wrong one. When those of everybody
/// are used up, strangers are refused; an address that came into a ride in the
/// last hour and has not missed in this minute is let in still.
#[derive(Debug)]
pub struct JoinLimit {
    per_address: u32,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    missed: Window,
    book: Book<Attempts>,
}

#[derive(Debug)]
struct Attempts {
    missed: Window,
    came_in: Option<Duration>,
}

/// Why a code leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// No ride has it.
    Unknown,
    /// Too many were tried; nobody looked. After so long one may try again.
    TooOften(Duration),
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// It led to where somebody is.
    Hit,
    /// It led nowhere, or to a room that it opened.
    Miss,
    /// It was refused for a reason that tells nothing of codes.
    Neither,
}

impl JoinLimit {
    /// So many misses in any minute from one address, and from everywhere; 0
    /// means any number.
    pub fn new(per_address: u32, overall: u32) -> Self {
        let inner = Inner {
            missed: Window::new(overall, MINUTE),
            book: Book::new(),
        };
        Self {
            per_address,
            inner: Mutex::new(inner),
        }
    }

    /// Looks a code up for `address` at `now`, and counts how that ends.
    ///
    /// # Errors
    /// [`Missed`].
    pub fn attempt<T>(
        &self,
        address: IpAddr,
        now: Duration,
        find: impl FnOnce() -> Option<T>,
    ) -> Result<T, Missed> {
        self.check(address, now).map_err(Missed::TooOften)?;
        match find() {
            Some(found) => {
                self.came_in(address, now);
                Ok(found)
            }
            None => {
                self.missed(address, now);
                Err(Missed::Unknown)
            }
        }
    }

    /// Whether `address` may try a code at `now`.
    ///
    /// # Errors
    /// The time after which it may.
    pub fn check(&self, address: IpAddr, now: Duration) -> Result<(), Duration> {
        let mut inner = self.lock();
        let account = inner.book.find(address);
        let is_known = account.as_ref().is_some_and(|it| it.is_known(now));
        if let Some(wait) = account.and_then(|it| it.missed.wait(now)) {
            return Err(wait);
        }
        match inner.missed.wait(now) {
            Some(wait) if !is_known => Err(wait),
            _ => Ok(()),
        }
    }

    /// Counts how a try ended.
    pub fn count(&self, address: IpAddr, now: Duration, tried: Try) {
        match tried {
            Try::Hit => self.came_in(address, now),
            Try::Miss => self.missed(address, now),
            Try::Neither => {}
        }
    }

    /// `address` tried a code that no ride has.
    pub fn missed(&self, address: IpAddr, now: Duration) {
        let mut inner = self.lock();
        // Beyond the limit one miss more or less changes nothing.
        let _ = inner.missed.take(now);
        let _ = self.account(&mut inner, address, now).missed.take(now);
    }

    /// `address` knew a code.
    pub fn came_in(&self, address: IpAddr, now: Duration) {
        self.account(&mut self.lock(), address, now).came_in = Some(now);
    }

    fn account<'a>(
        &self,
        inner: &'a mut Inner,
        address: IpAddr,
        now: Duration,
    ) -> &'a mut Attempts {
        inner.book.open(address, now, || Attempts {
            missed: Window::new(self.per_address, MINUTE),
            came_in: None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempts {
    fn is_known(&self, now: Duration) -> bool {
        self.missed.count(now) == 0 && !self.known_for(now).is_zero()
    }

    fn known_for(&self, now: Duration) -> Duration {
        let until = self.came_in.map_or(Duration::ZERO, |at| at + KNOWN);
        until.saturating_sub(now)
    }
}

impl Account for Attempts {
    /// Misses weigh more than having come in.
    fn used(&self, now: Duration) -> Duration {
        KNOWN * self.missed.count(now) as u32 + self.known_for(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn an_address_that_guessed_too_often_is_refused_even_a_right_code() {
        let limit = JoinLimit::new(2, 0);
        limit.missed(address(1), Duration::ZERO);
        limit.missed(address(1), Duration::from_secs(20));
        let now = Duration::from_secs(30);
        assert_eq!(limit.check(address(1), now), Err(Duration::from_secs(30)));
        assert_eq!(limit.check(address(2), now), Ok(()));
        assert_eq!(limit.check(address(1), MINUTE), Ok(()));
    }

    #[test]
    fn guesses_from_many_addresses_are_counted_together() {
        let limit = JoinLimit::new(5, 10);
        (0..10).for_each(|last| limit.missed(address(last), Duration::ZERO));
        assert_eq!(limit.check(address(99), Duration::ZERO), Err(MINUTE));
        assert_eq!(limit.check(address(99), MINUTE), Ok(()));
    }

    #[test]
    fn riders_come_back_while_others_guess_unless_they_guess_themselves() {
        let limit = JoinLimit::new(5, 10);
        limit.came_in(address(50), Duration::ZERO);
        limit.came_in(address(51), Duration::ZERO);
        limit.missed(address(51), Duration::ZERO);
        (0..10).for_each(|last| limit.missed(address(last), Duration::ZERO));
        assert_eq!(limit.check(address(50), Duration::ZERO), Ok(()));
        assert!(limit.check(address(51), Duration::ZERO).is_err());
    }

    #[test]
    fn whoever_knows_the_code_may_come_as_often_as_they_like() {
        let limit = JoinLimit::new(1, 1);
        for _ in 0..1_000 {
            let found = limit.attempt(address(1), Duration::ZERO, || Some(()));
            assert_eq!(found, Ok(()));
        }
        let missed = |_| limit.attempt(address(2), Duration::ZERO, || None::<()>);
        let [first, second] = [(); 2].map(missed);
        assert_eq!(first, Err(Missed::Unknown));
        assert_eq!(second, Err(Missed::TooOften(MINUTE)));
    }
}
