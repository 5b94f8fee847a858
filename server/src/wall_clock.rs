//! The wall clock, for times that are sent, signed or shown.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clock::WallTime;

/// Current wall time; 1970 if the clock is set to an earlier time.
pub fn now() -> WallTime {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    WallTime::from_unix_ms(since_epoch.as_millis() as u64)
}
