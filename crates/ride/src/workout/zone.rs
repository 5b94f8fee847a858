//! Power zones, and the bars of a workout's profile.

use core::time::Duration;

use super::{IntervalKind, Target, Workout};

/// Power zone, 1 to 7 (Coggan: up to 55, 75, 90, 105, 120, 150 % of FTP, and above).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zone(u8);

/// Upper bounds of the zones 1 to 6 as fractions of FTP.
const UPPER: [f32; 6] = [0.55, 0.75, 0.90, 1.05, 1.20, 1.50];
/// Lower bound of zone 1 and upper bound of zone 7 in what is ridden in practice, for their middles.
const RIDDEN: (f32, f32) = (0.40, 2.00);

impl Zone {
    /// Zone with this number, 1 to 7.
    pub fn new(number: u8) -> Option<Self> {
        (1..=7).contains(&number).then_some(Self(number))
    }

    /// Power in the middle of the zone, as a fraction of FTP.
    pub fn middle(self) -> f32 {
        let index = usize::from(self.0);
        let lower = index.checked_sub(2).map_or(RIDDEN.0, |below| UPPER[below]);
        let upper = UPPER.get(index - 1).copied().unwrap_or(RIDDEN.1);
        lower.midpoint(upper)
    }

    /// Zone of a power as a fraction of FTP. The upper bound belongs to the zone.
    pub fn of(fraction: f32) -> Self {
        // Rounded to 0.1 %, so that 90 % computed from watts does not exceed 0.9 by an error of
        // rounding.
        let fraction = (fraction * 1_000.0).round() / 1_000.0;
        let below = UPPER.iter().filter(|upper| fraction > **upper).count();
        Self(below as u8 + 1)
    }

    /// Number of the zone, 1 to 7.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Part of a workout's profile within one zone. An interval that crosses zones has several bars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Start, from the start of the workout.
    pub start: Duration,
    /// Length.
    pub duration: Duration,
    /// Height at the start, as a fraction of FTP.
    pub from: f32,
    /// Height at the end, as a fraction of FTP.
    pub to: f32,
    /// Zone, which determines the colour.
    pub zone: Zone,
    /// Kind of the interval. Free rides and maximal efforts have no target; their heights (0.6 and
    /// 1.5) serve the drawing only.
    pub kind: IntervalKind,
}

/// Height of a free ride.
pub(crate) const FREE_HEIGHT: f32 = 0.6;
/// Height of a maximal effort.
pub(crate) const MAX_HEIGHT: f32 = 1.5;

pub(super) fn bars(workout: &Workout) -> Vec<Bar> {
    let mut start = Duration::ZERO;
    let mut bars = Vec::with_capacity(workout.intervals().len());
    for interval in workout.intervals() {
        let (from, to) = match interval.target {
            Target::Power { from, to } => (from, to),
            Target::Free => (FREE_HEIGHT, FREE_HEIGHT),
            Target::Max => (MAX_HEIGHT, MAX_HEIGHT),
        };
        let whole = Bar {
            start,
            duration: interval.duration,
            from,
            to,
            zone: Zone::of(from),
            kind: interval.kind,
        };
        bars.extend(split(whole));
        start += interval.duration;
    }
    bars
}

/// Splits a bar at the bounds of zones.
fn split(bar: Bar) -> Vec<Bar> {
    let height = |share: f32| bar.from + (bar.to - bar.from) * share;
    let mut cuts: Vec<f32> = UPPER
        .iter()
        .map(|upper| (upper - bar.from) / (bar.to - bar.from))
        .collect();
    // The cuts of a flat bar are not finite, those of a falling one are in falling order.
    cuts.retain(|cut| *cut > 0.001 && *cut < 0.999);
    if bar.to < bar.from {
        cuts.reverse();
    }
    cuts.insert(0, 0.0);
    cuts.push(1.0);
    let pieces = cuts.windows(2).map(|cut| {
        let (from, to) = (height(cut[0]), height(cut[1]));
        let (start, end) = (bar.duration.mul_f32(cut[0]), bar.duration.mul_f32(cut[1]));
        let zone = Zone::of((from + to) / 2.0);
        Bar {
            start: bar.start + start,
            duration: end.saturating_sub(start),
            from,
            to,
            zone,
            kind: bar.kind,
        }
    });
    pieces.collect()
}
