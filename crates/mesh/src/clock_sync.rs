//! Group time: one clock for a ride, on machines whose clocks differ by minutes.
//!
//! - [`GroupOffset`]: group time minus a monotonic clock.
//! - `OffsetFilter`: offset of another member's clock from the own one, over one link, from the
//!   four timestamps of a heartbeat in each direction (RFC 5905, section 8). The sample with the
//!   lowest round trip counts, since its error is at most half that round trip.
//! - `GroupClock`: the own estimate of group time, steered towards the newest offset.
//!
//! Contract: group time never runs backwards. Small errors are slewed. It may jump forward right
//! after it is first known, and after the machine slept.
//!
//! All clocks are monotonic with any origin. Offsets beyond ±2^53 µs are ignored.

mod group_clock;
mod offset_filter;

use std::time::Duration;

use clock::{GroupTime, Moment};

pub(crate) use {
    group_clock::{GroupClock, JUMP},
    offset_filter::{OffsetFilter, RoundTrip},
};

const LIMIT: i64 = 1 << 53;

/// Group time minus a monotonic clock, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupOffset(pub i64);

impl GroupOffset {
    /// Offset with which `moment` is group time `time`.
    pub fn between(time: GroupTime, moment: Moment) -> Self {
        Self(time.0.saturating_sub(micros(moment)))
    }

    /// Group time at a moment.
    pub fn at(self, moment: Moment) -> GroupTime {
        GroupTime(self.0.saturating_add(micros(moment)))
    }
}

/// Estimate of the offset between group time and the own clock. Ordered by the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OffsetEstimate {
    pub(crate) offset: GroupOffset,
    /// Largest difference from the true offset.
    pub(crate) error: Duration,
}

/// Value at a position, from 0, of the ascending order; `None` beyond its end. Takes quadratic time,
/// for at most 32 values: `sort` is several KB of WebAssembly for each type.
pub(crate) fn nth_smallest<T: Copy + Ord>(values: &[T], position: usize) -> Option<T> {
    let is_there = |value: &T| {
        let smaller = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        (smaller..smaller + equal).contains(&position)
    };
    values.iter().copied().find(is_there)
}

/// Reading of a monotonic clock as it is sent in heartbeats, in microseconds.
pub fn micros(moment: Moment) -> i64 {
    whole_micros(moment.since_origin()).min(LIMIT)
}

fn whole_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
