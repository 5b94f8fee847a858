use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::PeerLimit;
use super::address::network;
use super::peer::FORGIVEN;

/// Ended sockets whose limits are remembered, the newest: some megabytes, and
/// more than any honest crowd leaves behind, since only those count that said
/// a good part of what they may.
const MAX_LEFT: usize = 4_096;

/// What sockets that have ended had said: whoever opens another one goes on from
/// there.
#[derive(Debug, Default)]
pub struct PeerLimits {
    hasher: RandomState,
    left: Mutex<Left>,
}

/// Where a socket comes from and who it is: its limit is handed on among those
/// who share both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Way(u64);

#[derive(Debug, Default)]
struct Left {
    /// Each with when it is to be forgotten, the newest last.
    limits: HashMap<Way, Vec<(Duration, PeerLimit)>>,
    /// What is to be forgotten when, the earliest first.
    order: VecDeque<(Duration, Way)>,
}

impl PeerLimits {
    /// The way of somebody at an address, under any names that tell it from
    /// others there.
    pub fn way(&self, address: IpAddr, names: &[&str]) -> Way {
        Way(self.hasher.hash_one((network(address), names)))
    }

    /// What a socket that ended on the same way has left.
    pub fn take(&self, way: Way, now: Duration) -> Option<PeerLimit> {
        let mut left = self.lock();
        left.forget(now);
        let (_, limit) = left.limits.get_mut(&way)?.pop()?;
        Some(limit)
    }

    /// A socket ends.
    pub fn leave(&self, way: Way, now: Duration, limit: PeerLimit) {
        if !limit.is_much_used(now) {
            return;
        }
        let mut left = self.lock();
        left.forget(now);
        if left.order.len() >= MAX_LEFT {
            left.forget_first();
        }
        let until = now + FORGIVEN;
        left.limits.entry(way).or_default().push((until, limit));
        left.order.push_back((until, way));
    }

    fn lock(&self) -> MutexGuard<'_, Left> {
        // Nothing panics while it holds the lock.
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Left {
    fn forget(&mut self, now: Duration) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some((first, way)) = self.order.pop_front() else {
            return;
        };
        if let Some(limits) = self.limits.get_mut(&way) {
            limits.retain(|(until, _)| *until > first);
            if limits.is_empty() {
                self.limits.remove(&way);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;
    use crate::limits::{Load, Verdict};

    const ANA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const BEN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
    const CLUB: &[&str] = &["club"];

    fn fresh() -> PeerLimit {
        PeerLimit::new(&Config::parse_from(["gruppetto"]).limits)
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// What becomes of so many messages at once.
    fn say(limit: &mut PeerLimit, now: Duration, count: usize) -> Vec<Verdict> {
        let say = |_| limit.judge(now, Load::Message(50));
        (0..count).map(say).collect()
    }

    #[test]
    fn another_socket_does_not_begin_anew() {
        let limits = PeerLimits::default();
        let way = limits.way(ANA, CLUB);
        let mut first = fresh();
        assert_eq!(say(&mut first, at(0), 100), [Verdict::ResumeClaims; 100]);
        limits.leave(way, at(100), first);
        let mut second = limits.take(way, at(200)).expect("the first one's");
        assert_eq!(say(&mut second, at(200), 1), [Verdict::Warn]);
        limits.leave(way, at(300), second);
        let mut third = limits.take(way, at(1_300)).expect("the second one's");
        let verdicts = say(&mut third, at(1_300), 101);
        assert_eq!(verdicts[..100], [Verdict::ResumeClaims; 100]);
        assert_eq!(verdicts[100], Verdict::Close, "it was warned");
    }

    #[test]
    fn what_one_leaves_is_nobody_elses() {
        let limits = PeerLimits::default();
        let way = limits.way(ANA, CLUB);
        let mut first = fresh();
        say(&mut first, at(0), 100);
        limits.leave(way, at(100), first);
        for other in [limits.way(BEN, CLUB), limits.way(ANA, &["another"])] {
            assert!(limits.take(other, at(100)).is_none());
        }
        assert!(limits.take(way, at(100)).is_some());
        assert!(limits.take(way, at(100)).is_none(), "once");
    }

    #[test]
    fn little_is_remembered_and_not_for_long() {
        let limits = PeerLimits::default();
        for number in 0..10_000 {
            let way = limits.way(ANA, &[&number.to_string()]);
            let mut limit = fresh();
            say(&mut limit, at(number), 50);
            limits.leave(way, at(number), limit);
        }
        assert_eq!(limits.lock().limits.len(), MAX_LEFT);
        assert!(limits.take(limits.way(ANA, CLUB), at(30_000)).is_none());
        assert!(limits.lock().limits.is_empty() && limits.lock().order.is_empty());
        let quiet = limits.way(BEN, CLUB);
        limits.leave(quiet, at(30_000), fresh());
        assert!(limits.lock().limits.is_empty());
    }
}
