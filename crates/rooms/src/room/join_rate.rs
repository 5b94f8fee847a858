//! Limits on the rate at which members join and return. Each join makes all other members
//! introduce themselves, so a stranger with the code must not cause them without end.

use std::{collections::HashMap, time::Duration};

use clock::Moment;
use protocol::peer::PeerId;

/// Newcomers admitted at once: a whole ride, and some who try twice.
const NEWCOMER_BURST: u32 = 40;
/// Returns of one member admitted at once. A page whose network flaps returns with growing delays,
/// so it stays below.
const RETURN_BURST: u32 = 8;
/// Number of members whose returns are remembered, above which those are forgotten that have their
/// whole allowance.
const MAX_REMEMBERED: usize = 128;

/// Rates of joins in one room.
#[derive(Debug)]
pub(super) struct JoinRate {
    newcomers: Allowance,
    newcomer_interval: Duration,
    returns: HashMap<PeerId, Allowance>,
    return_interval: Duration,
}

/// Moment at which an allowance is complete again (the generic cell rate algorithm of ITU-T I.371).
#[derive(Debug, Default)]
struct Allowance(Moment);

impl JoinRate {
    /// Rates of joins per minute. Zero means unlimited.
    pub(super) fn new(newcomers_per_minute: u32, returns_per_minute: u32) -> Self {
        let interval = |per_minute| match per_minute {
            0 => Duration::ZERO,
            count => Duration::from_secs(60) / count,
        };
        Self {
            newcomers: Allowance::default(),
            newcomer_interval: interval(newcomers_per_minute),
            returns: HashMap::new(),
            return_interval: interval(returns_per_minute),
        }
    }

    /// Counts the join of a newcomer. Returns `false` if it comes too early.
    pub(super) fn admits_newcomer(&mut self, now: Moment) -> bool {
        self.newcomers
            .take(now, self.newcomer_interval, NEWCOMER_BURST)
    }

    /// Counts the return of a member. Returns `false` if it comes too early. Newcomers do not use
    /// up the returns of members.
    pub(super) fn admits_return(&mut self, now: Moment, peer: &PeerId) -> bool {
        if self.returns.len() >= MAX_REMEMBERED && !self.returns.contains_key(peer) {
            self.returns.retain(|_, allowance| allowance.0 > now);
        }
        let allowance = self.returns.entry(peer.clone()).or_default();
        allowance.take(now, self.return_interval, RETURN_BURST)
    }
}

impl Allowance {
    fn take(&mut self, now: Moment, interval: Duration, burst: u32) -> bool {
        let is_available = self.0.since(now) <= interval * (burst - 1);
        if is_available {
            self.0 = self.0.max(now) + interval;
        }
        is_available
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(seconds))
    }

    fn peer(name: &str) -> PeerId {
        name.parse().unwrap()
    }

    #[test]
    fn a_whole_ride_joins_at_once_and_then_one_newcomer_every_two_seconds() {
        let mut rate = JoinRate::new(30, 30);
        let admitted = (0..1_000).filter(|_| rate.admits_newcomer(at(0)));
        assert_eq!(admitted.count(), NEWCOMER_BURST as usize);
        let later = (1..=60).flat_map(|second| [second; 10]);
        let admitted = later.filter(|second| rate.admits_newcomer(at(*second)));
        assert_eq!(admitted.count(), 30);
    }

    #[test]
    fn one_member_that_returns_in_a_loop_and_newcomers_leave_the_others_their_returns() {
        let mut rate = JoinRate::new(30, 30);
        let returns = (0..100).filter(|_| rate.admits_return(at(0), &peer("eve")));
        assert_eq!(returns.count(), RETURN_BURST as usize);
        while rate.admits_newcomer(at(0)) {}
        assert!(rate.admits_return(at(0), &peer("ana")));
    }

    #[test]
    fn the_number_of_remembered_members_is_bounded() {
        let mut rate = JoinRate::new(30, 30);
        for number in 0..10_000 {
            assert!(rate.admits_return(at(number * 2), &peer(&format!("rider-{number}"))));
            assert!(rate.returns.len() <= MAX_REMEMBERED);
        }
    }

    #[test]
    fn zero_means_unlimited() {
        let mut rate = JoinRate::new(0, 0);
        assert!((0..1_000).all(|_| rate.admits_newcomer(at(0))));
        assert!((0..1_000).all(|_| rate.admits_return(at(0), &peer("ana"))));
    }
}
