//! Elements of a workout.

use core::time::Duration;

use super::attributes::{Attributes, Lengths, OFF_POWER, ON_POWER, POWER, PowerNames};
use super::markup::Element;
use crate::workout::formats::error::{FileError, Place};
use crate::workout::formats::push_interval;
use crate::workout::formats::remark::{RemarkKind, Remarks};
use crate::workout::formats::texts::shorten;
use crate::workout::{Cue, Draft, Interval, IntervalKind, Target, TextField};

/// Time for which a cue is shown by default.
const DEFAULT_SHOWN_FOR: Duration = Duration::from_secs(10);

/// Reads the elements of `<workout>` into the draft.
pub(super) fn read<'a>(
    workout: &Element<'a>,
    lengths: Lengths,
    draft: &mut Draft,
    remarks: &mut Remarks<'a>,
) -> Result<(), FileError> {
    let mut end = Duration::ZERO;
    // Each with the place of its element.
    let mut cues = Vec::new();
    for element in &workout.children {
        if element.is("textevent") {
            read_cue(element, Duration::ZERO, lengths, &mut cues, remarks);
            continue;
        }
        let mut attributes = Attributes {
            element,
            remarks,
            lengths,
        };
        let Some(intervals) = intervals(&mut attributes) else {
            remarks.ignore(element.at, element.name);
            continue;
        };
        let start = end;
        let ridden = intervals.into_iter().filter(|it| !it.duration.is_zero());
        for interval in ridden {
            let place = || Place::at(remarks.text(), element.at);
            push_interval(draft, interval, &mut end, place)?;
        }
        read_children(element, start, lengths, &mut cues, remarks);
    }
    if draft.intervals.is_empty() {
        return Err(FileError::NothingToRide {
            place: Place::at(remarks.text(), workout.at),
            remarks: remarks.take(),
        });
    }
    for (at, cue) in cues {
        if cue.at < end {
            draft.cues.push(cue);
        } else {
            remarks.ignore(at, "textevent");
        }
    }
    Ok(())
}

/// Intervals of an element; `None` for an unknown element. Without a usable duration there are none.
fn intervals(attributes: &mut Attributes<'_, '_, '_>) -> Option<Vec<Interval>> {
    let element = attributes.element;
    let kind = match element.name.to_ascii_lowercase().as_str() {
        "warmup" => IntervalKind::Warmup,
        "cooldown" => IntervalKind::Cooldown,
        "ramp" => IntervalKind::Ramp,
        "steadystate" | "solidstate" => IntervalKind::Steady,
        "intervalst" => return Some(set(attributes).unwrap_or_default()),
        "freeride" => IntervalKind::FreeRide,
        "maxeffort" => IntervalKind::MaxEffort,
        _ => return None,
    };
    let Some(duration) = attributes.duration(&["Duration"]) else {
        return Some(Vec::new());
    };
    let target = match kind {
        IntervalKind::FreeRide => Target::Free,
        IntervalKind::MaxEffort => Target::Max,
        IntervalKind::Steady => attributes.constant(&POWER),
        IntervalKind::Cooldown => falling(attributes),
        _ => attributes.slope(&POWER),
    };
    let cadence = attributes.cadence("Cadence");
    Some(vec![Interval {
        cadence,
        ..Interval::new(duration, kind, target)
    }])
}

/// Target of a cool-down, which goes down also where the file has its powers the other way round,
/// as other programs ride it.
fn falling(attributes: &mut Attributes<'_, '_, '_>) -> Target {
    match attributes.slope(&POWER) {
        Target::Power { from, to } if from < to => {
            let at = attributes.element.at;
            attributes.remarks.add(at, RemarkKind::RisingCooldown);
            Target::Power { from: to, to: from }
        }
        target => target,
    }
}

/// Repeated set of a hard and an easy interval.
fn set(attributes: &mut Attributes<'_, '_, '_>) -> Option<Vec<Interval>> {
    let on = attributes.duration(&["OnDuration", "DurationOn"])?;
    let off = attributes.optional_duration(&["OffDuration", "DurationOff"]);
    let hard = part(attributes, on, IntervalKind::Work, &ON_POWER, "Cadence");
    let mut pair = vec![hard];
    if !off.is_zero() {
        let cadence = "CadenceResting";
        pair.push(part(
            attributes,
            off,
            IntervalKind::Rest,
            &OFF_POWER,
            cadence,
        ));
    }
    // The number of repetitions is at most one above the limit of intervals.
    let repeat = attributes.repeat();
    Some(core::iter::repeat_n(pair, repeat).flatten().collect())
}

fn part(
    attributes: &mut Attributes<'_, '_, '_>,
    duration: Duration,
    kind: IntervalKind,
    power: &PowerNames,
    cadence: &str,
) -> Interval {
    let target = attributes.slope(power);
    Interval {
        cadence: attributes.cadence(cadence),
        ..Interval::new(duration, kind, target)
    }
}

/// Reads the cues of an element, and counts unknown children and attributes.
fn read_children<'a>(
    element: &Element<'a>,
    start: Duration,
    lengths: Lengths,
    cues: &mut Vec<(usize, Cue)>,
    remarks: &mut Remarks<'a>,
) {
    for child in &element.children {
        if child.is("textevent") {
            read_cue(child, start, lengths, cues, remarks);
        } else {
            remarks.ignore(child.at, child.name);
        }
    }
    for attribute in &element.attributes {
        let name = attribute.name;
        let is_pace_0 = name.eq_ignore_ascii_case("pace") && attribute.value.trim() == "0";
        if !is_pace_0 && !is_known(name) {
            remarks.ignore(attribute.at, name);
        }
    }
}

fn is_known(name: &str) -> bool {
    let of_power = |names: &PowerNames| {
        let names = [names.flat, names.low, names.high, names.zone];
        names
            .into_iter()
            .flatten()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name))
        || [POWER, ON_POWER, OFF_POWER].iter().any(of_power)
}

/// Attributes beside those of power that are read, and those that do not affect the ride.
const KNOWN: [&str; 17] = [
    "Duration",
    "Cadence",
    "CadenceLow",
    "CadenceHigh",
    "CadenceResting",
    "CadenceRestingLow",
    "CadenceRestingHigh",
    "Repeat",
    "OnDuration",
    "DurationOn",
    "OffDuration",
    "DurationOff",
    "FlatRoad",
    "ftptest",
    "OverUnder",
    "uniqueId",
    "legacyIdHash",
];

/// Reads a cue. One that cannot be used is left out.
fn read_cue<'a>(
    element: &Element<'a>,
    start: Duration,
    lengths: Lengths,
    cues: &mut Vec<(usize, Cue)>,
    remarks: &mut Remarks<'a>,
) {
    let mut attributes = Attributes {
        element,
        remarks,
        lengths,
    };
    let mut text = attributes
        .text("message")
        .unwrap_or_default()
        .trim()
        .to_owned();
    if text.is_empty() {
        return remarks.ignore(element.at, element.name);
    }
    let Some(offset) = attributes.cue_time() else {
        return;
    };
    let shown_for = attributes.shown_for().unwrap_or(DEFAULT_SHOWN_FOR);
    if shorten(&mut text, TextField::Cue) {
        remarks.add(element.at, RemarkKind::Shortened(TextField::Cue));
    }
    let at = start + offset;
    cues.push((
        element.at,
        Cue {
            at,
            shown_for,
            text,
        },
    ));
}
