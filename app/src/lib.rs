//! The Leptos app: lobby, countdown, live board, summary.
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context, Title, HashedStylesheet};

pub mod browser;
pub mod i18n;
pub mod session;
pub mod state;
use i18n::*;

/// The whole document.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <AutoReload options=options.clone()/>
                <HashedStylesheet options=options.clone() id="style"/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body><App/></body>
        </html>
    }
}

/// The app.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! { <I18nContextProvider><Hello/></I18nContextProvider> }
}

#[component]
fn Hello() -> impl IntoView {
    let i18n = use_i18n();
    view! { <Title text="x"/> <p>{t!(i18n, app.name)}</p> <p>{t!(i18n, riders.count, count = || 3)}</p> }
}

/// Makes the page live.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    leptos::mount::hydrate_body(App);
}
