//! The panel of the devices in the lobby, and what is told of them during the ride.

use leptos::prelude::*;
use ride::trainer::DeviceKind;

use super::labels::{self, Texts};
use crate::{
    browser::bluetooth,
    i18n::*,
    lazy,
    state::{DeviceState, Intent, Intents, PhoneState, RideState},
};

/// Panel of the lobby: the devices and the ready checkbox.
#[component]
pub fn DevicesPanel() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let group = move || state.code.read().is_some();
    view! {
        <section class="panel trainer-panel" aria-labelledby="devices-panel-heading">
            <h2 id="devices-panel-heading">{t!(i18n, devices.heading)}</h2>
            <TrainerRow/>
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
            <div class="devices">{lazy::addition(|views| (views.sensors)())}</div>
        </section>
    }
    .into_any()
}

/// The trainer: its state, and buttons to choose another.
#[component]
pub fn TrainerRow() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    view! {
        <div class="device" role="group" aria-label=move || t_string!(i18n, trainer.heading)>
            <div class="device-facts">
                <h3>{t!(i18n, trainer.heading)}</h3>
                <p class="trainer-state" data-state=move || state.trainer.with(labels::state_name)>
                    {move || trainer_text(i18n, state, state.trainer.get())}
                </p>
                {lazy::addition(|views| (views.trainer_values)())}
            </div>
            <div class="device-actions">
                <PairButton kind=DeviceKind::Trainer/>
                <SimulateButton/>
                <ForgetButton kind=DeviceKind::Trainer/>
            </div>
        </div>
    }
    .into_any()
}

/// State of the trainer, or where to pair one.
fn trainer_text(i18n: Texts, state: RideState, trainer: DeviceState) -> AnyView {
    let devices = state.devices.read();
    let trainer_view = devices.device(DeviceKind::Trainer);
    let remembered = trainer_view.and_then(|view| view.remembered.clone());
    match (trainer, remembered) {
        (DeviceState::None, _) if devices.phone == PhoneState::Connected => {
            t!(i18n, phone.pair_there).into_any()
        }
        (DeviceState::None, Some(name)) => t!(i18n, devices.remembered, name).into_any(),
        (trainer, _) => labels::trainer(i18n, trainer),
    }
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
        // The alert about the phone says it.
        DeviceState::Lost(_) if is_phone_lost(state) && is_of_phone(state, DeviceKind::Trainer) => {
            ().into_any()
        }
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
                    <PairButton kind=DeviceKind::Trainer/>
                </div>
            }
            .into_any()
        }
        other => view! {
            <div class="trainer-alert" data-mild="true">
                <p>{move || trainer_text(i18n, state, other.clone())}</p>
                <PairButton kind=DeviceKind::Trainer/>
                <SimulateButton/>
            </div>
        }
        .into_any(),
    }
}

/// Alerts during a ride: sensors that were lost, a target that is released, and a recording that
/// waits.
#[component]
pub fn DeviceAlerts() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let lost = Memo::new(move |_| {
        let devices = state.devices.read();
        let sensors = devices.devices.iter();
        let is_phone_lost = devices.phone == PhoneState::Lost;
        let sensors = sensors.filter(|device| {
            device.kind != DeviceKind::Trainer && !(device.is_of_phone && is_phone_lost)
        });
        let lost = sensors.filter(|device| device.state.is_lost());
        lost.map(|device| (device.kind, device.state.clone()))
            .collect::<Vec<_>>()
    });
    let sensors = move || {
        let alerts = lost.get().into_iter().map(|(kind, problem)| {
            view! {
                <div class="trainer-alert" role="alert">
                    <p>{labels::sensor(i18n, problem)} " " {t!(i18n, trainer.lost_body)}</p>
                    <PairButton kind/>
                </div>
            }
        });
        alerts.collect_view()
    };
    let riding = Memo::new(move |_| {
        let devices = state.devices.read();
        (devices.is_paused, devices.resumes_in, devices.is_released)
    });
    let note = move || match riding.get() {
        (true, Some(seconds), _) => Some(t!(i18n, riding.recording_resumes, seconds).into_any()),
        (true, None, _) => Some(t!(i18n, riding.recording_waits).into_any()),
        (false, _, true) => Some(t!(i18n, riding.target_released).into_any()),
        (false, _, false) => None,
    };
    let phone_lost = Memo::new(move |_| is_phone_lost(state));
    view! {
        {move || phone_lost.get().then(|| view! {
            <div class="trainer-alert" role="alert">
                <p class="trainer-alert-heading">{t!(i18n, phone.lost_heading)}</p>
                <p>{t!(i18n, phone.lost)} " " {t!(i18n, trainer.lost_body)}</p>
            </div>
        })}
        {sensors}
        <div class="device-notes" role="status">
            {move || note().map(|text| view! {
                <p class="trainer-alert" data-mild="true">{text}</p>
            })}
        </div>
    }
    .into_any()
}

/// Tells whether the rider's phone connects the device of a kind.
pub fn is_of_phone(state: RideState, kind: DeviceKind) -> bool {
    let devices = state.devices.read();
    devices
        .device(kind)
        .is_some_and(|device| device.is_of_phone)
}

fn is_phone_connected(state: RideState) -> bool {
    state.devices.read().phone == PhoneState::Connected
}

/// Tells whether the rider's phone has connected devices, and is out of reach.
fn is_phone_lost(state: RideState) -> bool {
    let devices = state.devices.read();
    let mut all = devices.devices.iter();
    devices.phone == PhoneState::Lost && all.any(|device| device.is_of_phone)
}

/// Button that opens the browser's chooser of devices of a kind. There is none for a device that
/// only the phone can connect.
#[component]
pub fn PairButton(kind: DeviceKind) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let is_connecting = move || *state.devices.read().state(kind) == DeviceState::Connecting;
    let is_hidden = move || {
        !bluetooth::is_supported() && (is_of_phone(state, kind) || is_phone_connected(state))
    };
    view! {
        <button
            type="button"
            class="button"
            hidden=is_hidden
            disabled=is_connecting
            on:click=move |_| intents.send(Intent::Pair(kind))
        >
            {move || labels::pair(i18n, kind)}
        </button>
    }
}

/// Button that disconnects and forgets a device, if there is one.
#[component]
pub fn ForgetButton(kind: DeviceKind) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let is_remembered = Memo::new(move |_| {
        let devices = state.devices.read();
        let device = devices.device(kind);
        device.is_some_and(|device| device.remembered.is_some())
    });
    view! {
        <Show when=move || is_remembered.get()>
            <button
                type="button"
                class="button quiet"
                on:click=move |_| intents.send(Intent::Forget(kind))
            >
                {t!(i18n, devices.forget)}
            </button>
        </Show>
    }
}

#[component]
fn SimulateButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    // On a phone that serves a rider, no one rides.
    view! {
        <button
            type="button"
            class="button"
            hidden=move || state.devices.read().bridge.is_some()
            on:click=move |_| intents.send(Intent::SimulateTrainer)
        >
            {t!(i18n, trainer.simulate)}
        </button>
    }
}
