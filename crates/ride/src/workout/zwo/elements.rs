//! The elements of a workout.

use core::time::Duration;

use roxmltree::Node;

use super::attributes::Values;
use super::error::{Place, ZwoError};
use super::{Counter, is, name};
use crate::workout::{
    Cue, Draft, Interval, IntervalKind, MAX_DURATION, MAX_INTERVALS, Target, WorkoutError,
};

/// How long a message is shown that does not say.
const SHOWN_FOR: Duration = Duration::from_secs(10);

/// Reads all elements of `<workout>` into the draft.
pub(super) fn read(
    workout: Node<'_, '_>,
    draft: &mut Draft,
    ignored: &mut Counter,
) -> Result<(), ZwoError> {
    let mut end = Duration::ZERO;
    for element in workout.children().filter(Node::is_element) {
        if is(element, "textevent") {
            cue(element, Duration::ZERO, draft, ignored);
            continue;
        }
        let Some(intervals) = intervals(element)? else {
            ignored.count(element.tag_name().name());
            continue;
        };
        let start = end;
        for interval in intervals
            .into_iter()
            .filter(|interval| !interval.duration.is_zero())
        {
            end += interval.duration;
            draft.intervals.push(interval);
            check_limits(element, draft, end)?;
        }
        attend(element, start, draft, ignored);
    }
    if draft.intervals.is_empty() {
        return Err(ZwoError::NoIntervals {
            place: Place::of(workout),
        });
    }
    drop_late_cues(draft, end, ignored);
    Ok(())
}

fn check_limits(element: Node<'_, '_>, draft: &Draft, end: Duration) -> Result<(), ZwoError> {
    let error = if draft.intervals.len() > MAX_INTERVALS {
        WorkoutError::TooManyIntervals
    } else if end > MAX_DURATION {
        WorkoutError::TooLong
    } else {
        return Ok(());
    };
    Err(ZwoError::Limit {
        place: Place::of(element),
        error,
    })
}

/// The intervals of an element; none if it is not known.
fn intervals(element: Node<'_, '_>) -> Result<Option<Vec<Interval>>, ZwoError> {
    let values = Values(element);
    let intervals = match name(element).as_str() {
        "warmup" => vec![sloped(values, IntervalKind::Warmup)?],
        "cooldown" => vec![sloped(values, IntervalKind::Cooldown)?],
        "ramp" => vec![sloped(values, IntervalKind::Ramp)?],
        "steadystate" | "solidstate" => vec![single(values, IntervalKind::Steady, values.even()?)?],
        "intervalst" => set(values)?,
        "freeride" => vec![single(values, IntervalKind::FreeRide, Target::Free)?],
        "maxeffort" => vec![single(values, IntervalKind::MaxEffort, Target::Max)?],
        _ => return Ok(None),
    };
    Ok(Some(intervals))
}

fn sloped(values: Values<'_, '_>, kind: IntervalKind) -> Result<Interval, ZwoError> {
    single(
        values,
        kind,
        values.slope("Power", "PowerLow", "PowerHigh")?,
    )
}

fn single(
    values: Values<'_, '_>,
    kind: IntervalKind,
    target: Target,
) -> Result<Interval, ZwoError> {
    let duration = values
        .duration("Duration")?
        .ok_or_else(|| values.missing("Duration"))?;
    let cadence = values.cadence("Cadence")?;
    Ok(Interval {
        cadence,
        ..Interval::new(duration, kind, target)
    })
}

/// A repeated set: hard, then easy.
fn set(values: Values<'_, '_>) -> Result<Vec<Interval>, ZwoError> {
    let on = values
        .duration("OnDuration")?
        .ok_or_else(|| values.missing("OnDuration"))?;
    let off = values.duration("OffDuration")?.unwrap_or_default();
    let hard = values.slope("OnPower", "PowerOnLow", "PowerOnHigh")?;
    let mut pair = vec![Interval {
        cadence: values.cadence("Cadence")?,
        ..Interval::new(on, IntervalKind::Work, hard)
    }];
    if !off.is_zero() {
        let easy = values.slope("OffPower", "PowerOffLow", "PowerOffHigh")?;
        let cadence = values.cadence("CadenceResting")?;
        pair.push(Interval {
            cadence,
            ..Interval::new(off, IntervalKind::Rest, easy)
        });
    }
    // Repeats are at most as many as intervals can be, so this stays small.
    let repeat = values.repeat()?;
    Ok(core::iter::repeat_n(pair, repeat).flatten().collect())
}

/// Reads what else an element holds: its messages, and what is not known.
fn attend(element: Node<'_, '_>, start: Duration, draft: &mut Draft, ignored: &mut Counter) {
    for child in element.children().filter(Node::is_element) {
        if is(child, "textevent") {
            cue(child, start, draft, ignored);
        } else {
            ignored.count(child.tag_name().name());
        }
    }
    for attribute in element.attributes() {
        if !KNOWN
            .iter()
            .any(|known| known.eq_ignore_ascii_case(attribute.name()))
        {
            ignored.count(attribute.name());
        }
    }
}

/// The attributes that are read, and those that are only hints.
const KNOWN: [&str; 21] = [
    "Duration",
    "Power",
    "PowerLow",
    "PowerHigh",
    "Cadence",
    "CadenceLow",
    "CadenceHigh",
    "CadenceResting",
    "CadenceRestingLow",
    "CadenceRestingHigh",
    "Repeat",
    "OnDuration",
    "OffDuration",
    "OnPower",
    "OffPower",
    "PowerOnLow",
    "PowerOnHigh",
    "PowerOffLow",
    "PowerOffHigh",
    "FlatRoad",
    "ftptest",
];

/// Reads a message. One that cannot be shown is no reason to refuse the workout.
fn cue(element: Node<'_, '_>, start: Duration, draft: &mut Draft, ignored: &mut Counter) {
    let values = Values(element);
    // Some messages are bound to a distance, which a trainer does not know.
    let placed = values.text("timeoffset").is_some() || values.text("distoffset").is_none();
    let offset = values.duration("timeoffset").map(Option::unwrap_or_default);
    let shown_for = values
        .duration("duration")
        .ok()
        .flatten()
        .filter(|duration| !duration.is_zero());
    match (offset, values.text("message").map(str::trim)) {
        (Ok(offset), Some(text)) if placed && !text.is_empty() => {
            let shown_for = shown_for.unwrap_or(SHOWN_FOR);
            draft.cues.push(Cue {
                at: start + offset,
                shown_for,
                text: text.to_owned(),
            });
        }
        _ => ignored.count(element.tag_name().name()),
    }
}

fn drop_late_cues(draft: &mut Draft, end: Duration, ignored: &mut Counter) {
    draft.cues.retain(|cue| {
        let late = cue.at >= end;
        if late {
            ignored.count("textevent");
        }
        !late
    });
}
