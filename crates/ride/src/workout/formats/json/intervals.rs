//! Intervals of a workout in the format of wolfv/cycling-workout.

use core::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::value::Reader;
use crate::workout::formats::error::FileError;
use crate::workout::formats::remark::{Quantity, RemarkKind};
use crate::workout::{Cue, Draft, Interval, IntervalKind, Target};

/// Time for which a cue is shown by default.
const DEFAULT_SHOWN_FOR: Duration = Duration::from_secs(10);

/// Names of the kinds in a file.
pub(super) const KINDS: [(&str, IntervalKind); 8] = [
    ("warmup", IntervalKind::Warmup),
    ("steady", IntervalKind::Steady),
    ("ramp", IntervalKind::Ramp),
    ("work", IntervalKind::Work),
    ("rest", IntervalKind::Rest),
    ("cooldown", IntervalKind::Cooldown),
    ("free", IntervalKind::FreeRide),
    ("max", IntervalKind::MaxEffort),
];

/// Reads intervals and cues into the draft.
pub(super) fn read(
    intervals: &[&RawValue],
    cues: Vec<&RawValue>,
    mut reader: Reader<'_, '_>,
    draft: &mut Draft,
) -> Result<(), FileError> {
    for raw in intervals {
        let at = reader.offset(raw);
        let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
        let interval = interval(&value, at, &mut reader);
        if let Some(interval) = interval.filter(|interval| !interval.duration.is_zero()) {
            reader.push(draft, interval, at)?;
        }
    }
    for raw in cues {
        let at = reader.offset(raw);
        let value: Value = serde_json::from_str(raw.get()).unwrap_or_default();
        let cue = cue(&value, at, &mut reader);
        match cue.filter(|cue| cue.at < reader.end) {
            Some(cue) => draft.cues.push(cue),
            None => reader.remarks.ignore(at, "cues"),
        }
    }
    Ok(())
}

fn interval(value: &Value, at: usize, reader: &mut Reader<'_, '_>) -> Option<Interval> {
    let name = value["name"].as_str().unwrap_or_default().to_owned();
    if value.get("duration").is_none() {
        let element = name;
        reader.remarks.add(at, RemarkKind::NoDuration { element });
        return None;
    }
    let duration = reader.time(value, "duration", Quantity::Duration, at)?;
    let target = target(value, &name, at, reader);
    let kind = kind(value, target);
    Some(Interval {
        name,
        cadence: reader.cadence(value, "cadence", at),
        ..Interval::new(duration, kind, target)
    })
}

fn target(value: &Value, name: &str, at: usize, reader: &mut Reader<'_, '_>) -> Target {
    match value["powerType"].as_str().unwrap_or_default() {
        "free" => return Target::Free,
        "max" => return Target::Max,
        _ => {}
    }
    let mut power = |key: &str, is_percent: bool| {
        let number = reader.number(value, key, Quantity::Power, at)?;
        Some(match is_percent {
            true => reader.percent(number, key, at),
            false => reader.watts(number, key, at),
        })
    };
    let is_absolute = value["powerType"] == "absolute";
    // The first that is there is taken.
    let keys = [("percentage", true), ("power", false)];
    let keys = if is_absolute {
        [keys[1], keys[0]]
    } else {
        keys
    };
    let is_ramp = value["powerType"] == "ramp";
    let flat = keys.into_iter().filter(|_| !is_ramp);
    if let Some(power) = flat.filter_map(|(key, percent)| power(key, percent)).next() {
        return Target::steady(power);
    }
    let ends = [
        ("percentageLow", "percentageHigh", true),
        ("powerLow", "powerHigh", false),
    ];
    for (low, high, is_percent) in ends {
        if let (Some(from), Some(to)) = (power(low, is_percent), power(high, is_percent)) {
            return Target::Power { from, to };
        }
    }
    let element = name.to_owned();
    reader.remarks.add(at, RemarkKind::NoPower { element });
    Target::Free
}

fn kind(value: &Value, target: Target) -> IntervalKind {
    let named = |key: &str| {
        let name = value[key].as_str()?;
        let found = KINDS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, kind)| *kind)
    };
    named("kind")
        .or_else(|| named("type"))
        .unwrap_or(match target {
            Target::Power { from, to } if from != to => IntervalKind::Ramp,
            Target::Power { .. } => IntervalKind::Steady,
            Target::Free => IntervalKind::FreeRide,
            Target::Max => IntervalKind::MaxEffort,
        })
}

fn cue(value: &Value, at: usize, reader: &mut Reader<'_, '_>) -> Option<Cue> {
    let text = value["text"].as_str()?.to_owned();
    let begins = reader.time(value, "at", Quantity::CueTime, at)?;
    let shown_for = reader.time(value, "duration", Quantity::CueTime, at);
    Some(Cue {
        at: begins,
        shown_for: shown_for.unwrap_or(DEFAULT_SHOWN_FOR),
        text,
    })
}
