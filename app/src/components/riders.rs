//! The list of riders, as lobby and ride share it.

use leptos::prelude::*;

use super::manage::ManageRiders;
use crate::{
    i18n::*,
    state::{RideState, RiderRow},
};

/// All riders, with what is said of them beside the heading as its children.
#[component]
pub fn Riders(
    /// The section's class.
    class: &'static str,
    /// One rider of the list.
    card: fn(RiderRow) -> AnyView,
    children: Children,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    view! {
        <section class=class>
            <div class="section-head">
                <h2>{t!(i18n, riders.heading)}</h2>
                {children()}
                <Show when=move || state.is_host.get()>
                    <ManageRiders/>
                </Show>
            </div>
            <ul role="list" aria-label=move || t_string!(i18n, riders.heading)>
                <For
                    each=move || state.riders.get()
                    key=|rider| rider.row
                    children=move |rider| view! { <li>{card(rider)}</li> }
                />
            </ul>
        </section>
    }
    .into_any()
}
