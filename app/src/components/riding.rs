//! The screen of the ride: the own numbers, and the board with all riders.

use leptos::prelude::*;

use super::{board::Board, my_ride::MyRide};
use crate::{i18n::*, state::RideState};

/// The screen.
#[component]
pub fn Riding() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let group = move || state.code.read().is_some();
    view! {
        <h1 class="visually-hidden">{t!(i18n, riding.mine)}</h1>
        <div class="riding" data-alone=move || (!group()).then_some("true")>
            <MyRide/>
            <Show when=group>
                <Board/>
            </Show>
        </div>
    }
    .into_any()
}
