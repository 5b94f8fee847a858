//! The frame of a ride's page before the ride is loaded.

use leptos::{html, prelude::*};

use super::{
    hydrated::use_hydrating,
    icons::Brand,
    ride_page::go_to_top,
    status_screen::{LoadingScreen, StatusScreen},
};
use crate::{
    i18n::*,
    lazy::{NeededPart, Progress},
};

/// The frame, laid out as the page of the ride.
#[component]
pub fn RideFrame(
    /// Value of its `data-stage` attribute.
    stage: &'static str,
    children: Children,
) -> impl IntoView {
    let hydrating = use_hydrating();
    let main = NodeRef::<html::Main>::new();
    // A page that replaces another one is read from its beginning.
    if !hydrating.get_untracked() {
        main.on_load(|main| go_to_top(&main));
    }
    view! {
        <div
            class="ride"
            data-stage=stage
            data-hydrating=move || hydrating.get().then_some("true")
        >
            <header class="topbar">
                <p class="brand"><Brand/></p>
            </header>
            <main class="stage" tabindex="-1" node_ref=main>{children()}</main>
        </div>
    }
    .into_any()
}

/// The page while the ride is being loaded.
#[component]
pub fn LoadingRide() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <RideFrame stage="waiting">
            <LoadingScreen text=Signal::derive(move || t_string!(i18n, ride.looking_up))/>
        </RideFrame>
    }
    .into_any()
}

/// The page when the ride could not be loaded.
#[component]
pub fn RideUnavailable(part: NeededPart) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <RideFrame stage="outside">
            <StatusScreen heading=Signal::derive(move || t_string!(i18n, part.ride_heading))>
                <PartFailure part/>
                <div class="actions">
                    <a class="button" href="/">{t!(i18n, common.go_home)}</a>
                </div>
            </StatusScreen>
        </RideFrame>
    }
    .into_any()
}

/// Message that the ride could not be loaded, with a button to try again.
#[component]
pub fn PartFailure(part: NeededPart) -> impl IntoView {
    let i18n = use_i18n();
    let failed = move || part.progress() == Progress::Failed;
    view! {
        <Show when=failed>
            <div class="part-failure">
                <p class="error" role="alert">{t!(i18n, part.ride_failed)}</p>
                <button type="button" class="button primary" on:click=move |_| part.retry()>
                    {t!(i18n, common.try_again)}
                </button>
            </div>
        </Show>
    }
    .into_any()
}
