//! What went wrong, in words: a workout file that is none, a wish that the ride
//! refuses, a FIT file that could not be saved.

use leptos::prelude::*;
use ride::{
    recording::fit::FitError,
    timeline::Refused,
    workout::{MAX_FRACTION, TextField, WorkoutError},
    zwo::{Place, XmlFault, ZwoError},
};

use super::words::Texts;
use crate::{i18n::*, state::DownloadProblem};

/// Why a file is not a workout: what is wrong, where, and what to do about it.
pub fn file(i18n: Texts, error: ZwoError) -> AnyView {
    match error {
        ZwoError::Empty => t!(i18n, faults.file.empty).into_any(),
        ZwoError::TooLarge { .. } => t!(i18n, faults.file.too_large).into_any(),
        ZwoError::TooComplex => t!(i18n, faults.file.too_complex).into_any(),
        ZwoError::Workout(error) => workout(i18n, error),
        ZwoError::NotText { place: at } => {
            t!(i18n, faults.file.not_text, place = place(i18n, at)).into_any()
        }
        ZwoError::NoIntervals { place: at } => {
            t!(i18n, faults.file.no_intervals, place = place(i18n, at)).into_any()
        }
        ZwoError::Xml { place: at, fault } => t!(
            i18n,
            faults.file.xml,
            place = place(i18n, at),
            fault = move || xml(i18n, fault.clone())
        )
        .into_any(),
        ZwoError::Limit { place: at, error } => t!(
            i18n,
            faults.file.limit,
            place = place(i18n, at),
            error = move || workout(i18n, error.clone())
        )
        .into_any(),
        ZwoError::Doctype { .. }
        | ZwoError::Foreign { .. }
        | ZwoError::NoWorkout { .. }
        | ZwoError::Missing { .. } => element(i18n, error),
        ZwoError::NotANumber { .. }
        | ZwoError::Power { .. }
        | ZwoError::Duration { .. }
        | ZwoError::Count { .. } => attribute(i18n, error),
    }
}

/// What is wrong with an element. The names of elements are values, as a text
/// cannot hold their angle brackets.
fn element(i18n: Texts, error: ZwoError) -> AnyView {
    match error {
        ZwoError::Doctype { place: at } => t!(
            i18n,
            faults.file.doctype,
            place = place(i18n, at),
            element = "<!DOCTYPE>"
        )
        .into_any(),
        ZwoError::Foreign { place: at, found } => t!(
            i18n,
            faults.file.foreign,
            place = place(i18n, at),
            expected = "<workout_file>",
            found = format!("<{found}>")
        )
        .into_any(),
        ZwoError::NoWorkout { place: at } => t!(
            i18n,
            faults.file.no_workout,
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
            faults.file.missing,
            place = place(i18n, at),
            element = format!("<{element}>"),
            attribute
        )
        .into_any(),
        other => file(i18n, other),
    }
}

/// What is wrong with the value of an attribute.
fn attribute(i18n: Texts, error: ZwoError) -> AnyView {
    match error {
        ZwoError::NotANumber {
            place: at,
            attribute,
            value,
        } => t!(
            i18n,
            faults.file.not_a_number,
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
            faults.file.power,
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
            faults.file.duration,
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
            faults.file.count,
            place = place(i18n, at),
            attribute,
            value,
            max
        )
        .into_any(),
        other => file(i18n, other),
    }
}

fn place(i18n: Texts, place: Place) -> impl Fn() -> AnyView + Copy + Send + Sync + 'static {
    let Place { line, column } = place;
    move || t!(i18n, faults.place, line, column).into_any()
}

fn percent(fraction: f64) -> f64 {
    (fraction * 1_000.0).round() / 10.0
}

/// What breaks the XML.
fn xml(i18n: Texts, fault: XmlFault) -> AnyView {
    match fault {
        XmlFault::Mismatch { expected, found } => t!(
            i18n,
            faults.xml.mismatch,
            expected = format!("</{expected}>"),
            found = format!("</{found}>")
        )
        .into_any(),
        XmlFault::CutOff => t!(i18n, faults.xml.cut_off).into_any(),
        XmlFault::Twice(attribute) => t!(i18n, faults.xml.twice, attribute).into_any(),
        XmlFault::Entity => t!(i18n, faults.xml.entity).into_any(),
        XmlFault::Other => t!(i18n, faults.xml.other).into_any(),
    }
}

/// Why something is not a workout.
fn workout(i18n: Texts, error: WorkoutError) -> AnyView {
    match error {
        WorkoutError::NoIntervals => t!(i18n, faults.workout.no_intervals).into_any(),
        WorkoutError::TooManyIntervals => t!(i18n, faults.workout.too_many_intervals).into_any(),
        WorkoutError::TooManyCues { count } => {
            t!(i18n, faults.workout.too_many_cues, count).into_any()
        }
        WorkoutError::EmptyInterval { number } => {
            t!(i18n, faults.workout.empty_interval, number).into_any()
        }
        WorkoutError::TooLong => t!(i18n, faults.workout.too_long).into_any(),
        WorkoutError::PowerOutOfRange { number, percent } => {
            t!(i18n, faults.workout.power, number, percent).into_any()
        }
        WorkoutError::CadenceOutOfRange { number, cadence } => {
            t!(i18n, faults.workout.cadence, number, cadence).into_any()
        }
        WorkoutError::CueAfterEnd { number } => {
            t!(i18n, faults.workout.cue_after_end, number).into_any()
        }
        WorkoutError::TextTooLong { field, limit } => text_too_long(i18n, field, limit),
        WorkoutError::TooMuchText => t!(i18n, faults.workout.too_much_text).into_any(),
    }
}

fn text_too_long(i18n: Texts, field: TextField, limit: usize) -> AnyView {
    match field {
        TextField::Name => t!(i18n, faults.workout.long_name, limit).into_any(),
        TextField::Author => t!(i18n, faults.workout.long_author, limit).into_any(),
        TextField::Description => t!(i18n, faults.workout.long_description, limit).into_any(),
        TextField::IntervalName => t!(i18n, faults.workout.long_interval_name, limit).into_any(),
        TextField::Cue => t!(i18n, faults.workout.long_cue, limit).into_any(),
    }
}

/// Why the ride refuses a wish of the host.
pub fn wish(i18n: Texts, refused: Refused) -> AnyView {
    match refused {
        Refused::NoWorkout => t!(i18n, faults.ride.no_workout).into_any(),
        Refused::AlreadyStarted => t!(i18n, faults.ride.already_started).into_any(),
        Refused::NotStarted => t!(i18n, faults.ride.not_started).into_any(),
        Refused::NotRiding => t!(i18n, faults.ride.not_riding).into_any(),
        Refused::NotPaused => t!(i18n, faults.ride.not_paused).into_any(),
        Refused::NotUnderWay => t!(i18n, faults.ride.not_under_way).into_any(),
        Refused::OtherInterval => t!(i18n, faults.ride.other_interval).into_any(),
        Refused::TooSoon => t!(i18n, faults.ride.too_soon).into_any(),
        Refused::LastInterval => t!(i18n, faults.ride.last_interval).into_any(),
        Refused::LongEnough => t!(i18n, faults.ride.long_enough).into_any(),
        Refused::NoCountdown => t!(i18n, faults.ride.no_countdown).into_any(),
        Refused::Ended => t!(i18n, faults.ride.ended).into_any(),
        Refused::BackInTime => t!(i18n, faults.ride.back_in_time).into_any(),
        Refused::Full => t!(i18n, faults.ride.full).into_any(),
        Refused::OldEpoch => t!(i18n, faults.ride.old_epoch).into_any(),
        Refused::Malformed => t!(i18n, faults.ride.malformed).into_any(),
        Refused::NotTheHost => t!(i18n, faults.ride.not_the_host).into_any(),
        Refused::Forged => t!(i18n, faults.ride.forged).into_any(),
        Refused::Conflict => t!(i18n, faults.ride.conflict).into_any(),
    }
}

/// Why the FIT file could not be saved.
pub fn download(i18n: Texts, problem: DownloadProblem) -> AnyView {
    match problem {
        DownloadProblem::Browser => t!(i18n, faults.download.browser).into_any(),
        DownloadProblem::Fit(FitError::Empty) => t!(i18n, faults.download.empty).into_any(),
        DownloadProblem::Fit(FitError::Date) => t!(i18n, faults.download.date).into_any(),
        DownloadProblem::Fit(FitError::Encoder(reason)) => {
            t!(i18n, faults.download.encoder, reason).into_any()
        }
    }
}
