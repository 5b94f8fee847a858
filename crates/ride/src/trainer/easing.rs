//! Gradual change of the target: after a pause, a skip or a back the resistance rises or falls over
//! a few seconds.

use core::time::Duration;

use clock::Moment;

/// Time of the change from the old target to the new one.
pub const EASING_TIME: Duration = Duration::from_secs(3);

/// Linear change from one power to another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Easing {
    /// Power in W and time at the beginning.
    from: Option<(u16, Moment)>,
}

impl Easing {
    /// Begins a change from a power in W: the old target or, without one, the current power.
    pub const fn begin(&mut self, now: Moment, from: u16) {
        self.from = Some((from, now));
    }

    /// Target in W for now, on the way to `target`, which may change meanwhile. Without a target the
    /// change ends.
    pub fn ease(&mut self, now: Moment, target: Option<u16>) -> Option<u16> {
        let Some((from, since)) = self.from else {
            return target;
        };
        let passed = now - since;
        let (Some(goal), true) = (target, passed < EASING_TIME) else {
            self.from = None;
            return target;
        };
        let share = passed.as_secs_f32() / EASING_TIME.as_secs_f32();
        let watts = f32::from(from) + (f32::from(goal) - f32::from(from)) * share;
        // Lies between two values of u16.
        Some(watts.round() as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Moment {
        Moment::from_origin(Duration::from_millis(millis))
    }

    #[test]
    fn a_target_rises_and_falls_linearly_over_three_seconds() {
        for (from, to, middle) in [(100, 300, 200), (300, 100, 200), (0, 250, 125)] {
            let mut easing = Easing::default();
            easing.begin(ms(10_000), from);
            assert_eq!(easing.ease(ms(10_000), Some(to)), Some(from));
            assert_eq!(easing.ease(ms(11_500), Some(to)), Some(middle));
            assert_eq!(easing.ease(ms(13_000), Some(to)), Some(to));
            assert_eq!(easing.ease(ms(13_001), Some(999)), Some(999));
        }
    }

    #[test]
    fn the_change_follows_a_target_that_moves() {
        let mut easing = Easing::default();
        easing.begin(ms(0), 100);
        assert_eq!(easing.ease(ms(1_500), Some(200)), Some(150));
        assert_eq!(easing.ease(ms(1_500), Some(300)), Some(200));
    }

    #[test]
    fn without_a_target_the_change_ends_for_good() {
        let mut easing = Easing::default();
        easing.begin(ms(0), 100);
        assert_eq!(easing.ease(ms(500), None), None);
        assert_eq!(easing.ease(ms(1_000), Some(300)), Some(300));
    }

    #[test]
    fn a_target_is_not_eased_before_begin() {
        assert_eq!(Easing::default().ease(ms(5), Some(200)), Some(200));
    }
}
