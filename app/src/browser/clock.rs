//! The browser's clocks. During server rendering they read zero.

use std::time::Duration;

/// The monotonic clock of the page: time since the Unix epoch, with the wall
/// clock read once when the page was opened. It never jumps, and continues at
/// about the same value after a reload.
pub fn now() -> Duration {
    let Some(performance) = web_sys::window().and_then(|window| window.performance()) else {
        return Duration::ZERO;
    };
    let micros = (performance.time_origin() + performance.now()) * 1_000.0;
    Duration::from_micros(micros as u64)
}
