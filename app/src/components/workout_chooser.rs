//! The host's dialog to share a workout of a file, an own one or a built-in one.

use std::sync::Arc;

use leptos::{prelude::*, web_sys::File};

use super::{
    dialog::Dialog,
    error_text,
    file_drop::FileDrop,
    labels,
    profile::Profile,
    workout_list::{ListedWorkout, WorkoutHead, WorkoutList},
};
use crate::{
    i18n::*,
    own_workouts::OwnWorkouts,
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
            <WorkoutFile/>
            <FileOffer/>
            // In a tab of its own: the ride goes on in this one.
            <p><a class="button" href="/workouts/new" target="_blank">{t!(i18n, chooser.design)}</a></p>
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
pub fn FileOffer() -> impl IntoView {
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

/// Input for a workout file, with the reason why the last one was not used.
#[component]
fn WorkoutFile() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let share = move |files: Vec<File>| {
        if let Some(file) = files.into_iter().next() {
            intents.share_file(file);
        }
    };
    view! {
        <FileDrop
            id="workout-file"
            label=Signal::derive(move || t_string!(i18n, chooser.file))
            hint=Signal::derive(move || t_string!(i18n, chooser.file_hint))
            described_by="workout-file-error"
            on_files=Callback::new(share)
        >
            {move || {
                state.workout_error.get().map(|error| {
                    view! {
                        <p class="error" role="alert" id="workout-file-error">
                            {labels::workout_file_error(i18n, error)}
                        </p>
                    }
                })
            }}
        </FileDrop>
    }
    .into_any()
}
