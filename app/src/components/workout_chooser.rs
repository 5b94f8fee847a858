//! The host's dialog to share a built-in workout or a workout file.

use std::sync::Arc;

use leptos::{ev::DragEvent, html, prelude::*, web_sys::File};
use ride::{
    analysis::PlannedLoad,
    library::{self, BuiltIn, Focus},
    workout::Workout,
};

use super::{dialog::Dialog, error_text, format, labels, profile::Profile};
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
            <FileOffer/>
            // Dozens of pictures that would otherwise stay on the page during the ride.
            <Show when=move || open.get()>
                <Library/>
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

/// Name, duration and training load of a workout.
#[component]
fn WorkoutHead(workout: Arc<Workout>) -> impl IntoView {
    let i18n = use_i18n();
    // A test is ridden until its rider cannot go on, so it has no planned load.
    let load = workout.ftp_test().is_none().then(|| {
        let load = PlannedLoad::of(&workout);
        let intensity = format!("{:.2}", load.intensity_factor);
        let stress = format!("{:.0}", load.stress_score);
        t!(i18n, chooser.load, intensity, stress)
    });
    view! {
        <div class="section-head">
            <h3>{workout.name().to_owned()}</h3>
            <p class="workout-duration" translate="no">{format::duration(workout.duration())}</p>
        </div>
        <p class="workout-load" translate="no">{load}</p>
    }
    .into_any()
}

/// What the rider is looking for.
#[derive(Clone, Debug, Default, PartialEq)]
struct Filter {
    text: String,
    focus: Option<Focus>,
    /// Bounds of the duration in minutes.
    minutes: Option<(u64, u64)>,
}

impl Filter {
    fn matches(&self, built_in: &BuiltIn) -> bool {
        let workout = &built_in.workout;
        let text = self.text.trim().to_lowercase();
        let has_text = |of: &str| of.to_lowercase().contains(&text);
        let minutes = workout.duration().as_secs().div_ceil(60);
        (has_text(workout.name()) || has_text(workout.description()))
            && self.focus.is_none_or(|focus| focus == built_in.focus)
            && self
                .minutes
                .is_none_or(|(from, to)| from < minutes && minutes <= to)
    }
}

/// Ranges of durations to choose from, in minutes.
const DURATIONS: [(u64, u64); 4] = [(0, 30), (30, 60), (60, 90), (90, u64::MAX)];

/// The built-in workouts, with a search and filters.
#[component]
fn Library() -> impl IntoView {
    let i18n = use_i18n();
    let filter = RwSignal::new(Filter::default());
    let all: Vec<(usize, BuiltIn)> = library::all().into_iter().enumerate().collect();
    let all = StoredValue::new(all);
    let found = Memo::new(move |_| {
        let is_found = |(_, built_in): &&(usize, BuiltIn)| filter.read().matches(built_in);
        all.with_value(|all| {
            all.iter()
                .filter(is_found)
                .map(|(index, _)| *index)
                .collect::<Vec<_>>()
        })
    });
    let cards = move || {
        let card = |index: usize| {
            let built_in = all.with_value(|all| all[index].1.clone());
            view! { <LibraryCard built_in index/> }
        };
        found.get().into_iter().map(card).collect_view()
    };
    let count = move || found.read().len();
    let focuses = Focus::ALL.into_iter().enumerate();
    let focuses = focuses
        .map(|(index, focus)| {
            let name = move || labels::focus(i18n, focus);
            view! { <option value=index.to_string()>{name}</option> }
        })
        .collect_view();
    let durations = DURATIONS.into_iter().enumerate();
    let durations = durations
        .map(|(index, (from, to))| {
            let name = move || match to {
                u64::MAX => t!(i18n, chooser.more_than, minutes = from).into_any(),
                to => t!(i18n, chooser.between, from, to).into_any(),
            };
            view! { <option value=index.to_string()>{name}</option> }
        })
        .collect_view();
    let chosen = |value: String| value.parse::<usize>().ok();
    view! {
        <div class="library-filter" role="search">
            <div class="field">
                <label for="library-search">{t!(i18n, chooser.search)}</label>
                <input
                    id="library-search"
                    type="search"
                    autocomplete="off"
                    on:input=move |ev| filter.update(|filter| filter.text = event_target_value(&ev))
                />
            </div>
            <div class="field">
                <label for="library-focus">{t!(i18n, chooser.kind)}</label>
                <select
                    id="library-focus"
                    on:change=move |ev| {
                        let focus = chosen(event_target_value(&ev));
                        filter.update(|filter| {
                            filter.focus = focus.and_then(|at| Focus::ALL.get(at).copied());
                        });
                    }
                >
                    <option value="">{t!(i18n, chooser.any_kind)}</option>
                    {focuses}
                </select>
            </div>
            <div class="field">
                <label for="library-duration">{t!(i18n, chooser.duration)}</label>
                <select
                    id="library-duration"
                    on:change=move |ev| {
                        let range = chosen(event_target_value(&ev));
                        filter.update(|filter| {
                            filter.minutes = range.and_then(|at| DURATIONS.get(at).copied());
                        });
                    }
                >
                    <option value="">{t!(i18n, chooser.any_duration)}</option>
                    {durations}
                </select>
            </div>
            <p class="hint" role="status">
                {move || match count() {
                    0 => t!(i18n, chooser.none_found).into_any(),
                    _ => t!(i18n, chooser.found, count = move || found.read().len()).into_any(),
                }}
            </p>
        </div>
        <ul class="library" role="list" aria-label=move || t_string!(i18n, chooser.library)>
            {cards}
        </ul>
    }
    .into_any()
}

#[component]
fn LibraryCard(built_in: BuiltIn, index: usize) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let workout = Arc::new(built_in.workout);
    let name = workout.name().to_owned();
    let choose = {
        let workout = workout.clone();
        move |_| intents.send(Intent::ShareWorkout(workout.clone()))
    };
    view! {
        <li class="library-card">
            <WorkoutHead workout=workout.clone()/>
            <Profile workout=workout.clone() id=format!("library-{index}")/>
            <p class="hint">
                <strong>{move || labels::focus(i18n, built_in.focus)}</strong>
                ". "
                {workout.description().to_owned()}
            </p>
            <button type="button" class="button" on:click=choose>
                {t!(i18n, chooser.share, name)}
            </button>
        </li>
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
