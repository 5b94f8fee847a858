//! Clocks of a peer.

use std::time::{Duration, SystemTime};

use clock::{Moment, Now, WallTime};
use tokio::time::Instant;

/// Clocks of one peer. Its moments count from the start of the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    origin: Instant,
}

impl Clocks {
    pub(crate) fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// Readings of both clocks.
    pub(crate) fn now(&self) -> Now {
        let since_epoch = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Now {
            moment: Moment::from_origin(self.origin.elapsed()),
            wall: WallTime::from_unix_ms(u64::try_from(since_epoch.as_millis()).unwrap_or(0)),
        }
    }

    /// Instant of a moment, for timers. A moment beyond all timers is an hour away.
    pub(crate) fn instant(&self, at: Moment) -> Instant {
        let since = at.since_origin();
        let at = self.origin.checked_add(since);
        at.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600))
    }
}
