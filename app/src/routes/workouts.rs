//! The page of the rider's workouts.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{components::icons::Brand, i18n::*, lazy};

/// The page.
#[component]
pub fn Workouts() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <Title text=move || t_string!(i18n, workouts.title)/>
        <div class="ride" data-stage="outside">
            <header class="topbar">
                <p class="brand"><Brand/></p>
            </header>
            <main class="stage">
                {lazy::view_of(&lazy::WORKOUTS, |part| (part.page)())}
                <p class="actions">
                    <a class="button" href="/">{t!(i18n, common.go_home)}</a>
                </p>
            </main>
        </div>
    }
    .into_any()
}
