//! The own trainer: its state, and buttons to choose another.

use leptos::prelude::*;

use super::labels;
use crate::{
    i18n::*,
    state::{DeviceState, Intent, Intents, RideState},
};

/// Panel of the lobby: the trainer and the ready checkbox.
#[component]
pub fn TrainerPanel() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let group = move || state.code.read().is_some();
    view! {
        <section class="panel trainer-panel">
            <h2>{t!(i18n, trainer.heading)}</h2>
            <p class="trainer-state" data-state=move || state.trainer.with(state_name)>
                {move || labels::trainer(i18n, state.trainer.get())}
            </p>
            <div class="trainer-actions">
                <ConnectButton/>
                <SimulateButton/>
            </div>
            <Show when=group>
                <label class="checkbox">
                    <input
                        type="checkbox"
                        prop:checked=move || state.ready.get()
                        aria-describedby="ready-hint"
                        on:change=move |ev| intents.send(Intent::SetReady(event_target_checked(&ev)))
                    />
                    <span>{t!(i18n, common.ready)}</span>
                </label>
                <p class="hint" id="ready-hint">{t!(i18n, lobby.ready_hint)}</p>
            </Show>
        </section>
    }
    .into_any()
}

/// Alert during a ride: nothing while the trainer works, a message while it does not follow the
/// target, a warning while it sends no data or its connection is lost.
#[component]
pub fn TrainerAlert() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let trainer = Memo::new(move |_| state.trainer.get());
    move || match trainer.get() {
        DeviceState::Simulated | DeviceState::Connected(_) => ().into_any(),
        problem @ DeviceState::Uncontrolled(..) => view! {
            <div class="trainer-alert" data-mild="true" role="status">
                <p>{labels::trainer(i18n, problem)}</p>
            </div>
        }
        .into_any(),
        problem @ (DeviceState::Lost(_) | DeviceState::Silent(_)) => {
            let heading = if matches!(problem, DeviceState::Lost(_)) {
                t_string!(i18n, trainer.lost_heading)
            } else {
                t_string!(i18n, trainer.silent_heading)
            };
            view! {
                <div class="trainer-alert" role="alert">
                    <p class="trainer-alert-heading">{heading}</p>
                    <p>{labels::trainer(i18n, problem)} " " {t!(i18n, trainer.lost_body)}</p>
                    <ConnectButton/>
                </div>
            }
            .into_any()
        }
        other => view! {
            <div class="trainer-alert" data-mild="true">
                <p>{labels::trainer(i18n, other)}</p>
                <ConnectButton/>
                <SimulateButton/>
            </div>
        }
        .into_any(),
    }
}

#[component]
fn ConnectButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    view! {
        <button
            type="button"
            class="button"
            disabled=move || state.trainer.get() == DeviceState::Connecting
            on:click=move |_| intents.send(Intent::ConnectTrainer)
        >
            {t!(i18n, trainer.connect)}
        </button>
    }
}

#[component]
fn SimulateButton() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    view! {
        <button
            type="button"
            class="button"
            on:click=move |_| intents.send(Intent::SimulateTrainer)
        >
            {t!(i18n, trainer.simulate)}
        </button>
    }
}

/// Value of the `data-state` attribute.
fn state_name(trainer: &DeviceState) -> &'static str {
    match trainer {
        DeviceState::None => "none",
        DeviceState::Connecting => "connecting",
        DeviceState::Simulated | DeviceState::Connected(_) | DeviceState::Uncontrolled(..) => {
            "works"
        }
        DeviceState::Silent(_) | DeviceState::Lost(_) | DeviceState::Failed(_) => "failed",
    }
}
