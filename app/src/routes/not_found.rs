//! The page for unknown addresses.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{icons::Brand, status_screen::StatusScreen},
    i18n::*,
};

/// The page. The server sends it with status 404.
#[component]
pub fn NotFound() -> impl IntoView {
    let i18n = use_i18n();
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text=move || t_string!(i18n, not_found.title)/>
        <div class="ride" data-stage="outside">
            <header class="topbar">
                <p class="brand"><Brand/></p>
            </header>
            <main class="stage">
                <StatusScreen heading=Signal::derive(move || t_string!(i18n, not_found.heading))>
                    <p>{t!(i18n, not_found.body)}</p>
                    <p class="actions">
                        <a class="button primary" href="/">{t!(i18n, common.go_home)}</a>
                    </p>
                </StatusScreen>
            </main>
        </div>
    }
    .into_any()
}
