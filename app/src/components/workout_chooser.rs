//! The host's dialog to share a workout of a file, an own one or a built-in one.

use std::sync::Arc;

use leptos::{ev::DragEvent, html, prelude::*, web_sys::File};

use super::{
    dialog::Dialog,
    error_text, labels,
    profile::Profile,
    workout_list::{ListedWorkout, WorkoutHead, WorkoutList},
};
use crate::{
    driver::own_workouts::OwnWorkouts,
    i18n::*,
    state::{Intent, Intents, Notice, RideState},
};

/// The dialog. It closes when a workout was shared. If a file is not a valid
/// workout, it stays open and shows the reason.
#[component]
pub fn WorkoutChooser(open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let close = move || open.set(false);
    Effect::watch(
        move || state.workout.track(),
        move |(), _, _| close(),
        false,
    );
    // Sharing the same workout again changes only the notice.
    let shared = move || matches!(*state.notice.read(), Some(Notice::WorkoutShared(_)));
    Effect::watch(
        shared,
        move |shared, _, _| {
            if *shared {
                close()
            }
        },
        false,
    );
    view! {
        <Dialog open labelled_by="chooser-heading">
            <div class="section-head">
                <h2 id="chooser-heading">{t!(i18n, chooser.heading)}</h2>
                <button type="button" class="button quiet" on:click=move |_| open.set(false)>
                    {t!(i18n, common.close)}
                </button>
            </div>
            <FileDrop/>
            <FileOffer/>
            // Dozens of pictures that would otherwise stay on the page during the ride.
            <Show when=move || open.get()>
                <WorkoutList own=OwnWorkouts::load() actions=share_button/>
            </Show>
        </Dialog>
    }
    .into_any()
}

/// Workout of a file with remarks: the rider looks at them before it is used.
#[component]
fn FileOffer() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let offer = move || {
        state.workout_file.get().map(|file| {
            let workout = Arc::new(file.workout.clone());
            let remarks = file.remarks.iter().cloned();
            let remarks =
                remarks.map(|remark| view! { <li>{error_text::remark(i18n, remark)}</li> });
            view! {
                <div class="workout-remarks">
                    <WorkoutHead workout=workout.clone()/>
                    <Profile workout id=String::from("workout-file-profile")/>
                    <h4>{t!(i18n, errors.remark.heading)}</h4>
                    <ul>{remarks.collect_view()}</ul>
                    <div class="actions">
                        <button
                            type="button"
                            class="button primary"
                            on:click=move |_| intents.send(Intent::UseWorkoutFile)
                        >
                            {t!(i18n, chooser.use_file)}
                        </button>
                        <button
                            type="button"
                            class="button"
                            on:click=move |_| intents.send(Intent::DismissWorkoutFile)
                        >
                            {t!(i18n, chooser.other_file)}
                        </button>
                    </div>
                </div>
            }
        })
    };
    view! { <div role="status">{offer}</div> }.into_any()
}

/// Button that shares a workout.
fn share_button(listed: ListedWorkout) -> AnyView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let name = listed.workout.name().to_owned();
    let choose = move |_| intents.send(Intent::ShareWorkout(listed.workout.clone()));
    view! {
        <button type="button" class="button" on:click=choose>
            {t!(i18n, chooser.share, name)}
        </button>
    }
    .into_any()
}

/// File input with an area to drop a file on. It offers all files, since phones do not know endings
/// such as `.zwo` and would hide such files behind a filter; the content decides.
#[component]
fn FileDrop() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let hovered = RwSignal::new(false);
    let input = NodeRef::<html::Input>::new();
    let share = move |file: Option<File>| {
        if let Some(file) = file {
            intents.share_file(file);
        }
    };
    let chosen = move |_| {
        if let Some(input) = input.get_untracked() {
            share(input.files().and_then(|files| files.get(0)));
            // Otherwise choosing the same file again would not fire an event.
            input.set_value("");
        }
    };
    let dropped = move |ev: DragEvent| {
        ev.prevent_default();
        hovered.set(false);
        share(
            ev.data_transfer()
                .and_then(|data| data.files())
                .and_then(|files| files.get(0)),
        );
    };
    view! {
        <div
            class="drop"
            data-hovered=move || hovered.get().then_some("true")
            on:dragover=move |ev: DragEvent| {
                ev.prevent_default();
                hovered.set(true);
            }
            on:dragleave=move |_| hovered.set(false)
            on:drop=dropped
        >
            <label for="workout-file">{t!(i18n, chooser.file)}</label>
            <input
                id="workout-file"
                type="file"
                node_ref=input
                aria-describedby="workout-file-hint workout-file-error"
                on:change=chosen
            />
            <p class="hint" id="workout-file-hint">{t!(i18n, chooser.file_hint)}</p>
            {move || {
                state.workout_error.get().map(|error| {
                    view! {
                        <p class="error" role="alert" id="workout-file-error">
                            {labels::workout_file_error(i18n, error)}
                        </p>
                    }
                })
            }}
        </div>
    }
    .into_any()
}
