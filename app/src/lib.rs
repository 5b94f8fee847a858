//! The Leptos app.
//!
//! - [`routes`]: one page per file, made of [`components`].
//! - [`state`]: signals that the driver writes and components read, and the
//!   channel for intents in the other direction.
//! - [`driver`]: runs [`session::RideSession`] with events of the browser and
//!   intents, and carries out its outputs.
//! - `own_workouts`: the workouts that the rider keeps in this browser, and links with a workout;
//!   no session is needed for them.
//! - `exchange_driver`: driver of chat and file transfers, loaded later than that of the session.
//! - `next_workout`: the workout on its way from the designer into the ride that is started next.
//! - `intervals_icu`: planned workouts and uploads, with the rider's own key of that service.
//! - [`browser`]: wrappers of the browser's interfaces.
//! - [`i18n`]: all texts of the screens.
//! - `document`: the HTML document around the app, on the server.
//!
//! Contract of all screens: the first render in the browser equals the one on the
//! server (hydration), and there are no inline styles or scripts, since the
//! content security policy forbids them. The document around the screens has the
//! scripts of `document` and `sub_path`, with the page's nonce.

#![recursion_limit = "256"]

use leptos::prelude::*;
use leptos_meta::{Meta, provide_meta_context};
use leptos_router::{
    components::{FlatRoutes, Route, Router},
    path,
};

pub mod browser;
mod components;
#[cfg(feature = "ssr")]
mod document;
pub mod driver;
mod exchange_driver;
pub mod i18n;
mod intervals_icu;
pub mod lazy;
mod next_workout;
mod own_rides;
mod own_workouts;
mod routes;
pub mod state;
#[cfg(feature = "ssr")]
mod sub_path;

use components::hydrated::Hydrated;
#[cfg(feature = "ssr")]
pub use document::shell;
use i18n::*;
use routes::{
    bridge::Bridge,
    group_ride::GroupRide,
    home::Home,
    not_found::NotFound,
    rides::{Rides, Settings},
    solo_ride::SoloRide,
    workouts::Workouts,
};

/// The app: the router with all pages, and the contexts that they share.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Hydrated::provide();
    view! {
        <I18nContextProvider>
            <Description/>
            <Router>
                <FlatRoutes fallback=NotFound>
                    <Route path=path!("/") view=Home/>
                    <Route path=path!("/ride/:code") view=GroupRide/>
                    <Route path=path!("/solo") view=SoloRide/>
                    <Route path=path!("/workouts/:id?") view=Workouts/>
                    <Route path=path!("/rides/:id?") view=Rides/>
                    <Route path=path!("/settings") view=Settings/>
                    <Route path=path!("/bridge") view=Bridge/>
                </FlatRoutes>
            </Router>
        </I18nContextProvider>
    }
}

#[component]
fn Description() -> impl IntoView {
    let i18n = use_i18n();
    view! { <Meta name="description" content=move || t_string!(i18n, app.description)/> }
}

/// Hydrates the page: attaches the app to the HTML that the server rendered.
/// `fetches` fetch the parts of the app that the first page does not need.
#[cfg(feature = "hydrate")]
pub fn hydrate(fetches: lazy::Fetches) {
    fetches.install();
    browser::page::end_translation();
    browser::leave_guard::listen_before_router();
    leptos::mount::hydrate_body(App);
}
