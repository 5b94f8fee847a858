//! The pages of the rider's workouts: all of them, or one in the designer.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::part_page;
use crate::{i18n::*, lazy::WORKOUTS};

/// The page: of all workouts, or of the one with the number in the address.
#[component]
pub fn Workouts() -> impl IntoView {
    let i18n = use_i18n();
    let params = use_params_map();
    let address = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let title = Signal::derive(move || t_string!(i18n, workouts.title));
    part_page(&WORKOUTS, title, move |part| (part.page)(address.get()))
}
