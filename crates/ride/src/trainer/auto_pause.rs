//! Pause of the own recording while the rider does not pedal. The group rides on.

use core::time::Duration;

use clock::Moment;

use super::Reading;

/// Cadence in rpm and power in W below which the rider does not pedal.
const IDLE: (u8, u16) = (5, 20);
/// Time without pedalling after which the recording pauses.
const PAUSES_AFTER: Duration = Duration::from_secs(3);
/// Time of pedalling after which it goes on.
const RESUMES_AFTER: Duration = Duration::from_secs(3);

/// State of the pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoPause {
    /// The rider pedals.
    #[default]
    Riding,
    /// The rider has stopped pedalling at this moment.
    Stopping(Moment),
    /// The recording is paused.
    Paused,
    /// The rider pedals again; the recording goes on at this moment.
    Resuming(Moment),
}

impl AutoPause {
    /// Follows the readings to now, and tells whether the recording is paused. A rider without power
    /// and cadence is never paused.
    pub fn follow(&mut self, now: Moment, reading: Reading) -> bool {
        let is_idle = is_idle(reading);
        *self = match (*self, is_idle) {
            (Self::Riding, true) => Self::Stopping(now),
            (Self::Stopping(since), true) if now - since >= PAUSES_AFTER => Self::Paused,
            (Self::Riding | Self::Stopping(_), false) => Self::Riding,
            (Self::Paused, false) => Self::Resuming(now + RESUMES_AFTER),
            (Self::Resuming(_), true) => Self::Paused,
            (Self::Resuming(at), false) if at <= now => Self::Riding,
            (state, _) => state,
        };
        self.is_paused()
    }

    /// Tells whether the recording is paused.
    pub const fn is_paused(self) -> bool {
        matches!(self, Self::Paused | Self::Resuming(_))
    }
}

fn is_idle(reading: Reading) -> bool {
    let (cadence, power) = (reading.cadence, reading.power);
    (cadence.is_some() || power.is_some())
        && cadence.is_none_or(|cadence| cadence < IDLE.0)
        && power.is_none_or(|power| power < IDLE.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::ZERO + Duration::from_secs(seconds)
    }

    fn reading(power: u16, cadence: u8) -> Reading {
        Reading {
            power: Some(power),
            cadence: Some(cadence),
            heart_rate: None,
            speed: None,
        }
    }

    #[test]
    fn three_seconds_without_pedalling_pause_and_three_of_pedalling_resume() {
        let mut pause = AutoPause::default();
        let paused: Vec<u64> = (0..30)
            .filter(|second| {
                let pedals = !(10..20).contains(second);
                let now = if pedals {
                    reading(150, 85)
                } else {
                    reading(0, 0)
                };
                pause.follow(at(*second), now)
            })
            .collect();
        assert_eq!(paused, (13..23).collect::<Vec<u64>>());
    }

    #[test]
    fn a_rider_who_stops_again_stays_paused() {
        let mut pause = AutoPause::Paused;
        assert!(pause.follow(at(0), reading(100, 60)));
        assert_eq!(pause, AutoPause::Resuming(at(3)));
        assert!(pause.follow(at(2), reading(0, 0)));
        assert_eq!(pause, AutoPause::Paused);
    }

    #[test]
    fn only_a_rider_whose_pedalling_is_measured_is_paused() {
        for (measured, pauses) in [
            (Reading::default(), false),
            (reading(19, 4), true),
            // A fly-wheel that runs on, and a meter without a cadence.
            (reading(0, 5), false),
            (reading(20, 0), false),
            (
                Reading {
                    cadence: None,
                    ..reading(0, 0)
                },
                true,
            ),
        ] {
            let mut pause = AutoPause::default();
            let paused = (0..5).map(|second| pause.follow(at(second), measured));
            assert_eq!(paused.last(), Some(pauses), "{measured:?}");
        }
    }
}
