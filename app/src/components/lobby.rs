//! The lobby: riders, workout, invitation and trainer before the start.

use std::sync::Arc;

use leptos::prelude::*;
use ride::workout::Workout;

use super::{
    devices_panel::DevicesPanel, invitation::Invitation, labels, rider::RiderCard, riders::Riders,
};
use crate::{
    browser::tabs,
    i18n::*,
    lazy, next_workout,
    state::{Intent, Intents, RideState, RiderRow},
};

/// The screen before the start.
#[component]
pub fn Lobby() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let group = move || state.code.read().is_some();
    let heading = move || {
        if group() {
            t_string!(i18n, lobby.heading)
        } else {
            t_string!(i18n, lobby.heading_solo)
        }
    };
    view! {
        <h1 class="visually-hidden">{heading}</h1>
        <Show when=move || !group()>{lazy::addition(|views| (views.unfinished)())}</Show>
        <div class="lobby" data-alone=move || (!group()).then_some("true")>
            <Invitation/>
            <LobbyWorkout/>
            <DevicesPanel/>
            <Show when=group>
                <LobbyRiders/>
            </Show>
        </div>
    }
    .into_any()
}

/// The shared workout, and the host's buttons to choose one and to start.
#[component]
fn LobbyWorkout() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let sheet = move || match state.workout.get() {
        Some(workout) => lazy::screen(move |views| (views.workout)(workout.clone())),
        None => {
            let text = move || {
                if state.is_host.get() {
                    t_string!(i18n, lobby.your_workout)
                } else {
                    t_string!(i18n, lobby.waiting_workout)
                }
            };
            view! { <p class="lobby-workout-empty">{text}</p> }.into_any()
        }
    };
    view! {
        <section class="panel lobby-workout">
            {sheet}
            <Show when=move || state.is_host.get() fallback=WaitForHost>
                <HostActions/>
            </Show>
        </section>
    }
    .into_any()
}

#[component]
fn WaitForHost() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    move || {
        state
            .workout
            .read()
            .is_some()
            .then(|| view! { <p class="hint">{t!(i18n, lobby.waiting_start)}</p> })
    }
}

#[component]
fn HostActions() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let choosing = RwSignal::new(false);
    use_designed_workouts();
    let shared = Memo::new(move |_| state.workout.read().is_some());
    let hint = move || {
        if shared.get() {
            t_string!(i18n, lobby.start_hint)
        } else {
            t_string!(i18n, lobby.start_reason)
        }
    };
    view! {
        <div class="lobby-workout-actions">
            <button
                type="button"
                class="button"
                class:primary=move || !shared.get()
                on:click=move |_| choosing.set(true)
            >
                {t!(i18n, lobby.choose)}
            </button>
            <button
                type="button"
                class="button"
                class:primary=move || shared.get()
                disabled=move || !shared.get() || state.controls_suspended.get()
                aria-describedby="start-hint"
                on:click=move |_| intents.send(Intent::Start)
            >
                {t!(i18n, lobby.start)}
            </button>
            <p class="hint" id="start-hint">{hint}</p>
        </div>
        {lazy::dialog(&lazy::WORKOUTS, choosing, |part| part.chooser)}
    }
    .into_any()
}

/// Shares the workout that comes from the designer: with the host, or from another tab.
fn use_designed_workouts() {
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let share = move |bytes: &[u8]| {
        let workout = Workout::from_bytes(bytes)?;
        intents.send(Intent::ShareWorkout(Arc::new(workout)));
        Some(())
    };
    let channel = StoredValue::new_local(None);
    Effect::new(move || {
        if state.workout.read_untracked().is_none() {
            next_workout::take().map(|next| share(&next.bytes));
        }
        channel.set_value(tabs::receive_workouts(move |bytes| {
            share(&bytes)?;
            let code = state.code.get_untracked();
            Some(code.map(|code| code.to_string()).unwrap_or_default())
        }));
    });
}

#[component]
fn LobbyRiders() -> impl IntoView {
    view! {
        <Riders class="lobby-riders" card=|rider| view! { <LobbyRider rider/> }.into_any()>
            <ReadyCount/>
        </Riders>
    }
}

#[component]
fn ReadyCount() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let count = Memo::new(move |_| {
        let riders = state.riders.read();
        let ready = riders.iter().filter(|rider| rider.ready.get()).count();
        (ready, riders.len())
    });
    let text = move || match count.get() {
        (ready, all) if ready == all => t!(i18n, lobby.everyone_ready).into_any(),
        (ready, all) => t!(i18n, lobby.ready_count, ready, all).into_any(),
    };
    view! { <p class="hint">{text}</p> }
}

#[component]
fn LobbyRider(rider: RiderRow) -> impl IntoView {
    let i18n = use_i18n();
    let (ftp, ready) = (
        RwSignal::from(rider.ftp.clone()),
        RwSignal::from(rider.ready.clone()),
    );
    let trainer = RwSignal::from(rider.trainer.clone());
    let ftp = move || ftp.get().map(|ftp| t!(i18n, riders.ftp, watts = ftp));
    let ready_text = move || {
        if ready.get() {
            t_string!(i18n, common.ready)
        } else {
            t_string!(i18n, riders.not_ready)
        }
    };
    view! {
        <RiderCard rider>
            <p class="rider-facts">
                <span>{ftp}</span>
                <span>{move || labels::trainer_kind(i18n, trainer.get())}</span>
            </p>
            <p class="rider-ready" data-ready=move || ready.get().to_string()>{ready_text}</p>
        </RiderCard>
    }
    .into_any()
}
