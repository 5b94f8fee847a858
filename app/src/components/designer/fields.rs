//! Fields for the values of a design.

use leptos::{html, prelude::*};
use ride::workout::{
    Cue, IntervalKind, Target,
    design::{Edit, Step, StepChange},
};

use super::{Designer, Selected};
use crate::{
    components::{
        format::{duration, parse_duration, percent},
        labels,
    },
    i18n::*,
};

/// Fields of a step of a block.
#[component]
pub fn StepFields(designer: Designer, id: u32, index: usize) -> impl IntoView {
    let i18n = use_i18n();
    let step = Memo::new(move |_| {
        let design = designer.design.read();
        let mut blocks = design.plan().blocks.iter();
        let block = blocks.find(|block| block.id == id);
        block.and_then(|block| block.steps.get(index)).cloned()
    });
    let kind = move || {
        let step = step.read();
        step.as_ref()
            .map_or(IntervalKind::Steady, |step| step.interval.kind)
    };
    let legend = move || {
        let step = step.read();
        step.as_ref()
            .map(|step| labels::interval(i18n, &step.interval))
    };
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
    // The kind decides which fields there are.
    let shape = Memo::new(move |_| {
        let step = step.read();
        let step = step.as_ref();
        step.map(|step| {
            (
                matches!(step.interval.target, Target::Power { .. }),
                step.is_ramp(),
            )
        })
    });
    let power = move || match shape.get() {
        Some((true, true)) => view! {
            <DesignField
                id=format!("from-{id}-{index}")
                label=Signal::derive(move || t_string!(i18n, designer.power_start))
                value=value(|step| power_text(step, 0.0))
                on_change=Callback::new(move |text| set_power(text, StepChange::From))
            />
            <DesignField
                id=format!("to-{id}-{index}")
                label=Signal::derive(move || t_string!(i18n, designer.power_end))
                value=value(|step| power_text(step, 1.0))
                on_change=Callback::new(move |text| set_power(text, StepChange::To))
            />
        }
        .into_any(),
        Some((true, false)) => view! {
            <DesignField
                id=format!("from-{id}-{index}")
                label=Signal::derive(move || t_string!(i18n, designer.power))
                value=value(|step| power_text(step, 0.0))
                on_change=Callback::new(move |text| set_power(text, StepChange::From))
            />
        }
        .into_any(),
        _ => ().into_any(),
    };
    let this = move |selected: Selected| (selected.block, selected.step) == (id, index);
    let is_selected = move || designer.selected.get().is_some_and(this);
    let select = move |_| {
        if !designer.selected.get_untracked().is_some_and(this) {
            designer.selected.set(Some(Selected {
                block: id,
                round: 0,
                step: index,
            }));
        }
    };
    view! {
        <fieldset
            class="designer-step"
            data-selected=move || is_selected().then_some("true")
            on:focusin=select
        >
            <legend>{legend}</legend>
            <div class="designer-fields">
            <KindField
                id=format!("kind-{id}-{index}")
                kind=Signal::derive(kind)
                on_change=Callback::new(move |kind| change(StepChange::Kind(kind)))
            />
            <DesignField
                id=format!("name-{id}-{index}")
                label=Signal::derive(move || t_string!(i18n, designer.interval_name))
                value=value(|step| step.interval.name.clone())
                on_change=Callback::new(move |text| change(StepChange::Name(text)))
            />
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
            </div>
            <LaterCues
                id=format!("{id}-{index}")
                step
                on_change=Callback::new(change)
            />
        </fieldset>
    }
    .into_any()
}

/// Kind of an interval.
#[component]
fn KindField(
    id: String,
    kind: Signal<IntervalKind>,
    on_change: Callback<IntervalKind>,
) -> impl IntoView {
    let i18n = use_i18n();
    let options = IntervalKind::ALL
        .into_iter()
        .enumerate()
        .map(|(index, option)| {
            view! {
                <option value=index.to_string() selected=move || kind.get() == option>
                    {move || labels::kind(i18n, option)}
                </option>
            }
        });
    let options = options.collect_view();
    let changed = move |ev| {
        let index = event_target_value(&ev).parse::<usize>().ok();
        if let Some(kind) = index.and_then(|index| IntervalKind::ALL.get(index)) {
            on_change.run(*kind);
        }
    };
    view! {
        <div class="field">
            <label for=id.clone()>{t!(i18n, designer.kind)}</label>
            <select id=id on:change=changed>{options}</select>
        </div>
    }
    .into_any()
}

/// The cues of a step after its start, with their times.
#[component]
fn LaterCues(
    /// Part of the ids of the fields.
    id: String,
    step: Memo<Option<Step>>,
    on_change: Callback<StepChange>,
) -> impl IntoView {
    let i18n = use_i18n();
    let cues = move || {
        let step = step.read();
        let cues = step.iter().flat_map(|step| step.cues.iter().enumerate());
        let later = cues.filter(|(_, cue)| !cue.at.is_zero());
        later.map(|(index, _)| index).collect::<Vec<usize>>()
    };
    let cue = move |index: usize, read: fn(&Cue) -> String| {
        Signal::derive(move || {
            let step = step.read();
            let cue = step.as_ref().and_then(|step| step.cues.get(index));
            cue.map(read).unwrap_or_default()
        })
    };
    let set_at = move |index, text: String| {
        if let Some(at) = parse_duration(&text) {
            on_change.run(StepChange::CueAt(index, at));
        }
    };
    let row = move |index: usize| {
        view! {
            <li>
                <DesignField
                    id=format!("cue-at-{id}-{index}")
                    label=Signal::derive(move || t_string!(i18n, designer.cue_at))
                    value=cue(index, |cue| duration(cue.at))
                    on_change=Callback::new(move |text| set_at(index, text))
                />
                <DesignField
                    id=format!("cue-text-{id}-{index}")
                    label=Signal::derive(move || t_string!(i18n, designer.cue_text))
                    value=cue(index, |cue| cue.text.clone())
                    on_change=Callback::new(move |text| {
                        on_change.run(StepChange::CueText(index, text));
                    })
                />
                <button
                    type="button"
                    class="button quiet"
                    on:click=move |_| on_change.run(StepChange::RemoveCue(index))
                >
                    {t!(i18n, designer.remove_cue)}
                </button>
            </li>
        }
    };
    view! {
        <div class="designer-cues">
            <ul role="list" aria-label=move || t_string!(i18n, designer.later_cues)>
                <For each=cues key=|index| *index children=row/>
            </ul>
            <button
                type="button"
                class="button quiet"
                on:click=move |_| on_change.run(StepChange::AddCue)
            >
                {t!(i18n, designer.add_cue)}
            </button>
        </div>
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
pub fn DesignField(
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
