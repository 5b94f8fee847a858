//! Steps of a FIT workout. Numbers are those of the FIT profile.

use core::time::Duration;

use crate::rider::Ftp;
use crate::workout::formats::error::{FileError, Place};
use crate::workout::formats::remark::{Quantity, RemarkKind, Remarks};
use crate::workout::formats::{clamp_power, push_interval};
use crate::workout::{
    Cue, Draft, Interval, IntervalKind, MAX_CADENCE, MAX_DURATION, MAX_INTERVALS, Target,
    WorkoutError, Zone,
};

/// Time for which a step without a time is ridden, in minutes.
const OPEN_MINUTES: u16 = 5;
/// Speed at which a distance is ridden, in km/h.
const KMH: u8 = 30;
/// Time for which the notes of a step are shown.
const NOTES_SHOWN_FOR: Duration = Duration::from_secs(20);
/// Offset of a power in W; a lower value is in percent of FTP (FIT profile, type `workout_power`).
const WATTS_OFFSET: u32 = 1_000;
/// Values of a file that is in W without the offset: its lowest is above what is ridden easily, and
/// its highest is above what is ridden for more than seconds.
const RAW_WATTS: (u32, u32) = (80, 200);

/// Type `wkt_step_duration`.
mod duration_type {
    pub(super) const TIME: u32 = 0;
    pub(super) const DISTANCE: u32 = 1;
    pub(super) const REPEAT_STEPS: u32 = 6;
    pub(super) const REPEAT_TIME: u32 = 7;
    pub(super) const REPETITION_TIME: u32 = 28;
    pub(super) const TIME_ONLY: u32 = 31;

    /// Reports the types of steps that repeat the steps before them.
    pub(super) const fn is_repeat(kind: u32) -> bool {
        matches!(kind, REPEAT_STEPS..=13 | 17 | 18 | 27)
    }
}

/// Type `wkt_step_target`.
mod target_type {
    pub(super) const SPEED: u32 = 0;
    pub(super) const HEART_RATE: u32 = 1;
    pub(super) const CADENCE: u32 = 3;
    pub(super) const POWER: [u32; 5] = [4, 7, 8, 9, 10];
}

/// Step as it is in the file; `None` for a value that is missing.
pub(super) struct Step {
    /// End of the step in the file, in bytes.
    pub at: usize,
    pub name: String,
    pub notes: String,
    pub duration_type: Option<u32>,
    pub duration: Option<u32>,
    pub target: StepTarget,
    pub second_target: StepTarget,
    pub intensity: Option<u32>,
}

#[derive(Clone, Copy)]
pub(super) struct StepTarget {
    pub kind: Option<u32>,
    pub value: Option<u32>,
    pub low: Option<u32>,
    pub high: Option<u32>,
}

impl StepTarget {
    /// Low and high end; 0 stands for none. One end alone is both.
    fn range(self) -> Option<(u32, u32)> {
        let [low, high] = [self.low, self.high].map(|end| end.filter(|end| *end > 0));
        Some((low.or(high)?, high.or(low)?))
    }

    fn is_power(self) -> bool {
        self.kind
            .is_some_and(|kind| target_type::POWER.contains(&kind))
    }
}

/// Reads the steps into the draft.
pub(super) fn read(
    steps: &[Step],
    ftp: Ftp,
    draft: &mut Draft,
    remarks: &mut Remarks<'_>,
) -> Result<(), FileError> {
    let is_raw = is_in_raw_watts(steps);
    let mut end = Duration::ZERO;
    let order = expand(steps, remarks)?;
    for step in order.iter().map(|index| &steps[*index]) {
        let Some(duration) = duration(step, remarks).filter(|it| !it.is_zero()) else {
            continue;
        };
        let target = target(step, ftp, is_raw, remarks);
        let kind = kind(step, target);
        if !step.notes.is_empty() {
            draft.cues.push(Cue {
                at: end,
                shown_for: NOTES_SHOWN_FOR,
                text: step.notes.clone(),
            });
        }
        let interval = Interval {
            name: step.name.clone(),
            cadence: cadence(step),
            ..Interval::new(duration, kind, target)
        };
        let place = || Place::Byte(step.at as u32);
        push_interval(draft, interval, &mut end, place)?;
    }
    if draft.intervals.is_empty() {
        return Err(FileError::NothingToRide {
            place: Place::Byte(0),
            remarks: remarks.take(),
        });
    }
    Ok(())
}

/// Order in which the steps are ridden, as indices.
fn expand(steps: &[Step], remarks: &mut Remarks<'_>) -> Result<Vec<usize>, FileError> {
    let mut order = Vec::new();
    // Position in the order at which each step begins for the first time.
    let mut starts = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        starts.push(order.len());
        let kind = step.duration_type.unwrap_or(duration_type::TIME);
        if !duration_type::is_repeat(kind) {
            order.push(index);
            continue;
        }
        let from = step.duration.and_then(|from| starts.get(from as usize));
        let block = from.map(|from| order[*from..].to_vec()).unwrap_or_default();
        let repeat = match kind {
            duration_type::REPEAT_STEPS => step.target.value.unwrap_or(1),
            duration_type::REPEAT_TIME => repeats_in(steps, &block, step.target.value),
            _ => {
                let other = RemarkKind::Unusable {
                    attribute: "duration_type".to_owned(),
                    value: kind.to_string(),
                    quantity: Quantity::Repeat,
                };
                remarks.add(step.at, other);
                1
            }
        };
        for _ in 1..repeat {
            order.extend(&block);
            if order.len() > MAX_INTERVALS {
                return Err(FileError::Limit {
                    place: Place::Byte(step.at as u32),
                    error: WorkoutError::TooManyIntervals,
                });
            }
            if block.is_empty() {
                break;
            }
        }
    }
    Ok(order)
}

/// Number of times that a block is ridden in a time in ms.
fn repeats_in(steps: &[Step], block: &[usize], time: Option<u32>) -> u32 {
    let times = block.iter().filter_map(|index| steps[*index].duration);
    let length: u64 = times.map(u64::from).sum();
    let time = u64::from(time.unwrap_or_default());
    let count = time.checked_div(length).unwrap_or(1);
    // More is above the limit of intervals.
    count.clamp(1, MAX_INTERVALS as u64 + 1) as u32
}

fn duration(step: &Step, remarks: &mut Remarks<'_>) -> Option<Duration> {
    let value = step.duration.map(f64::from);
    let seconds = match (step.duration_type, value) {
        (
            Some(duration_type::TIME | duration_type::REPETITION_TIME | duration_type::TIME_ONLY),
            Some(millis),
        ) => millis / 1_000.0,
        (Some(duration_type::DISTANCE), Some(centimetres)) => {
            remarks.add(step.at, RemarkKind::Distance { kmh: KMH });
            centimetres / 100.0 * 3.6 / f64::from(KMH)
        }
        _ => {
            let minutes = OPEN_MINUTES;
            remarks.add(step.at, RemarkKind::OpenEnded { minutes });
            f64::from(minutes) * 60.0
        }
    };
    // Longer than the longest workout is above the limit.
    let seconds = seconds.min(MAX_DURATION.as_secs_f64() + 1.0);
    Some(Duration::from_millis((seconds * 1_000.0).round() as u64))
}

fn target(step: &Step, ftp: Ftp, is_raw: bool, remarks: &mut Remarks<'_>) -> Target {
    let targets = [step.target, step.second_target];
    let Some(power) = targets.into_iter().find(|target| target.is_power()) else {
        let is_other = |target: &StepTarget| match target.kind {
            Some(target_type::SPEED | target_type::HEART_RATE) => {
                target.range().is_some() || target.value.is_some_and(|zone| zone > 0)
            }
            _ => false,
        };
        if targets.iter().any(is_other) {
            remarks.add(step.at, RemarkKind::OtherTarget);
        }
        return Target::Free;
    };
    let zone = power
        .value
        .and_then(|zone| Zone::new(u8::try_from(zone).ok()?));
    match (power.range(), zone) {
        (Some((low, high)), _) => {
            let mut fraction = |value| fraction(value, step.at, ftp, is_raw, remarks);
            let (low, high) = (fraction(low), fraction(high));
            Target::steady(low.midpoint(high))
        }
        (None, Some(zone)) => {
            let power = zone.middle();
            let zone = RemarkKind::Zone {
                attribute: "target_value".to_owned(),
                zone: zone.number(),
                power,
            };
            remarks.add(step.at, zone);
            Target::steady(power)
        }
        (None, None) => {
            let element = step.name.clone();
            remarks.add(step.at, RemarkKind::NoPower { element });
            Target::Free
        }
    }
}

/// Power of a value as a fraction of FTP.
fn fraction(value: u32, at: usize, ftp: Ftp, is_raw: bool, remarks: &mut Remarks<'_>) -> f32 {
    let watts = match value.checked_sub(WATTS_OFFSET) {
        Some(watts) => watts,
        None if is_raw => value,
        None => return clamp_power(f64::from(value) / 100.0, at, "target", remarks),
    };
    let own = ftp.watts();
    remarks.add(at, RemarkKind::Watts { ftp: own });
    clamp_power(f64::from(watts) / f64::from(own), at, "target", remarks)
}

/// Some programs write W without the offset.
fn is_in_raw_watts(steps: &[Step]) -> bool {
    let targets = steps.iter().map(|step| step.target);
    let powers = targets.filter(|target| target.is_power());
    let ends = powers.filter_map(StepTarget::range);
    let values: Vec<u32> = ends.flat_map(|(low, high)| [low, high]).collect();
    let (min, max) = (values.iter().min(), values.iter().max());
    min.zip(max)
        .is_some_and(|(min, max)| *min >= RAW_WATTS.0 && *max >= RAW_WATTS.1 && *max < WATTS_OFFSET)
}

/// Cadence in rpm: the middle of a range.
fn cadence(step: &Step) -> Option<u16> {
    let targets = [step.second_target, step.target];
    let mut cadences = targets
        .into_iter()
        .filter(|target| target.kind == Some(target_type::CADENCE));
    let target = cadences.next()?;
    let (low, high) = target
        .range()
        .or_else(|| target.value.map(|value| (value, value)))?;
    let cadence = u16::try_from(low.midpoint(high)).ok()?;
    (1..=MAX_CADENCE).contains(&cadence).then_some(cadence)
}

/// Kind by the type `intensity`.
fn kind(step: &Step, target: Target) -> IntervalKind {
    match step.intensity {
        Some(1 | 4) => IntervalKind::Rest,
        Some(2) => IntervalKind::Warmup,
        Some(3) => IntervalKind::Cooldown,
        Some(5) => IntervalKind::Work,
        _ if target == Target::Free => IntervalKind::FreeRide,
        _ => IntervalKind::Steady,
    }
}
