//! The pages of the part `rides`: all rides or one of them, and the rider's settings.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::part_page;
use crate::{i18n::*, lazy::RIDES};

/// The page of all rides, or of the one with the id in the address.
#[component]
pub fn Rides() -> impl IntoView {
    let i18n = use_i18n();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let title = Signal::derive(move || t_string!(i18n, rides.title));
    part_page(&RIDES, title, move |part| (part.page)(id.get()))
}

/// The page of the rider's settings.
#[component]
pub fn Settings() -> impl IntoView {
    let i18n = use_i18n();
    let title = Signal::derive(move || t_string!(i18n, settings.title));
    part_page(&RIDES, title, |part| (part.settings)())
}
