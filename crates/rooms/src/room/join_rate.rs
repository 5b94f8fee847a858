//! Limits on the rate at which members join and return. Each join makes all other members
//! introduce themselves, so a stranger with the code must not cause them without end.

use std::{collections::HashMap, hash::Hash, time::Duration};

use clock::Moment;
use protocol::peer::PeerId;

use crate::ClientKey;

/// Newcomers admitted at once: a whole ride, and some who try twice.
const NEWCOMER_BURST: u32 = 64;
/// Newcomers of one client admitted at once: a whole ride in one gym. So one stranger with the code
/// leaves the others to other clients.
const CLIENT_BURST: u32 = 36;
/// One part in this many of the newcomers may come from one client in the long run.
const CLIENT_SHARE: u32 = 2;
/// Returns of one member admitted at once. A page whose network flaps returns with growing delays,
/// so it stays below.
const RETURN_BURST: u32 = 8;
/// Number of members, and of clients, whose joins are remembered. Those that have their whole
/// allowance are forgotten first, then the one that will have it soonest.
const MAX_REMEMBERED: usize = 128;

/// Rates of joins in one room.
#[derive(Debug)]
pub(super) struct JoinRate {
    newcomers: Allowance,
    by_client: HashMap<ClientKey, Allowance>,
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
            by_client: HashMap::new(),
            newcomer_interval: interval(newcomers_per_minute),
            returns: HashMap::new(),
            return_interval: interval(returns_per_minute),
        }
    }

    /// Counts the join of a newcomer. Returns `false` if it comes too early, for its client or for the
    /// ride.
    pub(super) fn admits_newcomer(&mut self, now: Moment, client: ClientKey) -> bool {
        if self.newcomer_interval.is_zero() {
            return true;
        }
        let of_client = remembered(&mut self.by_client, client, now);
        let interval = self.newcomer_interval * CLIENT_SHARE;
        // What the ride refuses must not count for the client.
        of_client.is_available(now, interval, CLIENT_BURST)
            && self
                .newcomers
                .take(now, self.newcomer_interval, NEWCOMER_BURST)
            && of_client.take(now, interval, CLIENT_BURST)
    }

    /// Counts the return of a member. Returns `false` if it comes too early. Newcomers do not use
    /// up the returns of members.
    pub(super) fn admits_return(&mut self, now: Moment, peer: &PeerId) -> bool {
        if self.return_interval.is_zero() {
            return true;
        }
        let allowance = remembered(&mut self.returns, peer.clone(), now);
        allowance.take(now, self.return_interval, RETURN_BURST)
    }
}

/// Allowance of one of at most [`MAX_REMEMBERED`].
fn remembered<K: Clone + Eq + Hash>(
    all: &mut HashMap<K, Allowance>,
    key: K,
    now: Moment,
) -> &mut Allowance {
    if all.len() >= MAX_REMEMBERED && !all.contains_key(&key) {
        all.retain(|_, allowance| allowance.0 > now);
        let soonest = all.iter().min_by_key(|(_, allowance)| allowance.0);
        if all.len() >= MAX_REMEMBERED
            && let Some(key) = soonest.map(|(key, _)| key.clone())
        {
            all.remove(&key);
        }
    }
    all.entry(key).or_default()
}

impl Allowance {
    fn is_available(&self, now: Moment, interval: Duration, burst: u32) -> bool {
        self.0.since(now) <= interval * (burst - 1)
    }

    fn take(&mut self, now: Moment, interval: Duration, burst: u32) -> bool {
        let is_available = self.is_available(now, interval, burst);
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
        let admitted = (0..1_000).filter(|client| rate.admits_newcomer(at(0), ClientKey(*client)));
        assert_eq!(admitted.count(), NEWCOMER_BURST as usize);
        let later = (1..=60).flat_map(|second| [second; 10]).zip(1_000..);
        let admitted =
            later.filter(|(second, client)| rate.admits_newcomer(at(*second), ClientKey(*client)));
        assert_eq!(admitted.count(), 30);
    }

    #[test]
    fn one_stranger_who_joins_in_a_loop_leaves_half_of_the_newcomers_to_others() {
        let mut rate = JoinRate::new(30, 30);
        let stranger = ClientKey(1);
        let mut joined = 0;
        for second in 0..600 {
            joined += (0..10)
                .filter(|_| rate.admits_newcomer(at(second), stranger))
                .count();
        }
        assert!((180..=190).contains(&joined), "{joined} in ten minutes");
        let honest = (2..22).filter(|client| rate.admits_newcomer(at(600), ClientKey(*client)));
        assert_eq!(honest.count(), 20);
    }

    #[test]
    fn a_whole_ride_behind_one_address_joins_at_once() {
        let mut rate = JoinRate::new(30, 30);
        assert!((0..32).all(|_| rate.admits_newcomer(at(0), ClientKey(1))));
    }

    #[test]
    fn one_member_that_returns_in_a_loop_and_newcomers_leave_the_others_their_returns() {
        let mut rate = JoinRate::new(30, 30);
        let returns = (0..100).filter(|_| rate.admits_return(at(0), &peer("eve")));
        assert_eq!(returns.count(), RETURN_BURST as usize);
        while rate.admits_newcomer(at(0), ClientKey(1)) {}
        assert!(rate.admits_return(at(0), &peer("ana")));
    }

    #[test]
    fn the_number_of_remembered_members_and_clients_is_bounded() {
        let mut rate = JoinRate::new(10_000, 30);
        for number in 0..10_000 {
            assert!(rate.admits_return(at(0), &peer(&format!("rider-{number}"))));
            let _ = rate.admits_newcomer(at(0), ClientKey(number));
            assert!(rate.returns.len() <= MAX_REMEMBERED);
            assert!(rate.by_client.len() <= MAX_REMEMBERED);
        }
    }

    #[test]
    fn zero_means_unlimited() {
        let mut rate = JoinRate::new(0, 0);
        assert!((0..1_000).all(|_| rate.admits_newcomer(at(0), ClientKey(1))));
        assert!((0..1_000).all(|_| rate.admits_return(at(0), &peer("ana"))));
    }
}
