//! The page of one ride: its figures, its traces over the target, and what can be done with it.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use ride::{
    analysis::{
        Summary,
        compliance::compliance,
        w_balance::{DEFAULT_W_PRIME, w_balance},
    },
    recording::Recording,
    workout::Workout,
};

use super::{
    dialog::Confirm,
    error_text,
    format::{self, or_dash},
    labels::Texts,
    ride_plot::{RidePlot, Zoom},
    ride_tables::{IntervalTable, MeanMaxCurve, Zones, percent, rounded},
    status_screen::StatusScreen,
    sub_sport::SubSportSelect,
    upload::Upload,
};
use crate::{
    browser::{clock, files, page, storage},
    i18n::*,
    own_rides::{self, FileFormat, OwnRide, RideError, name_of},
    state::FitDownloadError,
};

/// Fragment of an address that finishes the ride.
const FINISH: &str = "finish";

/// The content of the page of the ride with this id.
#[component]
pub fn RideAnalysis(id: String) -> impl IntoView {
    let i18n = use_i18n();
    let Some(name) = name_of(&id) else {
        return view! { <NoRide name=id error=RideError::Missing/> }.into_any();
    };
    let ride = RwSignal::new(None::<Result<OwnRide, RideError>>);
    let name = StoredValue::new(name);
    Effect::new(move || {
        spawn_local(async move {
            let name = name.get_value();
            let opened = if page::fragment() == FINISH {
                page::clear_fragment();
                own_rides::finish(&name).await
            } else {
                OwnRide::open(name).await
            };
            let _ = ride.try_set(Some(opened));
        });
    });
    let content = move || match ride.get() {
        None => view! { <p class="hint" role="status">{t!(i18n, rides.loading)}</p> }.into_any(),
        Some(Err(error)) => view! { <NoRide name=name.get_value() error/> }.into_any(),
        Some(Ok(opened)) => view! { <Ride ride=opened shown=ride/> }.into_any(),
    };
    content.into_any()
}

#[component]
fn NoRide(name: String, error: RideError) -> impl IntoView {
    let i18n = use_i18n();
    let text = move || match error {
        RideError::Missing => t_string!(i18n, rides.missing),
        RideError::Damaged => t_string!(i18n, rides.damaged),
        RideError::Storage => t_string!(i18n, rides.storage_failed),
        RideError::UnderWay => t_string!(i18n, rides.under_way),
    };
    view! {
        <StatusScreen heading=Signal::derive(move || t_string!(i18n, rides.missing_heading))>
            <p role="alert">{text}</p>
            <div class="actions">
                <a class="button primary" href="/rides">{t!(i18n, rides.link)}</a>
                {(error == RideError::Damaged).then(|| view! { <DeleteRide name/> })}
            </div>
        </StatusScreen>
    }
    .into_any()
}

#[component]
fn Ride(ride: OwnRide, shown: RwSignal<Option<Result<OwnRide, RideError>>>) -> impl IntoView {
    let i18n = use_i18n();
    let recording = Arc::new(ride.recording.clone());
    let workout = ride.workout.clone().map(Arc::new);
    let name = match recording.workout.is_empty() {
        true => t_string!(i18n, rides.no_workout).to_owned(),
        false => recording.workout.clone(),
    };
    let zoom = Zoom::new(recording.samples.len());
    let own_name = ride.name.clone();
    let unfinished = recording.finished_at.is_none().then(|| {
        let finish = move |_| {
            let name = own_name.clone();
            spawn_local(async move {
                let finished = own_rides::finish(&name).await;
                let _ = shown.try_set(Some(finished));
            });
        };
        view! {
            <div class="panel rides-open">
                <p>{t!(i18n, rides.unfinished)}</p>
                <button type="button" class="button" on:click=finish>{t!(i18n, home.finish)}</button>
            </div>
        }
    });
    view! {
        <article class="ride-analysis column">
            <header>
                <h1>{name}</h1>
                <p class="hint">{clock::date_and_time(recording.started_at)}</p>
            </header>
            {unfinished}
            <Figures recording=recording.clone() workout=workout.clone()/>
            <RidePlot recording=recording.clone() zoom/>
            <IntervalTable recording=recording.clone() workout zoom/>
            <Zones recording=recording.clone()/>
            <MeanMaxCurve recording/>
            <Actions ride/>
        </article>
    }
    .into_any()
}

#[component]
fn Figures(recording: Arc<Recording>, workout: Option<Arc<Workout>>) -> impl IntoView {
    let i18n = use_i18n();
    let figures = Summary::of(&recording);
    let compliance = compliance(&recording, workout.as_deref());
    let balance = w_balance(&recording.samples, recording.ftp, DEFAULT_W_PRIME);
    let lowest = balance.into_iter().reduce(f32::min);
    let lowest = lowest.filter(|_| figures.max_power.is_some());
    let max_heart_rate = recording
        .samples
        .iter()
        .filter_map(|sample| sample.heart_rate);
    let max_heart_rate = max_heart_rate.max().map(f32::from);
    let two_decimals = |value: Option<f32>| or_dash(value.map(|value| format!("{value:.2}")));
    let watts = t_string!(i18n, unit.watts);
    let bpm = t_string!(i18n, unit.bpm);
    let kilojoules = t_string!(i18n, unit.kilojoules);
    let entries = [
        (
            "duration",
            t_string!(i18n, summary.duration),
            format::duration(figures.duration),
            "",
        ),
        (
            "average-power",
            t_string!(i18n, summary.average_power),
            rounded(figures.average_power),
            watts,
        ),
        (
            "normalised-power",
            t_string!(i18n, summary.normalised_power),
            rounded(figures.normalised_power),
            watts,
        ),
        (
            "max-power",
            t_string!(i18n, analysis.max_power),
            rounded(figures.max_power.map(f32::from)),
            watts,
        ),
        (
            "intensity-factor",
            t_string!(i18n, analysis.intensity_factor),
            two_decimals(figures.intensity_factor),
            "",
        ),
        (
            "stress-score",
            t_string!(i18n, analysis.stress_score),
            rounded(figures.stress_score),
            "",
        ),
        (
            "work",
            t_string!(i18n, summary.work),
            rounded(Some(figures.work_kj)),
            kilojoules,
        ),
        (
            "compliance",
            t_string!(i18n, analysis.compliance),
            percent(compliance),
            "",
        ),
        (
            "average-heart-rate",
            t_string!(i18n, summary.average_heart_rate),
            rounded(figures.average_heart_rate),
            bpm,
        ),
        (
            "max-heart-rate",
            t_string!(i18n, analysis.max_heart_rate),
            rounded(max_heart_rate),
            bpm,
        ),
        (
            "average-cadence",
            t_string!(i18n, summary.average_cadence),
            rounded(figures.average_cadence),
            t_string!(i18n, unit.rpm),
        ),
        (
            "w-balance",
            t_string!(i18n, analysis.lowest_balance),
            or_dash(lowest.map(|joules| format!("{:.1}", joules / 1_000.0))),
            kilojoules,
        ),
    ];
    let entries = entries.map(|(metric, name, value, unit)| {
        view! {
            <div class="figure" data-metric=metric>
                <dt>{name}</dt>
                <dd>
                    <span class="number" translate="no">{value}</span>
                    <span class="unit">{unit}</span>
                </dd>
            </div>
        }
    });
    view! {
        <dl class="figures">{entries.into_iter().collect_view()}</dl>
        <p class="hint">{t!(
                i18n,
                analysis.figures_hint,
                ftp = recording.ftp.watts(),
                w_prime = DEFAULT_W_PRIME / 1_000.0
            )}</p>
    }
    .into_any()
}

/// Files, the system's share sheet, and deletion.
#[component]
fn Actions(ride: OwnRide) -> impl IntoView {
    let i18n = use_i18n();
    let sub_sport = RwSignal::new(storage::sub_sport());
    let error = RwSignal::new(None::<FitDownloadError>);
    let shared_text = summary_text(i18n, &ride.recording);
    let name = ride.name.clone();
    let ride = StoredValue::new(ride);
    let file = move |format: FileFormat| {
        ride.with_value(|ride| ride.file(format, sub_sport.get_untracked()))
    };
    let save = move |format: FileFormat| {
        let saved = file(format)
            .map_err(FitDownloadError::Fit)
            .and_then(|file| {
                let saved = files::save(&file.name, format.media_type(), &file.bytes);
                saved.ok_or(FitDownloadError::Browser)
            });
        error.set(saved.err());
    };
    let share = move |_| match file(FileFormat::Fit) {
        Ok(file) => {
            error.set(None);
            let text = shared_text.clone();
            spawn_local(async move {
                let media_type = FileFormat::Fit.media_type();
                let shared = files::share(&file.name, media_type, &file.bytes, &text).await;
                let failure = (!shared).then_some(FitDownloadError::Browser);
                let _ = error.try_set(failure);
            });
        }
        Err(failure) => error.set(Some(FitDownloadError::Fit(failure))),
    };
    let share = files::can_share().then(|| {
        view! {
            <button type="button" class="button" on:click=share>{t!(i18n, analysis.share_ride)}</button>
        }
    });
    view! {
        <section class="ride-actions" aria-labelledby="ride-actions-heading">
            <h2 id="ride-actions-heading">{t!(i18n, analysis.actions)}</h2>
            <SubSportSelect
                sub_sport=sub_sport
                on_choose=Callback::new(move |chosen| {
                    sub_sport.set(chosen);
                    storage::save_sub_sport(chosen);
                })
            />
            <div class="actions">
                <button type="button" class="button primary" on:click=move |_| save(FileFormat::Fit)>
                    {t!(i18n, summary.download)}
                </button>
                <button type="button" class="button" on:click=move |_| save(FileFormat::Tcx)>
                    {t!(i18n, analysis.download_tcx)}
                </button>
                {share}
                <Upload ride=ride.get_value()/>
                <DeleteRide name/>
            </div>
            {move || {
                error.get().map(|error| {
                    view! { <p class="error" role="alert">{error_text::fit_download(i18n, error)}</p> }
                })
            }}
            <p class="actions">
                <a class="button" href="/rides">{t!(i18n, rides.link)}</a>
                <a class="button" href="/">{t!(i18n, common.go_home)}</a>
            </p>
        </section>
    }
    .into_any()
}

/// Button that deletes the ride, after a question, and leads to the list.
#[component]
fn DeleteRide(name: String) -> impl IntoView {
    let i18n = use_i18n();
    let navigate = StoredValue::new_local(use_navigate());
    let asking = RwSignal::new(false);
    let has_failed = RwSignal::new(false);
    let name = StoredValue::new(name);
    let delete = move || {
        spawn_local(async move {
            if own_rides::delete(&name.get_value()).await {
                navigate.with_value(|navigate| navigate("/rides", NavigateOptions::default()));
            } else {
                let _ = has_failed.try_set(true);
            }
        });
    };
    view! {
        <button type="button" class="button danger" on:click=move |_| asking.set(true)>
            {t!(i18n, rides.delete)}
        </button>
        <Show when=move || has_failed.get()>
            <span class="error" role="alert">{t!(i18n, rides.delete_failed)}</span>
        </Show>
        <Confirm
            open=asking
            id="delete-ride-heading"
            heading=Signal::derive(move || t_string!(i18n, rides.delete_heading))
            body=Signal::derive(move || t_string!(i18n, rides.delete_body))
            cancel=Signal::derive(move || t_string!(i18n, rides.keep))
            confirm=Signal::derive(move || t_string!(i18n, rides.delete))
            on_confirm=Callback::new(move |()| delete())
        />
    }
    .into_any()
}

/// Text to share where files cannot be.
fn summary_text(i18n: Texts, recording: &Recording) -> String {
    let figures = Summary::of(recording);
    let name = match recording.workout.is_empty() {
        true => t_string!(i18n, rides.no_workout),
        false => &recording.workout,
    };
    let duration = format::duration(figures.duration);
    let power = rounded(figures.average_power);
    format!(
        "{name}: {duration}, {power} {}",
        t_string!(i18n, unit.watts)
    )
}
