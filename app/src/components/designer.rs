//! The designer: a workout is made of blocks, and saved in the browser with every change.

mod blocks;
mod fields;
mod picture;
mod share;

use std::sync::Arc;

use leptos::{ev::KeyboardEvent, prelude::*};
use ride::workout::{
    Workout, WorkoutError,
    design::{Design, Edit, NewBlock},
};

use super::{error_text, labels, workout_list::WorkoutHead};
use crate::{browser::page, i18n::*, own_workouts::OwnWorkouts};
use blocks::Blocks;
use fields::DesignField;
use picture::Picture;
use share::ShareButton;

/// The design of this page, and where it is saved.
#[derive(Clone, Copy)]
struct Designer {
    own: OwnWorkouts,
    design: RwSignal<Design>,
    /// Number of the workout, once it was saved.
    id: RwSignal<Option<u64>>,
    /// Step that is marked in the picture.
    selected: RwSignal<Option<Selected>>,
}

/// One of the repetitions of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Selected {
    block: u32,
    round: u16,
    step: usize,
}

impl Designer {
    fn edit(self, edit: Edit) {
        self.design.update(|design| design.edit(edit));
        self.save();
    }

    /// Changes the design while something is dragged. It is saved once it is let go.
    fn drag(self, edit: Edit) {
        self.design.update(|design| design.drag(edit));
    }

    fn finish_drag(self) {
        self.design.update(Design::finish_drag);
        self.save();
    }

    fn undo(self) {
        self.design.update(Design::undo);
        self.save();
    }

    fn redo(self) {
        self.design.update(Design::redo);
        self.save();
    }

    /// Saves a design that is a workout. One without blocks is saved again when it has some.
    fn save(self) {
        let Ok(workout) = self.design.with_untracked(Design::workout) else {
            return;
        };
        match self.id.get_untracked() {
            Some(id) => self.own.replace(id, workout),
            None => {
                if let Ok(id) = self.own.keep_new(workout) {
                    self.id.set(Some(id));
                    page::replace_path(&format!("/workouts/{id}"));
                }
            }
        }
    }
}

/// The content of the page. `address` is the number of an own workout, or `new`.
#[component]
pub fn DesignerPage(address: String) -> impl IntoView {
    let i18n = use_i18n();
    let own = OwnWorkouts::load();
    let id = address.parse::<u64>().ok();
    let designer = Designer {
        own,
        design: RwSignal::new(Design::default()),
        id: RwSignal::new(None),
        selected: RwSignal::new(None),
    };
    let is_missing = RwSignal::new(false);
    // The design is made of what was stored, once.
    Effect::new(move |opened: Option<bool>| {
        if opened == Some(true) || !own.is_loaded.get() {
            return opened.unwrap_or_default();
        }
        if let Some(id) = id {
            let stored = own.collection.with_untracked(|collection| {
                let entry = collection.get(id);
                entry.map(|entry| Design::of(&entry.workout))
            });
            match stored {
                Some(design) => {
                    designer.design.set(design);
                    designer.id.set(Some(id));
                }
                None => is_missing.set(true),
            }
        }
        true
    });
    let content = move || match (own.is_loaded.get(), is_missing.get()) {
        (false, _) => {
            view! { <p class="hint" role="status">{t!(i18n, part.loading)}</p> }.into_any()
        }
        (true, true) => {
            view! { <p class="error" role="alert">{t!(i18n, designer.missing)}</p> }.into_any()
        }
        (true, false) => view! { <Editor designer/> }.into_any(),
    };
    view! {
        <section class="designer">
            <h1>{t!(i18n, designer.heading)}</h1>
            {content}
            <p class="actions">
                <a class="button" href="/workouts">{t!(i18n, workouts.link)}</a>
            </p>
        </section>
    }
    .into_any()
}

#[component]
fn Editor(designer: Designer) -> impl IntoView {
    let i18n = use_i18n();
    let name = Memo::new(move |_| designer.design.read().plan().name.clone());
    let description = Memo::new(move |_| designer.design.read().plan().description.clone());
    let shortcut = move |ev: KeyboardEvent| {
        if (ev.ctrl_key() || ev.meta_key()) && ev.key().eq_ignore_ascii_case("z") {
            ev.prevent_default();
            if ev.shift_key() {
                designer.redo();
            } else {
                designer.undo();
            }
        }
    };
    view! {
        <div class="designer-editor" on:keydown=shortcut>
            <DesignField
                id=String::from("design-name")
                label=Signal::derive(move || t_string!(i18n, designer.name))
                value=name
                on_change=Callback::new(move |text| designer.edit(Edit::Name(text)))
            />
            <DesignField
                id=String::from("design-description")
                label=Signal::derive(move || t_string!(i18n, designer.description))
                value=description
                on_change=Callback::new(move |text| designer.edit(Edit::Description(text)))
            />
            <Preview designer/>
            <div class="actions">
                <button
                    type="button"
                    class="button"
                    disabled=move || !designer.design.read().can_undo()
                    on:click=move |_| designer.undo()
                >
                    {t!(i18n, designer.undo)}
                </button>
                <button
                    type="button"
                    class="button"
                    disabled=move || !designer.design.read().can_redo()
                    on:click=move |_| designer.redo()
                >
                    {t!(i18n, designer.redo)}
                </button>
                <ShareButton designer/>
            </div>
            <SaveState designer/>
            <AddButtons designer/>
            <Blocks designer/>
        </div>
    }
    .into_any()
}

/// Figures and picture of the workout as it is now.
#[component]
fn Preview(designer: Designer) -> impl IntoView {
    let i18n = use_i18n();
    let workout = Memo::new(move |_| designer.design.read().workout().map(Arc::new));
    let is_workout = Memo::new(move |_| workout.read().is_ok());
    let head = move || {
        let workout = workout.get().ok();
        workout.map(|workout: Arc<Workout>| view! { <WorkoutHead workout/> })
    };
    let problem = move || match workout.get() {
        Ok(_) => ().into_any(),
        Err(WorkoutError::NoIntervals) => {
            view! { <p class="hint">{t!(i18n, designer.empty)}</p> }.into_any()
        }
        Err(error) => view! {
            <p class="error" role="alert">{error_text::workout(i18n, error)}</p>
        }
        .into_any(),
    };
    view! {
        // Hidden, not removed: what is dragged beyond a limit comes back.
        <div class="designer-preview" hidden=move || !is_workout.get()>
            <h2 class="visually-hidden">{t!(i18n, designer.preview)}</h2>
            {head}
            <Picture designer workout/>
        </div>
        {problem}
    }
    .into_any()
}

#[component]
fn AddButtons(designer: Designer) -> impl IntoView {
    let i18n = use_i18n();
    let buttons = NewBlock::ALL.into_iter().map(|block| {
        view! {
            <button
                type="button"
                class="button"
                on:click=move |_| designer.edit(Edit::Add(block))
            >
                {move || labels::new_block(i18n, block)}
            </button>
        }
    });
    let buttons = buttons.collect_view();
    view! {
        <div class="actions" role="group" aria-label=move || t_string!(i18n, designer.add)>
            {buttons}
        </div>
    }
    .into_any()
}

/// Tells whether the design is saved.
#[component]
fn SaveState(designer: Designer) -> impl IntoView {
    let i18n = use_i18n();
    // A design beyond a limit, which the preview explains, is not saved as it is now.
    let is_workout = Memo::new(move |_| designer.design.read().workout().is_ok());
    let state = move || {
        if designer.own.is_full.get() {
            view! { <p class="error" role="alert">{t!(i18n, workouts.full)}</p> }.into_any()
        } else if designer.own.is_failing.get() {
            view! { <p class="error" role="alert">{t!(i18n, workouts.not_stored)}</p> }.into_any()
        } else if !is_workout.get() && designer.id.get().is_some() {
            view! { <p class="hint">{t!(i18n, designer.not_saved)}</p> }.into_any()
        } else if designer.id.get().is_some() {
            view! { <p class="hint">{t!(i18n, designer.saved)}</p> }.into_any()
        } else {
            ().into_any()
        }
    };
    view! { <div role="status">{state}</div> }.into_any()
}
