//! Built-in workouts, made for Gruppetto.

use core::iter;
use core::time::Duration;

use super::{Cue, Draft, Interval, IntervalKind, Target, Workout};

/// All built-in workouts, from short to long.
pub fn all() -> Vec<Workout> {
    let drafts = [taster(), opener(), vo2(), over_unders(), sweet_spot()];
    // A test shows that every draft is valid.
    drafts
        .into_iter()
        .filter_map(|draft| Workout::new(draft).ok())
        .collect()
}

const AUTHOR: &str = "Gruppetto";

fn draft(name: &str, description: &str, intervals: Vec<Interval>, cues: Vec<Cue>) -> Draft {
    let [name, author, description] = [name, AUTHOR, description].map(str::to_owned);
    Draft {
        name,
        author,
        description,
        intervals,
        cues,
    }
}

const fn steady(seconds: u64, kind: IntervalKind, fraction: f32) -> Interval {
    Interval::new(Duration::from_secs(seconds), kind, Target::steady(fraction))
}

const fn ramp(seconds: u64, kind: IntervalKind, from: f32, to: f32) -> Interval {
    Interval::new(
        Duration::from_secs(seconds),
        kind,
        Target::Power { from, to },
    )
}

fn at_cadence(interval: Interval, rpm: u16) -> Interval {
    Interval {
        cadence: Some(rpm),
        ..interval
    }
}

fn cue(at: u64, text: &str) -> Cue {
    Cue {
        at: Duration::from_secs(at),
        shown_for: Duration::from_secs(10),
        text: text.to_owned(),
    }
}

/// Set of hard intervals followed by an easy one, repeated.
fn repeat(times: usize, hard: &[Interval], easy: &Interval) -> Vec<Interval> {
    let set: Vec<Interval> = hard.iter().chain([easy]).cloned().collect();
    iter::repeat_n(set, times).flatten().collect()
}

fn taster() -> Draft {
    let intervals = vec![
        ramp(60, IntervalKind::Warmup, 0.40, 0.70),
        steady(45, IntervalKind::Work, 0.95),
        steady(30, IntervalKind::Rest, 0.50),
        steady(45, IntervalKind::Work, 1.05),
        steady(30, IntervalKind::Rest, 0.50),
        steady(30, IntervalKind::Work, 1.20),
        ramp(60, IntervalKind::Cooldown, 0.60, 0.40),
    ];
    let cues = vec![
        cue(2, "Five minutes to try everything out."),
        cue(55, "First effort coming up."),
        cue(205, "Thirty seconds, the last hard ones."),
        cue(245, "Done. Spin your legs out."),
    ];
    draft(
        "Five-minute taster",
        "A short ride to see how it works: three efforts, each a little harder.",
        intervals,
        cues,
    )
}

fn opener() -> Draft {
    let spin = steady(60, IntervalKind::Rest, 0.50);
    let mut intervals = vec![ramp(300, IntervalKind::Warmup, 0.40, 0.75), spin.clone()];
    intervals.extend(repeat(
        3,
        &[at_cadence(steady(30, IntervalKind::Work, 1.20), 100)],
        &spin,
    ));
    intervals.push(steady(240, IntervalKind::Steady, 0.85));
    intervals.push(spin);
    intervals.push(Interval::new(
        Duration::from_secs(15),
        IntervalKind::MaxEffort,
        Target::Max,
    ));
    intervals.push(Interval::new(
        Duration::from_secs(75),
        IntervalKind::FreeRide,
        Target::Free,
    ));
    intervals.push(ramp(180, IntervalKind::Cooldown, 0.60, 0.40));
    let cues = vec![
        cue(5, "Easy start. Let the legs come to you."),
        cue(350, "Three quick ones: 30 seconds with fast legs."),
        cue(635, "Settle in, four steady minutes."),
        cue(920, "One sprint of 15 seconds. Everything you have!"),
        cue(950, "Ride as you like."),
    ];
    draft(
        "Opener",
        "Twenty minutes that wake the legs up: three quick efforts, a steady block, one sprint.",
        intervals,
        cues,
    )
}

fn vo2() -> Draft {
    let mut intervals = vec![
        ramp(480, IntervalKind::Warmup, 0.45, 0.80),
        steady(120, IntervalKind::Rest, 0.50),
    ];
    intervals.extend(repeat(
        5,
        &[at_cadence(steady(180, IntervalKind::Work, 1.15), 95)],
        &steady(180, IntervalKind::Rest, 0.50),
    ));
    intervals.push(ramp(300, IntervalKind::Cooldown, 0.60, 0.40));
    let cues = vec![
        cue(590, "First of five. Build into it, do not start too fast."),
        cue(1_410, "Halfway through the third one. Keep breathing."),
        cue(2_040, "Last one starts now."),
    ];
    draft(
        "VO2max 5 × 3",
        "Five times three minutes at 115 % of FTP, with as much rest.",
        intervals,
        cues,
    )
}

fn over_unders() -> Draft {
    let under = steady(120, IntervalKind::Work, 0.92);
    let over = steady(60, IntervalKind::Work, 1.06);
    let block = repeat(3, &[under], &over);
    let mut intervals = vec![
        ramp(480, IntervalKind::Warmup, 0.45, 0.80),
        steady(120, IntervalKind::Rest, 0.55),
    ];
    intervals.extend(repeat(3, &block, &steady(300, IntervalKind::Rest, 0.55)));
    intervals.push(ramp(300, IntervalKind::Cooldown, 0.60, 0.40));
    let cues = vec![
        cue(
            595,
            "Two minutes just under FTP, one just over. Three times.",
        ),
        cue(720, "Over! Stay seated and smooth."),
        cue(780, "Under again. This is where you recover."),
    ];
    draft(
        "Over-unders 3 × 9",
        "Three blocks that go from just under to just over FTP and back.",
        intervals,
        cues,
    )
}

fn sweet_spot() -> Draft {
    let mut intervals = vec![ramp(600, IntervalKind::Warmup, 0.45, 0.75)];
    intervals.extend(repeat(
        3,
        &[at_cadence(steady(720, IntervalKind::Work, 0.90), 90)],
        &steady(240, IntervalKind::Rest, 0.55),
    ));
    intervals.push(ramp(420, IntervalKind::Cooldown, 0.65, 0.40));
    let cues = vec![
        cue(
            595,
            "Twelve minutes at 90 %. You should be able to say a short sentence.",
        ),
        cue(1_555, "Second block."),
        cue(2_515, "Last block."),
    ];
    draft(
        "Sweet spot 3 × 12",
        "Three times twelve minutes at 90 % of FTP: much training for little pain.",
        intervals,
        cues,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_workout_is_valid() {
        for draft in [taster(), opener(), vo2(), over_unders(), sweet_spot()] {
            let name = draft.name.clone();
            assert!(Workout::new(draft).is_ok(), "{name}");
        }
    }

    #[test]
    fn durations_go_from_five_minutes_to_about_an_hour() {
        let minutes: Vec<u64> = all()
            .iter()
            .map(|workout| workout.duration().as_secs() / 60)
            .collect();
        assert_eq!(minutes, [5, 20, 45, 57, 65]);
    }

    #[test]
    fn every_workout_has_cues() {
        for workout in all() {
            assert!(workout.cues().len() >= 3, "{}", workout.name());
        }
    }
}
