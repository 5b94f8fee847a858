//! Easing into a target: after a pause, a skip or a back the resistance rises or falls over a few
//! seconds instead of at once.

use core::time::Duration;

/// How long the way from the old target to the new one takes.
pub const EASES_FOR: Duration = Duration::from_secs(3);

/// A way from one power to another, in watts. The same moments and targets give the same watts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Easing {
    /// Where it began, and when.
    from: Option<(u16, Duration)>,
}

impl Easing {
    /// Begins at this power: the old target or, where there was none, what is being ridden.
    pub const fn begin(&mut self, now: Duration, from: u16) {
        self.from = Some((from, now));
    }

    /// What to ask for on the way to a target, which may itself move. Without a target there is
    /// nothing to ease into, and the way is over.
    pub fn toward(&mut self, now: Duration, target: Option<u16>) -> Option<u16> {
        let Some((from, since)) = self.from else {
            return target;
        };
        let passed = now.saturating_sub(since);
        let (Some(goal), true) = (target, passed < EASES_FOR) else {
            self.from = None;
            return target;
        };
        let share = passed.as_secs_f32() / EASES_FOR.as_secs_f32();
        let watts = f32::from(from) + (f32::from(goal) - f32::from(from)) * share;
        // Between two values of u16.
        Some(watts.round() as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_target_rises_and_falls_evenly_over_three_seconds() {
        for (from, to, middle) in [(100, 300, 200), (300, 100, 200), (0, 250, 125)] {
            let mut easing = Easing::default();
            easing.begin(millis(10_000), from);
            assert_eq!(easing.toward(millis(10_000), Some(to)), Some(from));
            assert_eq!(easing.toward(millis(11_500), Some(to)), Some(middle));
            assert_eq!(easing.toward(millis(13_000), Some(to)), Some(to));
            assert_eq!(easing.toward(millis(13_001), Some(999)), Some(999));
        }
    }

    #[test]
    fn the_way_goes_on_to_where_the_target_has_moved() {
        let mut easing = Easing::default();
        easing.begin(millis(0), 100);
        assert_eq!(easing.toward(millis(1_500), Some(200)), Some(150));
        assert_eq!(easing.toward(millis(1_500), Some(300)), Some(200));
    }

    #[test]
    fn without_a_target_it_lets_go_at_once_and_does_not_come_back() {
        let mut easing = Easing::default();
        easing.begin(millis(0), 100);
        assert_eq!(easing.toward(millis(500), None), None);
        assert_eq!(easing.toward(millis(1_000), Some(300)), Some(300));
    }

    #[test]
    fn nothing_is_eased_that_was_not_begun() {
        assert_eq!(Easing::default().toward(millis(5), Some(200)), Some(200));
    }
}
