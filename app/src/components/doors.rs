//! The screens before and after a ride: one heading, one thing to say, and
//! where to go from there.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{
    hydrated::use_waiting,
    rider_form::{RiderEntries, RiderFields},
};
use crate::{
    i18n::*,
    state::{Intent, Intents, RideState},
};

/// The frame of such a screen.
#[component]
pub fn Door(#[prop(into)] heading: Signal<&'static str>, children: Children) -> impl IntoView {
    view! {
        <section class="door">
            <h1>{move || heading.get()}</h1>
            {children()}
        </section>
    }
    .into_any()
}

/// Something is under way.
#[component]
pub fn Waiting(#[prop(into)] words: Signal<&'static str>) -> impl IntoView {
    view! {
        <section class="door waiting">
            <p class="road" aria-hidden="true"></p>
            <p>{move || words.get()}</p>
        </section>
    }
    .into_any()
}

/// This browser has been in the ride before: as whom does it go on?
#[component]
pub fn WhoAreYou(known: Vec<String>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let go_on = move |(position, name): (usize, String)| {
        view! {
            <button
                type="button"
                class="button primary wide"
                on:click=move |_| intents.send(Intent::GoOnAs(position))
            >
                {t!(i18n, who.go_on, name)}
            </button>
        }
    };
    view! {
        <Door heading=Signal::derive(move || t_string!(i18n, who.heading))>
            <p>{t!(i18n, who.body)}</p>
            <div class="door-actions">
                {known.into_iter().enumerate().map(go_on).collect_view()}
                <button
                    type="button"
                    class="button wide"
                    on:click=move |_| intents.send(Intent::SomebodyElse)
                >
                    {t!(i18n, who.somebody_else)}
                </button>
            </div>
        </Door>
    }
    .into_any()
}

/// Somebody new: name and FTP.
#[component]
pub fn Introduction() -> impl IntoView {
    let i18n = use_i18n();
    let waiting = use_waiting();
    let intents = expect_context::<Intents>();
    let rider = RiderEntries::new();
    let submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        if let Some((name, ftp)) = rider.read() {
            intents.send(Intent::Join(name, ftp));
        }
    };
    view! {
        <Door heading=Signal::derive(move || t_string!(i18n, introduce.heading))>
            <p>{t!(i18n, introduce.body)}</p>
            <form class="rider-form" novalidate on:submit=submit>
                <RiderFields entries=rider/>
                <button class="button primary wide" disabled=waiting>{t!(i18n, introduce.join)}</button>
            </form>
        </Door>
    }
    .into_any()
}

/// Another tab rides on as this rider.
#[component]
pub fn Moved() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    view! {
        <Door heading=Signal::derive(move || t_string!(i18n, moved.heading))>
            <p>{t!(i18n, moved.body)}</p>
            <div class="door-actions">
                <button
                    type="button"
                    class="button primary"
                    on:click=move |_| intents.send(Intent::TakeOver)
                >
                    {t!(i18n, moved.take_over)}
                </button>
            </div>
        </Door>
    }
    .into_any()
}

/// The rider left.
#[component]
pub fn Left() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let state = expect_context::<RideState>();
    let alone = move || state.code.read().is_none();
    let body = move || {
        if alone() {
            t_string!(i18n, left.body_alone)
        } else {
            t_string!(i18n, left.body)
        }
    };
    // A ride alone begins anew with the page.
    let again = move || {
        if alone() {
            view! {
                <a class="button" href="/solo" rel="external">
                    {t!(i18n, left.again_alone)}
                </a>
            }
            .into_any()
        } else {
            view! {
                <button type="button" class="button" on:click=move |_| intents.send(Intent::Retry)>
                    {t!(i18n, left.again)}
                </button>
            }
            .into_any()
        }
    };
    view! {
        <Door heading=Signal::derive(move || t_string!(i18n, left.heading))>
            <p>{body}</p>
            <div class="door-actions">
                {again}
                <a class="button primary" href="/">{t!(i18n, left.home)}</a>
            </div>
        </Door>
    }
    .into_any()
}
