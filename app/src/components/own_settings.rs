//! What a rider sets for themselves during a ride: the share of the targets, and the sounds.

use leptos::prelude::*;
use ride::rider::Bias;

use crate::{
    i18n::*,
    state::{Intent, Intents, RideState},
};

/// Change of the bias by one tap, in percent.
const STEP: u8 = 5;
/// Volumes in percent that the button goes through.
const VOLUMES: [u8; 3] = [0, 50, 100];

/// The two controls.
#[component]
pub fn OwnSettings() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <section class="own-settings" aria-label=move || t_string!(i18n, riding.settings)>
            <BiasStepper/>
            <SoundButton/>
        </section>
    }
    .into_any()
}

#[component]
fn BiasStepper() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let change = move |by: fn(u8, u8) -> u8| {
        let bias = by(state.bias.get_untracked(), STEP);
        intents.send(Intent::SetBias(Bias::new(bias)));
    };
    view! {
        <div class="stepper" role="group" aria-label=move || t_string!(i18n, riding.bias)>
            <button
                type="button"
                class="button"
                aria-label=move || t_string!(i18n, riding.bias_lower)
                disabled=move || state.bias.get() <= Bias::MIN
                on:click=move |_| change(u8::saturating_sub)
            >
                "−"
            </button>
            <p class="stepper-value" role="status">
                <span class="metric-label">{t!(i18n, riding.bias)} " "</span>
                <span class="number" translate="no" data-metric="bias">{move || state.bias.get()}</span>
                <span class="unit">{t!(i18n, unit.percent)}</span>
            </p>
            <button
                type="button"
                class="button"
                aria-label=move || t_string!(i18n, riding.bias_raise)
                disabled=move || Bias::MAX <= state.bias.get()
                on:click=move |_| change(u8::saturating_add)
            >
                "+"
            </button>
        </div>
    }
    .into_any()
}

#[component]
fn SoundButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let label = move || match state.volume.get() {
        0 => t_string!(i18n, riding.sound_off),
        1..=50 => t_string!(i18n, riding.sound_low),
        _ => t_string!(i18n, riding.sound_high),
    };
    let next = move |_| {
        let volume = state.volume.get_untracked();
        let louder = VOLUMES.into_iter().find(|other| *other > volume);
        intents.set_volume(louder.unwrap_or(VOLUMES[0]));
    };
    view! {
        <button type="button" class="button quiet" on:click=next>
            {label}
        </button>
    }
    .into_any()
}
