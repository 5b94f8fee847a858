use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use super::PeerRateLimiter;
use super::network::client_network;
use super::peer_rate::WARNING_LIFETIME;
use crate::sync::lock;

/// Maximum number of saved limiters, a few megabytes. Only sockets that used a
/// considerable part of their allowance are saved, so ordinary riders never
/// reach this number.
const MAX_SAVED: usize = 4_096;

/// Rate limiters of closed sockets, so that reconnecting does not reset a
/// peer's allowance.
#[derive(Debug, Default)]
pub struct SavedLimiters {
    hasher: RandomState,
    entries: Mutex<Entries>,
}

/// Hash of a client address and a peer's identity. Sockets with the same key
/// continue each other's rate limiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateLimitKey(u64);

#[derive(Debug, Default)]
struct Entries {
    /// Limiters with their expiry time, the newest last.
    limiters: HashMap<RateLimitKey, Vec<(Duration, PeerRateLimiter)>>,
    /// Expiry times, the earliest first.
    expiries: VecDeque<(Duration, RateLimitKey)>,
}

impl SavedLimiters {
    /// Key of a peer at an address. `names` tells the peer from others at the
    /// same address.
    pub fn key(&self, address: IpAddr, names: &[&str]) -> RateLimitKey {
        RateLimitKey(self.hasher.hash_one((client_network(address), names)))
    }

    /// Removes and returns the limiter of the latest closed socket with this
    /// key.
    pub fn take(&self, key: RateLimitKey, now: Duration) -> Option<PeerRateLimiter> {
        let mut entries = lock(&self.entries);
        entries.remove_expired(now);
        let (_, limiter) = entries.limiters.get_mut(&key)?.pop()?;
        Some(limiter)
    }

    /// Saves the limiter of a socket that closes, unless little of its
    /// allowance is used.
    pub fn save(&self, key: RateLimitKey, now: Duration, limiter: PeerRateLimiter) {
        if !limiter.is_considerably_used(now) {
            return;
        }
        let mut entries = lock(&self.entries);
        entries.remove_expired(now);
        if entries.expiries.len() >= MAX_SAVED {
            entries.remove_earliest();
        }
        let expiry = now + WARNING_LIFETIME;
        let of_key = entries.limiters.entry(key).or_default();
        of_key.push((expiry, limiter));
        entries.expiries.push_back((expiry, key));
    }
}

impl Entries {
    fn remove_expired(&mut self, now: Duration) {
        while self
            .expiries
            .front()
            .is_some_and(|(expiry, _)| *expiry <= now)
        {
            self.remove_earliest();
        }
    }

    fn remove_earliest(&mut self) {
        let Some((earliest, key)) = self.expiries.pop_front() else {
            return;
        };
        if let Some(limiters) = self.limiters.get_mut(&key) {
            limiters.retain(|(expiry, _)| *expiry > earliest);
            if limiters.is_empty() {
                self.limiters.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;
    use crate::limits::{Incoming, Verdict};

    const ANA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const BEN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const CLUB: &[&str] = &["club"];

    fn fresh() -> PeerRateLimiter {
        PeerRateLimiter::new(&Config::parse_from(["gruppetto"]).limits)
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn send(limiter: &mut PeerRateLimiter, now: Duration, count: usize) -> Vec<Verdict> {
        let check = |_| limiter.check(now, Incoming::Message(50));
        (0..count).map(check).collect()
    }

    #[test]
    fn a_new_socket_continues_the_limiter_of_the_closed_one() {
        let saved = SavedLimiters::default();
        let key = saved.key(ANA, CLUB);
        let mut first = fresh();
        assert_eq!(send(&mut first, at(0), 100), [Verdict::Pass; 100]);
        saved.save(key, at(100), first);
        let mut second = saved.take(key, at(200)).expect("the first limiter");
        assert_eq!(send(&mut second, at(200), 1), [Verdict::Warn]);
        saved.save(key, at(300), second);
        let mut third = saved.take(key, at(1_300)).expect("the second limiter");
        let verdicts = send(&mut third, at(1_300), 101);
        assert_eq!(verdicts[..100], [Verdict::Pass; 100]);
        assert_eq!(
            verdicts[100],
            Verdict::Close,
            "the warning is remembered too"
        );
    }

    #[test]
    fn a_saved_limiter_is_returned_only_for_its_own_key_and_once() {
        let saved = SavedLimiters::default();
        let key = saved.key(ANA, CLUB);
        let mut first = fresh();
        send(&mut first, at(0), 100);
        saved.save(key, at(100), first);
        for other in [saved.key(BEN, CLUB), saved.key(ANA, &["another"])] {
            assert!(saved.take(other, at(100)).is_none());
        }
        assert!(saved.take(key, at(100)).is_some());
        assert!(saved.take(key, at(100)).is_none(), "taken twice");
    }

    #[test]
    fn the_number_of_saved_limiters_and_their_lifetime_are_bounded() {
        let saved = SavedLimiters::default();
        for number in 0..10_000 {
            let key = saved.key(ANA, &[&number.to_string()]);
            let mut limiter = fresh();
            send(&mut limiter, at(number), 50);
            saved.save(key, at(number), limiter);
        }
        assert_eq!(lock(&saved.entries).limiters.len(), MAX_SAVED);
        assert!(saved.take(saved.key(ANA, CLUB), at(30_000)).is_none());
        {
            let entries = lock(&saved.entries);
            assert!(entries.limiters.is_empty() && entries.expiries.is_empty());
        }
        let quiet = saved.key(BEN, CLUB);
        saved.save(quiet, at(30_000), fresh());
        assert!(lock(&saved.entries).limiters.is_empty());
    }
}
