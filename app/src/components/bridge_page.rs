//! The page of a phone that connects devices for a rider.

use leptos::prelude::*;
use ride::trainer::{Load, MAX_SLOPE};

use super::{
    devices::Sensors,
    devices_panel::TrainerRow,
    labels,
    ride_frame::RideFrame,
    status_screen::{LoadingScreen, StatusScreen},
};
use crate::{
    browser::{bluetooth, page},
    i18n::*,
    state::{
        BridgeView, Intent, Intents, JoinError, RideState, RiderPage, ServerConnection, Stage,
    },
};

/// The page. Needs [`RideState`] and the intents as contexts.
#[component]
pub fn BridgePage() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let stage = Memo::new(move |_| state.stage.get());
    let content = move || match stage.get() {
        Stage::Lobby => view! { <Bridge/> }.into_any(),
        Stage::CannotJoin(error) => view! { <CannotServe error/> }.into_any(),
        Stage::TakenOver => view! { <BridgeElsewhere/> }.into_any(),
        _ => {
            view! { <LoadingScreen text=Signal::derive(move || t_string!(i18n, bridge.joining))/> }
                .into_any()
        }
    };
    view! { <RideFrame stage="bridge">{content}</RideFrame> }.into_any()
}

#[component]
fn Bridge() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let bridge = Memo::new(move |_| state.devices.read().bridge.clone());
    let rider = Memo::new(move |_| {
        let rider = bridge.read().as_ref().map(|bridge| bridge.rider.clone());
        rider.filter(|rider| !rider.is_empty())
    });
    let heading = move || match rider.get() {
        Some(name) => t!(i18n, bridge.heading, name).into_any(),
        None => t!(i18n, bridge.heading_unnamed).into_any(),
    };
    let rider_page = Memo::new(move |_| {
        let bridge = bridge.read();
        bridge
            .as_ref()
            .map(|bridge| bridge.page)
            .unwrap_or_default()
    });
    let is_offline = move || matches!(state.connection.get(), ServerConnection::Lost { .. });
    let text = move || match rider_page.get() {
        RiderPage::Connected => t_string!(i18n, bridge.connected),
        RiderPage::Silent | RiderPage::Lost if is_offline() => t_string!(i18n, bridge.offline),
        RiderPage::Awaited => t_string!(i18n, bridge.awaited),
        RiderPage::Absent => t_string!(i18n, bridge.absent),
        RiderPage::Silent => t_string!(i18n, bridge.silent),
        RiderPage::Lost => t_string!(i18n, bridge.lost),
    };
    let state_name = move || match rider_page.get() {
        RiderPage::Awaited => "connecting",
        RiderPage::Connected => "works",
        RiderPage::Absent | RiderPage::Silent | RiderPage::Lost => "failed",
    };
    let no_bluetooth = (!bluetooth::is_supported())
        .then(|| view! { <p class="error" role="alert">{t!(i18n, bridge.no_bluetooth)}</p> });
    view! {
        <div class="bridge">
            <h1>{heading}</h1>
            <p class="trainer-state" role="status" data-state=state_name>{text}</p>
            {no_bluetooth}
            <section class="panel trainer-panel" aria-labelledby="bridge-devices">
                <h2 id="bridge-devices">{t!(i18n, devices.heading)}</h2>
                <div class="devices">
                    <TrainerRow/>
                    <Sensors/>
                </div>
            </section>
            <BridgeLoad bridge/>
            <p class="hint">{t!(i18n, bridge.keep_open)}</p>
        </div>
    }
    .into_any()
}

/// Load that the rider's page asks for.
#[component]
fn BridgeLoad(bridge: Memo<Option<BridgeView>>) -> impl IntoView {
    let i18n = use_i18n();
    let load = Memo::new(move |_| bridge.read().as_ref().map(|bridge| bridge.load));
    let text = move || match load.get() {
        Some(Load::Power(watts)) => format!("{watts} {}", t_string!(i18n, unit.watts)),
        Some(Load::Resistance(percent)) => {
            format!("{percent} {}", t_string!(i18n, unit.percent))
        }
        Some(Load::Slope(slope)) => {
            let slope = f32::from(slope.clamp(-MAX_SLOPE, MAX_SLOPE)) / 100.0;
            format!("{slope:.1} {}", t_string!(i18n, unit.percent))
        }
        None => String::new(),
    };
    let label = move || match load.get() {
        Some(Load::Power(_)) | None => t_string!(i18n, riding.target),
        Some(Load::Resistance(_)) => t_string!(i18n, riding.resistance),
        Some(Load::Slope(_)) => t_string!(i18n, riding.slope),
    };
    view! {
        <p class="bridge-load">
            <span>{label}</span>
            " "
            <span class="number" translate="no" data-load>{text}</span>
        </p>
    }
    .into_any()
}

/// Another tab of this phone is the bridge.
#[component]
fn BridgeElsewhere() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    view! {
        <StatusScreen heading=Signal::derive(move || t_string!(i18n, bridge.cannot))>
            <p>{t!(i18n, bridge.elsewhere)}</p>
            <div class="actions">
                <button
                    type="button"
                    class="button primary"
                    on:click=move |_| intents.send(Intent::TakeOver)
                >
                    {t!(i18n, bridge.use_this_tab)}
                </button>
            </div>
        </StatusScreen>
    }
    .into_any()
}

/// The ride cannot be joined, or is over.
#[component]
fn CannotServe(error: JoinError) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let text = move || match error {
        JoinError::NotACode => t_string!(i18n, bridge.bad_link),
        other => labels::join_error(i18n, other),
    };
    let may_retry = match error {
        JoinError::NotACode
        | JoinError::NoSuchRide
        | JoinError::Kicked
        | JoinError::Closed
        | JoinError::Dismissed => false,
        JoinError::Full
        | JoinError::TooManyRides
        | JoinError::Locked
        | JoinError::Unreachable
        | JoinError::Outdated
        | JoinError::Other => true,
    };
    let retry = move |_| match error {
        // Another version of the app has to be fetched.
        JoinError::Outdated => page::reload(),
        _ => intents.send(Intent::Retry),
    };
    view! {
        <StatusScreen heading=Signal::derive(move || t_string!(i18n, bridge.cannot))>
            <p role="alert">{text}</p>
            <div class="actions">
                {may_retry.then(|| view! {
                    <button
                        type="button"
                        class="button primary"
                        on:click=retry
                    >
                        {t!(i18n, common.try_again)}
                    </button>
                })}
                <a class="button" href="/">{t!(i18n, common.go_home)}</a>
            </div>
        </StatusScreen>
    }
    .into_any()
}
