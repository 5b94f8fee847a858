//! The pages of rides. What draws them is a part of its own ([`crate::lazy`]);
//! these are the pages while it is fetched, and when it could not be.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    components::{
        icons::Brand,
        status_screen::{LoadingScreen, StatusScreen},
    },
    i18n::*,
    lazy::{self, NeededPart, Progress, RideViews},
};

/// A group ride.
#[component]
pub fn LazyGroupRide() -> impl IntoView {
    let i18n = use_i18n();
    let params = use_params_map();
    let title = move || {
        let code = params.read().get("code").unwrap_or_default();
        format!("{code} · {}", t_string!(i18n, app.name))
    };
    view! {
        <Title text=title/>
        <RidePart views=|views| (views.group)()/>
    }
    .into_any()
}

/// A ride alone.
#[component]
pub fn LazySoloRide() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <Title text=move || t_string!(i18n, ride.title_solo)/>
        <RidePart views=|views| (views.solo)()/>
    }
    .into_any()
}

#[component]
fn RidePart(views: fn(RideViews) -> AnyView) -> impl IntoView {
    #[cfg(feature = "ssr")]
    leptos::prefetch_lazy_fn_on_server("ride");
    let i18n = use_i18n();
    let part = lazy::use_part(&lazy::RIDE);
    move || match part.progress() {
        Progress::Loaded => lazy::RIDE.loaded().map(views).into_any(),
        Progress::Fetching => view! {
            <Frame stage="waiting">
                <LoadingScreen text=Signal::derive(move || t_string!(i18n, ride.looking_up))/>
            </Frame>
        }
        .into_any(),
        Progress::Failed => view! {
            <Frame stage="outside">
                <Failed part/>
            </Frame>
        }
        .into_any(),
    }
}

#[component]
fn Frame(stage: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="ride" data-stage=stage>
            <header class="topbar">
                <p class="brand"><Brand/></p>
            </header>
            <main class="stage" tabindex="-1">{children()}</main>
        </div>
    }
    .into_any()
}

#[component]
fn Failed(part: NeededPart) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <StatusScreen heading=Signal::derive(move || t_string!(i18n, part.ride_heading))>
            <p role="alert">{t!(i18n, part.ride_failed)}</p>
            <div class="status-actions">
                <button type="button" class="button primary" on:click=move |_| part.retry()>
                    {t!(i18n, common.try_again)}
                </button>
                <a class="button" href="/">{t!(i18n, common.go_home)}</a>
            </div>
        </StatusScreen>
    }
    .into_any()
}
