//! Steps of a structured workout of intervals.icu.
//!
//! A power is a value, or a start and an end, in percent of FTP (`%ftp`) or W (`w`). `_power` has
//! resolved values in W and is used where the power itself is in another unit, such as a zone.

use serde_json::Value;
use serde_json::value::RawValue;

use super::value::{Reader, number};
use crate::workout::formats::error::FileError;
use crate::workout::formats::remark::{Quantity, RemarkKind};
use crate::workout::{Cue, Draft, Interval, IntervalKind, MAX_INTERVALS, Target};

/// Largest depth of repeated steps.
const MAX_DEPTH: usize = 8;
/// Largest number of steps that are looked at, each repetition counted.
const MAX_VISITED: usize = 50_000;

/// Reads the steps into the draft.
pub(super) fn read(
    steps: &[&RawValue],
    mut reader: Reader<'_, '_>,
    draft: &mut Draft,
) -> Result<(), FileError> {
    for raw in steps {
        let at = reader.offset(raw);
        let step: Value = serde_json::from_str(raw.get()).unwrap_or_default();
        read_step(&step, at, 0, &mut reader, draft)?;
    }
    Ok(())
}

fn read_step(
    step: &Value,
    at: usize,
    depth: usize,
    reader: &mut Reader<'_, '_>,
    draft: &mut Draft,
) -> Result<(), FileError> {
    reader.visited += 1;
    if depth > MAX_DEPTH || reader.visited > MAX_VISITED {
        return Err(FileError::TooComplex);
    }
    let Some(steps) = step["steps"].as_array() else {
        return read_interval(step, at, reader, draft);
    };
    let reps = reader.number(step, "reps", Quantity::Repeat, at);
    let reps = reps.map_or(1, |reps| {
        reps.round().clamp(1.0, MAX_INTERVALS as f64) as usize
    });
    for _ in 0..reps {
        let before = draft.intervals.len();
        for step in steps {
            read_step(step, at, depth + 1, reader, draft)?;
        }
        // Repeating nothing takes no time, but could be asked for very often.
        if draft.intervals.len() == before {
            break;
        }
    }
    Ok(())
}

fn read_interval(
    step: &Value,
    at: usize,
    reader: &mut Reader<'_, '_>,
    draft: &mut Draft,
) -> Result<(), FileError> {
    let text = step["text"].as_str().unwrap_or_default().trim();
    if step.get("duration").is_none() {
        let element = text.to_owned();
        reader.remarks.add(at, RemarkKind::NoDuration { element });
        return Ok(());
    }
    let duration = reader.time(step, "duration", Quantity::Duration, at);
    let Some(duration) = duration.filter(|duration| !duration.is_zero()) else {
        return Ok(());
    };
    let target = target(step, text, at, reader);
    let is = |key: &str| step[key] == true;
    let kind = if is("warmup") {
        IntervalKind::Warmup
    } else if is("cooldown") {
        IntervalKind::Cooldown
    } else {
        match target {
            Target::Power { from, to } if from != to => IntervalKind::Ramp,
            Target::Power { .. } => IntervalKind::Steady,
            Target::Free => IntervalKind::FreeRide,
            Target::Max => IntervalKind::MaxEffort,
        }
    };
    let cadence = match &step["cadence"] {
        range @ Value::Object(_) => reader.cadence(range, "value", at).or_else(|| {
            let ends = ["start", "end"].map(|key| reader.cadence(range, key, at));
            Some(ends[0]?.midpoint(ends[1]?))
        }),
        _ => reader.cadence(step, "cadence", at),
    };
    if !text.is_empty() {
        draft.cues.push(Cue {
            at: reader.end,
            shown_for: duration.min(core::time::Duration::from_secs(10)),
            text: text.to_owned(),
        });
    }
    let interval = Interval {
        cadence,
        ..Interval::new(duration, kind, target)
    };
    reader.push(draft, interval, at)
}

fn target(step: &Value, name: &str, at: usize, reader: &mut Reader<'_, '_>) -> Target {
    if step["freeride"] == true {
        return Target::Free;
    }
    if step["maxeffort"] == true {
        return Target::Max;
    }
    let powers = [&step["power"], &step["_power"]];
    for power in powers.into_iter().filter(|power| power.is_object()) {
        let is_percent = match power["units"].as_str() {
            Some("%ftp") => true,
            Some("w") | None => false,
            // Zones and other units have resolved values.
            Some(_) => continue,
        };
        let mut read = |key: &str| {
            let value = number(&power[key])?;
            Some(match is_percent {
                true => reader.percent(value, "power", at),
                false => reader.watts(value, "power", at),
            })
        };
        let target = match (read("value"), read("start"), read("end")) {
            (Some(power), ..) => Some(Target::steady(power)),
            // Without the flag of a ramp, the two are a range.
            (None, Some(from), Some(to))
                if step["ramp"] == true || step["warmup"] == true || step["cooldown"] == true =>
            {
                Some(Target::Power { from, to })
            }
            (None, Some(from), Some(to)) => Some(Target::steady(from.midpoint(to))),
            _ => None,
        };
        if let Some(target) = target {
            return target;
        }
    }
    let element = name.to_owned();
    let has_other = step.get("hr").is_some() || step.get("pace").is_some();
    reader.remarks.add(
        at,
        match has_other {
            true => RemarkKind::OtherTarget,
            false => RemarkKind::NoPower { element },
        },
    );
    Target::Free
}
