//! The page of the rider's rides: the list, unfinished rides, import and export, and the button that
//! deletes everything.

use leptos::{prelude::*, task::spawn_local};
use ride::recording::{archive::ArchiveError, stored::RideHead};

use super::{
    dialog::Confirm,
    file_drop::FileDrop,
    format::{self, or_dash},
    labels::Texts,
};
use crate::{
    browser::{clock, page},
    i18n::*,
    own_rides::{self, ImportOutcome, ListedRide, OwnRides, UnfinishedRide, id_of},
};

/// The content of the page.
#[component]
pub fn RidesPage() -> impl IntoView {
    let i18n = use_i18n();
    let own = OwnRides::load();
    let is_empty = Memo::new(move |_| own.rides.read().is_empty());
    let has_none = move || is_empty.get() && own.unfinished.read().is_empty();
    let nothing = move || own.is_loaded.get() && has_none() && !own.is_failing.get();
    view! {
        <section class="rides column">
            <div class="section-head">
                <h1>{t!(i18n, rides.heading)}</h1>
                <div class="actions">
                    <button
                        type="button"
                        class="button"
                        disabled=move || has_none() || own.is_busy.get()
                        on:click=move |_| own.export()
                    >
                        {t!(i18n, rides.export_all)}
                    </button>
                </div>
            </div>
            <Show when=move || own.is_failing.get()>
                <p class="error" role="alert">{t!(i18n, rides.storage_failed)}</p>
            </Show>
            <ul class="rides-unfinished">
                <For
                    each=move || own.unfinished.get()
                    key=|ride| (ride.name.clone(), ride.resume.clone())
                    children=move |ride| view! { <Unfinished own ride/> }
                />
            </ul>
            <Show when=move || !own.is_loaded.get()>
                <p class="hint" role="status">{t!(i18n, rides.loading)}</p>
            </Show>
            <Show when=nothing>
                <p class="rides-empty">{t!(i18n, rides.empty)}</p>
            </Show>
            <ul class="rides-list" aria-label=move || t_string!(i18n, rides.list)>
                <For
                    each=move || own.rides.get()
                    key=|ride| ride.name.clone()
                    children=|ride| view! { <Entry ride/> }
                />
            </ul>
            <FileDrop
                id="rides-file"
                label=Signal::derive(move || t_string!(i18n, rides.import_all))
                hint=Signal::derive(move || t_string!(i18n, rides.import_hint))
                on_files=Callback::new(move |files: Vec<_>| {
                    files.into_iter().take(1).for_each(|file| own.import(file));
                })
            />
            <div role="status">{move || own.imported.get().map(|outcome| imported(i18n, outcome))}</div>
            <p class="actions">
                <a class="button" href="/">{t!(i18n, common.go_home)}</a>
                <a class="button" href="/settings">{t!(i18n, settings.link)}</a>
                <DeleteEverything/>
            </p>
        </section>
    }
    .into_any()
}

/// A finished ride: a link with its figures.
#[component]
fn Entry(ride: ListedRide) -> impl IntoView {
    let id = id_of(&ride.name);
    view! {
        <li data-ride=id.clone()>
            <a href=format!("/rides/{id}")>
                <Head head=ride.head/>
            </a>
        </li>
    }
    .into_any()
}

/// Date, workout and figures of a ride. Plain texts, since there may be many.
#[component]
fn Head(head: RideHead) -> impl IntoView {
    let i18n = use_i18n();
    let name = match head.workout.is_empty() {
        true => t_string!(i18n, rides.no_workout).to_owned(),
        false => head.workout,
    };
    let rounded = |value: Option<f32>, unit| {
        let value = or_dash(value.map(|value| format!("{value:.0}")));
        format!("{value} {unit}")
    };
    let duration = format::elapsed(head.seconds.saturating_mul(1_000));
    let power = rounded(head.power, t_string!(i18n, unit.watts));
    let heart_rate = rounded(head.heart_rate, t_string!(i18n, unit.bpm));
    let cadence = rounded(head.cadence, t_string!(i18n, unit.rpm));
    let stress = rounded(head.stress_score, t_string!(i18n, rides.stress_short));
    view! {
        <span class="rides-when">{clock::date_and_time(head.started_at)}</span>
        <strong class="rides-workout">{name}</strong>
        <span class="rides-figure" translate="no" data-metric="duration">{duration}</span>
        <span class="rides-figure" translate="no" data-metric="average-power">{power}</span>
        <span class="rides-figure" translate="no" data-metric="average-heart-rate">{heart_rate}</span>
        <span class="rides-figure" translate="no" data-metric="average-cadence">{cadence}</span>
        <span class="rides-figure" translate="no" data-metric="stress-score">{stress}</span>
    }
    .into_any()
}

/// A ride that is not finished, with what can be done about it.
#[component]
fn Unfinished(own: OwnRides, ride: UnfinishedRide) -> impl IntoView {
    let i18n = use_i18n();
    let id = id_of(&ride.name);
    let name = ride.name;
    let resume = ride.resume.map(|address| {
        view! { <a class="button primary" href=address>{t!(i18n, home.resume)}</a> }
    });
    view! {
        <li class="panel" data-unfinished=id>
            <p>{t!(i18n, rides.unfinished)}</p>
            <p class="rides-head"><Head head=ride.head/></p>
            <div class="actions">
                {resume}
                <button
                    type="button"
                    class="button"
                    on:click=move |_| own.finish(name.clone())
                >
                    {t!(i18n, home.finish)}
                </button>
            </div>
        </li>
    }
    .into_any()
}

fn imported(i18n: Texts, outcome: ImportOutcome) -> AnyView {
    match outcome {
        ImportOutcome::Imported {
            added,
            known,
            damaged: 0,
        } => view! { <p>{t!(i18n, rides.imported, added, known)}</p> }.into_any(),
        ImportOutcome::Imported {
            added,
            known,
            damaged,
        } => view! {
            <p>{t!(i18n, rides.imported, added, known)}</p>
            <p class="error">{t!(i18n, rides.import_damaged, damaged)}</p>
        }
        .into_any(),
        ImportOutcome::Incomplete { added } => {
            view! { <p class="error">{t!(i18n, rides.import_incomplete, added)}</p> }.into_any()
        }
        ImportOutcome::Invalid(ArchiveError::NotRides) => {
            view! { <p class="error">{t!(i18n, rides.import_invalid)}</p> }.into_any()
        }
        ImportOutcome::Invalid(_) | ImportOutcome::Unreadable => {
            view! { <p class="error">{t!(i18n, chooser.unreadable)}</p> }.into_any()
        }
        ImportOutcome::NotStored(added) => {
            view! { <p class="error">{t!(i18n, rides.import_not_stored, added)}</p> }.into_any()
        }
    }
}

/// Button and question.
#[component]
fn DeleteEverything() -> impl IntoView {
    let i18n = use_i18n();
    let asking = RwSignal::new(false);
    let has_failed = RwSignal::new(false);
    let delete = move || {
        spawn_local(async move {
            if own_rides::delete_everything().await {
                page::reload();
            } else {
                let _ = has_failed.try_set(true);
            }
        });
    };
    view! {
        <button type="button" class="button danger" on:click=move |_| asking.set(true)>
            {t!(i18n, rides.delete_everything)}
        </button>
        <Show when=move || has_failed.get()>
            <span class="error" role="alert">{t!(i18n, rides.delete_failed)}</span>
        </Show>
        <Confirm
            open=asking
            id="delete-everything-heading"
            heading=Signal::derive(move || t_string!(i18n, rides.delete_everything_heading))
            body=Signal::derive(move || t_string!(i18n, rides.delete_everything_body))
            cancel=Signal::derive(move || t_string!(i18n, rides.keep))
            confirm=Signal::derive(move || t_string!(i18n, rides.delete_everything))
            on_confirm=Callback::new(move |()| delete())
        />
    }
    .into_any()
}
