//! The page of a phone that connects devices for a rider.

use leptos::prelude::*;

use super::solo_ride;
use crate::i18n::*;

/// The page.
#[component]
pub fn Bridge() -> impl IntoView {
    let i18n = use_i18n();
    let title = Signal::derive(move || t_string!(i18n, bridge.title));
    solo_ride::page(title, |views| views.bridge)
}
