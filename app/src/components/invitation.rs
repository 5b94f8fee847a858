//! The invitation: session code, link and QR code.

use leptos::prelude::*;

use crate::{
    i18n::*,
    state::{Intent, Intents, RideState},
};

/// The panel; empty in a solo ride.
#[component]
pub fn Invitation() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let panel = move |code: String| {
        view! {
            <section class="panel invitation">
                <p class="hint">{t!(i18n, lobby.invite)}</p>
                <p class="code" translate="no" role="status" aria-label=move || t_string!(i18n, common.session_code)>
                    {code.clone()}
                </p>
                <button type="button" class="button" on:click=move |_| intents.send(Intent::CopyLink)>
                    {t!(i18n, lobby.copy)}
                </button>
                <img
                    class="qr"
                    width="160"
                    height="160"
                    alt=move || t_string!(i18n, lobby.qr)
                    src=format!("/ride/{code}/qr.svg")
                />
                <p class="address" translate="no">{move || state.invitation.get()}</p>
            </section>
        }
    };
    move || state.code.get().map(|code| panel(code.to_string()))
}
