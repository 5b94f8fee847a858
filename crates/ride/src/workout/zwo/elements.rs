//! Elements of a workout.

use core::time::Duration;

use roxmltree::Node;

use super::attributes::Attributes;
use super::error::{Place, ZwoError};
use super::{IgnoredCounter, is, name};
use crate::workout::{
    Cue, Draft, Interval, IntervalKind, MAX_DURATION, MAX_INTERVALS, Target, WorkoutError,
};

/// Time for which a cue is shown by default.
const DEFAULT_SHOWN_FOR: Duration = Duration::from_secs(10);

/// Reads the elements of `<workout>` into the draft.
pub(super) fn read(
    workout: Node<'_, '_>,
    draft: &mut Draft,
    ignored: &mut IgnoredCounter,
) -> Result<(), ZwoError> {
    let mut end = Duration::ZERO;
    for element in workout.children().filter(Node::is_element) {
        if is(element, "textevent") {
            read_cue(element, Duration::ZERO, draft, ignored);
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
        read_children(element, start, draft, ignored);
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

/// Intervals of an element; `None` for an unknown element.
fn intervals(element: Node<'_, '_>) -> Result<Option<Vec<Interval>>, ZwoError> {
    let attributes = Attributes(element);
    let intervals = match name(element).as_str() {
        "warmup" => vec![sloped(attributes, IntervalKind::Warmup)?],
        "cooldown" => vec![sloped(attributes, IntervalKind::Cooldown)?],
        "ramp" => vec![sloped(attributes, IntervalKind::Ramp)?],
        "steadystate" | "solidstate" => vec![single(
            attributes,
            IntervalKind::Steady,
            attributes.constant()?,
        )?],
        "intervalst" => set(attributes)?,
        "freeride" => vec![single(attributes, IntervalKind::FreeRide, Target::Free)?],
        "maxeffort" => vec![single(attributes, IntervalKind::MaxEffort, Target::Max)?],
        _ => return Ok(None),
    };
    Ok(Some(intervals))
}

fn sloped(attributes: Attributes<'_, '_>, kind: IntervalKind) -> Result<Interval, ZwoError> {
    single(
        attributes,
        kind,
        attributes.slope("Power", "PowerLow", "PowerHigh")?,
    )
}

fn single(
    attributes: Attributes<'_, '_>,
    kind: IntervalKind,
    target: Target,
) -> Result<Interval, ZwoError> {
    let duration = attributes
        .duration("Duration")?
        .ok_or_else(|| attributes.missing("Duration"))?;
    let cadence = attributes.cadence("Cadence")?;
    Ok(Interval {
        cadence,
        ..Interval::new(duration, kind, target)
    })
}

/// Repeated set of a hard and an easy interval.
fn set(attributes: Attributes<'_, '_>) -> Result<Vec<Interval>, ZwoError> {
    let on = attributes
        .duration("OnDuration")?
        .ok_or_else(|| attributes.missing("OnDuration"))?;
    let off = attributes.duration("OffDuration")?.unwrap_or_default();
    let hard = attributes.slope("OnPower", "PowerOnLow", "PowerOnHigh")?;
    let mut pair = vec![Interval {
        cadence: attributes.cadence("Cadence")?,
        ..Interval::new(on, IntervalKind::Work, hard)
    }];
    if !off.is_zero() {
        let easy = attributes.slope("OffPower", "PowerOffLow", "PowerOffHigh")?;
        let cadence = attributes.cadence("CadenceResting")?;
        pair.push(Interval {
            cadence,
            ..Interval::new(off, IntervalKind::Rest, easy)
        });
    }
    // The number of repetitions is limited to the number of intervals.
    let repeat = attributes.repeat()?;
    Ok(core::iter::repeat_n(pair, repeat).flatten().collect())
}

/// Reads the cues of an element, and counts unknown children and attributes.
fn read_children(
    element: Node<'_, '_>,
    start: Duration,
    draft: &mut Draft,
    ignored: &mut IgnoredCounter,
) {
    for child in element.children().filter(Node::is_element) {
        if is(child, "textevent") {
            read_cue(child, start, draft, ignored);
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

/// Attributes that are read, and those that do not affect the ride.
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

/// Reads a cue. An invalid cue is ignored and counted.
fn read_cue(
    element: Node<'_, '_>,
    start: Duration,
    draft: &mut Draft,
    ignored: &mut IgnoredCounter,
) {
    let attributes = Attributes(element);
    // Cues at a distance have no position in time.
    let has_time =
        attributes.text("timeoffset").is_some() || attributes.text("distoffset").is_none();
    let offset = attributes
        .duration("timeoffset")
        .map(Option::unwrap_or_default);
    let shown_for = attributes
        .duration("duration")
        .ok()
        .flatten()
        .filter(|duration| !duration.is_zero());
    match (offset, attributes.text("message").map(str::trim)) {
        (Ok(offset), Some(text)) if has_time && !text.is_empty() => {
            let shown_for = shown_for.unwrap_or(DEFAULT_SHOWN_FOR);
            draft.cues.push(Cue {
                at: start + offset,
                shown_for,
                text: text.to_owned(),
            });
        }
        _ => ignored.count(element.tag_name().name()),
    }
}

fn drop_late_cues(draft: &mut Draft, end: Duration, ignored: &mut IgnoredCounter) {
    draft.cues.retain(|cue| {
        let late = cue.at >= end;
        if late {
            ignored.count("textevent");
        }
        !late
    });
}
