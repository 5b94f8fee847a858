//! Power match: a trainer is given the target at which a power meter shows the target of the workout.

use core::time::Duration;

use clock::Moment;

/// Time constant of the mean difference between the two.
const TIME_CONSTANT: Duration = Duration::from_secs(10);
/// Largest correction as a share of the target.
const MAX_SHARE: f32 = 0.25;
/// Power in W below which neither is believed.
const MIN_POWER: u16 = 30;

/// Mean difference between trainer and power meter.
#[derive(Clone, Copy, Debug, Default)]
pub struct PowerMatch {
    /// W by which the trainer shows more.
    offset: f32,
    updated_at: Option<Moment>,
}

impl PowerMatch {
    /// Takes the powers in W of both.
    pub fn update(&mut self, now: Moment, trainer: Option<u16>, meter: Option<u16>) {
        let before = self.updated_at.replace(now);
        let is_ridden = |power: &u16| *power >= MIN_POWER;
        let both = trainer.filter(is_ridden).zip(meter.filter(is_ridden));
        let (Some((trainer, meter)), Some(before)) = (both, before) else {
            return;
        };
        let passed = (now - before).as_secs_f32() / TIME_CONSTANT.as_secs_f32();
        let share = 1.0 - (-passed).exp();
        let difference = f32::from(trainer) - f32::from(meter);
        self.offset += (difference - self.offset) * share;
    }

    /// Target in W for the trainer.
    pub fn correct(self, target: u16) -> u16 {
        let limit = f32::from(target) * MAX_SHARE;
        let corrected = f32::from(target) + self.offset.clamp(-limit, limit);
        // The cast saturates.
        corrected.round() as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::ZERO + Duration::from_secs(seconds)
    }

    /// Trainer that holds what it is given and shows this share of the real power.
    fn ridden(shown: f32, target: u16, seconds: u64) -> u16 {
        let mut matching = PowerMatch::default();
        let mut real = 0;
        for second in 0..seconds {
            let held = f32::from(matching.correct(target));
            real = (held / shown).round() as u16;
            matching.update(at(second), Some(held as u16), Some(real));
        }
        real
    }

    #[test]
    fn the_power_meter_shows_the_target_after_a_while() {
        for shown in [0.92, 1.0, 1.08] {
            let real = ridden(shown, 250, 120);
            assert!(real.abs_diff(250) <= 2, "{shown}: {real}");
        }
    }

    #[test]
    fn the_correction_is_limited() {
        let mut matching = PowerMatch::default();
        for second in 0..600 {
            matching.update(at(second), Some(900), Some(40));
        }
        assert_eq!(matching.correct(200), 250);
        assert_eq!(matching.correct(0), 0);
    }

    #[test]
    fn a_rider_who_does_not_pedal_and_a_meter_that_is_lost_change_nothing() {
        let mut matching = PowerMatch::default();
        for second in 0..60 {
            matching.update(at(second), Some(220), Some(200));
        }
        let before = matching.correct(200);
        for second in 60..120 {
            matching.update(at(second), Some(200), None);
            matching.update(at(second), Some(0), Some(0));
        }
        assert_eq!(matching.correct(200), before);
    }
}
