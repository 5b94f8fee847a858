//! Whose clock is group time: the host's, as it tells in its beats.
//!
//! A host who has no group time yet, after a reload, takes it from the others,
//! of whom no single one is believed against what the page knew before or what
//! most say, and tells its own only when it has settled, so that nobody follows
//! a follower. Where nobody has one, it carries
//! on from what it knew before; where it knew nothing, group time begins as the
//! server's wall clock, so that riders who begin it apart begin it alike. A host whose machine slept, by a clock that slept too, finds most others
//! far ahead, and follows them: they would have to wait for it else.

use clock::Moment;

use std::time::Duration;

use super::{Node, Peer, Server};
use crate::clock_sync::{JUMP, micros};
use protocol::peer::LinkState;

/// A host takes group time from its peers for so long before it holds it.
const ADOPTING: Duration = Duration::from_secs(2);
/// And waits so long for a peer that may know it.
const ASKING: Duration = Duration::from_secs(3);

impl Node {
    pub(super) fn steer_clock(&mut self, now: Moment) {
        if self.me.is_none() {
            return;
        }
        match self.is_host() {
            true => self.steer_as_host(now),
            false => self.steer_as_rider(now),
        }
    }

    /// Group time minus our clock, as it is told to the others.
    pub(super) fn told_offset(&self, now: Moment) -> Option<i64> {
        let settled = self.clock_is_own || self.clock.age(now)? >= ADOPTING;
        self.clock.offset(now).filter(|_| settled)
    }

    fn steer_as_host(&mut self, now: Moment) {
        if self.told_offset(now).is_some() {
            self.clock_is_own = true;
            return match self.missed(now) {
                Some((offset, error)) => self.clock.steer(now, offset, error),
                None => self.clock.hold(now),
            };
        }
        if let Some((offset, error)) = self.offset_of_others(now) {
            self.clock.steer(now, offset, error);
        } else if self.clock.age(now).is_none() && self.nobody_knows(now) {
            self.clock_is_own = true;
            let carried_on = self.config.group_offset.map(|offset| offset.0);
            let begun = || self.server.as_ref().map_or(0, Server::offset);
            self.clock.steer(now, carried_on.unwrap_or_else(begun), 0);
        }
    }

    fn steer_as_rider(&mut self, now: Moment) {
        self.clock_is_own = false;
        let host = self.host().and_then(|host| self.peer(host));
        let of_host = host.and_then(|host| host.link.group_offset());
        let unknown = self.clock.age(now).is_none();
        let of_others = || unknown.then(|| self.offset_of_others(now)).flatten();
        if let Some((offset, error)) = of_host.or_else(of_others) {
            self.clock.steer(now, offset, error);
        }
    }

    /// The group time of those who are reached, if at least half of them are so far
    /// ahead of us that we must have slept: one rider alone cannot claim it, unless
    /// there is no other.
    fn missed(&self, now: Moment) -> Option<(i64, u64)> {
        let own = self.clock.offset(now)?;
        let reached =
            |peer: &&Peer| matches!(peer.link.state(), LinkState::Direct | LinkState::Relayed);
        let told = self.peers.values().filter(reached);
        let mut told: Vec<_> = told.filter_map(|peer| peer.link.group_offset()).collect();
        told.sort_unstable();
        let (offset, error) = told.get(told.len().checked_sub(1)? / 2).copied()?;
        let certain = i64::try_from(error).ok()?.checked_add(JUMP)?;
        (offset.checked_sub(own)? > certain).then_some((offset, error))
    }

    /// Group time as the others have it: what is nearest to what we knew before, or, once all who
    /// may know it have told it, the lower middle, so that one rider alone cannot claim it.
    fn offset_of_others(&self, now: Moment) -> Option<(i64, u64)> {
        let told = self.peers.values();
        let mut told: Vec<_> = told.filter_map(|peer| peer.link.group_offset()).collect();
        told.sort_unstable();
        let known = self.config.group_offset.and_then(|known| {
            let off = |told: &&(i64, u64)| told.0.abs_diff(known.0);
            let nearest = told.iter().min_by_key(off)?;
            (off(&nearest) <= JUMP.unsigned_abs()).then_some(*nearest)
        });
        let silent = |peer: &Peer| may_know(peer) && peer.link.group_offset().is_none();
        let all = self.asked_enough(now) || !self.peers.values().any(silent);
        let middle = || told.get(told.len().checked_sub(1)? / 2).copied();
        known.or_else(|| middle().filter(|_| all))
    }

    fn nobody_knows(&self, now: Moment) -> bool {
        !self.peers.values().any(may_know) || self.asked_enough(now)
    }

    fn asked_enough(&self, now: Moment) -> bool {
        let since = self.server.as_ref().map(|server| server.since);
        since.is_some_and(|since| now >= since + ASKING)
    }
}

fn may_know(peer: &Peer) -> bool {
    !peer.member.away && peer.link.may_know_group_time()
}

impl Server {
    /// Its wall clock minus ours in microseconds, but for the welcome's way.
    fn offset(&self) -> i64 {
        let time = Duration::from_millis(self.time.unix_ms());
        micros(Moment::from_origin(time)) - micros(self.since)
    }
}
