//! Writing of workouts as JSON.

use serde_json::{Value, json};

use super::FTP_TESTS;
use super::intervals::KINDS;
use crate::workout::{Interval, IntervalKind, Target, Workout};

/// Writes a workout with everything that it has.
pub(in crate::workout::formats) fn write(workout: &Workout) -> String {
    format!("{:#}\n", object(workout))
}

/// Object of a workout.
pub(in crate::workout::formats) fn object(workout: &Workout) -> Value {
    let cues = workout.cues().iter().map(|cue| {
        json!({
            "at": cue.at.as_secs_f64(),
            "duration": cue.shown_for.as_secs_f64(),
            "text": cue.text,
        })
    });
    let test = workout.ftp_test();
    let test = FTP_TESTS.iter().find(|(_, known)| test == Some(*known));
    json!({
        "version": "1.0",
        "name": workout.name(),
        "author": workout.author(),
        "description": workout.description(),
        "intervals": workout.intervals().iter().map(interval).collect::<Vec<_>>(),
        "ftpTest": test.map(|(name, _)| *name),
        "cues": cues.collect::<Vec<_>>(),
    })
}

fn interval(interval: &Interval) -> Value {
    let kind = KINDS.iter().find(|(_, kind)| *kind == interval.kind);
    let mut value = json!({
        "name": interval.name,
        "type": effort(interval),
        "kind": kind.map(|(name, _)| *name),
        "duration": interval.duration.as_secs_f64(),
    });
    match interval.target {
        Target::Power { from, to } if from == to => {
            value["powerType"] = "relative".into();
            value["percentage"] = percent(from);
        }
        Target::Power { from, to } => {
            value["powerType"] = "ramp".into();
            value["percentageLow"] = percent(from);
            value["percentageHigh"] = percent(to);
        }
        Target::Free => value["powerType"] = "free".into(),
        Target::Max => value["powerType"] = "max".into(),
    }
    if let Some(cadence) = interval.cadence {
        value["cadence"] = cadence.into();
    }
    value
}

/// Kind of effort as the other programs of this format name it.
fn effort(interval: &Interval) -> &'static str {
    let power = interval.target.at(0.5).unwrap_or(0.6);
    match interval.kind {
        IntervalKind::Warmup => "warmup",
        IntervalKind::Cooldown => "cooldown",
        _ if power <= 0.75 => "endurance",
        _ if power <= 0.90 => "tempo",
        _ if power <= 1.05 => "threshold",
        _ => "vo2max",
    }
}

/// Percent of a fraction, with so many decimals that reading it gives the same fraction.
fn percent(fraction: f32) -> Value {
    let percent = (f64::from(fraction) * 1e9).round() / 1e7;
    json!(percent)
}
