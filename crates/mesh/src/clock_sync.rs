//! Group time: one clock for a ride, on machines whose clocks differ by minutes.
//!
//! - [`OffsetFilter`]: how far another rider's clock is from ours, over one
//!   link, from the four time stamps of two beats (RFC 5905, section 8). The
//!   sample of the lowest round trip counts, for its error is bounded by half
//!   that round trip.
//! - [`GroupClock`]: our own idea of the host's clock, steered towards the
//!   newest estimate.
//!
//! Law: group time never runs back. Small errors are slewed; it may jump
//! forward right after it is first known, and after the machine slept.
//!
//! All times are microseconds, all clocks monotonic with any origin. Offsets
//! beyond ±2^53 are never taken.

mod filter;
mod group;

use std::time::Duration;

pub(crate) use group::JUMP;
pub use {
    filter::{Echo, OffsetFilter},
    group::GroupClock,
};

const LIMIT: i64 = 1 << 53;

/// A monotonic clock's reading as it goes over the wire, in microseconds.
pub fn micros(now: Duration) -> i64 {
    i64::try_from(now.as_micros())
        .unwrap_or(i64::MAX)
        .min(LIMIT)
}
