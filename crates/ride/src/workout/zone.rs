//! Power zones, and the bars in which a workout's profile is drawn.

use core::time::Duration;

use super::{IntervalKind, Target, Workout};

/// A power zone, 1 to 7 (Coggan: up to 55, 75, 90, 105, 120, 150 % of FTP, and above).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Zone(u8);

/// Where the zones 1 to 6 end, as fractions of FTP.
const UPPER: [f32; 6] = [0.55, 0.75, 0.90, 1.05, 1.20, 1.50];

impl Zone {
    /// The zone of a power, a fraction of FTP. The upper bound belongs to the zone.
    pub fn of(fraction: f32) -> Self {
        // Rounded to a tenth of a percent, so that 90 % reckoned from watts is not just above 0.9.
        let fraction = (fraction * 1_000.0).round() / 1_000.0;
        let below = UPPER.iter().filter(|upper| fraction > **upper).count();
        Self(below as u8 + 1)
    }

    /// The zone's number, 1 to 7.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// A piece of a workout's profile that lies in one zone. An interval whose power crosses zones
/// gives several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// When it begins, from the start of the workout.
    pub start: Duration,
    /// How long it is.
    pub duration: Duration,
    /// Its height at its start, a fraction of FTP.
    pub from: f32,
    /// Its height at its end.
    pub to: f32,
    /// The zone of its colour.
    pub zone: Zone,
    /// What the interval is for: free rides and maximal efforts have no target, their heights (0.6
    /// and 1.5) are only for drawing.
    pub kind: IntervalKind,
}

/// The height at which an interval without a target is drawn.
const FREE_HEIGHT: f32 = 0.6;
/// The height at which a maximal effort is drawn.
const MAX_HEIGHT: f32 = 1.5;

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

/// Cuts a bar where its slope crosses from one zone into the next.
fn split(bar: Bar) -> Vec<Bar> {
    let height = |share: f32| bar.from + (bar.to - bar.from) * share;
    let mut cuts: Vec<f32> = UPPER
        .iter()
        .map(|upper| (upper - bar.from) / (bar.to - bar.from))
        .collect();
    // A flat bar gives no finite cut.
    cuts.retain(|cut| *cut > 0.001 && *cut < 0.999);
    cuts.sort_by(f32::total_cmp);
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
