//! The first page: who you are, and the three ways into a ride.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_meta::Title;
use protocol::code::SessionCode;

use crate::{
    components::{
        field::{Entry, Field, Takes},
        hydrated::use_waiting,
        marks::Brand,
        poster::Poster,
        rider_form::{RiderEntries, RiderFields},
        start::{Start, StartFailure, use_start},
        words::Fault,
    },
    i18n::*,
};

/// The page.
#[component]
pub fn Home() -> impl IntoView {
    let i18n = use_i18n();
    let rider = RiderEntries::new();
    let start = use_start();
    view! {
        <Title text=move || t_string!(i18n, home.title)/>
        <main class="home">
            <header class="home-head">
                <p class="brand"><Brand/></p>
                <h1>{t!(i18n, home.heading)}</h1>
                <p class="tagline">{t!(i18n, home.tagline)}</p>
            </header>
            <Poster/>
            <div class="home-desk">
                <StartForm rider start/>
                <JoinForm rider start/>
                <SoloDoor rider start/>
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn StartForm(rider: RiderEntries, start: Start) -> impl IntoView {
    let i18n = use_i18n();
    let waiting = use_waiting();
    let submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        if rider.read().is_some() {
            start.ride();
        }
    };
    let label = move || {
        if start.busy() {
            t_string!(i18n, home.starting)
        } else {
            t_string!(i18n, home.start)
        }
    };
    view! {
        <form class="panel rider-form" novalidate on:submit=submit>
            <RiderFields entries=rider/>
            <button class="button primary wide" disabled=move || waiting.get() || start.busy()>
                {label}
            </button>
            <StartFailure start/>
        </form>
    }
    .into_any()
}

#[component]
fn JoinForm(rider: RiderEntries, start: Start) -> impl IntoView {
    let i18n = use_i18n();
    let waiting = use_waiting();
    let code = Entry::new("");
    let submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        if let Some(code) = code.read(parse_code) {
            join(&code, rider, start);
        }
    };
    view! {
        <form class="panel join-form" novalidate on:submit=submit>
            <Field
                id="session-code"
                takes=Takes::Code
                entry=code
                label=Signal::derive(move || t_string!(i18n, home.code))
                hint=Signal::derive(move || t_string!(i18n, home.code_hint))
            />
            <button class="button" disabled=waiting>{t!(i18n, home.join)}</button>
        </form>
    }
    .into_any()
}

fn parse_code(text: &str) -> Result<SessionCode, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::NoCode);
    }
    text.parse().map_err(|_| Fault::NotACode)
}

/// Joins at once when the rider is known; otherwise the ride's page asks.
fn join(code: &SessionCode, rider: RiderEntries, start: Start) {
    if rider.is_complete() {
        rider.remember();
        start.go_to(code);
    } else {
        start.open(&format!("/ride/{code}"));
    }
}

#[component]
fn SoloDoor(rider: RiderEntries, start: Start) -> impl IntoView {
    let i18n = use_i18n();
    let waiting = use_waiting();
    view! {
        <div class="solo-door">
            <button
                type="button"
                class="button"
                disabled=waiting
                aria-describedby="solo-hint"
                on:click=move |_| {
                    if rider.read_ftp() {
                        start.open("/solo");
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
