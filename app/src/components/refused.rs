//! A ride that cannot be joined: why, and where to go instead.

use leptos::prelude::*;

use super::{
    doors::Door,
    start::{StartFailure, use_start},
    words,
};
use crate::{
    browser::storage,
    i18n::*,
    state::{Intent, Intents, Refusal},
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
    let retry = can_retry(refusal).then(|| {
        view! {
            <button type="button" class="button primary" on:click=move |_| intents.send(Intent::Retry)>
                {t!(i18n, refused.retry)}
            </button>
        }
    });
    view! {
        <Door heading=Signal::derive(move || t_string!(i18n, refused.heading))>
            <p role="alert">{move || words::refusal(i18n, refusal)}</p>
            <div class="door-actions">
                {retry}
                <button type="button" class="button" disabled=move || start.busy() on:click=go>
                    {t!(i18n, refused.start)}
                </button>
                <button type="button" class="button" on:click=move |_| start.open("/")>
                    {t!(i18n, refused.home)}
                </button>
            </div>
            <StartFailure start/>
        </Door>
    }
}

/// Whether the same address may work a moment later.
fn can_retry(refusal: Refusal) -> bool {
    match refusal {
        Refusal::Full
        | Refusal::Locked
        | Refusal::Unreachable
        | Refusal::Outdated
        | Refusal::Other => true,
        Refusal::NoSuchRide | Refusal::NotACode => false,
    }
}
