//! The wall clock, for times that are sent, signed or shown.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clock::WallTime;

/// Difference between the two clocks above which the wall clock counts as set. Time
/// services correct smaller ones slowly, and a busy process reads the clocks late.
const MIN_JUMP: Duration = Duration::from_secs(30);

/// Current wall time; 1970 if the clock is set to an earlier time.
pub fn now() -> WallTime {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    WallTime::from_unix_ms(since_epoch.as_millis() as u64)
}

/// Detector of jumps of the wall clock, by comparison with the monotonic clock.
#[derive(Debug, Default)]
pub struct JumpDetector {
    /// Readings of the wall clock and of the monotonic clock.
    last: Option<(WallTime, Duration)>,
}

impl JumpDetector {
    /// Jump since the last call in seconds, negative for a clock that was set back;
    /// `None` if there was none of more than 30 s.
    pub fn check(&mut self, wall: WallTime, monotonic: Duration) -> Option<i64> {
        let (last_wall, last_monotonic) = self.last.replace((wall, monotonic))?;
        let expected = last_wall.after(monotonic.saturating_sub(last_monotonic));
        let (ahead, behind) = (wall.since(expected), expected.since(wall));
        match () {
            () if ahead > MIN_JUMP => i64::try_from(ahead.as_secs()).ok(),
            () if behind > MIN_JUMP => i64::try_from(behind.as_secs()).ok().map(|it| -it),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000;

    /// Jumps found at readings in seconds: of the wall clock since [`START`], and of the
    /// monotonic clock.
    fn jumps<const N: usize>(readings: [(i64, u64); N]) -> [Option<i64>; N] {
        let mut detector = JumpDetector::default();
        readings.map(|(wall, monotonic)| {
            let wall = START.saturating_add_signed(wall);
            let wall = WallTime::from_unix_ms(1_000 * wall);
            detector.check(wall, Duration::from_secs(monotonic))
        })
    }

    #[test]
    fn a_clock_that_is_set_is_reported_once_with_the_size_of_the_jump() {
        let day = 86_400;
        let forward = jumps([(0, 10), (1, 11), (day + 2, 12), (day + 3, 13)]);
        assert_eq!(forward, [None, None, Some(day), None]);
        let back = jumps([(0, 10), (1 - day, 11), (2 - day, 12)]);
        assert_eq!(back, [None, Some(-day), None]);
    }

    #[test]
    fn clocks_that_run_together_have_no_jump() {
        assert_eq!(jumps([(0, 5), (1, 6), (600, 605)]), [None; 3]);
        // Small corrections, however many.
        assert_eq!(jumps([(0, 0), (31, 1), (62, 2), (33, 3)]), [None; 4]);
    }

    #[test]
    fn a_clock_before_1970_or_at_the_end_of_time_gives_no_panic() {
        let mut detector = JumpDetector::default();
        let end = WallTime::from_unix_ms(u64::MAX);
        assert_eq!(detector.check(end, Duration::ZERO), None);
        assert!(detector.check(WallTime::default(), Duration::MAX).is_some());
        assert!(detector.check(end, Duration::ZERO).is_some());
    }
}
