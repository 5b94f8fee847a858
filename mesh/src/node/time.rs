//! Whose clock is group time: the host's, as it tells in its beats.
//!
//! A host who has no group time yet, after a reload, takes it from the
//! longest-present rider who has one, and tells its own only when it has
//! settled, so that nobody follows a follower. Where nobody has one, it carries
//! on from what it knew before; where it knew nothing, its own clock is group
//! time.

use std::time::Duration;

use super::{Node, Peer};
use crate::peer::Role;

/// A host takes group time from its peers for so long before it holds it.
const ADOPTING: Duration = Duration::from_secs(2);
/// And waits so long for a peer that may know it.
const ASKING: Duration = Duration::from_secs(3);

impl Node {
    pub(super) fn steer_clock(&mut self, now: Duration) {
        let Some(role) = self.role() else {
            return;
        };
        match role {
            Role::Host => self.steer_as_host(now),
            Role::Rider => self.steer_as_rider(now),
        }
    }

    /// Group time minus our clock, as it is told to the others.
    pub(super) fn told_offset(&self, now: Duration) -> Option<i64> {
        let settled = self.clock_is_own || self.clock.age(now)? >= ADOPTING;
        self.clock.offset(now).filter(|_| settled)
    }

    fn steer_as_host(&mut self, now: Duration) {
        if self.told_offset(now).is_some() {
            self.clock_is_own = true;
            return self.clock.hold(now);
        }
        if let Some((offset, error)) = self.longest_present_offset() {
            self.clock.steer(now, offset, error);
        } else if self.clock.age(now).is_none() && self.nobody_knows(now) {
            self.clock_is_own = true;
            let carried_on = self.config.group_offset.unwrap_or(0);
            self.clock.steer(now, carried_on, 0);
        }
    }

    fn steer_as_rider(&mut self, now: Duration) {
        self.clock_is_own = false;
        let of_host = self
            .peers
            .values()
            .find(|peer| peer.member.role == Role::Host);
        let of_host = of_host.and_then(|host| host.link.group_offset());
        let unknown = self.clock.age(now).is_none();
        let of_others = || self.longest_present_offset().filter(|_| unknown);
        if let Some((offset, error)) = of_host.or_else(of_others) {
            self.clock.steer(now, offset, error);
        }
    }

    fn longest_present_offset(&self) -> Option<(i64, u64)> {
        self.peers
            .values()
            .find_map(|peer| peer.link.group_offset())
    }

    fn nobody_knows(&self, now: Duration) -> bool {
        let may_know = |peer: &Peer| !peer.member.away && peer.link.may_know_group_time();
        let asked_enough = |since| now >= since + ASKING;
        let since = self.server.as_ref().map(|server| server.since);
        !self.peers.values().any(may_know) || since.is_some_and(asked_enough)
    }
}
