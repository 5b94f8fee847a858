//! The screens before and after a ride: a heading, a short text, and buttons
//! that lead on.

use std::time::Duration;

use leptos::{ev::SubmitEvent, prelude::*};
use ride::rider::{Ftp, RiderName};

use super::{
    hydrated::use_hydrating,
    rider_form::{RiderFields, RiderFormState},
};
use crate::{
    browser::page,
    i18n::*,
    state::{Intent, Intents, RideState},
};

/// Layout of such a screen.
#[component]
pub fn StatusScreen(
    #[prop(into)] heading: Signal<&'static str>,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="status-screen">
            <h1>{move || heading.get()}</h1>
            {children()}
        </section>
    }
    .into_any()
}

/// Shown while a request is under way.
#[component]
pub fn LoadingScreen(#[prop(into)] text: Signal<&'static str>) -> impl IntoView {
    view! {
        <section class="status-screen loading">
            <p class="road" aria-hidden="true"></p>
            <p>{move || text.get()}</p>
            <SlowHint/>
        </section>
    }
    .into_any()
}

/// Time after which a download counts as slow.
const SLOW_AFTER: Duration = Duration::from_secs(20);

/// Hint that loading takes unusually long, with a button that loads the page again.
/// Nothing is shown at first.
#[component]
pub fn SlowHint() -> impl IntoView {
    let i18n = use_i18n();
    let slow = RwSignal::new(false);
    Effect::new(move || {
        let show = move || {
            let _ = slow.try_set(true);
        };
        if let Ok(timer) = set_timeout_with_handle(show, SLOW_AFTER) {
            on_cleanup(move || timer.clear());
        }
    });
    view! {
        <div role="status">
            {move || {
                slow.get().then(|| {
                    view! {
                        <p class="hint">{t!(i18n, start.slow)}</p>
                        <button type="button" class="button" on:click=|_| page::reload()>
                            {t!(i18n, common.try_again)}
                        </button>
                    }
                })
            }}
        </div>
    }
    .into_any()
}

/// Asks which rider to resume, in a browser that was in the ride before.
#[component]
pub fn ChooseRiderScreen(known: Vec<String>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let resume_button = move |(position, name): (usize, String)| {
        view! {
            <button
                type="button"
                class="button primary wide"
                on:click=move |_| intents.send(Intent::ResumeAs(position))
            >
                {t!(i18n, choose_rider.resume, name)}
            </button>
        }
    };
    view! {
        <StatusScreen heading=Signal::derive(move || t_string!(i18n, choose_rider.heading))>
            <p>{t!(i18n, choose_rider.body)}</p>
            <div class="actions">
                {known.into_iter().enumerate().map(resume_button).collect_view()}
                <button
                    type="button"
                    class="button wide"
                    on:click=move |_| intents.send(Intent::JoinAsNewRider)
                >
                    {t!(i18n, choose_rider.new_rider)}
                </button>
            </div>
        </StatusScreen>
    }
    .into_any()
}

/// Asks a new rider for name and FTP. The fields can be used before the page is
/// hydrated.
#[component]
pub fn EnterNameScreen(
    rider: RiderFormState,
    join: Callback<(RiderName, Ftp)>,
    /// Shown under the form.
    children: Children,
) -> impl IntoView {
    let i18n = use_i18n();
    let hydrating = use_hydrating();
    let submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        if let Some(entered) = rider.read() {
            join.run(entered);
        }
    };
    view! {
        <StatusScreen heading=Signal::derive(move || t_string!(i18n, enter_name.heading))>
            <p>{t!(i18n, enter_name.body)}</p>
            <form class="rider-form" novalidate on:submit=submit>
                <RiderFields state=rider/>
                <button class="button primary wide" disabled=hydrating>{t!(i18n, common.join)}</button>
            </form>
            {children()}
        </StatusScreen>
    }
    .into_any()
}

/// Shown when another tab has taken over this rider.
#[component]
pub fn TakenOverScreen() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    view! {
        <StatusScreen heading=Signal::derive(move || t_string!(i18n, taken_over.heading))>
            <p>{t!(i18n, taken_over.body)}</p>
            <div class="actions">
                <button
                    type="button"
                    class="button primary"
                    on:click=move |_| intents.send(Intent::TakeOver)
                >
                    {t!(i18n, taken_over.take_over)}
                </button>
            </div>
        </StatusScreen>
    }
    .into_any()
}

/// Shown after the rider has left.
#[component]
pub fn LeftScreen() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let state = expect_context::<RideState>();
    let alone = move || state.code.read().is_none();
    let body = move || {
        if alone() {
            t_string!(i18n, left.body_solo)
        } else if state.others_ride_on.get() {
            t_string!(i18n, left.body)
        } else {
            t_string!(i18n, left.body_last)
        }
    };
    // A solo ride is restarted by loading the page again.
    let again = move || {
        if alone() {
            view! {
                <a class="button" href="/solo" rel="external">
                    {t!(i18n, left.again_solo)}
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
        <StatusScreen heading=Signal::derive(move || t_string!(i18n, left.heading))>
            <p>{body}</p>
            <div class="actions">
                {again}
                <a class="button primary" href="/">{t!(i18n, common.go_home)}</a>
            </div>
        </StatusScreen>
    }
    .into_any()
}
