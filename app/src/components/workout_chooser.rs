//! The host's dialog to share a built-in workout or a workout file.

use std::sync::Arc;

use leptos::{ev::DragEvent, html, prelude::*, web_sys::File};
use ride::{library, workout::Workout};

use super::{dialog::Dialog, format, labels, profile::Profile};
use crate::{
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
            <ul class="library" role="list" aria-label=move || t_string!(i18n, chooser.library)>
                {library::all()
                    .into_iter()
                    .enumerate()
                    .map(|(index, workout)| view! { <LibraryCard workout=Arc::new(workout) index/> })
                    .collect_view()}
            </ul>
        </Dialog>
    }
    .into_any()
}

#[component]
fn LibraryCard(workout: Arc<Workout>, index: usize) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let name = workout.name().to_owned();
    let choose = {
        let workout = workout.clone();
        move |_| intents.send(Intent::ShareWorkout(workout.clone()))
    };
    view! {
        <li class="library-card">
            <div class="section-head">
                <h3>{name.clone()}</h3>
                <p class="workout-duration" translate="no">{format::duration(workout.duration())}</p>
            </div>
            <Profile workout=workout.clone() id=format!("library-{index}")/>
            <p class="hint">{workout.description().to_owned()}</p>
            <button type="button" class="button" on:click=choose>
                {t!(i18n, chooser.share, name)}
            </button>
        </li>
    }
    .into_any()
}

/// File input with an area to drop a file on. It offers all files, since phones do not know the
/// ending `.zwo` and would hide such files behind a filter; the content decides.
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
