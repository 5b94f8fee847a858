//! A ride that cannot be joined: why, and where to go instead.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{
    doors::Door,
    start::{StartFailure, use_start},
    words,
};
use crate::{
    browser::storage,
    i18n::*,
    state::{Intent, Intents, Refusal, RideState},
};

/// The screen.
#[component]
pub fn Refused(refusal: Refusal) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let start = use_start();
    let go = move |_| match storage::profile() {
        Some(_) => start.ride(),
        None => start.open("/"),
    };
    let here = use_location().pathname;
    let again = match refusal {
        Refusal::Outdated => Some(
            view! {
                <a class="button primary" href=move || here.get() rel="external">
                    {t!(i18n, refused.reload)}
                </a>
            }
            .into_any(),
        ),
        Refusal::NoSuchRide | Refusal::NotACode | Refusal::Removed | Refusal::Closed => None,
        Refusal::Full
        | Refusal::Locked
        | Refusal::TooMany
        | Refusal::Unreachable
        | Refusal::Other => Some(
            view! {
                <button
                    type="button"
                    class="button primary"
                    on:click=move |_| intents.send(Intent::Retry)
                >
                    {t!(i18n, refused.retry)}
                </button>
            }
            .into_any(),
        ),
    };
    let only_way = again.is_none();
    view! {
        <Door heading=Signal::derive(move || t_string!(i18n, refused.heading))>
            <p role="alert">{move || words::refusal(i18n, refusal)}</p>
            <Reason/>
            <div class="door-actions">
                {again}
                <button
                    type="button"
                    class="button"
                    class:primary=only_way
                    disabled=move || start.busy()
                    on:click=go
                >
                    {t!(i18n, refused.start)}
                </button>
                <button type="button" class="button" on:click=move |_| start.open("/")>
                    {t!(i18n, refused.home)}
                </button>
            </div>
            <StartFailure start/>
        </Door>
    }
    .into_any()
}

/// What the host wrote to a rider who was removed.
#[component]
pub fn Reason() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    move || {
        let reason = state.removed.get().filter(|reason| !reason.is_empty());
        reason.map(
            |reason| view! { <p class="reason">{t!(i18n, refused.reason)} " " <q>{reason}</q></p> },
        )
    }
}
