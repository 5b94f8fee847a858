//! Group time: one clock for a ride, on machines whose clocks differ by minutes.
//!
//! - [`OffsetFilter`]: offset of another rider's clock from the own one, over one link, from the
//!   four timestamps of a heartbeat in each direction (RFC 5905, section 8). The sample with the
//!   lowest round trip counts, since its error is at most half that round trip.
//! - [`GroupClock`]: the own estimate of group time, steered towards the newest offset.
//! - [`GroupOffset`]: group time minus a monotonic clock.
//!
//! Contract: group time never runs backwards. Small errors are slewed. It may jump forward right
//! after it is first known, and after the machine slept.
//!
//! All times are microseconds, all clocks monotonic with any origin. Offsets beyond ±2^53 are
//! ignored.

mod filter;
mod group;

use clock::{GroupTime, Moment};

pub(crate) use group::JUMP;
pub use {
    filter::{Echo, OffsetFilter},
    group::GroupClock,
};

const LIMIT: i64 = 1 << 53;

/// Group time minus a monotonic clock, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupOffset(pub i64);

impl GroupOffset {
    /// Offset at which `moment` is group time `time`.
    pub fn between(time: GroupTime, moment: Moment) -> Self {
        Self(time.0.saturating_sub(micros(moment)))
    }

    /// Group time at a moment.
    pub fn at(self, moment: Moment) -> GroupTime {
        GroupTime(self.0.saturating_add(micros(moment)))
    }
}

/// Reading of a monotonic clock as it is sent in frames, in microseconds.
pub fn micros(moment: Moment) -> i64 {
    i64::try_from(moment.since_origin().as_micros())
        .unwrap_or(i64::MAX)
        .min(LIMIT)
}
