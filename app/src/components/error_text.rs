//! Messages for detailed errors: in workout files, in changes of the ride, in FIT
//! files.

use leptos::prelude::*;
use ride::{
    recording::fit::FitError,
    timeline::TimelineError,
    workout::{MAX_FRACTION, TextField, WorkoutError},
    zwo::{Place, XmlError, ZwoError},
};

use super::labels::Texts;
use crate::{i18n::*, state::FitDownloadError};

/// Explains why a file is not a valid workout: the error, its place, and what to
/// do.
pub fn workout_file(i18n: Texts, error: ZwoError) -> AnyView {
    match error {
        ZwoError::Empty => t!(i18n, errors.file.empty).into_any(),
        ZwoError::TooLarge { .. } => t!(i18n, errors.file.too_large).into_any(),
        ZwoError::TooComplex => t!(i18n, errors.file.too_complex).into_any(),
        ZwoError::Workout(error) => workout(i18n, error),
        ZwoError::NotText { place: at } => {
            t!(i18n, errors.file.not_text, place = place(i18n, at)).into_any()
        }
        ZwoError::Xml { place: at, error } => t!(
            i18n,
            errors.file.xml,
            place = place(i18n, at),
            error = move || xml(i18n, error.clone())
        )
        .into_any(),
        ZwoError::NoIntervals { place: at } => limit(i18n, at, WorkoutError::NoIntervals),
        ZwoError::Limit { place: at, error } => limit(i18n, at, error),
        ZwoError::Doctype { .. }
        | ZwoError::NotAWorkoutFile { .. }
        | ZwoError::NoWorkout { .. }
        | ZwoError::Missing { .. } => element(i18n, error),
        ZwoError::NotANumber { .. }
        | ZwoError::Power { .. }
        | ZwoError::Duration { .. }
        | ZwoError::Count { .. } => attribute(i18n, error),
    }
}

/// Message about an XML element. The names of elements are passed as values, since
/// the texts cannot contain angle brackets.
fn element(i18n: Texts, error: ZwoError) -> AnyView {
    match error {
        ZwoError::Doctype { place: at } => t!(
            i18n,
            errors.file.doctype,
            place = place(i18n, at),
            element = "<!DOCTYPE>"
        )
        .into_any(),
        ZwoError::NotAWorkoutFile { place: at, found } => t!(
            i18n,
            errors.file.foreign,
            place = place(i18n, at),
            expected = "<workout_file>",
            found = format!("<{found}>")
        )
        .into_any(),
        ZwoError::NoWorkout { place: at } => t!(
            i18n,
            errors.file.no_workout,
            place = place(i18n, at),
            element = "<workout>"
        )
        .into_any(),
        ZwoError::Missing {
            place: at,
            element,
            attribute,
        } => t!(
            i18n,
            errors.file.missing,
            place = place(i18n, at),
            element = format!("<{element}>"),
            attribute
        )
        .into_any(),
        other => workout_file(i18n, other),
    }
}

/// Message about the value of an XML attribute.
fn attribute(i18n: Texts, error: ZwoError) -> AnyView {
    match error {
        ZwoError::NotANumber {
            place: at,
            attribute,
            value,
        } => t!(
            i18n,
            errors.file.not_a_number,
            place = place(i18n, at),
            attribute,
            value
        )
        .into_any(),
        ZwoError::Power {
            place: at,
            attribute,
            value,
        } => t!(
            i18n,
            errors.file.power,
            place = place(i18n, at),
            attribute,
            value,
            percent = percent(value),
            max = MAX_FRACTION,
            max_percent = percent(MAX_FRACTION.into())
        )
        .into_any(),
        ZwoError::Duration {
            place: at,
            attribute,
            value,
        } => t!(
            i18n,
            errors.file.duration,
            place = place(i18n, at),
            attribute,
            value
        )
        .into_any(),
        ZwoError::Count {
            place: at,
            attribute,
            value,
            max,
        } => t!(
            i18n,
            errors.file.count,
            place = place(i18n, at),
            attribute,
            value,
            max
        )
        .into_any(),
        other => workout_file(i18n, other),
    }
}

/// Message about a limit of workouts, with its place in the file.
fn limit(i18n: Texts, at: Place, error: WorkoutError) -> AnyView {
    t!(
        i18n,
        errors.file.limit,
        place = place(i18n, at),
        error = move || workout(i18n, error.clone())
    )
    .into_any()
}

fn place(i18n: Texts, place: Place) -> impl Fn() -> AnyView + Copy + Send + Sync + 'static {
    let Place { line, column } = place;
    move || t!(i18n, errors.place, line, column).into_any()
}

fn percent(fraction: f64) -> f64 {
    (fraction * 1_000.0).round() / 10.0
}

/// Message about invalid XML.
fn xml(i18n: Texts, error: XmlError) -> AnyView {
    match error {
        XmlError::Mismatch { expected, found } => t!(
            i18n,
            errors.xml.mismatch,
            expected = format!("</{expected}>"),
            found = format!("</{found}>")
        )
        .into_any(),
        XmlError::Truncated => t!(i18n, errors.xml.cut_off).into_any(),
        XmlError::DuplicateAttribute(attribute) => {
            t!(i18n, errors.xml.duplicate_attribute, attribute).into_any()
        }
        XmlError::Entity => t!(i18n, errors.xml.entity).into_any(),
        XmlError::Other => t!(i18n, errors.xml.other).into_any(),
    }
}

/// Explains why a workout is not valid.
fn workout(i18n: Texts, error: WorkoutError) -> AnyView {
    match error {
        WorkoutError::NoIntervals => t!(i18n, errors.workout.no_intervals).into_any(),
        WorkoutError::TooManyIntervals => t!(i18n, errors.workout.too_many_intervals).into_any(),
        WorkoutError::TooManyCues { count } => {
            t!(i18n, errors.workout.too_many_cues, count).into_any()
        }
        WorkoutError::EmptyInterval { number } => {
            t!(i18n, errors.workout.empty_interval, number).into_any()
        }
        WorkoutError::TooLong => t!(i18n, errors.workout.too_long).into_any(),
        WorkoutError::PowerOutOfRange { number, percent } => {
            t!(i18n, errors.workout.power, number, percent).into_any()
        }
        WorkoutError::CadenceOutOfRange { number, cadence } => {
            t!(i18n, errors.workout.cadence, number, cadence).into_any()
        }
        WorkoutError::CueAfterEnd { number } => {
            t!(i18n, errors.workout.cue_after_end, number).into_any()
        }
        WorkoutError::TextTooLong { field, limit } => text_too_long(i18n, field, limit),
        WorkoutError::TooMuchText => t!(i18n, errors.workout.too_much_text).into_any(),
    }
}

fn text_too_long(i18n: Texts, field: TextField, limit: usize) -> AnyView {
    let field = move || match field {
        TextField::Name => t_string!(i18n, errors.workout.field_name),
        TextField::Author => t_string!(i18n, errors.workout.field_author),
        TextField::Description => t_string!(i18n, errors.workout.field_description),
        TextField::IntervalName => t_string!(i18n, errors.workout.field_interval_name),
        TextField::Cue => t_string!(i18n, errors.workout.field_cue),
    };
    t!(i18n, errors.workout.long_text, field, limit).into_any()
}

/// Explains why the timeline rejected a host's change.
pub fn rejected_change(i18n: Texts, error: TimelineError) -> AnyView {
    match error {
        TimelineError::NoWorkout => t!(i18n, errors.timeline.no_workout).into_any(),
        TimelineError::AlreadyStarted => t!(i18n, errors.timeline.already_started).into_any(),
        TimelineError::NotStarted => t!(i18n, errors.timeline.not_started).into_any(),
        TimelineError::NotRiding => t!(i18n, errors.timeline.not_riding).into_any(),
        TimelineError::NotPaused => t!(i18n, errors.timeline.not_paused).into_any(),
        TimelineError::NotUnderWay => t!(i18n, errors.timeline.not_under_way).into_any(),
        TimelineError::OtherInterval => t!(i18n, errors.timeline.other_interval).into_any(),
        TimelineError::TooSoon => t!(i18n, errors.timeline.too_soon).into_any(),
        TimelineError::LastInterval => t!(i18n, errors.timeline.last_interval).into_any(),
        TimelineError::ExtensionLimit => t!(i18n, errors.timeline.extension_limit).into_any(),
        TimelineError::NoCountdown => t!(i18n, errors.timeline.no_countdown).into_any(),
        TimelineError::Ended => t!(i18n, errors.timeline.ended).into_any(),
        TimelineError::OutOfOrder => t!(i18n, errors.timeline.out_of_order).into_any(),
        TimelineError::Full => t!(i18n, errors.timeline.full).into_any(),
        TimelineError::OldEpoch => t!(i18n, command_rejected.not_host).into_any(),
        TimelineError::Malformed => t!(i18n, errors.timeline.malformed).into_any(),
        TimelineError::NotHost => t!(i18n, errors.timeline.not_host).into_any(),
        TimelineError::Forged => t!(i18n, errors.timeline.forged).into_any(),
        TimelineError::Conflict => t!(i18n, errors.timeline.conflict).into_any(),
    }
}

/// Explains why the FIT file was not saved.
pub fn fit_download(i18n: Texts, error: FitDownloadError) -> AnyView {
    match error {
        FitDownloadError::Browser => t!(i18n, errors.download.browser).into_any(),
        FitDownloadError::Fit(FitError::Empty) => t!(i18n, errors.download.empty).into_any(),
        FitDownloadError::Fit(FitError::Date) => t!(i18n, errors.download.date).into_any(),
        FitDownloadError::Fit(FitError::Encoder(reason)) => {
            t!(i18n, errors.download.encoder, reason).into_any()
        }
        FitDownloadError::PartUnavailable => t!(i18n, part.download_failed).into_any(),
    }
}
