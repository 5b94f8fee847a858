//! The page of the rider's workouts: import, search, marks, export.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use ride::{
    formats::{FileError, Format},
    workout::Workout,
};

use super::{
    error_text,
    file_drop::FileDrop,
    planned_today::PlannedToday,
    profile::Profile,
    workout_list::{ListedWorkout, Source, WorkoutHead, WorkoutList},
};
use crate::{
    browser::page,
    i18n::*,
    own_workouts::{
        ImportOutcome, ImportResult, OwnWorkouts,
        link::{self, Linked},
    },
};

/// The content of the page.
#[component]
pub fn WorkoutsPage() -> impl IntoView {
    let i18n = use_i18n();
    let own = OwnWorkouts::load();
    provide_context(own);
    let is_empty = Memo::new(move |_| own.collection.read().entries().is_empty());
    view! {
        <section class="workouts column">
            <div class="section-head">
                <h1>{t!(i18n, workouts.heading)}</h1>
                <div class="actions">
                    <a class="button primary" href="/workouts/new">{t!(i18n, workouts.new)}</a>
                    <button
                        type="button"
                        class="button"
                        disabled=move || is_empty.get()
                        on:click=move |_| own.export_library()
                    >
                        {t!(i18n, workouts.export_library)}
                    </button>
                </div>
            </div>
            <LinkedWorkout own/>
            <PlannedToday own/>
            <FileDrop
                id="workout-files"
                label=Signal::derive(move || t_string!(i18n, workouts.files))
                hint=Signal::derive(move || t_string!(i18n, workouts.files_hint))
                multiple=true
                on_files=Callback::new(move |files| own.import(files))
            />
            <ImportResults own/>
            <Show when=move || own.is_failing.get()>
                <p class="error" role="alert">{t!(i18n, workouts.not_stored)}</p>
            </Show>
            <Show when=move || own.is_full.get()>
                <p class="error" role="alert">{t!(i18n, workouts.full)}</p>
            </Show>
            <Deleted own/>
            <h2 class="visually-hidden">{t!(i18n, workouts.list)}</h2>
            <WorkoutList own actions=manage/>
            <p class="actions">
                <a class="button" href="/">{t!(i18n, common.go_home)}</a>
            </p>
        </section>
    }
    .into_any()
}

/// Workout of the link that was opened: the rider keeps it or not.
#[component]
fn LinkedWorkout(own: OwnWorkouts) -> impl IntoView {
    let i18n = use_i18n();
    let linked = RwSignal::new(None::<Option<Arc<Workout>>>);
    Effect::new(move || {
        spawn_local(async move {
            let found = match link::linked().await {
                Linked::Nothing => return,
                Linked::Workout(workout) => Some(Arc::new(workout)),
                Linked::Unreadable => None,
            };
            let _ = linked.try_set(Some(found));
        });
    });
    let close = move || {
        page::clear_fragment();
        linked.set(None);
    };
    let offer = move || match linked.get()? {
        None => {
            Some(view! { <p class="error">{t!(i18n, workouts.link_unreadable)}</p> }.into_any())
        }
        Some(workout) => {
            let kept = workout.clone();
            let keep = move |_| {
                if own.keep((*kept).clone()).is_ok() {
                    close();
                }
            };
            let view = view! {
                <div class="workout-remarks">
                    <WorkoutHead workout=workout.clone()/>
                    <Profile workout=workout.clone() id=String::from("linked-profile")/>
                    <p class="hint">{workout.description().to_owned()}</p>
                    <div class="actions">
                        <button
                            type="button"
                            class="button primary"
                            disabled=move || !own.is_loaded.get()
                            on:click=keep
                        >
                            {t!(i18n, workouts.keep)}
                        </button>
                        <button type="button" class="button" on:click=move |_| close()>
                            {t!(i18n, workouts.do_not_keep)}
                        </button>
                    </div>
                </div>
            };
            Some(view.into_any())
        }
    };
    view! { <div role="status">{offer}</div> }.into_any()
}

#[component]
fn ImportResults(own: OwnWorkouts) -> impl IntoView {
    let i18n = use_i18n();
    let has_results = Memo::new(move |_| !own.results.read().is_empty());
    view! {
        <div role="status">
            <Show when=move || has_results.get()>
                <ul class="import-results" aria-label=move || t_string!(i18n, workouts.results)>
                    <For
                        each=move || own.results.get()
                        key=|result| result.number
                        children=|result| view! { <ImportLine result/> }
                    />
                </ul>
            </Show>
        </div>
    }
    .into_any()
}

#[component]
fn ImportLine(result: ImportResult) -> impl IntoView {
    let i18n = use_i18n();
    let is_error = !matches!(
        result.outcome,
        ImportOutcome::Added(..) | ImportOutcome::Library(..)
    );
    let outcome = match result.outcome {
        ImportOutcome::Added(name, remarks) => {
            let remarks = remarks.into_iter();
            let remarks =
                remarks.map(|remark| view! { <li>{error_text::remark(i18n, remark)}</li> });
            let remarks = remarks.collect_view();
            view! {
                {t!(i18n, workouts.added, name)}
                <ul>{remarks}</ul>
            }
            .into_any()
        }
        ImportOutcome::Library(added, count) => {
            t!(i18n, workouts.library_added, added, all = count).into_any()
        }
        ImportOutcome::Unreadable => t!(i18n, chooser.unreadable).into_any(),
        ImportOutcome::Invalid(FileError::TooLarge { .. }) => {
            t!(i18n, errors.file.too_large).into_any()
        }
        ImportOutcome::Invalid(error) => error_text::workout_file(i18n, error),
        ImportOutcome::Full => t!(i18n, workouts.full).into_any(),
    };
    view! {
        <li data-result=if is_error { "failed" } else { "added" }>
            <strong translate="no">{result.file}</strong>
            ": "
            {outcome}
        </li>
    }
    .into_any()
}

/// The workout that was deleted last, with the button that restores it.
#[component]
fn Deleted(own: OwnWorkouts) -> impl IntoView {
    let i18n = use_i18n();
    let name = Memo::new(move |_| {
        let collection = own.collection.read();
        collection
            .deleted()
            .map(|workout| workout.name().to_owned())
    });
    let message = move || {
        name.get().map(|name| {
            view! {
                <p>{t!(i18n, workouts.deleted, name)}</p>
                <button type="button" class="button" on:click=move |_| own.restore()>
                    {t!(i18n, workouts.undo)}
                </button>
            }
        })
    };
    view! { <div class="workouts-deleted" role="status">{message}</div> }.into_any()
}

/// What can be done with a workout on this page.
fn manage(listed: ListedWorkout) -> AnyView {
    let own = expect_context::<OwnWorkouts>();
    let name = listed.workout.name().to_owned();
    let marks = match listed.source {
        Source::Own(id) => view! { <Marks own id name/> }.into_any(),
        Source::BuiltIn(..) => view! { <EditCopy own listed=listed.clone()/> }.into_any(),
    };
    view! {
        <div class="workout-actions">
            {marks}
            <CopyLink workout=listed.workout.clone()/>
            <ExportForm listed/>
        </div>
    }
    .into_any()
}

/// Button that opens a copy of a built-in workout in the designer.
#[component]
fn EditCopy(own: OwnWorkouts, listed: ListedWorkout) -> impl IntoView {
    let i18n = use_i18n();
    let navigate = use_navigate();
    let name = listed.workout.name().to_owned();
    let copy = move |_| {
        if let Ok(id) = own.keep_new((*listed.workout).clone()) {
            navigate(&format!("/workouts/{id}"), NavigateOptions::default());
        }
    };
    view! {
        <button
            type="button"
            class="button"
            disabled=move || !own.is_loaded.get()
            on:click=copy
        >
            {t!(i18n, workouts.edit_copy)}
            <span class="visually-hidden">" " {name}</span>
        </button>
    }
    .into_any()
}

#[component]
fn Marks(own: OwnWorkouts, id: u64, name: String) -> impl IntoView {
    let i18n = use_i18n();
    let is_favourite = Memo::new(move |_| {
        let collection = own.collection.read();
        collection.get(id).is_some_and(|entry| entry.is_favourite)
    });
    let tags = Memo::new(move |_| {
        let collection = own.collection.read();
        let entry = collection.get(id);
        entry.map(|entry| entry.tags.join(", ")).unwrap_or_default()
    });
    let field = format!("tags-{id}");
    let (delete_name, favourite_name, edit_name) = (name.clone(), name.clone(), name);
    view! {
        <div class="actions">
            <a class="button" href=format!("/workouts/{id}")>
                {t!(i18n, workouts.edit)}
                <span class="visually-hidden">" " {edit_name}</span>
            </a>
            <button
                type="button"
                class="button"
                aria-pressed=move || is_favourite.get().to_string()
                on:click=move |_| own.set_favourite(id, !is_favourite.get_untracked())
            >
                <span aria-hidden="true">{move || if is_favourite.get() { "★ " } else { "☆ " }}</span>
                {t!(i18n, workouts.favourite)}
                <span class="visually-hidden">" " {favourite_name}</span>
            </button>
            <button
                type="button"
                class="button"
                on:click=move |_| own.delete(id)
            >
                {t!(i18n, workouts.delete)}
                <span class="visually-hidden">" " {delete_name}</span>
            </button>
        </div>
        <div class="field">
            <label for=field.clone()>{t!(i18n, workouts.tags)}</label>
            <input
                id=field
                autocomplete="off"
                prop:value=move || tags.get()
                on:change=move |ev| own.set_tags(id, &event_target_value(&ev))
            />
        </div>
    }
    .into_any()
}

/// Button that copies a link with the workout in it.
#[component]
fn CopyLink(workout: Arc<Workout>) -> impl IntoView {
    let i18n = use_i18n();
    let copied = RwSignal::new(None::<bool>);
    let name = workout.name().to_owned();
    let copy = move |_| {
        let workout = workout.clone();
        spawn_local(async move {
            let is_copied = match link::link_to(&workout).await {
                Some(link) => page::copy(&link).await,
                None => false,
            };
            let _ = copied.try_set(Some(is_copied));
        });
    };
    let message = move || {
        copied.get().map(|is_copied| match is_copied {
            true => t!(i18n, workouts.link_copied).into_any(),
            false => t!(i18n, workouts.link_not_copied).into_any(),
        })
    };
    view! {
        <button type="button" class="button" on:click=copy>
            {t!(i18n, workouts.copy_link)}
            <span class="visually-hidden">" " {name}</span>
        </button>
        <p class="hint" role="status">{message}</p>
    }
    .into_any()
}

#[component]
fn ExportForm(listed: ListedWorkout) -> impl IntoView {
    let i18n = use_i18n();
    let chosen = RwSignal::new(Format::Zwo);
    let options = Format::ALL.into_iter().map(|format| {
        let name = format.extension();
        view! { <option value=name>{format!(".{name}")}</option> }
    });
    let options = options.collect_view();
    let choose = move |value: String| {
        let mut formats = Format::ALL.into_iter();
        if let Some(format) = formats.find(|format| format.extension() == value) {
            chosen.set(format);
        }
    };
    let name = listed.workout.name().to_owned();
    let (label, id) = (name.clone(), format!("format-{}", listed.source.id()));
    view! {
        <div class="export-form">
            <label class="visually-hidden" for=id.clone()>{t!(i18n, workouts.format_name, name = label)}</label>
            <select class="select" id=id.clone() on:change=move |ev| choose(event_target_value(&ev))>
                {options}
            </select>
            <button
                type="button"
                class="button"
                on:click=move |_| OwnWorkouts::export(&listed.workout, chosen.get_untracked())
            >
                {t!(i18n, workouts.export)}
                <span class="visually-hidden">" " {name}</span>
            </button>
        </div>
    }
    .into_any()
}
