//! Cadence from the crank counter of a sensor: revolutions so far, and the time of the last one.

use core::time::Duration;

use clock::Moment;

/// Unit of the time of an event: 1/1024 s (Cycling Power Service 1.1, Cycling Speed and Cadence
/// Service 1.0).
const TICKS_PER_SECOND: u32 = 1_024;
/// Time without a new event after which the rider does not pedal: the crank of a rider at 30 rpm
/// turns every 2 s.
const STANDSTILL: Duration = Duration::from_secs(2);
/// Time after which the counter of time has rolled over.
const ROLLOVER: Duration = Duration::from_secs(60);
/// Highest cadence in rpm that is believed. A counter that was set back gives higher ones.
const MAX_CADENCE: u32 = 250;

/// State of a crank counter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CrankCounter {
    newest: Option<Newest>,
    cadence: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Newest {
    revolutions: u16,
    event_time: u16,
    at: Moment,
}

impl CrankCounter {
    /// Takes the counter of a notification, and returns the cadence in rpm; `None` until two events
    /// are known. A repeated event holds the cadence until the rider counts as standing still.
    pub(super) fn update(&mut self, now: Moment, revolutions: u16, event_time: u16) -> Option<u8> {
        let next = Newest {
            revolutions,
            event_time,
            at: now,
        };
        let Some(before) = self.newest else {
            self.newest = Some(next);
            return None;
        };
        let waited = now - before.at;
        let ticks = u32::from(event_time.wrapping_sub(before.event_time));
        let turns = u32::from(revolutions.wrapping_sub(before.revolutions));
        if ticks == 0 || turns == 0 {
            if waited >= STANDSTILL {
                self.cadence = Some(0);
            }
            return self.cadence;
        }
        self.newest = Some(next);
        let cadence = (turns * 60 * TICKS_PER_SECOND + ticks / 2) / ticks;
        if waited < ROLLOVER && cadence <= MAX_CADENCE {
            // At most 250.
            self.cadence = u8::try_from(cadence).ok();
        }
        self.cadence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Moment {
        Moment::from_origin(Duration::from_millis(ms))
    }

    proptest::proptest! {
        #[test]
        fn any_counter_gives_a_plausible_cadence_and_a_steady_rider_the_own(
            events in proptest::collection::vec((0_u64..5_000, proptest::num::u16::ANY, proptest::num::u16::ANY), 0..40),
            rpm in 30_u32..200,
            turns in 2_u16..40,
        ) {
            let mut counter = CrankCounter::default();
            let mut now = 0;
            for (pause, revolutions, event_time) in events {
                now += pause;
                let cadence = counter.update(ms(now), revolutions, event_time);
                proptest::prop_assert!(cadence.is_none_or(|rpm| u32::from(rpm) <= MAX_CADENCE));
            }
            let mut counter = CrankCounter::default();
            let mut cadence = None;
            for turn in 0..turns {
                let ticks = u32::from(turn) * 60 * TICKS_PER_SECOND / rpm;
                let now = ms(u64::from(ticks) * 1_000 / 1_024);
                cadence = counter.update(now, turn, ticks as u16);
            }
            proptest::prop_assert!(cadence.is_some_and(|it| u32::from(it).abs_diff(rpm) <= 1));
        }
    }

    #[test]
    fn two_events_give_a_cadence() {
        let mut counter = CrankCounter::default();
        assert_eq!(counter.update(ms(0), 18, 1_024), None);
        assert_eq!(counter.update(ms(1_000), 19, 2_048), Some(60));
        assert_eq!(counter.update(ms(2_000), 22, 4_096), Some(90));
    }

    #[test]
    fn both_counters_roll_over() {
        let mut counter = CrankCounter::default();
        counter.update(ms(0), u16::MAX, u16::MAX - 511);
        assert_eq!(counter.update(ms(1_000), 0, 512), Some(60));
    }

    #[test]
    fn a_repeated_event_holds_the_cadence_and_then_stands_still() {
        let mut counter = CrankCounter::default();
        counter.update(ms(0), 1, 0);
        assert_eq!(counter.update(ms(1_000), 2, 1_024), Some(60));
        assert_eq!(counter.update(ms(2_000), 2, 1_024), Some(60));
        assert_eq!(counter.update(ms(3_000), 2, 1_024), Some(0));
        // A sensor that counts time without turns.
        assert_eq!(counter.update(ms(3_500), 2, 2_048), Some(0));
        assert_eq!(counter.update(ms(4_000), 3, 3_072), Some(30));
    }

    #[test]
    fn a_counter_that_was_set_back_is_not_believed() {
        let mut counter = CrankCounter::default();
        counter.update(ms(0), 500, 10_000);
        assert_eq!(counter.update(ms(1_000), 501, 11_024), Some(60));
        assert_eq!(counter.update(ms(2_000), 1, 100), Some(60));
        assert_eq!(counter.update(ms(3_000), 2, 1_124), Some(60));
    }

    #[test]
    fn the_first_event_after_a_long_rest_gives_no_cadence_of_a_rolled_over_clock() {
        let mut counter = CrankCounter::default();
        counter.update(ms(0), 1, 0);
        counter.update(ms(1_000), 2, 1_024);
        counter.update(ms(90_000), 2, 1_024);
        assert_eq!(counter.update(ms(91_000), 3, 2_048), Some(0));
        assert_eq!(counter.update(ms(92_000), 4, 3_072), Some(60));
    }
}
