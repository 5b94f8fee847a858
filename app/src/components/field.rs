//! A field of a form: label, input, hint, and what is wrong with it.

use leptos::prelude::*;

use super::{
    hydrated::use_waiting,
    words::{self, Fault},
};
use crate::i18n::*;

/// What somebody types into a field.
///
/// What is shown and what was typed are kept apart: a number field reports
/// half a number ("1e") as nothing, and writing that back would erase it.
#[derive(Clone, Copy)]
pub struct Entry {
    shown: RwSignal<String>,
    typed: RwSignal<String>,
    fault: RwSignal<Option<Fault>>,
}

impl Entry {
    /// A field with this text in it.
    pub fn new(text: &str) -> Self {
        Self {
            shown: RwSignal::new(text.to_owned()),
            typed: RwSignal::new(text.to_owned()),
            fault: RwSignal::new(None),
        }
    }

    /// Puts a text in.
    pub fn fill(self, text: &str) {
        self.shown.set(text.to_owned());
        self.typed.set(text.to_owned());
    }

    /// What stands in the field.
    pub fn text(self) -> String {
        self.typed.get_untracked()
    }

    /// The text as a value; a fault is said beside the field.
    pub fn read<T>(self, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        let parsed = parse(&self.text());
        self.fault.set(parsed.as_ref().err().copied());
        parsed.ok()
    }

    fn type_in(self, text: String) {
        self.typed.set(text);
        self.fault.set(None);
    }
}

/// What kind of text a field takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A rider's name.
    Name,
    /// A number of watts, 50 to 600.
    Watts,
    /// A session code.
    Code,
}

/// A labelled input.
#[component]
pub fn Field(
    /// Unique on the page.
    id: &'static str,
    takes: Takes,
    entry: Entry,
    #[prop(into)] label: Signal<&'static str>,
    /// A line under the input, or the unit beside a number.
    #[prop(into)]
    hint: Signal<&'static str>,
    /// Called when the rider has finished a change.
    #[prop(optional, into)]
    on_change: Option<Callback<()>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let waiting = use_waiting();
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || match entry.fault.get() {
            Some(_) => format!("{error_id} {hint_id}"),
            None => hint_id.clone(),
        }
    };
    let watts = takes == Takes::Watts;
    view! {
        <div class="field" data-takes=if watts { "watts" } else { "text" }>
            <label for=id>{move || label.get()}</label>
            <input
                id=id
                name=id
                type=if watts { "number" } else { "text" }
                inputmode=watts.then_some("numeric")
                min=watts.then_some("50")
                max=watts.then_some("600")
                step=watts.then_some("1")
                autocomplete=if takes == Takes::Name { "nickname" } else { "off" }
                autocapitalize=(takes == Takes::Code).then_some("none")
                spellcheck="false"
                value=entry.shown.get_untracked()
                prop:value=move || entry.shown.get()
                disabled=waiting
                aria-describedby=described
                aria-invalid=move || entry.fault.get().map(|_| "true")
                on:input=move |ev| entry.type_in(event_target_value(&ev))
                on:change=move |_| {
                    if let Some(on_change) = on_change {
                        on_change.run(());
                    }
                }
            />
            <p class="hint" id=hint_id>{move || hint.get()}</p>
            {move || {
                let error_id = error_id.clone();
                entry.fault.get().map(|fault| {
                    view! { <p class="error" role="alert" id=error_id>{words::fault(i18n, fault)}</p> }
                })
            }}
        </div>
    }
    .into_any()
}
