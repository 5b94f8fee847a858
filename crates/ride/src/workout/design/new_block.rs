//! Blocks that are added with one tap.

use core::time::Duration;

use super::Step;
use crate::workout::{Interval, IntervalKind, Target};

/// Kind of a block that is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewBlock {
    /// Ten minutes, rising.
    Warmup,
    /// Twenty minutes at 70 %.
    Endurance,
    /// Fifteen minutes at 83 %.
    Tempo,
    /// Ten minutes at 100 %.
    Threshold,
    /// Three minutes at 115 %.
    Vo2Max,
    /// Ten minutes, falling.
    Cooldown,
    /// Five minutes at 65 %.
    Steady,
    /// Five minutes, rising.
    Ramp,
    /// Four times a hard and an easy interval.
    Repeat,
    /// Five minutes without a target.
    FreeRide,
}

impl NewBlock {
    /// All kinds, in the order in which they are offered.
    pub const ALL: [Self; 10] = [
        Self::Warmup,
        Self::Endurance,
        Self::Tempo,
        Self::Threshold,
        Self::Vo2Max,
        Self::Cooldown,
        Self::Steady,
        Self::Ramp,
        Self::Repeat,
        Self::FreeRide,
    ];

    pub(super) fn steps(self) -> (u16, Vec<Step>) {
        let step = |seconds, kind, from: f32, to: f32| Step {
            interval: Interval::new(
                Duration::from_secs(seconds),
                kind,
                Target::Power { from, to },
            ),
            cues: Vec::new(),
        };
        let steady = |seconds, power| step(seconds, IntervalKind::Steady, power, power);
        match self {
            Self::Warmup => (1, vec![step(600, IntervalKind::Warmup, 0.45, 0.75)]),
            Self::Endurance => (1, vec![steady(1_200, 0.70)]),
            Self::Tempo => (1, vec![steady(900, 0.83)]),
            Self::Threshold => (1, vec![steady(600, 1.0)]),
            Self::Vo2Max => (1, vec![steady(180, 1.15)]),
            Self::Cooldown => (1, vec![step(600, IntervalKind::Cooldown, 0.65, 0.40)]),
            Self::Steady => (1, vec![steady(300, 0.65)]),
            Self::Ramp => (1, vec![step(300, IntervalKind::Ramp, 0.70, 1.0)]),
            Self::Repeat => (
                4,
                vec![
                    step(240, IntervalKind::Work, 1.0, 1.0),
                    step(120, IntervalKind::Rest, 0.50, 0.50),
                ],
            ),
            Self::FreeRide => {
                let interval = Interval::new(
                    Duration::from_secs(300),
                    IntervalKind::FreeRide,
                    Target::Free,
                );
                let cues = Vec::new();
                (1, vec![Step { interval, cues }])
            }
        }
    }
}
