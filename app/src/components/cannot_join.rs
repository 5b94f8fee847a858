//! The screen of a ride that cannot be joined: the reason, and ways on.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{
    labels,
    ride_starter::{StartError, use_ride_starter},
    status_screen::StatusScreen,
};
use crate::{
    browser::storage,
    i18n::*,
    state::{Intent, Intents, JoinError, RideState},
};

/// The screen.
#[component]
pub fn CannotJoinScreen(error: JoinError) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let starter = use_ride_starter();
    let start = move |_| match storage::profile() {
        Some(_) => starter.create(),
        None => starter.open("/"),
    };
    let address = use_location().pathname;
    let retry = match error {
        JoinError::Outdated => Some(
            view! {
                <a class="button primary" href=move || address.get() rel="external">
                    {t!(i18n, join_error.reload)}
                </a>
            }
            .into_any(),
        ),
        JoinError::NoSuchRide
        | JoinError::NotACode
        | JoinError::Kicked
        | JoinError::Closed
        | JoinError::Dismissed => None,
        JoinError::Full
        | JoinError::Locked
        | JoinError::TooManyRides
        | JoinError::Unreachable
        | JoinError::Other => Some(
            view! {
                <button
                    type="button"
                    class="button primary"
                    on:click=move |_| intents.send(Intent::Retry)
                >
                    {t!(i18n, common.try_again)}
                </button>
            }
            .into_any(),
        ),
    };
    let is_primary = retry.is_none();
    view! {
        <StatusScreen heading=Signal::derive(move || t_string!(i18n, join_error.heading))>
            <p role="alert">{move || labels::join_error(i18n, error)}</p>
            <KickReason/>
            <div class="actions">
                {retry}
                <button
                    type="button"
                    class="button"
                    class:primary=is_primary
                    disabled=move || starter.busy()
                    on:click=start
                >
                    {t!(i18n, common.start_group_ride)}
                </button>
                <button type="button" class="button" on:click=move |_| starter.open("/")>
                    {t!(i18n, common.go_home)}
                </button>
            </div>
            <StartError starter/>
        </StatusScreen>
    }
    .into_any()
}

/// The host's reason for kicking this rider, if one was given.
#[component]
pub fn KickReason() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    move || {
        let reason = state.kick_reason.get().filter(|reason| !reason.is_empty());
        reason.map(|reason| view! { <p>{t!(i18n, join_error.kick_reason)} " " <q>{reason}</q></p> })
    }
}
