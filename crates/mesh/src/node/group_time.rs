use std::time::Duration;

use clock::{GroupTime, Moment, WallTime};

use super::members::{Members, Peer};
use crate::clock_sync::{GroupClock, GroupOffset, JUMP, OffsetEstimate, micros, nth_smallest};
use protocol::peer::{LinkState, PeerId};

/// Time for which a host follows the estimates of the others before it defines group time itself.
const ADOPTION: Duration = Duration::from_secs(2);
/// Time for which a host waits for a rider that may know group time.
const QUERY_TIMEOUT: Duration = Duration::from_secs(3);

/// Estimates group time: the host's clock, as the host reports it in its heartbeats.
///
/// A host that has no group time yet, after a reload, takes it from the other riders. It believes
/// none of them alone: only the one that is closest to what the page knew before the reload, or the
/// lower median of all. It reports the result to the others only once it has settled, so that no
/// rider follows a follower. If no rider knows group time, the host continues from what it knew
/// before; a host that knew nothing starts group time as the server's wall clock, so that riders
/// who start it apart from each other start the same one.
///
/// A host whose machine slept, and its monotonic clock with it, finds half of the other riders far
/// ahead and follows them; otherwise they would have to wait for it.
#[derive(Debug)]
pub(super) struct GroupTimeEstimator {
    clock: GroupClock,
    /// True if the own clock defines group time, as host.
    is_authority: bool,
    /// Offset from before a reload.
    kept_offset: Option<GroupOffset>,
}

/// View of the ride for [`GroupTimeEstimator::tick`].
pub(super) struct GroupTimeView<'a> {
    pub(super) members: &'a Members,
    pub(super) host: Option<&'a PeerId>,
    /// The server's wall clock, and the moment at which it was read.
    pub(super) server_clock: Option<(WallTime, Moment)>,
}

impl GroupTimeEstimator {
    pub(super) fn new(kept_offset: Option<GroupOffset>) -> Self {
        Self {
            clock: GroupClock::default(),
            is_authority: false,
            kept_offset,
        }
    }

    pub(super) fn group_time(&self, now: Moment) -> Option<GroupTime> {
        self.clock.group_time(now)
    }

    pub(super) fn offset(&self, now: Moment) -> Option<GroupOffset> {
        self.clock.offset(now)
    }

    /// Largest difference from the host's group time.
    pub(super) fn error(&self, now: Moment) -> Option<Duration> {
        self.clock.error(now)
    }

    /// Offset for the own heartbeats, once it has settled.
    pub(super) fn settled_offset(&self, now: Moment) -> Option<GroupOffset> {
        let is_settled = self.is_authority || self.clock.age(now)? >= ADOPTION;
        self.clock.offset(now).filter(|_| is_settled)
    }

    /// Leaves out a time that has just passed, and that no member has seen.
    pub(super) fn leave_out(&mut self, passed: Duration) {
        self.clock.leave_out(passed);
    }

    pub(super) fn tick(&mut self, now: Moment, view: &GroupTimeView<'_>) {
        let is_own = |host: &PeerId| view.members.is_own(host);
        match view.host.is_some_and(is_own) {
            true => self.tick_as_host(now, view),
            false => self.tick_as_follower(now, view),
        }
    }

    fn tick_as_host(&mut self, now: Moment, view: &GroupTimeView<'_>) {
        if self.settled_offset(now).is_some() {
            self.is_authority = true;
            return match self.missed_time(now, view.members) {
                Some(estimate) => self.clock.steer(now, estimate),
                None => self.clock.hold(now),
            };
        }
        let has_waited = has_waited_for_others(now, view);
        if let Some(estimate) = self.estimate_of_others(view.members, has_waited) {
            self.clock.steer(now, estimate);
        } else if self.clock.age(now).is_none()
            && (has_waited || !view.members.riders().any(may_know))
        {
            self.is_authority = true;
            let error = Duration::ZERO;
            let offset = self.kept_offset.unwrap_or_else(|| server_offset(view));
            self.clock.steer(now, OffsetEstimate { offset, error });
        }
    }

    fn tick_as_follower(&mut self, now: Moment, view: &GroupTimeView<'_>) {
        self.is_authority = false;
        let host = view.host.and_then(|host| view.members.peer_by_id(host));
        let of_host = host.and_then(|host| host.link.group_offset());
        let estimate = of_host.or_else(|| {
            let is_unknown = self.clock.age(now).is_none();
            let has_waited = has_waited_for_others(now, view);
            let others = || self.estimate_of_others(view.members, has_waited);
            is_unknown.then(others).flatten()
        });
        if let Some(estimate) = estimate {
            self.clock.steer(now, estimate);
        }
    }

    /// Group time according to the riders in reach, if at least half of them are so far ahead that
    /// this machine must have slept. One rider alone cannot claim that, unless it is the only one.
    fn missed_time(&self, now: Moment, members: &Members) -> Option<OffsetEstimate> {
        let own = self.clock.offset(now)?;
        let is_reached =
            |peer: &&Peer| matches!(peer.link.state(), LinkState::Direct | LinkState::Relayed);
        let reached = members.riders().filter(is_reached);
        let median = lower_median(&estimates(reached))?;
        let error = i64::try_from(median.error.as_micros()).ok()?;
        let certain = error.checked_add(JUMP)?;
        let ahead = median.offset.0.checked_sub(own.0)?;
        (ahead > certain).then_some(median)
    }

    /// Group time according to the other riders: the estimate that is closest to the kept offset,
    /// or the lower median once all that may know group time have reported it, or `has_waited`.
    fn estimate_of_others(&self, members: &Members, has_waited: bool) -> Option<OffsetEstimate> {
        let estimates = estimates(members.riders());
        let kept = self.kept_offset.and_then(|kept| {
            let difference = |estimate: &OffsetEstimate| estimate.offset.0.abs_diff(kept.0);
            let order = |estimate: &OffsetEstimate| (difference(estimate), *estimate);
            let closest = estimates.iter().copied().min_by_key(order)?;
            (difference(&closest) <= JUMP.unsigned_abs()).then_some(closest)
        });
        let is_missing = |peer: &Peer| may_know(peer) && peer.link.group_offset().is_none();
        let is_complete = has_waited || !members.riders().any(is_missing);
        kept.or_else(|| lower_median(&estimates).filter(|_| is_complete))
    }
}

/// Group time according to each of some members.
fn estimates<'a>(peers: impl Iterator<Item = &'a Peer>) -> Vec<OffsetEstimate> {
    let estimates = peers.filter_map(|peer| peer.link.group_offset());
    estimates.collect()
}

fn lower_median(estimates: &[OffsetEstimate]) -> Option<OffsetEstimate> {
    nth_smallest(estimates, estimates.len().checked_sub(1)? / 2)
}

fn may_know(peer: &Peer) -> bool {
    !peer.member.away && peer.link.may_know_group_time()
}

fn has_waited_for_others(now: Moment, view: &GroupTimeView<'_>) -> bool {
    let server_clock = view.server_clock;
    server_clock.is_some_and(|(_, read_at)| now >= read_at + QUERY_TIMEOUT)
}

/// Offset with which group time is the server's wall clock, late by the delay of the welcome.
fn server_offset(view: &GroupTimeView<'_>) -> GroupOffset {
    let Some((time, read_at)) = view.server_clock else {
        return GroupOffset::default();
    };
    let since_1970 = Moment::from_origin(Duration::from_millis(time.unix_ms()));
    GroupOffset::between(GroupTime(micros(since_1970)), read_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        link::testing::{make_direct, receive_heartbeat},
        node::members::tests::{id, members},
    };
    use protocol::peer::{
        MemberRole::{self, Rider, Spectator},
        PeerNumber,
    };

    const HOUR: i64 = 3_600_000_000;

    fn at(ms: u64) -> Moment {
        Moment::from_origin(Duration::from_millis(ms))
    }

    /// Members of which each but the first reports an offset, or none.
    fn reporting(roles: &[MemberRole], offsets: &[Option<i64>]) -> Members {
        let mut members = members(roles);
        for (number, offset) in (2..).zip(offsets) {
            let peer = members.peer_mut(PeerNumber(number)).unwrap();
            make_direct(&mut peer.link, at(0));
            // The round trip is measured from the second heartbeat on.
            receive_heartbeat(&mut peer.link, at(10), |heartbeat| {
                heartbeat.group_offset = offset.map(GroupOffset);
            });
        }
        members
    }

    /// Estimate of the first member, as host, after hearing the others.
    fn as_host(members: &Members, kept: Option<i64>, now: Moment) -> Option<GroupOffset> {
        let mut estimator = GroupTimeEstimator::new(kept.map(GroupOffset));
        let view = GroupTimeView {
            members,
            host: Some(&id(1)),
            server_clock: Some((WallTime::from_unix_ms(5_000), at(0))),
        };
        estimator.tick(now, &view);
        estimator.offset(now)
    }

    #[test]
    fn a_host_alone_starts_group_time_as_the_servers_clock_or_continues_its_own() {
        let alone = members(&[Rider]);
        let server = Some(GroupOffset(5_000_000));
        assert_eq!(as_host(&alone, None, at(10)), server);
        assert_eq!(as_host(&alone, Some(7), at(10)), Some(GroupOffset(7)));
    }

    #[test]
    fn a_host_takes_the_lower_median_of_the_riders_once_all_have_reported() {
        let members = reporting(&[Rider; 4], &[Some(0), Some(10), Some(HOUR)]);
        assert_eq!(as_host(&members, None, at(10)), Some(GroupOffset(10)));
        let missing = reporting(&[Rider; 4], &[Some(0), Some(10)]);
        assert_eq!(as_host(&missing, None, at(10)), None);
        let waited = as_host(&missing, None, at(3_000));
        assert_eq!(waited, Some(GroupOffset(0)));
    }

    #[test]
    fn a_host_prefers_the_rider_that_is_closest_to_what_it_knew() {
        let members = reporting(&[Rider; 4], &[Some(HOUR), Some(HOUR), Some(40)]);
        assert_eq!(as_host(&members, Some(0), at(10)), Some(GroupOffset(40)));
    }

    #[test]
    fn members_of_other_roles_are_not_believed() {
        let roles = [Rider, Rider, Spectator, Spectator, Spectator];
        let members = reporting(&roles, &[Some(5), Some(HOUR), Some(HOUR), Some(HOUR)]);
        assert_eq!(as_host(&members, None, at(10)), Some(GroupOffset(5)));
    }

    #[test]
    fn a_follower_follows_the_host_and_reports_group_time_after_two_seconds() {
        let members = reporting(&[Rider; 3], &[Some(HOUR), Some(0)]);
        let mut estimator = GroupTimeEstimator::new(None);
        let view = GroupTimeView {
            members: &members,
            host: Some(&id(2)),
            server_clock: None,
        };
        estimator.tick(at(10), &view);
        assert_eq!(estimator.offset(at(10)), Some(GroupOffset(HOUR)));
        assert_eq!(estimator.settled_offset(at(2_009)), None);
        let settled = estimator.settled_offset(at(2_010));
        assert_eq!(settled, Some(GroupOffset(HOUR)));
    }
}
