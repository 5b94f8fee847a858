//! The summary after a ride: figures, chart and the FIT file, with the choice of its kind of ride.

use leptos::prelude::*;

use super::{
    cannot_join::KickReason, error_text, format, labels, ride_chart::RideChartFigure,
    ride_tables::rounded, sub_sport::SubSportSelect,
};
use crate::{
    i18n::*,
    own_rides::id_of,
    state::{Intent, Intents, RideState, RideSummary},
};

/// The screen.
#[component]
pub fn Summary() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let figures = move || match state.summary.get() {
        Some(summary) => view! { <Figures summary/> }.into_any(),
        None => view! { <p>{t!(i18n, summary.nothing)}</p> }.into_any(),
    };
    view! {
        <section class="summary" aria-label=move || t_string!(i18n, summary.name)>
            <h1>{t!(i18n, summary.heading)}</h1>
            <Show when=move || state.kick_reason.read().is_some()>
                <p>{t!(i18n, join_error.kicked)}</p>
                <KickReason/>
            </Show>
            {move || state.ended_by.get().map(|end| view! { <p>{labels::ended_by(i18n, end)}</p> })}
            {figures}
            <MeasuredFtp/>
            <RideChartFigure/>
            <p class="actions">
                <AnalysisLink/>
                <a class="button" href="/">{t!(i18n, common.go_home)}</a>
            </p>
        </section>
    }
    .into_any()
}

/// Link to the analysis of the ride, once this browser keeps it.
#[component]
fn AnalysisLink() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    move || {
        let address = format!("/rides/{}", id_of(&state.kept_ride.get()?));
        Some(view! { <a class="button" href=address>{t!(i18n, analysis.open)}</a> })
    }
}

/// FTP that a test has measured: the rider takes it or keeps the old one.
#[component]
fn MeasuredFtp() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let offer = move || {
        let measured = state.measured_ftp.get()?;
        Some(view! {
            <h2 id="measured-ftp">{t!(i18n, summary.measured_ftp, ftp = measured)}</h2>
            <p>{t!(i18n, summary.measured_ftp_body, ftp = move || state.ftp.get())}</p>
            <div class="actions">
                <button
                    type="button"
                    class="button primary"
                    on:click=move |_| intents.send(Intent::AcceptFtp)
                >
                    {t!(i18n, summary.accept_ftp, ftp = measured)}
                </button>
                <button type="button" class="button" on:click=move |_| intents.send(Intent::KeepFtp)>
                    {t!(i18n, summary.keep_ftp)}
                </button>
            </div>
        })
    };
    view! { <div class="measured-ftp" role="status">{offer}</div> }.into_any()
}

#[component]
fn Figures(summary: RideSummary) -> impl IntoView {
    let i18n = use_i18n();
    let figures = summary.figures;
    view! {
        <p class="summary-workout">{summary.workout}</p>
        <dl class="figures">
            <div class="figure" data-metric="duration">
                <dt>{t!(i18n, summary.duration)}</dt>
                <dd><span class="number" translate="no">{format::duration(figures.duration)}</span></dd>
            </div>
            <div class="figure" data-metric="average-power">
                <dt>{t!(i18n, summary.average_power)}</dt>
                <dd>
                    <span class="number" translate="no">{rounded(figures.average_power)}</span>
                    <span class="unit">{t!(i18n, unit.watts)}</span>
                </dd>
            </div>
            <div class="figure" data-metric="normalised-power">
                <dt>{t!(i18n, summary.normalised_power)}</dt>
                <dd>
                    <span class="number" translate="no">{rounded(figures.normalised_power)}</span>
                    <span class="unit">{t!(i18n, unit.watts)}</span>
                </dd>
            </div>
            <div class="figure" data-metric="average-cadence">
                <dt>{t!(i18n, summary.average_cadence)}</dt>
                <dd>
                    <span class="number" translate="no">{rounded(figures.average_cadence)}</span>
                    <span class="unit">{t!(i18n, unit.rpm)}</span>
                </dd>
            </div>
            <div class="figure" data-metric="average-heart-rate">
                <dt>{t!(i18n, summary.average_heart_rate)}</dt>
                <dd>
                    <span class="number" translate="no">{rounded(figures.average_heart_rate)}</span>
                    <span class="unit">{t!(i18n, unit.bpm)}</span>
                </dd>
            </div>
            <div class="figure" data-metric="work">
                <dt>{t!(i18n, summary.work)}</dt>
                <dd>
                    <span class="number" translate="no">{rounded(Some(figures.work_kj))}</span>
                    <span class="unit">{t!(i18n, unit.kilojoules)}</span>
                </dd>
            </div>
        </dl>
        <Download/>
    }
    .into_any()
}

#[component]
fn Download() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let message = move || {
        state.download_error.get().map(|error| {
            let sentence = error_text::fit_download(i18n, error);
            view! { <p class="error" role="alert" id="download-error">{sentence}</p> }
        })
    };
    view! {
        <div class="download">
            <SubSportSelect
                sub_sport=state.sub_sport
                on_choose=Callback::new(move |chosen| intents.send(Intent::SetSubSport(chosen)))
            />
            <button
                type="button"
                class="button primary"
                aria-describedby="download-hint download-error"
                on:click=move |_| intents.send(Intent::DownloadFit)
            >
                {t!(i18n, summary.download)}
            </button>
            <p class="hint" id="download-hint">{t!(i18n, summary.download_hint)}</p>
            {message}
        </div>
    }
    .into_any()
}
