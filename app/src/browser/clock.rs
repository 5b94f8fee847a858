//! The browser's clocks.

use std::time::Duration;

/// The page's monotonic clock, counted from the Unix epoch as the wall clock
/// stood when the page was opened. It never jumps while the page lives, and
/// carries on at about the same number after a reload.
pub fn now() -> Duration {
    let Some(performance) = web_sys::window().and_then(|window| window.performance()) else {
        return Duration::ZERO;
    };
    let micros = (performance.time_origin() + performance.now()) * 1_000.0;
    Duration::from_micros(micros as u64)
}
