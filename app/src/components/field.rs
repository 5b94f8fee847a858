//! A field of a form: label, input, hint and error message.

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use super::hydrated::use_hydrating;
use super::labels::{self, FieldError};
#[cfg(feature = "hydrate")]
use crate::browser::page;
use crate::i18n::*;

/// Content of a field and the error in it.
///
/// The text written into the input and the text read from it are kept apart: a
/// number input reports an incomplete number ("1e") as an empty text, and
/// writing that back would erase the input.
#[derive(Clone, Copy)]
pub struct FieldState {
    written: RwSignal<String>,
    input: RwSignal<String>,
    error: RwSignal<Option<FieldError>>,
    /// True once the rider has typed.
    touched: StoredValue<bool>,
}

impl FieldState {
    /// A field with this text.
    pub fn new(text: &str) -> Self {
        Self {
            written: RwSignal::new(text.to_owned()),
            input: RwSignal::new(text.to_owned()),
            error: RwSignal::new(None),
            touched: StoredValue::new(false),
        }
    }

    /// Replaces the text, unless the rider has typed.
    pub fn fill_untouched(self, text: &str) {
        if !self.touched.get_value() {
            self.written.set(text.to_owned());
            self.input.set(text.to_owned());
        }
    }

    /// Takes over the text that the input has when the page is hydrated: the rider
    /// typed it, or the browser kept it over a reload.
    #[cfg(feature = "hydrate")]
    fn take_over(self, typed: String) {
        if self.written.with_untracked(|written| *written != typed) {
            self.written.set(typed.clone());
            self.type_in(typed);
        }
    }

    /// The current text.
    pub fn text(self) -> String {
        self.input.get_untracked()
    }

    /// Parses the text. An error is shown beside the field.
    pub fn read<T>(self, parse: impl FnOnce(&str) -> Result<T, FieldError>) -> Option<T> {
        let parsed = parse(&self.text());
        self.error.set(parsed.as_ref().err().copied());
        parsed.ok()
    }

    fn type_in(self, text: String) {
        self.touched.set_value(true);
        self.input.set(text);
        self.error.set(None);
    }
}

/// Kind of text that a field takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A rider's name.
    Name,
    /// A number of watts, 50 to 600.
    Watts,
    /// A session code.
    Code,
}

/// A labelled input. It can be used before the page is hydrated, and browsers
/// restore no fields that are disabled.
#[component]
pub fn Field(
    /// Unique on the page.
    id: &'static str,
    kind: FieldKind,
    state: FieldState,
    #[prop(into)] label: Signal<&'static str>,
    /// Text under the input.
    #[prop(into)]
    hint: Signal<&'static str>,
    /// Called after each finished change.
    #[prop(optional, into)]
    on_change: Option<Callback<()>>,
) -> impl IntoView {
    let i18n = use_i18n();
    #[cfg(feature = "hydrate")]
    if use_hydrating().get_untracked()
        && let Some(typed) = page::input_value(id)
    {
        state.take_over(typed);
    }
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = {
        let (hint_id, error_id) = (hint_id.clone(), error_id.clone());
        move || match state.error.get() {
            Some(_) => format!("{error_id} {hint_id}"),
            None => hint_id.clone(),
        }
    };
    let watts = kind == FieldKind::Watts;
    view! {
        <div class="field" data-kind=if watts { "watts" } else { "text" }>
            <label for=id>{move || label.get()}</label>
            <input
                id=id
                name=id
                type=if watts { "number" } else { "text" }
                inputmode=watts.then_some("numeric")
                min=watts.then_some("50")
                max=watts.then_some("600")
                step=watts.then_some("1")
                // Browsers do not keep the text of a field over a reload if this is "off".
                autocomplete=if kind == FieldKind::Name { "nickname" } else { "on" }
                autocapitalize=(kind == FieldKind::Code).then_some("none")
                spellcheck="false"
                value=state.written.get_untracked()
                prop:value=move || state.written.get()
                aria-describedby=described
                aria-invalid=move || state.error.get().map(|_| "true")
                on:input=move |ev| state.type_in(event_target_value(&ev))
                on:change=move |_| {
                    if let Some(on_change) = on_change {
                        on_change.run(());
                    }
                }
            />
            <p class="hint" id=hint_id>{move || hint.get()}</p>
            {move || {
                let error_id = error_id.clone();
                state.error.get().map(|error| {
                    view! { <p class="error" role="alert" id=error_id>{labels::field_error(i18n, error)}</p> }
                })
            }}
        </div>
    }
    .into_any()
}
