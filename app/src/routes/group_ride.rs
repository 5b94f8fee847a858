//! The page of a group ride, from the invitation to the summary.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::{
    components::ride_page::RidePage,
    driver,
    state::{Intents, RideState},
};

/// The page. It starts anew when the code in the address changes.
#[component]
pub fn GroupRide() -> impl IntoView {
    let params = use_params_map();
    // While the router leaves the page, the address has no code; the previous one
    // is kept then.
    let code = Memo::new(move |before: Option<&String>| {
        let code = params.read().get("code").filter(|code| !code.is_empty());
        code.or_else(|| before.cloned()).unwrap_or_default()
    });
    move || view! { <Ride code=code.get()/> }
}

#[component]
fn Ride(code: String) -> impl IntoView {
    let (state, intents) = (RideState::new(), Intents::new());
    provide_context(state);
    provide_context(intents);
    Effect::new(move || driver::open_group(state, intents, code.clone()));
    view! { <RidePage/> }
}
