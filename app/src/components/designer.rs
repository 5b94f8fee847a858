//! The designer: a workout is made of blocks, and saved in the browser with every change.

use std::sync::Arc;

use leptos::{ev::KeyboardEvent, html, prelude::*};
use ride::workout::{
    Target, Workout, WorkoutError,
    design::{Design, Edit, NewBlock, Step, StepChange, is_ramp},
};

use super::{
    error_text,
    format::{duration, parse_duration, percent},
    labels,
    profile::Profile,
    workout_list::WorkoutHead,
};
use crate::{browser::page, i18n::*, own_workouts::OwnWorkouts};

/// The design of this page, and where it is saved.
#[derive(Clone, Copy)]
struct Designer {
    own: OwnWorkouts,
    design: RwSignal<Design>,
    /// Number of the workout, once it was saved.
    id: RwSignal<Option<u64>>,
}

impl Designer {
    fn edit(self, edit: Edit) {
        self.design.update(|design| {
            design.edit(edit);
            // Fields report their whole change at once.
            design.finish_edit();
        });
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
    let blocks = Memo::new(move |_| {
        let design = designer.design.read();
        let ids = design.plan().blocks.iter().map(|block| block.id);
        ids.collect::<Vec<u32>>()
    });
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
            </div>
            <AddButtons designer/>
            <ol class="designer-blocks" aria-label=move || t_string!(i18n, designer.blocks)>
                <For
                    each=move || blocks.get()
                    key=|id| *id
                    children=move |id| view! { <BlockCard designer id/> }
                />
            </ol>
            <SaveState designer/>
        </div>
    }
    .into_any()
}

/// Figures and picture of the workout as it is now.
#[component]
fn Preview(designer: Designer) -> impl IntoView {
    let i18n = use_i18n();
    let workout = Memo::new(move |_| designer.design.read().workout().map(Arc::new));
    move || match workout.get() {
        Ok(workout) => {
            let workout: Arc<Workout> = workout;
            view! {
                <div class="designer-preview">
                    <h2 class="visually-hidden">{t!(i18n, designer.preview)}</h2>
                    <WorkoutHead workout=workout.clone()/>
                    <Profile workout id=String::from("design-profile")/>
                </div>
            }
            .into_any()
        }
        Err(WorkoutError::NoIntervals) => {
            view! { <p class="hint">{t!(i18n, designer.empty)}</p> }.into_any()
        }
        Err(error) => view! {
            <p class="error" role="alert">{error_text::workout(i18n, error)}</p>
        }
        .into_any(),
    }
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

#[component]
fn BlockCard(designer: Designer, id: u32) -> impl IntoView {
    let i18n = use_i18n();
    let block = Memo::new(move |_| {
        let design = designer.design.read();
        let mut blocks = design.plan().blocks.iter();
        blocks.find(|block| block.id == id).cloned()
    });
    let position = Memo::new(move |_| {
        let design = designer.design.read();
        let blocks = &design.plan().blocks;
        let at = blocks.iter().position(|block| block.id == id);
        (at.unwrap_or_default(), blocks.len())
    });
    let is_last = Memo::new(move |_| {
        let (at, count) = position.get();
        at + 1 == count
    });
    let times = Memo::new(move |_| block.read().as_ref().map_or(1, |block| block.times));
    // The number of steps of a block does not change.
    let steps = block.with_untracked(|block| block.as_ref().map_or(0, |block| block.steps.len()));
    let (earlier, later) = (
        NodeRef::<html::Button>::new(),
        NodeRef::<html::Button>::new(),
    );
    let go = move |by: isize, buttons: [NodeRef<html::Button>; 2]| {
        let to = position.get_untracked().0.saturating_add_signed(by);
        designer.edit(Edit::Move(id, to));
        // The list has moved the button, or it is disabled at the end of the list: either takes
        // the focus away from it.
        request_animation_frame(move || {
            let buttons = buttons
                .into_iter()
                .filter_map(|button| button.get_untracked());
            let mut enabled = buttons.filter(|button| !button.disabled());
            if let Some(button) = enabled.next() {
                // Fails only for an element outside the document.
                let _ = button.focus();
            }
        });
    };
    let set_times = move |text: String| {
        if let Ok(times) = text.trim().parse() {
            designer.edit(Edit::Times(id, times));
        }
    };
    let times_id = format!("times-{id}");
    let repeats = (steps > 1).then(|| {
        view! {
            <div class="field" data-kind="watts">
                <label for=times_id.clone()>{t!(i18n, designer.times)}</label>
                <input
                    id=times_id
                    type="number"
                    min="1"
                    max="100"
                    inputmode="numeric"
                    prop:value=move || times.get().to_string()
                    on:change=move |ev| set_times(event_target_value(&ev))
                />
            </div>
        }
    });
    let fields = (0..steps)
        .map(|index| view! { <StepFields designer id index/> })
        .collect_view();
    view! {
        <li class="designer-block">
            {repeats}
            {fields}
            <div class="actions">
                <button
                    type="button"
                    class="button"
                    node_ref=earlier
                    disabled=move || position.get().0 == 0
                    on:click=move |_| go(-1, [earlier, later])
                >
                    {t!(i18n, designer.earlier)}
                </button>
                <button
                    type="button"
                    class="button"
                    node_ref=later
                    disabled=move || is_last.get()
                    on:click=move |_| go(1, [later, earlier])
                >
                    {t!(i18n, designer.later)}
                </button>
                <button
                    type="button"
                    class="button"
                    on:click=move |_| designer.edit(Edit::Duplicate(id))
                >
                    {t!(i18n, designer.duplicate)}
                </button>
                <button
                    type="button"
                    class="button"
                    on:click=move |_| designer.edit(Edit::Remove(id))
                >
                    {t!(i18n, workouts.delete)}
                </button>
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn StepFields(designer: Designer, id: u32, index: usize) -> impl IntoView {
    let i18n = use_i18n();
    let step = Memo::new(move |_| {
        let design = designer.design.read();
        let mut blocks = design.plan().blocks.iter();
        let block = blocks.find(|block| block.id == id);
        block.and_then(|block| block.steps.get(index)).cloned()
    });
    let Some(first) = step.get_untracked() else {
        return ().into_any();
    };
    let kind = first.interval.kind;
    let change = move |change: StepChange| designer.edit(Edit::Step(id, index, change));
    let value = move |read: fn(&Step) -> String| {
        Signal::derive(move || step.read().as_ref().map(read).unwrap_or_default())
    };
    let set_duration = move |text: String| {
        if let Some(duration) = parse_duration(&text) {
            change(StepChange::Duration(duration));
        }
    };
    let set_power = move |text: String, of: fn(f32) -> StepChange| {
        if let Ok(percent) = text.trim().replace(',', ".").parse::<f32>() {
            change(of(percent / 100.0));
        }
    };
    let set_cadence = move |text: String| {
        let text = text.trim();
        match text.parse() {
            Ok(cadence) => change(StepChange::Cadence(Some(cadence))),
            Err(_) if text.is_empty() => change(StepChange::Cadence(None)),
            Err(_) => {}
        }
    };
    let has_power = matches!(first.interval.target, Target::Power { .. });
    let power = has_power.then(|| {
        let end = is_ramp(kind).then(|| {
            view! {
                <DesignField
                    id=format!("to-{id}-{index}")
                    label=Signal::derive(move || t_string!(i18n, designer.power_end))
                    value=value(|step| power_text(step, 1.0))
                    on_change=Callback::new(move |text| set_power(text, StepChange::To))
                />
            }
        });
        let label = move || match is_ramp(kind) {
            true => t_string!(i18n, designer.power_start),
            false => t_string!(i18n, designer.power),
        };
        view! {
            <DesignField
                id=format!("from-{id}-{index}")
                label=Signal::derive(label)
                value=value(|step| power_text(step, 0.0))
                on_change=Callback::new(move |text| set_power(text, StepChange::From))
            />
            {end}
        }
    });
    view! {
        <fieldset class="designer-step">
            <legend>{move || labels::kind(i18n, kind)}</legend>
            <DesignField
                id=format!("duration-{id}-{index}")
                label=Signal::derive(move || t_string!(i18n, designer.duration))
                value=value(|step| duration(step.interval.duration))
                on_change=Callback::new(set_duration)
            />
            {power}
            <DesignField
                id=format!("cadence-{id}-{index}")
                label=Signal::derive(move || t_string!(i18n, designer.cadence))
                value=value(|step| {
                    let cadence = step.interval.cadence;
                    cadence.map(|rpm| rpm.to_string()).unwrap_or_default()
                })
                on_change=Callback::new(set_cadence)
            />
            <DesignField
                id=format!("cue-{id}-{index}")
                label=Signal::derive(move || t_string!(i18n, designer.cue))
                value=value(|step| {
                    let mut cues = step.cues.iter();
                    let first = cues.find(|cue| cue.at.is_zero());
                    first.map(|cue| cue.text.clone()).unwrap_or_default()
                })
                on_change=Callback::new(move |text| change(StepChange::Cue(text)))
            />
        </fieldset>
    }
    .into_any()
}

/// Power of a step at a share of it, in whole percent of FTP.
fn power_text(step: &Step, share: f32) -> String {
    let power = step.interval.target.at(share);
    power
        .map(|power| percent(power).to_string())
        .unwrap_or_default()
}

/// Field of the design. A value that cannot be read is replaced by the one of before.
#[component]
fn DesignField(
    id: String,
    label: Signal<&'static str>,
    #[prop(into)] value: Signal<String>,
    on_change: Callback<String>,
) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let changed = move |ev| {
        on_change.run(event_target_value(&ev));
        if let Some(input) = input.get_untracked() {
            input.set_value(&value.get_untracked());
        }
    };
    view! {
        <div class="field">
            <label for=id.clone()>{move || label.get()}</label>
            <input
                id=id
                autocomplete="off"
                node_ref=input
                prop:value=move || value.get()
                on:change=changed
            />
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
