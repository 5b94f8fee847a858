//! Load of a bridge's trainer: what the rider's page asks for. When the page is silent, the last
//! load is held for a while, and then eased off, since the rider may be in the middle of an interval
//! and cannot reach the page.

use clock::{Duration, Moment};
use ride::trainer::{Load, easing::Easing};

/// Time for which the last load is held.
const HOLD_TIME: Duration = Duration::from_secs(10);
/// Time in which a target power goes down to nothing after that.
const EASING_TIME: Duration = Duration::from_secs(10);

/// The last load, and its age.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HeldLoad {
    /// Load, and the moment until which it is held; `None` without one.
    held: Option<(Load, Moment)>,
    /// Change from the load that was eased off to the one that is wanted again.
    return_easing: Easing,
}

impl HeldLoad {
    /// Takes a load from the rider's page.
    pub(super) fn set(&mut self, now: Moment, load: Load) {
        if self.held.is_none() || self.is_eased(now) {
            let from = self.load(now).power().unwrap_or_default();
            self.return_easing.begin(now, from);
        }
        self.held = Some((load, now + HOLD_TIME));
    }

    /// The rider has left: the load is eased off at once.
    pub(super) fn rider_left(&mut self, now: Moment) {
        if let Some((_, until)) = &mut self.held {
            *until = (*until).min(now);
        }
    }

    /// Tells whether the load is no longer what the rider's page has asked for.
    pub(super) fn is_eased(&self, now: Moment) -> bool {
        self.held.is_some_and(|(_, until)| now > until)
    }

    /// Load for the trainer.
    pub(super) fn load(&mut self, now: Moment) -> Load {
        let Some((load, until)) = self.held else {
            return Load::FREE;
        };
        let passed = now.since(until);
        match load {
            load if passed.is_zero() => match self.return_easing.ease(now, load.power()) {
                Some(watts) => Load::Power(watts),
                None => load,
            },
            Load::Power(watts) if passed < EASING_TIME => {
                let share = 1.0 - passed.as_secs_f32() / EASING_TIME.as_secs_f32();
                // Between 0 and a value of u16.
                Load::Power((f32::from(watts) * share).round() as u16)
            }
            _ => Load::FREE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_target_is_held_for_ten_seconds_and_eased_off_in_ten_more() {
        let mut held = HeldLoad::default();
        assert_eq!(held.load(at(1)), Load::FREE);
        held.set(at(2), Load::Power(200));
        assert_eq!(
            held.load(at(2)),
            Load::Power(0),
            "from nothing, in three seconds"
        );
        held.set(at(2), Load::Power(200));
        for (seconds, load) in [
            (5, Load::Power(200)),
            (12, Load::Power(200)),
            (17, Load::Power(100)),
            (21, Load::Power(20)),
            (22, Load::FREE),
            (9_999, Load::FREE),
        ] {
            assert_eq!(held.load(at(seconds)), load, "at {seconds} s");
            assert_eq!(held.is_eased(at(seconds)), seconds > 12);
        }
        held.set(at(9_999), Load::Power(180));
        assert_eq!(held.load(at(9_999)), Load::Power(0));
        assert_eq!(held.load(at(10_002)), Load::Power(180));
    }

    proptest::proptest! {
        #[test]
        fn a_silent_page_never_raises_the_power_that_it_has_asked_for(
            watts in proptest::num::u16::ANY,
            moments in proptest::collection::vec(0_u64..30_000, 1..30),
        ) {
            let mut held = HeldLoad::default();
            held.set(at(0), Load::Power(watts));
            let mut moments = moments;
            moments.sort_unstable();
            let mut last = u16::MAX;
            for millis in moments {
                let now = Moment::ZERO + Duration::from_millis(millis);
                let power = held.load(now).power().unwrap_or_default();
                proptest::prop_assert!(power <= watts);
                if now > at(0) + HOLD_TIME {
                    proptest::prop_assert!(power <= last, "it only falls");
                    last = power;
                }
                proptest::prop_assert!(now < at(0) + HOLD_TIME + EASING_TIME || power == 0);
            }
        }
    }

    #[test]
    fn a_slope_ends_after_ten_seconds() {
        let mut held = HeldLoad::default();
        held.set(at(0), Load::Slope(500));
        assert_eq!(held.load(at(10)), Load::Slope(500));
        assert_eq!(held.load(at(11)), Load::FREE);
    }

    #[test]
    fn the_target_of_a_rider_who_has_left_is_eased_off_at_once() {
        let mut held = HeldLoad::default();
        held.rider_left(at(0));
        assert_eq!(held.load(at(0)), Load::FREE);
        held.set(at(1), Load::Power(200));
        assert_eq!(held.load(at(5)), Load::Power(200));
        held.rider_left(at(6));
        assert_eq!(held.load(at(11)), Load::Power(100));
        held.rider_left(at(13));
        assert_eq!(held.load(at(16)), Load::FREE, "once");
    }
}
