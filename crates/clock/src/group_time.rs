use core::time::Duration;

use minicbor::{Decode, Encode};

/// Time of the ride on the host's clock, in microseconds. It may be negative, and means nothing
/// outside of one ride.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct GroupTime(#[n(0)] pub i64);

impl GroupTime {
    /// Time passed since `earlier`; zero if that one is later.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// Group time that lies `duration` after this one.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }
}
