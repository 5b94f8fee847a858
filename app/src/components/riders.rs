//! The list of riders, shared by lobby and ride.

use leptos::prelude::*;

use super::manage_riders::ManageRiders;
use crate::{
    i18n::*,
    state::{RideState, RiderRow},
};

/// The list with its heading. The children are shown beside the heading.
#[component]
pub fn Riders(
    /// Class of the section.
    class: &'static str,
    /// Renders one rider.
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
