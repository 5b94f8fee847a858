//! Writing of ZWO files.

use core::fmt::Write as _;
use core::time::Duration;

use crate::workout::{Cue, Interval, IntervalKind, Target, Workout};

/// Writes a workout. Sets of equal pairs of a hard and an easy interval become one `IntervalsT`.
pub(in crate::workout::formats) fn write(workout: &Workout) -> String {
    let mut file = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<workout_file>\n");
    let texts = [
        ("author", workout.author()),
        ("name", workout.name()),
        ("description", workout.description()),
    ];
    for (element, text) in texts {
        let _ = writeln!(file, "    <{element}>{}</{element}>", escape(text));
    }
    file += "    <sportType>bike</sportType>\n    <tags/>\n    <workout>\n";
    let mut cues = workout.cues();
    let mut start = Duration::ZERO;
    let mut rest = workout.intervals();
    while let Some(first) = rest.first() {
        let (element, count) = match set(rest) {
            Some(repeat) => (repeated(&rest[0], &rest[1], repeat), repeat * 2),
            None => (single(first), 1),
        };
        let (ridden, later) = rest.split_at(count);
        rest = later;
        let end = start + ridden.iter().map(|it| it.duration).sum::<Duration>();
        let within = cues.partition_point(|cue| cue.at < end);
        let (own, later) = cues.split_at(within);
        cues = later;
        write_element(&mut file, element, start, own);
        start = end;
    }
    file += "    </workout>\n</workout_file>\n";
    file
}

/// Element with its name and attributes.
type Element = (&'static str, String);

fn write_element(file: &mut String, element: Element, start: Duration, cues: &[Cue]) {
    let (name, attributes) = element;
    if cues.is_empty() {
        let _ = writeln!(file, "        <{name}{attributes}/>");
        return;
    }
    let _ = writeln!(file, "        <{name}{attributes}>");
    for cue in cues {
        let _ = writeln!(
            file,
            "            <textevent timeoffset=\"{}\" message=\"{}\" duration=\"{}\"/>",
            seconds(cue.at - start),
            escape(&cue.text),
            seconds(cue.shown_for),
        );
    }
    let _ = writeln!(file, "        </{name}>");
}

/// Number of equal pairs of a hard and an easy interval that the intervals begin with.
fn set(intervals: &[Interval]) -> Option<usize> {
    let [on, off, ..] = intervals else {
        return None;
    };
    let is_steady =
        |interval: &Interval| matches!(interval.target, Target::Power { from, to } if from == to);
    let is_pair = on.kind == IntervalKind::Work
        && off.kind == IntervalKind::Rest
        && is_steady(on)
        && is_steady(off);
    let (pairs, _) = intervals.as_chunks::<2>();
    let is_same = |pair: &&[Interval; 2]| pair[0] == *on && pair[1] == *off;
    is_pair.then(|| pairs.iter().take_while(is_same).count())
}

fn repeated(on: &Interval, off: &Interval, repeat: usize) -> Element {
    let mut attributes = format!(" Repeat=\"{repeat}\"");
    attribute(&mut attributes, "OnDuration", &seconds(on.duration));
    attribute(&mut attributes, "OffDuration", &seconds(off.duration));
    let power = |interval: &Interval| interval.target.at(0.0).unwrap_or_default().to_string();
    attribute(&mut attributes, "OnPower", &power(on));
    attribute(&mut attributes, "OffPower", &power(off));
    cadence(&mut attributes, "Cadence", on);
    cadence(&mut attributes, "CadenceResting", off);
    ("IntervalsT", attributes)
}

fn single(interval: &Interval) -> Element {
    let mut attributes = String::new();
    attribute(&mut attributes, "Duration", &seconds(interval.duration));
    let name = match interval.target {
        Target::Free => "FreeRide",
        Target::Max => "MaxEffort",
        Target::Power { from, to } => {
            let name = match interval.kind {
                IntervalKind::Warmup => "Warmup",
                // A cool-down always goes down.
                IntervalKind::Cooldown if from >= to => "Cooldown",
                _ if from == to => "SteadyState",
                _ => "Ramp",
            };
            if name == "SteadyState" {
                attribute(&mut attributes, "Power", &from.to_string());
            } else {
                attribute(&mut attributes, "PowerLow", &from.to_string());
                attribute(&mut attributes, "PowerHigh", &to.to_string());
            }
            name
        }
    };
    cadence(&mut attributes, "Cadence", interval);
    (name, attributes)
}

fn cadence(attributes: &mut String, name: &str, interval: &Interval) {
    if let Some(cadence) = interval.cadence {
        attribute(attributes, name, &cadence.to_string());
    }
}

fn attribute(attributes: &mut String, name: &str, value: &str) {
    let _ = write!(attributes, " {name}=\"{value}\"");
}

fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c => escaped.push(c),
        }
    }
    escaped
}
