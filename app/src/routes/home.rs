//! The home page: name and FTP, and three ways into a ride: start one, join one
//! by its code, or ride alone.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use leptos_meta::Title;
use protocol::code::SessionCode;

use crate::{
    browser::{api, storage},
    components::{
        field::{Field, FieldKind, FieldState},
        hero_illustration::HeroIllustration,
        hydrated::use_hydrating,
        icons::Brand,
        labels::FieldError,
        ride_starter::{RideStarter, StartError, use_ride_starter},
        rider_form::{RiderFields, RiderFormState},
    },
    i18n::*,
    lazy, next_workout,
};

/// The page.
#[component]
pub fn Home() -> impl IntoView {
    let i18n = use_i18n();
    let rider = RiderFormState::new();
    let starter = use_ride_starter();
    view! {
        <Title text=move || t_string!(i18n, home.title)/>
        <main
            class="home"
            on:pointerdown=|_| lazy::prefetch_ride()
            on:focusin=|_| lazy::prefetch_ride()
        >
            <header class="home-head">
                <p class="brand"><Brand/></p>
                <h1>{t!(i18n, home.heading)}</h1>
                <p class="tagline">{t!(i18n, home.tagline)}</p>
                <ReturnLink/>
            </header>
            <HeroIllustration/>
            <div class="home-forms">
                <NextWorkout/>
                <StartForm rider starter/>
                <JoinForm rider starter/>
                <SoloButton rider starter/>
                <p class="actions">
                    <a class="button quiet" href="/workouts">{t!(i18n, workouts.link)}</a>
                    <a class="button quiet" href="/rides">{t!(i18n, rides.link)}</a>
                </p>
            </div>
        </main>
    }
    .into_any()
}

/// Links to the ride that this browser is in, while it is not finished: back to it, and to its end.
#[component]
fn ReturnLink() -> impl IntoView {
    let i18n = use_i18n();
    let running = RwSignal::new(None::<String>);
    let recording = RwSignal::new(None::<String>);
    Effect::new(move || {
        recording.set(storage::unfinished_recording());
        let Some(place) = storage::running_ride() else {
            return;
        };
        spawn_local(async move {
            // The ride may have ended while no page was open. A server that cannot be reached now
            // may know it.
            if let Ok(code) = place.parse()
                && api::is_unknown(&code).await
            {
                storage::forget_running_ride(&place);
            } else {
                running.try_set(Some(place));
            }
        });
    });
    let resume = move || {
        running.get().map(|place| {
            let (address, label) = match &*place {
                "solo" => ("/solo".to_owned(), t_string!(i18n, home.resume)),
                _ => (
                    format!("/ride/{place}"),
                    t_string!(i18n, home.return_to_ride),
                ),
            };
            view! { <a class="button primary" href=address>{label}</a> }
        })
    };
    let finish = move || {
        recording.get().map(|name| {
            let address = format!("/rides/{}#finish", name.replace('/', "."));
            view! { <a class="button" href=address>{t!(i18n, home.finish)}</a> }
        })
    };
    view! { <p class="actions">{resume} {finish}</p> }.into_any()
}

/// The workout of the ride that is started here, if the rider comes from the designer with one.
#[component]
fn NextWorkout() -> impl IntoView {
    let i18n = use_i18n();
    next_workout::name().map(|name| {
        view! { <p class="panel next-workout">{t!(i18n, home.next_workout)} " " {name}</p> }
    })
}

#[component]
fn StartForm(rider: RiderFormState, starter: RideStarter) -> impl IntoView {
    let i18n = use_i18n();
    let hydrating = use_hydrating();
    let submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        if rider.read().is_some() {
            starter.create();
        }
    };
    let label = move || {
        if starter.busy() {
            t_string!(i18n, home.starting)
        } else {
            t_string!(i18n, common.start_group_ride)
        }
    };
    view! {
        <form class="panel rider-form" novalidate on:submit=submit>
            <RiderFields state=rider/>
            <button class="button primary wide" disabled=move || hydrating.get() || starter.busy()>
                {label}
            </button>
            <StartError starter/>
        </form>
    }
    .into_any()
}

#[component]
fn JoinForm(rider: RiderFormState, starter: RideStarter) -> impl IntoView {
    let i18n = use_i18n();
    let hydrating = use_hydrating();
    let code = FieldState::new("");
    let submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        if let Some(code) = code.read(parse_code) {
            join(&code, rider, starter);
        }
    };
    view! {
        <form class="panel join-form" novalidate on:submit=submit>
            <Field
                id="session-code"
                kind=FieldKind::Code
                state=code
                label=Signal::derive(move || t_string!(i18n, common.session_code))
                hint=Signal::derive(move || t_string!(i18n, home.code_hint))
            />
            <button class="button" disabled=hydrating>{t!(i18n, common.join)}</button>
        </form>
    }
    .into_any()
}

fn parse_code(text: &str) -> Result<SessionCode, FieldError> {
    if text.trim().is_empty() {
        return Err(FieldError::NoCode);
    }
    text.parse().map_err(|_| FieldError::NotACode)
}

/// Joins at once if name and FTP are valid; otherwise the page of the ride asks
/// for them.
fn join(code: &SessionCode, rider: RiderFormState, starter: RideStarter) {
    if rider.is_complete() {
        rider.save();
        starter.join(code);
    } else {
        starter.open(&format!("/ride/{code}"));
    }
}

#[component]
fn SoloButton(rider: RiderFormState, starter: RideStarter) -> impl IntoView {
    let i18n = use_i18n();
    let hydrating = use_hydrating();
    view! {
        <div class="solo-start">
            <button
                type="button"
                class="button"
                disabled=hydrating
                aria-describedby="solo-hint"
                on:click=move |_| {
                    if rider.read_ftp() {
                        starter.open("/solo");
                    }
                }
            >
                {t!(i18n, home.solo)}
            </button>
            <p class="hint" id="solo-hint">{t!(i18n, home.solo_hint)}</p>
        </div>
    }
    .into_any()
}
