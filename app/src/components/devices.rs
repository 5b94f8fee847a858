//! The sensors beside the trainer, and what the devices are used for.

use leptos::prelude::*;
use ride::trainer::{DeviceKind, Reading};

use super::{
    devices_panel::{ForgetButton, PairButton, TrainerRow, is_of_phone},
    dialog::Dialog,
    labels,
    phone::PhoneRow,
};
use crate::{
    browser::bluetooth,
    i18n::*,
    state::{CADENCE_SOURCES, DeviceState, DeviceView, Intent, Intents, POWER_SOURCES, RideState},
};

/// Kinds of sensors, in the order of their rows.
const SENSORS: [DeviceKind; 3] = [
    DeviceKind::PowerMeter,
    DeviceKind::HeartRate,
    DeviceKind::Cadence,
];

/// Dialog with all devices, for the ride.
#[component]
pub fn DevicesDialog(open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <Dialog open labelled_by="devices-heading">
            <div class="section-head">
                <h2 id="devices-heading">{t!(i18n, devices.heading)}</h2>
                <button type="button" class="button quiet" on:click=move |_| open.set(false)>
                    {t!(i18n, common.close)}
                </button>
            </div>
            <div class="devices">
                <TrainerRow/>
                <Sensors/>
            </div>
        </Dialog>
    }
    .into_any()
}

/// Rows of the sensors, the choices between devices, and the phone. Where the browser has no
/// Bluetooth, a sensor has a row only if the phone connects it.
#[component]
pub fn Sensors() -> impl IntoView {
    let state = expect_context::<RideState>();
    let is_phone = Memo::new(move |_| state.devices.read().bridge.is_some());
    let rows = SENSORS.map(|kind| {
        let is_shown = Memo::new(move |_| bluetooth::is_supported() || is_of_phone(state, kind));
        view! {
            <Show when=move || is_shown.get()>
                <SensorRow kind/>
            </Show>
        }
    });
    view! {
        {rows.collect_view()}
        <Show when=move || !is_phone.get()>
            <Sources/>
        </Show>
        <PhoneRow/>
    }
    .into_any()
}

fn view_of(state: RideState, kind: DeviceKind) -> Memo<Option<DeviceView>> {
    Memo::new(move |_| state.devices.read().device(kind).cloned())
}

#[component]
fn SensorRow(kind: DeviceKind) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let device = view_of(state, kind);
    let text = move || match device.get() {
        Some(DeviceView {
            state: DeviceState::None,
            remembered: Some(name),
            ..
        }) => t!(i18n, devices.remembered, name).into_any(),
        Some(device) => labels::sensor(i18n, device.state),
        None => ().into_any(),
    };
    let state_name = move || {
        device
            .read()
            .as_ref()
            .map(|device| labels::state_name(&device.state))
    };
    view! {
        <div class="device" role="group" aria-label=move || labels::device_kind(i18n, kind)>
            <div class="device-facts">
                <h3>{move || labels::device_kind(i18n, kind)}</h3>
                <p class="trainer-state" data-state=state_name>{text}</p>
                <DeviceValues device/>
            </div>
            <div class="device-actions">
                <PairButton kind/>
                <ForgetButton kind/>
            </div>
        </div>
    }
    .into_any()
}

/// Values that the trainer measures now.
#[component]
pub fn TrainerValues() -> impl IntoView {
    let device = view_of(expect_context::<RideState>(), DeviceKind::Trainer);
    view! { <DeviceValues device/> }
}

/// Values that a device measures now, and its battery.
#[component]
fn DeviceValues(device: Memo<Option<DeviceView>>) -> impl IntoView {
    let i18n = use_i18n();
    let values = move || {
        let device = device.get()?;
        let reading = relevant(device.kind, device.reading);
        Some(view! {
            {reading.power.map(|watts| view! {
                <span><span class="number">{watts}</span> " " {t!(i18n, unit.watts)}</span>
            })}
            {reading.cadence.map(|rpm| view! {
                <span><span class="number">{rpm}</span> " " {t!(i18n, unit.rpm)}</span>
            })}
            {reading.heart_rate.map(|beats| view! {
                <span><span class="number">{beats}</span> " " {t!(i18n, unit.bpm)}</span>
            })}
            {device.battery.map(|percent| view! {
                <span>{t!(i18n, devices.battery, percent)}</span>
            })}
        })
    };
    view! { <p class="device-values" translate="no">{values}</p> }.into_any()
}

/// Values that a device of this kind is used for.
const fn relevant(kind: DeviceKind, reading: Reading) -> Reading {
    let (cadence, heart_rate) = (reading.cadence, reading.heart_rate);
    match kind {
        DeviceKind::Trainer => reading,
        DeviceKind::PowerMeter => Reading {
            heart_rate: None,
            ..reading
        },
        DeviceKind::HeartRate => Reading {
            power: None,
            cadence: None,
            heart_rate,
            speed: None,
        },
        DeviceKind::Cadence => Reading {
            power: None,
            cadence,
            heart_rate: None,
            speed: None,
        },
    }
}

/// Choices that only make sense with several devices.
#[component]
fn Sources() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let has = move |kind: DeviceKind| *state.devices.read().state(kind) != DeviceState::None;
    let has_several = move |kinds: &'static [DeviceKind]| {
        Memo::new(move |_| kinds.iter().filter(|kind| has(**kind)).count() > 1)
    };
    let has_two_powers = has_several(&POWER_SOURCES);
    let has_two_cadences = has_several(&CADENCE_SOURCES);
    let power = Signal::derive(move || state.devices.read().power_source);
    let cadence = Signal::derive(move || state.devices.read().cadence_source);
    view! {
        <Show when=move || has_two_powers.get()>
            <SourceField
                id="power-source"
                label=Signal::derive(move || t_string!(i18n, devices.power_source))
                kinds=&POWER_SOURCES
                chosen=power
                on_choose=Callback::new(move |kind| intents.send(Intent::SetPowerSource(kind)))
            />
            <label class="checkbox">
                <input
                    type="checkbox"
                    prop:checked=move || state.devices.read().matches_power
                    aria-describedby="power-match-hint"
                    on:change=move |ev| intents.send(Intent::MatchPower(event_target_checked(&ev)))
                />
                <span>{t!(i18n, devices.power_match)}</span>
            </label>
            <p class="hint" id="power-match-hint">{t!(i18n, devices.power_match_hint)}</p>
        </Show>
        <Show when=move || has_two_cadences.get()>
            <SourceField
                id="cadence-source"
                label=Signal::derive(move || t_string!(i18n, devices.cadence_source))
                kinds=&CADENCE_SOURCES
                chosen=cadence
                on_choose=Callback::new(move |kind| intents.send(Intent::SetCadenceSource(kind)))
            />
        </Show>
    }
    .into_any()
}

/// Choice of the device that a value comes from.
#[component]
fn SourceField(
    id: &'static str,
    label: Signal<&'static str>,
    kinds: &'static [DeviceKind],
    chosen: Signal<Option<DeviceKind>>,
    on_choose: Callback<Option<DeviceKind>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let options = kinds.iter().enumerate().map(|(index, kind)| {
        view! {
            <option value=index.to_string() selected=move || chosen.get() == Some(*kind)>
                {move || labels::device_kind(i18n, *kind)}
            </option>
        }
    });
    let options = options.collect_view();
    let changed = move |ev| {
        let index = event_target_value(&ev).parse::<usize>().ok();
        on_choose.run(index.and_then(|index| kinds.get(index)).copied());
    };
    view! {
        <div class="field">
            <label for=id>{move || label.get()}</label>
            <select id=id on:change=changed>
                <option value="" selected=move || chosen.get().is_none()>
                    {t!(i18n, devices.automatic)}
                </option>
                {options}
            </select>
        </div>
    }
    .into_any()
}
