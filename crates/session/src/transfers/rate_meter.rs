use std::collections::VecDeque;

use clock::{Duration, Moment};

/// Time over which a rate is averaged.
const SPAN: Duration = Duration::from_secs(5);
/// Shortest time between two readings.
const STEP: Duration = Duration::from_millis(500);

/// Rate of a transfer over the last [`SPAN`].
#[derive(Debug, Default)]
pub(super) struct RateMeter {
    /// Readings: moment and bytes so far, at most one per [`STEP`].
    readings: VecDeque<(Moment, u64)>,
}

impl RateMeter {
    /// Takes in the bytes so far, and returns the rate in bytes per second; `None` while nothing
    /// arrives, and before the second reading.
    pub(super) fn read(&mut self, now: Moment, bytes: u64) -> Option<u32> {
        // After a reload of the receiver there may be fewer bytes than before.
        if self.readings.back().is_some_and(|last| last.1 > bytes) {
            self.clear();
        }
        let is_due = |last: &(Moment, u64)| now.since(last.0) >= STEP;
        if self.readings.back().is_none_or(is_due) {
            self.readings.push_back((now, bytes));
        }
        while self.readings.len() > 1
            && self
                .readings
                .front()
                .is_some_and(|at| now.since(at.0) > SPAN)
        {
            self.readings.pop_front();
        }
        let (from, before) = *self.readings.front()?;
        let passed = now.since(from);
        if passed < STEP || bytes == before {
            return None;
        }
        let rate = (bytes - before) as f64 / passed.as_secs_f64();
        Some(rate.round().clamp(1.0, f64::from(u32::MAX)) as u32)
    }

    pub(super) fn clear(&mut self) {
        self.readings.clear();
    }

    /// True if something arrived lately, so that the rate changes with time alone.
    pub(super) fn is_moving(&self) -> bool {
        let ends = self.readings.front().zip(self.readings.back());
        ends.is_some_and(|(first, last)| first.1 != last.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut meter = RateMeter::default();
        let at = |tenths: u64| Moment::ZERO + Duration::from_millis(100 * tenths);
        assert_eq!(meter.read(at(0), 0), None);
        assert_eq!(meter.read(at(5), 50_000), Some(100_000));
        for tenths in 6..200 {
            let rate = meter.read(at(tenths), 10_000 * tenths);
            assert_eq!(rate, Some(100_000), "{tenths}");
        }
        assert!(meter.readings.len() <= 12);
        let rate = meter.read(at(230), 1_990_000);
        assert!(rate.is_some_and(|rate| rate < 60_000), "{rate:?}");
        for tenths in 231..300 {
            meter.read(at(tenths), 1_990_000);
        }
        assert_eq!(meter.read(at(300), 1_990_000), None);
        assert!(!meter.is_moving());
    }

    #[test]
    fn fewer_bytes_than_before_start_a_new_measurement() {
        let mut meter = RateMeter::default();
        meter.read(Moment::ZERO, 1_000_000);
        let later = Moment::ZERO + Duration::from_secs(1);
        assert_eq!(meter.read(later, 10), None);
    }
}
