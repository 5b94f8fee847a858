//! Small drawings: the brand, start numbers and link icons. They are decoration
//! and hidden from screen readers; texts beside them say the same.

use leptos::prelude::*;
use protocol::{peer::LinkState, text::clusters};

/// Logo: three riders in a line, and the name.
#[component]
pub fn Brand() -> impl IntoView {
    view! {
        <svg class="brand-icon" viewBox="0 0 48 32" aria-hidden="true">
            <g class="brand-rider" data-jersey="red"><circle cx="10" cy="20" r="9"/></g>
            <g class="brand-rider" data-jersey="green"><circle cx="23" cy="17" r="9"/></g>
            <g class="brand-rider" data-jersey="yellow"><circle cx="37" cy="13" r="9"/></g>
        </svg>
        <span class="brand-name" translate="no">"Gruppetto"</span>
    }
}

/// Start number of a rider; until it is known, the first letter of the name.
#[component]
pub fn Bib(#[prop(into)] number: Signal<u32>, #[prop(into)] name: Signal<String>) -> impl IntoView {
    let text = move || match number.get() {
        0 => clusters(&name.get()).take(1).collect(),
        number => number.to_string(),
    };
    view! {
        <span class="bib" translate="no" aria-hidden="true">
            {text}
        </span>
    }
}

/// Icon of a link state: two ends and a line between them.
#[component]
pub fn LinkIcon(#[prop(into)] link: Signal<LinkState>) -> impl IntoView {
    let line = move || match link.get() {
        LinkState::Direct => "M6 8H18",
        LinkState::Relayed => "M6 9L12 4L18 9",
        LinkState::Connecting => "M7 8H9M11 8H13M15 8H17",
        LinkState::Away => "M9 5L15 11M15 5L9 11",
    };
    view! {
        <svg class="link-icon" viewBox="0 0 24 16" aria-hidden="true">
            <circle cx="4" cy="9" r="3"/>
            <circle cx="20" cy="9" r="3"/>
            <path d=line/>
        </svg>
    }
}
