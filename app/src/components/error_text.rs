//! Messages for detailed errors, and remarks: in workout files, in changes of the
//! ride, in FIT files.

use leptos::prelude::*;
use ride::{
    formats::{FileError, Malformation, Place, PowerUnit, Quantity, Remark, RemarkKind},
    intervals_icu::CallError,
    recording::fit::FitError,
    timeline::TimelineError,
    workout::{TextField, WorkoutError},
};

use super::labels::Texts;
use crate::{i18n::*, intervals_icu::UploadError, state::FitDownloadError};

/// Number of remarks beside the error of a file without anything to ride.
const MAX_REMARKS_OF_ERROR: usize = 5;

/// Explains why a file is not a valid workout: the error, its place, and what to
/// do. The names of elements are passed as values, since the texts cannot contain
/// angle brackets.
pub fn workout_file(i18n: Texts, error: FileError) -> AnyView {
    match error {
        FileError::Empty => t!(i18n, errors.file.empty).into_any(),
        FileError::TooLarge { .. } => t!(i18n, errors.file.too_large).into_any(),
        FileError::TooComplex => t!(i18n, errors.file.too_complex).into_any(),
        FileError::UnknownFormat => t!(i18n, errors.file.unknown_format).into_any(),
        FileError::NotAWorkoutFit => t!(i18n, errors.file.not_a_workout_fit).into_any(),
        FileError::InvalidJson { place: at } => {
            t!(i18n, errors.file.invalid_json, place = place(i18n, at)).into_any()
        }
        FileError::Workout(error) => workout(i18n, error),
        FileError::NotText { place: at } => {
            t!(i18n, errors.file.not_text, place = place(i18n, at)).into_any()
        }
        FileError::NotAWorkoutFile { place: at, found } => t!(
            i18n,
            errors.file.foreign,
            place = place(i18n, at),
            expected = "<workout_file>",
            found = format!("<{found}>")
        )
        .into_any(),
        FileError::NoWorkout {
            place: at,
            expected,
        } => t!(
            i18n,
            errors.file.no_workout,
            place = place(i18n, at),
            element = expected
        )
        .into_any(),
        FileError::NothingToRide { place: at, remarks } => {
            let error = t!(i18n, errors.file.nothing_to_ride, place = place(i18n, at));
            let remarks = remarks.into_iter().take(MAX_REMARKS_OF_ERROR);
            let remarks = remarks.map(|one| (" ", remark(i18n, one)).into_any());
            (error, remarks.collect_view()).into_any()
        }
        FileError::Limit { place: at, error } => limit(i18n, at, error),
    }
}

/// Explains why a call to intervals.icu failed.
pub fn intervals_icu(i18n: Texts, error: CallError) -> AnyView {
    match error {
        CallError::WrongKey => t!(i18n, intervals_icu.error.wrong_key).into_any(),
        CallError::NotFound => t!(i18n, intervals_icu.error.not_found).into_any(),
        CallError::AlreadyUploaded => t!(i18n, intervals_icu.error.already_uploaded).into_any(),
        CallError::TooManyCalls { retry_after: None } => {
            t!(i18n, intervals_icu.error.too_many).into_any()
        }
        CallError::TooManyCalls {
            retry_after: Some(seconds),
        } => t!(i18n, intervals_icu.error.too_many_wait, seconds).into_any(),
        CallError::TooLarge => t!(i18n, intervals_icu.error.too_large).into_any(),
        CallError::Service { status } => t!(i18n, intervals_icu.error.service, status).into_any(),
        CallError::Refused { status } => t!(i18n, intervals_icu.error.refused, status).into_any(),
        CallError::Unreadable => t!(i18n, intervals_icu.error.unreadable).into_any(),
        CallError::NoNetwork => t!(i18n, intervals_icu.error.no_network).into_any(),
        CallError::Unreachable => t!(i18n, intervals_icu.error.unreachable).into_any(),
        CallError::TimedOut => t!(i18n, intervals_icu.error.timed_out).into_any(),
        CallError::BrowserMayNot => t!(i18n, intervals_icu.error.browser_may_not).into_any(),
        CallError::ServerBusy => t!(i18n, intervals_icu.error.server_busy).into_any(),
        CallError::NotPassedOn => t!(i18n, intervals_icu.error.not_passed_on).into_any(),
    }
}

/// Explains why a ride was not uploaded.
pub fn upload(i18n: Texts, error: UploadError) -> AnyView {
    match error {
        UploadError::File(error) => fit_download(i18n, FitDownloadError::Fit(error)),
        UploadError::Call(error) => intervals_icu(i18n, error),
    }
}

/// Remark on a workout file, with its place.
pub fn remark(i18n: Texts, remark: Remark) -> AnyView {
    let (kind, times) = (remark.kind, remark.count - 1);
    let place = place(i18n, remark.place);
    let remark = move || remark_text(i18n, kind.clone());
    match times {
        0 => t!(i18n, errors.remark.once, place, remark).into_any(),
        _ => t!(i18n, errors.remark.times, place, times, remark).into_any(),
    }
}

fn remark_text(i18n: Texts, kind: RemarkKind) -> AnyView {
    match kind {
        RemarkKind::Ignored { name } => t!(i18n, errors.remark.ignored, name).into_any(),
        RemarkKind::Malformed(error) => {
            let error = move || malformation(i18n, error.clone());
            t!(i18n, errors.remark.malformed, error).into_any()
        }
        RemarkKind::Encoding => t!(i18n, errors.remark.encoding).into_any(),
        RemarkKind::ReadAs {
            attribute,
            value,
            read,
        } => t!(i18n, errors.remark.read_as, attribute, value, read).into_any(),
        RemarkKind::Unusable {
            attribute,
            value,
            quantity,
        } => unusable(i18n, attribute, value, quantity),
        RemarkKind::Clamped {
            attribute,
            value,
            limit,
        } => t!(
            i18n,
            errors.remark.clamped,
            attribute,
            value,
            percent = percent(value),
            limit = percent(limit.into())
        )
        .into_any(),
        RemarkKind::Zone {
            attribute,
            zone,
            power,
        } => t!(
            i18n,
            errors.remark.zone,
            attribute,
            zone,
            percent = percent(power.into())
        )
        .into_any(),
        RemarkKind::NoPower { element } => t!(i18n, errors.remark.no_power, element).into_any(),
        RemarkKind::Watts { ftp } => t!(i18n, errors.remark.watts, ftp).into_any(),
        RemarkKind::AssumedUnit(PowerUnit::Watts) => {
            t!(i18n, errors.remark.assumed_watts).into_any()
        }
        RemarkKind::AssumedUnit(PowerUnit::Percent) => {
            t!(i18n, errors.remark.assumed_percent).into_any()
        }
        RemarkKind::AssumedSteps => t!(i18n, errors.remark.assumed_steps).into_any(),
        RemarkKind::AssumedRamps => t!(i18n, errors.remark.assumed_ramps).into_any(),
        RemarkKind::UnusableLine { line } => t!(i18n, errors.remark.unusable_line, line).into_any(),
        RemarkKind::OpenEnded { minutes } => t!(i18n, errors.remark.open_ended, minutes).into_any(),
        RemarkKind::OtherTarget => t!(i18n, errors.remark.other_target).into_any(),
        RemarkKind::Damaged => t!(i18n, errors.remark.damaged).into_any(),
        RemarkKind::NoDuration { element } => {
            t!(i18n, errors.remark.no_duration, element).into_any()
        }
        RemarkKind::RisingCooldown => t!(i18n, errors.remark.rising_cooldown).into_any(),
        RemarkKind::Running => t!(i18n, errors.remark.running).into_any(),
        RemarkKind::Distance { kmh } => t!(i18n, errors.remark.distance, kmh).into_any(),
        RemarkKind::Shortened(text) => {
            let (field, limit) = (move || field_name(i18n, text), text.limit());
            t!(i18n, errors.remark.shortened, field, limit).into_any()
        }
        RemarkKind::CuesLeftOut => t!(i18n, errors.remark.cues_left_out).into_any(),
        RemarkKind::More => t!(i18n, errors.remark.more).into_any(),
    }
}

fn unusable(i18n: Texts, attribute: String, value: String, quantity: Quantity) -> AnyView {
    match quantity {
        Quantity::Power => t!(i18n, errors.remark.power, attribute, value).into_any(),
        Quantity::Duration => t!(i18n, errors.remark.duration, attribute, value).into_any(),
        Quantity::Cadence => t!(i18n, errors.remark.cadence, attribute, value).into_any(),
        Quantity::Repeat => t!(i18n, errors.remark.repeat, attribute, value).into_any(),
        Quantity::CueTime => t!(i18n, errors.remark.cue_time, attribute, value).into_any(),
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
    move || match place {
        Place::Text { line, column } => t!(i18n, errors.place, line, column).into_any(),
        Place::Byte(offset) => t!(i18n, errors.byte, offset).into_any(),
    }
}

fn percent(fraction: f64) -> f64 {
    (fraction * 1_000.0).round() / 10.0
}

/// Error in XML that was repaired.
fn malformation(i18n: Texts, error: Malformation) -> AnyView {
    match error {
        Malformation::Declaration => t!(i18n, errors.xml.declaration).into_any(),
        Malformation::Comment => t!(i18n, errors.xml.comment).into_any(),
        Malformation::Ampersand => t!(i18n, errors.xml.ampersand).into_any(),
        Malformation::LessThan => t!(i18n, errors.xml.less_than).into_any(),
        Malformation::OpenTag => t!(i18n, errors.xml.open_tag).into_any(),
        Malformation::Unquoted => t!(i18n, errors.xml.unquoted).into_any(),
        Malformation::Stray => t!(i18n, errors.xml.stray).into_any(),
        Malformation::Duplicate(attribute) => {
            t!(i18n, errors.xml.duplicate_attribute, attribute).into_any()
        }
        Malformation::Mismatch { expected, found } if expected.is_empty() => {
            t!(i18n, errors.xml.unexpected, found = format!("</{found}>")).into_any()
        }
        Malformation::Mismatch { expected, found } => t!(
            i18n,
            errors.xml.mismatch,
            expected = format!("</{expected}>"),
            found = format!("</{found}>")
        )
        .into_any(),
        Malformation::Outside => t!(i18n, errors.xml.outside).into_any(),
        Malformation::DocumentType => t!(i18n, errors.xml.document_type).into_any(),
        Malformation::Truncated => t!(i18n, errors.xml.cut_off).into_any(),
    }
}

/// Explains why a workout is not valid.
pub fn workout(i18n: Texts, error: WorkoutError) -> AnyView {
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

fn text_too_long(i18n: Texts, text: TextField, limit: usize) -> AnyView {
    let field = move || field_name(i18n, text);
    t!(i18n, errors.workout.long_text, field, limit).into_any()
}

fn field_name(i18n: Texts, field: TextField) -> &'static str {
    match field {
        TextField::Name => t_string!(i18n, errors.workout.field_name),
        TextField::Author => t_string!(i18n, errors.workout.field_author),
        TextField::Description => t_string!(i18n, errors.workout.field_description),
        TextField::IntervalName => t_string!(i18n, errors.workout.field_interval_name),
        TextField::Cue => t_string!(i18n, errors.workout.field_cue),
    }
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
        TimelineError::TooFarAhead => t!(i18n, errors.timeline.too_far_ahead).into_any(),
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
