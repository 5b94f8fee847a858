//! Load of the trainer: the target of the workout or a load by hand, without what would stop the
//! rider.

use clock::Moment;
use ride::trainer::{
    Capabilities, Load, MAX_SLOPE, Reading, auto_pause::AutoPause, easing::Easing,
    low_cadence::LowCadenceGuard, power_match::PowerMatch,
};

use crate::view::ManualLoad;

/// Change of the slope with one tap, in 0.01 %.
const SLOPE_STEP: i16 = 50;
/// Change of the resistance with one tap, in percent.
const RESISTANCE_STEP: u8 = 5;

/// Wish of the ride to the trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Target in watts; `None` for riding without one.
    pub(crate) target: Option<u16>,
    /// True while the group rides.
    pub(crate) is_riding: bool,
    /// True if every second counts, also without pedalling, as in a test of FTP.
    pub(crate) records_all: bool,
}

/// Measurements that the load depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// Reading of the rider, from the chosen sources.
    pub(super) reading: Reading,
    /// Power in W that the trainer shows.
    pub(super) trainer: Option<u16>,
    /// Power in W that the power meter shows.
    pub(super) power_meter: Option<u16>,
    /// Loads that the trainer takes; `None` without a trainer.
    pub(super) capabilities: Option<Capabilities>,
}

/// State of the load.
#[derive(Debug)]
pub(super) struct LoadControl {
    /// Load that the rider sets by hand: used without a target, and instead of it outside of ERG
    /// mode.
    manual: ManualLoad,
    /// Difference between trainer and power meter; `None` while the power meter does not steer the
    /// trainer.
    power_match: Option<PowerMatch>,
    /// Newest target in W, on the way to that of the ride.
    target: Option<u16>,
    easing: Easing,
    guard: LowCadenceGuard,
    is_released: bool,
    auto_pause: AutoPause,
}

impl LoadControl {
    /// Load that follows the targets of the workout.
    pub(super) fn new(matches_power: bool) -> Self {
        Self {
            manual: ManualLoad::default(),
            power_match: matches_power.then(PowerMatch::default),
            target: None,
            easing: Easing::default(),
            guard: LowCadenceGuard::default(),
            is_released: false,
            auto_pause: AutoPause::default(),
        }
    }

    pub(super) const fn matches_power(&self) -> bool {
        self.power_match.is_some()
    }

    pub(super) const fn manual(&self) -> ManualLoad {
        self.manual
    }

    pub(super) const fn target(&self) -> Option<u16> {
        self.target
    }

    /// Tells whether the target is released because the cadence was too low.
    pub(super) const fn is_released(&self) -> bool {
        self.is_released
    }

    pub(super) const fn auto_pause(&self) -> AutoPause {
        self.auto_pause
    }

    /// Steers the trainer by the power meter, or no longer.
    pub(super) fn match_power(&mut self, matches: bool) {
        self.power_match = matches.then(PowerMatch::default);
    }

    /// Follows the targets of the workout, or rides by hand.
    pub(super) const fn set_erg(&mut self, is_on: bool) {
        self.manual.erg = is_on;
    }

    /// Changes the load that is set by hand by some steps.
    pub(super) fn change_by_hand(&mut self, steps: i8) {
        let changed = |from: i32, step: i32, limits: (i32, i32)| {
            (from + step * i32::from(steps)).clamp(limits.0, limits.1)
        };
        let manual = &mut self.manual;
        let limit = i32::from(MAX_SLOPE);
        // Both lie within their limits.
        manual.slope = changed(manual.slope.into(), SLOPE_STEP.into(), (-limit, limit)) as i16;
        let resistance = changed(manual.resistance.into(), RESISTANCE_STEP.into(), (0, 100));
        manual.resistance = resistance as u8;
    }

    /// Changes the target over the next seconds, from a power in W.
    pub(super) const fn ease(&mut self, now: Moment, from: u16) {
        self.easing.begin(now, from);
    }

    /// Follows the ride to now, and returns the load for the trainer.
    pub(super) fn follow(&mut self, now: Moment, wanted: Wanted, measured: Measured) -> Load {
        if let Some(matching) = &mut self.power_match {
            matching.update(now, measured.trainer, measured.power_meter);
        }
        self.follow_pause(now, wanted, measured.reading);
        let capabilities = measured.capabilities.unwrap_or_default();
        let follows_target = self.manual.erg && !is_set_by_hand_only(capabilities);
        let target = wanted.target.filter(|_| follows_target);
        let target = target.filter(|_| !self.auto_pause.is_paused());
        self.target = self.guarded(now, target, measured.reading);
        match self.target {
            Some(target) => {
                let matched = self.power_match.map(|matching| matching.correct(target));
                Load::Power(matched.unwrap_or(target))
            }
            // A rider who is being stopped gets a flat road.
            None if self.is_released || self.auto_pause.is_paused() => Load::FREE,
            None => by_hand(self.manual, capabilities),
        }
    }

    fn follow_pause(&mut self, now: Moment, wanted: Wanted, reading: Reading) {
        let was_paused = self.auto_pause.is_paused();
        if wanted.is_riding && !wanted.records_all {
            self.auto_pause.follow(now, reading);
        } else {
            self.auto_pause = AutoPause::default();
        }
        if was_paused && !self.auto_pause.is_paused() {
            self.ease(now, reading.power.unwrap_or_default());
        }
    }

    /// Target on the way there, unless it would stop the rider. What the trainer holds at the moment
    /// counts, so that a rider who is eased in is not taken for one who cannot go on.
    fn guarded(&mut self, now: Moment, target: Option<u16>, reading: Reading) -> Option<u16> {
        let eased = self.easing.ease(now, target);
        let was_released = self.is_released;
        self.is_released = self.guard.follow(now, reading, eased);
        if self.is_released {
            return None;
        }
        if was_released {
            self.ease(now, reading.power.unwrap_or_default());
            return self.easing.ease(now, target);
        }
        eased
    }
}

/// Tells whether a trainer says that it takes loads, and no target power.
const fn is_set_by_hand_only(capabilities: Capabilities) -> bool {
    !capabilities.power && (capabilities.slope || capabilities.resistance)
}

/// Load by hand for a trainer that can do this.
const fn by_hand(manual: ManualLoad, capabilities: Capabilities) -> Load {
    if capabilities.resistance && !capabilities.slope {
        Load::Resistance(manual.resistance)
    } else {
        Load::Slope(manual.slope)
    }
}

#[cfg(test)]
mod tests {
    use clock::Duration;

    use super::*;

    const TARGET: Wanted = Wanted {
        target: Some(300),
        is_riding: true,
        records_all: false,
    };

    fn at(ms: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(ms)
    }

    fn measured(power: u16, cadence: Option<u8>) -> Measured {
        Measured {
            reading: Reading {
                power: Some(power),
                cadence,
                heart_rate: None,
                speed: None,
            },
            trainer: Some(power),
            power_meter: None,
            capabilities: Some(Capabilities::ALL),
        }
    }

    #[test]
    fn a_rider_without_a_cadence_who_is_eased_in_is_not_taken_for_one_who_cannot_go_on() {
        let mut control = LoadControl::new(false);
        control.ease(at(0), 0);
        let mut power = 0.0;
        for tick in 0..60_u64 {
            let load = control.follow(at(tick * 250), TARGET, measured(power as u16, None));
            let target = f32::from(load.power().unwrap_or_default());
            // The trainer follows its target as slowly as real ones do.
            power += (target - power) * 0.1;
            assert!(!control.is_released(), "at {tick}");
        }
        assert_eq!(control.target(), Some(300));
    }

    #[test]
    fn a_released_target_comes_back_from_the_power_of_the_rider() {
        let mut control = LoadControl::new(false);
        for second in 0..6 {
            control.follow(at(second * 1_000), TARGET, measured(200, Some(40)));
        }
        assert!(control.is_released());
        let load = control.follow(at(9_000), TARGET, measured(90, Some(80)));
        assert_eq!(load, Load::FREE);
        let load = control.follow(at(15_000), TARGET, measured(90, Some(80)));
        assert_eq!(load, Load::Power(90));
        let load = control.follow(at(16_500), TARGET, measured(150, Some(80)));
        assert_eq!(load, Load::Power(195));
    }

    #[test]
    fn a_recording_that_counts_every_second_does_not_pause() {
        for (records_all, pauses) in [(false, true), (true, false)] {
            let mut control = LoadControl::new(false);
            let wanted = Wanted {
                records_all,
                ..TARGET
            };
            for second in 0..10 {
                control.follow(at(second * 1_000), wanted, measured(0, Some(0)));
            }
            assert_eq!(control.auto_pause().is_paused(), pauses);
        }
    }

    #[test]
    fn without_a_target_or_erg_mode_the_load_is_set_by_hand() {
        let mut control = LoadControl::new(false);
        control.change_by_hand(4);
        let free = Wanted {
            target: None,
            ..TARGET
        };
        let ridden = measured(150, Some(85));
        assert_eq!(control.follow(at(0), free, ridden), Load::Slope(200));
        assert_eq!(control.follow(at(1_000), TARGET, ridden), Load::Power(300));
        control.set_erg(false);
        assert_eq!(control.follow(at(2_000), TARGET, ridden), Load::Slope(200));
        let only_levels = Measured {
            capabilities: Some(Capabilities {
                resistance: true,
                ..Capabilities::default()
            }),
            ..ridden
        };
        assert_eq!(
            control.follow(at(3_000), TARGET, only_levels),
            Load::Resistance(40)
        );
    }
}
