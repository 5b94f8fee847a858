use std::time::Duration;

use clock::Moment;

use crate::{
    clock_sync::{GroupOffset, OffsetEstimate, OffsetFilter, RoundTrip, micros},
    link_frame::{Heartbeat, ReceptionReport},
};

/// Interval between heartbeats.
const INTERVAL: Duration = Duration::from_millis(500);
/// Interval between the first [`QUICK_COUNT`] heartbeats, so that group time is known soon.
const QUICK_INTERVAL: Duration = Duration::from_millis(100);
const QUICK_COUNT: u8 = 5;
/// Interval between heartbeats to a member that cannot be reached.
const AWAY_INTERVAL: Duration = Duration::from_secs(2);
/// Time without a heartbeat after which the offset of the peer's clock is measured anew: the
/// machine may have slept, and its monotonic clock with it.
const CLOCK_EXPIRY: Duration = Duration::from_millis(1_500);

/// Schedule of the own heartbeats to one member.
#[derive(Debug)]
pub(super) struct HeartbeatTimer {
    due_at: Moment,
    quick_remaining: u8,
}

impl HeartbeatTimer {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            due_at: now,
            quick_remaining: QUICK_COUNT,
        }
    }

    pub(super) fn due_at(&self) -> Moment {
        self.due_at
    }

    /// Makes the next heartbeat due at once.
    pub(super) fn send_now(&mut self, now: Moment) {
        self.due_at = now;
    }

    pub(super) fn sent(&mut self, now: Moment, is_reachable: bool) {
        let is_quick = self.quick_remaining > 0;
        self.quick_remaining = self.quick_remaining.saturating_sub(1);
        let interval = match is_reachable {
            _ if is_quick => QUICK_INTERVAL,
            true => INTERVAL,
            false => AWAY_INTERVAL,
        };
        self.due_at = now + interval;
    }
}

/// State of the peer's page as its heartbeats describe it.
#[derive(Debug)]
pub(super) struct PeerState {
    newest: Option<NewestHeartbeat>,
    clock: OffsetFilter,
    payload: Vec<u8>,
    supports_p2p: bool,
}

#[derive(Clone, Copy, Debug)]
struct NewestHeartbeat {
    sent: i64,
    received_at: Moment,
    group_offset: Option<GroupOffset>,
    epoch: u32,
}

/// Effect of a heartbeat on [`PeerState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeartbeatOrder {
    /// The first one of this page.
    First,
    /// Newer than all before.
    Newer,
    /// Older than another one, and ignored.
    Outdated,
}

impl PeerState {
    /// State before the first heartbeat: the peer is assumed to support direct links.
    pub(super) fn new() -> Self {
        Self {
            newest: None,
            clock: OffsetFilter::default(),
            payload: Vec::new(),
            supports_p2p: true,
        }
    }

    pub(super) fn update(&mut self, now: Moment, heartbeat: &Heartbeat) -> HeartbeatOrder {
        let order = match self.newest {
            None => HeartbeatOrder::First,
            Some(newest) if heartbeat.sent <= newest.sent => return HeartbeatOrder::Outdated,
            Some(newest) => {
                if now >= newest.received_at + CLOCK_EXPIRY {
                    self.clock = OffsetFilter::default();
                }
                HeartbeatOrder::Newer
            }
        };
        self.supports_p2p = heartbeat.p2p;
        self.newest = Some(NewestHeartbeat {
            sent: heartbeat.sent,
            received_at: now,
            group_offset: heartbeat.group_offset,
            epoch: heartbeat.epoch,
        });
        order
    }

    /// Takes in the payload of a heartbeat. Returns whether it changed.
    pub(super) fn update_payload(&mut self, payload: &[u8]) -> bool {
        let changed = self.payload != payload;
        if changed {
            self.payload = payload.to_vec();
        }
        changed
    }

    /// Measures the offset of the clocks from the peer's report on the own heartbeats, in a
    /// heartbeat that the peer sent at `peer_sent` by its clock.
    pub(super) fn update_clock(&mut self, now: Moment, peer_sent: i64, report: &ReceptionReport) {
        if report.delay != u32::MAX {
            self.clock.add(RoundTrip {
                sent: report.sent,
                peer_delay: report.delay,
                peer_sent,
                received: micros(now),
            });
        }
    }

    pub(super) fn supports_p2p(&self) -> bool {
        self.supports_p2p
    }

    /// Newest epoch that the peer has reported.
    pub(super) fn epoch(&self) -> Option<u32> {
        self.newest.map(|newest| newest.epoch)
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.clock.round_trip()
    }

    pub(super) fn clock_error(&self) -> Option<Duration> {
        self.clock.error()
    }

    /// Returns true if the peer may know group time: it has reported it, or sent no heartbeat yet.
    pub(super) fn may_know_group_time(&self) -> bool {
        let knows = |newest: NewestHeartbeat| newest.group_offset.is_some();
        self.newest.is_none_or(knows)
    }

    /// Group time minus the own clock, according to the peer.
    pub(super) fn group_offset(&self) -> Option<OffsetEstimate> {
        let group_minus_peer = self.newest?.group_offset?;
        let peer_minus_own = self.clock.offset()?;
        Some(OffsetEstimate {
            offset: GroupOffset(peer_minus_own.saturating_add(group_minus_peer.0)),
            error: self.clock.error()?,
        })
    }

    /// `sent` of the newest heartbeat, and the time since it arrived in microseconds, as a
    /// reception report has them.
    pub(super) fn newest_for_report(&self, now: Moment) -> (i64, u32) {
        let Some(newest) = self.newest else {
            return (0, u32::MAX);
        };
        let delay = now.since(newest.received_at).as_micros();
        (newest.sent, delay.try_into().unwrap_or(u32::MAX))
    }
}
