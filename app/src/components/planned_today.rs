//! Workouts that the rider has planned for today at intervals.icu.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use ride::{
    intervals_icu::{CallError, PlannedError, PlannedWorkout},
    workout::Workout,
};

use super::{error_text, format, profile::Profile};
use crate::{
    browser::tabs,
    i18n::*,
    intervals_icu::{self, Offer},
    next_workout::{self, NextWorkout},
    own_workouts::OwnWorkouts,
};

/// State of the section.
#[derive(Clone, Debug, PartialEq)]
enum State {
    /// Without a key, or the server does not offer the service.
    Hidden,
    Loading,
    Failed(CallError),
    Listed(Vec<PlannedWorkout>),
}

/// The section. It is empty unless the rider has saved a key and the server offers the service.
#[component]
pub fn PlannedToday(own: OwnWorkouts) -> impl IntoView {
    let i18n = use_i18n();
    let state = RwSignal::new(State::Hidden);
    let load = move || {
        spawn_local(async move {
            let next = match intervals_icu::offer().await {
                Ok(Offer::Ready(access, key)) => {
                    let _ = state.try_set(State::Loading);
                    match intervals_icu::planned_today(&access, &key).await {
                        Ok(planned) => State::Listed(planned),
                        Err(error) => State::Failed(error),
                    }
                }
                Ok(Offer::Off | Offer::NoKey) => State::Hidden,
                Err(error) => State::Failed(error),
            };
            let _ = state.try_set(next);
        });
    };
    Effect::new(load);
    let content = move || match state.get() {
        State::Hidden => ().into_any(),
        State::Loading => {
            view! { <p class="hint" role="status">{t!(i18n, intervals_icu.loading)}</p> }.into_any()
        }
        State::Failed(error) => view! {
            <p class="error" role="alert">{error_text::intervals_icu(i18n, error)}</p>
            <div class="actions">
                <button
                    type="button"
                    class="button"
                    on:click=move |_| {
                        state.set(State::Loading);
                        load();
                    }
                >
                    {t!(i18n, common.try_again)}
                </button>
                <a class="button" href="/settings">{t!(i18n, settings.link)}</a>
            </div>
        }
        .into_any(),
        State::Listed(planned) if planned.is_empty() => {
            view! { <p class="hint" role="status">{t!(i18n, intervals_icu.none_planned)}</p> }
                .into_any()
        }
        State::Listed(planned) => {
            let planned = planned.into_iter().enumerate();
            let planned = planned.map(|(number, planned)| view! { <Planned own number planned/> });
            view! {
                <ul class="planned-list" role="list" aria-labelledby="planned-heading">
                    {planned.collect_view()}
                </ul>
            }
            .into_any()
        }
    };
    let is_shown = Memo::new(move |_| *state.read() != State::Hidden);
    let section = move || {
        is_shown.get().then(|| {
            view! {
                <section class="planned panel" aria-labelledby="planned-heading">
                    <h2 id="planned-heading">{t!(i18n, intervals_icu.planned)}</h2>
                    {content}
                </section>
            }
        })
    };
    section.into_any()
}

#[component]
fn Planned(own: OwnWorkouts, number: usize, planned: PlannedWorkout) -> impl IntoView {
    let i18n = use_i18n();
    let name = match (planned.name.as_str(), &planned.workout) {
        ("", Ok(workout)) => workout.name().to_owned(),
        (name, _) => name.to_owned(),
    };
    let content = match planned.workout {
        Ok(workout) => {
            let workout = Arc::new(workout);
            let duration = format::duration(workout.duration());
            view! {
                <div class="section-head">
                    <h3>{name.clone()}</h3>
                    <p class="workout-duration" translate="no">{duration}</p>
                </div>
                <Profile workout=workout.clone() id=format!("planned-{number}")/>
                <Actions own name workout/>
            }
            .into_any()
        }
        Err(error) => {
            let reason = match error {
                PlannedError::NoSteps => t!(i18n, intervals_icu.no_steps).into_any(),
                PlannedError::Invalid(error) => error_text::workout_file(i18n, error),
            };
            view! {
                <h3>{name}</h3>
                <p class="hint">{reason}</p>
            }
            .into_any()
        }
    };
    view! { <li>{content}</li> }.into_any()
}

/// What became of a workout.
#[derive(Clone, PartialEq)]
enum Done {
    Kept,
    /// It is in the ride with this code; the code is empty for a ride alone.
    SharedInto(String),
}

#[component]
fn Actions(own: OwnWorkouts, name: String, workout: Arc<Workout>) -> impl IntoView {
    let i18n = use_i18n();
    let done = RwSignal::new(None::<Done>);
    let navigate = Callback::new({
        let navigate = use_navigate();
        move |path: &'static str| navigate(path, Default::default())
    });
    let keep = {
        let workout = workout.clone();
        move |_| {
            // A full library is told beside the list.
            if own.keep((*workout).clone()).is_ok() {
                done.set(Some(Done::Kept));
            }
        }
    };
    // As the designer does: into the lobby that is open in another tab, or else into the next ride.
    let ride_next = move |_| {
        let workout = workout.clone();
        spawn_local(async move {
            let bytes = workout.to_bytes();
            let answer = tabs::send_workout(&bytes).await;
            if done.try_set(None).is_some() {
                // The rider has left the page.
                return;
            }
            match answer {
                Some(code) => done.set(Some(Done::SharedInto(code))),
                None => {
                    let name = workout.name().to_owned();
                    next_workout::put(NextWorkout { name, bytes });
                    navigate.run("/");
                }
            }
        });
    };
    let result = move || {
        done.get().map(|done| match done {
            Done::Kept => t!(i18n, intervals_icu.kept).into_any(),
            Done::SharedInto(code) if code.is_empty() => t!(i18n, designer.shared_alone).into_any(),
            Done::SharedInto(code) => t!(i18n, designer.shared, code).into_any(),
        })
    };
    let (kept, next) = (name.clone(), name);
    view! {
        <div class="actions">
            <button
                type="button"
                class="button"
                disabled=move || !own.is_loaded.get()
                on:click=keep
            >
                {t!(i18n, intervals_icu.keep)}
                <span class="visually-hidden">" " {kept}</span>
            </button>
            <button type="button" class="button" on:click=ride_next>
                {t!(i18n, intervals_icu.ride_next)}
                <span class="visually-hidden">" " {next}</span>
            </button>
        </div>
        <p class="hint" role="status">{result}</p>
    }
    .into_any()
}
