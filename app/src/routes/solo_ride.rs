//! The page of a solo ride on the simulated trainer.

use leptos::prelude::*;

use crate::{
    components::ride_page::RidePage,
    driver,
    i18n::*,
    state::{Intents, RideState},
};

/// The page.
#[component]
pub fn SoloRide() -> impl IntoView {
    let i18n = use_i18n();
    let (state, intents) = (RideState::new(), Intents::new());
    provide_context(state);
    provide_context(intents);
    Effect::new(move || driver::open_solo(state, intents, t_string!(i18n, common.you)));
    view! { <RidePage/> }
}
