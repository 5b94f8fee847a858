//! The HTML document around the app, rendered on the server: its head, the script
//! that starts the app, and a notice in case that the app does not start.
//!
//! The script (`document/start.js`) fetches and compiles the app's modules, and
//! hydrates the page. There are no `preload` links for the modules, because WebKit
//! does not give the response of a `preload` with `as="fetch"` to a later `fetch`
//! and transfers the file a second time. The script keeps what it has begun, and
//! the loader of the parts takes it from there (tools/build/front_end.mjs).
//!
//! Hydration waits for `pageshow`, because Chromium restores the fields of a form
//! shortly before, and the app takes their texts over.
//!
//! The attribute `data-start` of the root element says how far the start is: absent
//! while no script has run, then `begun`, `loading` after a moment, `slow` after a
//! longer one, and `done` or `failed`. The style sheet shows the text for it.

mod site_files;

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::{HashedStylesheet, MetaTags};
use leptos_router::location::RequestUrl;

use crate::{App, i18n::*, routes, sub_path::SubPathCheck};
use site_files::SiteFiles;

/// The document.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="dark"/>
                <meta name="theme-color" content="#0e1013"/>
                <link rel="icon" href="/favicon.ico" sizes="32x32"/>
                <link rel="icon" href="/icon.svg" type="image/svg+xml"/>
                <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <SubPathCheck/>
                <AutoReload options=options.clone()/>
                // Before the style sheet, because a script waits for the style sheets
                // before it.
                <Start options=options.clone()/>
                <HashedStylesheet options id="style"/>
                <script type="module" src="/translation.js"></script>
                <MetaTags/>
            </head>
            <body>
                <App/>
                // After the app, because hydration starts at the body's first node.
                <I18nSubContextProvider>
                    <StartNotice/>
                </I18nSubContextProvider>
            </body>
        </html>
    }
}

/// Script that starts the app, and hints to fetch the scripts that it imports.
#[component]
fn Start(options: LeptosOptions) -> impl IntoView {
    let files = SiteFiles::of(&options);
    let address = use_context::<RequestUrl>().unwrap_or_default();
    let parts = match routes::opens_ride(address.as_ref()) {
        true => files.ride,
        false => Vec::new(),
    };
    let script = format!(
        "{}({:?}, {:?}, {parts:?});",
        include_str!("document/start.js").trim_end(),
        files.script,
        files.module
    );
    view! {
        <link rel="modulepreload" href=files.script/>
        {files.loader.map(|loader| view! { <link rel="modulepreload" href=loader/> })}
        <script nonce=use_nonce()>{script}</script>
    }
}

/// Notice that the app has not started, and what is needed. The script removes it
/// when the app has started, and adds the button to try again.
#[component]
fn StartNotice() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="start-notice" role="status" data-retry=move || t_string!(i18n, common.try_again)>
            <p data-shown-when="blocked">{t!(i18n, start.blocked)}</p>
            <p data-shown-when="loading">{t!(i18n, start.loading)}</p>
            <p data-shown-when="slow">{t!(i18n, start.slow)}</p>
            <p data-shown-when="failed" class="error">{t!(i18n, start.failed)}</p>
        </div>
    }
}
