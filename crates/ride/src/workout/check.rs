//! Limits of a workout.

use super::*;

pub(super) fn check_counts(draft: &Draft) -> Result<(), WorkoutError> {
    match (draft.intervals.len(), draft.cues.len()) {
        (0, _) => Err(WorkoutError::NoIntervals),
        (count, _) if count > MAX_INTERVALS => Err(WorkoutError::TooManyIntervals),
        (_, count) if count > MAX_CUES => Err(WorkoutError::TooManyCues { count }),
        _ => Ok(()),
    }
}

pub(super) fn clean_up(draft: &mut Draft) {
    draft.name = clean(&draft.name, false);
    draft.author = clean(&draft.author, false);
    draft.description = clean(&draft.description, true);
    for interval in &mut draft.intervals {
        interval.name = clean(&interval.name, false);
        interval.duration = whole_millis(interval.duration);
    }
    for cue in &mut draft.cues {
        cue.text = clean(&cue.text, false);
        cue.at = whole_millis(cue.at);
        cue.shown_for = whole_millis(cue.shown_for);
    }
    draft.cues = by_time(core::mem::take(&mut draft.cues));
}

/// Sorts cues by time; those of one time keep their order. They are inserted one by one, which is
/// less code than `sort_by_key` and quick enough for [`MAX_CUES`].
fn by_time(cues: Vec<Cue>) -> Vec<Cue> {
    let mut sorted: Vec<Cue> = Vec::with_capacity(cues.len());
    for cue in cues {
        let place = sorted.partition_point(|other| other.at <= cue.at);
        sorted.insert(place, cue);
    }
    sorted
}

fn whole_millis(duration: Duration) -> Duration {
    Duration::new(duration.as_secs(), duration.subsec_millis() * 1_000_000)
}

pub(super) fn check_texts(draft: &Draft) -> Result<(), WorkoutError> {
    let names = draft
        .intervals
        .iter()
        .map(|interval| (TextField::IntervalName, &interval.name));
    let cues = draft.cues.iter().map(|cue| (TextField::Cue, &cue.text));
    let own = [
        (TextField::Name, &draft.name),
        (TextField::Author, &draft.author),
        (TextField::Description, &draft.description),
    ];
    let mut bytes = 0;
    for (field, text) in own.into_iter().chain(names).chain(cues) {
        if text.chars().count() > field.limit() {
            return Err(WorkoutError::TextTooLong {
                field,
                limit: field.limit(),
            });
        }
        bytes += text.len();
    }
    if bytes > MAX_TEXT_BYTES {
        return Err(WorkoutError::TooMuchText);
    }
    Ok(())
}

pub(super) fn check_interval(index: usize, interval: &Interval) -> Result<(), WorkoutError> {
    let number = index + 1;
    if interval.duration.is_zero() {
        return Err(WorkoutError::EmptyInterval { number });
    }
    if let Target::Power { from, to } = interval.target {
        for fraction in [from, to] {
            if !(0.0..=MAX_FRACTION).contains(&fraction) {
                return Err(WorkoutError::PowerOutOfRange {
                    number,
                    percent: fraction * 100.0,
                });
            }
        }
    }
    match interval.cadence {
        Some(cadence) if !(1..=MAX_CADENCE).contains(&cadence) => {
            Err(WorkoutError::CadenceOutOfRange { number, cadence })
        }
        _ => Ok(()),
    }
}

pub(super) fn interval_ends(intervals: &[Interval]) -> Result<Vec<Duration>, WorkoutError> {
    let mut end = Duration::ZERO;
    let mut ends = Vec::with_capacity(intervals.len());
    for interval in intervals {
        end = end.saturating_add(interval.duration);
        if end > MAX_DURATION {
            return Err(WorkoutError::TooLong);
        }
        ends.push(end);
    }
    Ok(ends)
}
