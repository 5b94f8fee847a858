//! Settings of the rider during a ride: the share of the targets, ERG mode or a load by
//! hand, the sounds, and the devices.

use leptos::prelude::*;
use ride::rider::Bias;

use crate::{
    i18n::*,
    lazy,
    state::{Intent, Intents, RideState},
};

/// Change of the bias by one tap, in percent.
const STEP: u8 = 5;
/// Volumes in percent that the button goes through.
const VOLUMES: [u8; 3] = [0, 50, 100];

/// The controls.
#[component]
pub fn OwnSettings() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <section class="own-settings" aria-label=move || t_string!(i18n, riding.settings)>
            <BiasStepper/>
            <ErgButton/>
            <LoadStepper/>
            <SoundButton/>
            <DevicesButton/>
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
        <Stepper
            label=Signal::derive(move || t_string!(i18n, riding.bias))
            lower=Signal::derive(move || t_string!(i18n, riding.bias_lower))
            raise=Signal::derive(move || t_string!(i18n, riding.bias_raise))
            metric="bias"
            value=Signal::derive(move || state.bias.get().to_string())
            is_lowest=Signal::derive(move || state.bias.get() <= Bias::MIN)
            is_highest=Signal::derive(move || Bias::MAX <= state.bias.get())
            on_step=Callback::new(move |step: i8| {
                change(if step < 0 { u8::saturating_sub } else { u8::saturating_add });
            })
        />
    }
    .into_any()
}

/// Switches between the targets of the workout and a load by hand, on a trainer that can do both.
#[component]
fn ErgButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let can_switch = Memo::new(move |_| {
        let capabilities = state.devices.read().capabilities;
        capabilities.power && (capabilities.slope || capabilities.resistance)
    });
    let is_on = Memo::new(move |_| state.devices.read().manual.erg);
    view! {
        <Show when=move || can_switch.get()>
            <button
                type="button"
                class="button quiet"
                aria-pressed=move || is_on.get().to_string()
                on:click=move |_| intents.send(Intent::SetErg(!is_on.get_untracked()))
            >
                {move || match is_on.get() {
                    true => t_string!(i18n, riding.erg_on),
                    false => t_string!(i18n, riding.erg_off),
                }}
            </button>
        </Show>
    }
    .into_any()
}

/// Load by hand: outside of ERG mode, and in intervals without a target.
#[component]
fn LoadStepper() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let by_resistance = Memo::new(move |_| {
        let capabilities = state.devices.read().capabilities;
        capabilities.resistance && !capabilities.slope
    });
    let is_shown = Memo::new(move |_| {
        let devices = state.devices.read();
        let capabilities = devices.capabilities;
        let can = capabilities.slope || capabilities.resistance;
        let has_target = state.own_metrics.read().target.is_some();
        let follows_target = devices.manual.erg && capabilities.power && has_target;
        can && !state.progress.read().paused && !follows_target
    });
    let value = move || {
        let manual = state.devices.read().manual;
        match by_resistance.get() {
            true => manual.resistance.to_string(),
            false => format!("{:.1}", f32::from(manual.slope) / 100.0),
        }
    };
    let label = move || match by_resistance.get() {
        true => t_string!(i18n, riding.resistance),
        false => t_string!(i18n, riding.slope),
    };
    view! {
        <Show when=move || is_shown.get()>
            <Stepper
                label=Signal::derive(label)
                lower=Signal::derive(move || t_string!(i18n, riding.load_lower))
                raise=Signal::derive(move || t_string!(i18n, riding.load_raise))
                metric="load"
                value=Signal::derive(value)
                is_lowest=Signal::derive(|| false)
                is_highest=Signal::derive(|| false)
                on_step=Callback::new(move |step| intents.send(Intent::ChangeLoad(step)))
            />
        </Show>
    }
    .into_any()
}

/// A percentage with a button on either side.
#[component]
fn Stepper(
    label: Signal<&'static str>,
    /// Name of the button that lowers it.
    lower: Signal<&'static str>,
    /// Name of the button that raises it.
    raise: Signal<&'static str>,
    /// Value of the `data-metric` attribute.
    metric: &'static str,
    value: Signal<String>,
    is_lowest: Signal<bool>,
    is_highest: Signal<bool>,
    on_step: Callback<i8>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="stepper" role="group" aria-label=move || label.get()>
            <button
                type="button"
                class="button"
                aria-label=move || lower.get()
                disabled=move || is_lowest.get()
                on:click=move |_| on_step.run(-1)
            >
                "−"
            </button>
            <p class="stepper-value" role="status">
                <span class="metric-label">{move || label.get()} " "</span>
                <span class="number" translate="no" data-metric=metric>{move || value.get()}</span>
                <span class="unit">{t!(i18n, unit.percent)}</span>
            </p>
            <button
                type="button"
                class="button"
                aria-label=move || raise.get()
                disabled=move || is_highest.get()
                on:click=move |_| on_step.run(1)
            >
                "+"
            </button>
        </div>
    }
    .into_any()
}

/// Opens the dialog with all devices.
#[component]
fn DevicesButton() -> impl IntoView {
    let i18n = use_i18n();
    let open = RwSignal::new(false);
    view! {
        <button type="button" class="button quiet" on:click=move |_| open.set(true)>
            {t!(i18n, devices.heading)}
        </button>
        {lazy::dialog(&lazy::SCREENS, open, |views| views.devices)}
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
