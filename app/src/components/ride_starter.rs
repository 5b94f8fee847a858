//! Creating a group ride, from any page with a button for it.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use protocol::code::SessionCode;

use crate::{
    browser::{
        api::{self, ApiError},
        storage,
    },
    i18n::*,
};

/// Creates rides and navigates to them.
#[derive(Clone, Copy)]
pub struct RideStarter {
    busy: RwSignal<bool>,
    error: RwSignal<Option<ApiError>>,
    navigate: Callback<String>,
}

/// A starter for the current page. During server rendering it only holds
/// signals; its methods are called from event handlers, in the browser.
pub fn use_ride_starter() -> RideStarter {
    let navigate = use_navigate();
    RideStarter {
        busy: RwSignal::new(false),
        error: RwSignal::new(None),
        navigate: Callback::new(move |path: String| navigate(&path, Default::default())),
    }
}

impl RideStarter {
    /// Creates a ride on the server and opens its page.
    pub fn create(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.error.set(None);
        spawn_local(async move {
            let created = api::create_ride().await;
            // The signals are gone if the rider has left the page meanwhile.
            self.busy.try_set(false);
            match created {
                Ok(code) => self.join(&code),
                Err(error) => {
                    self.error.try_set(Some(error));
                }
            }
        });
    }

    /// Opens the page of a ride, which joins at once with the saved name and FTP.
    pub fn join(self, code: &SessionCode) {
        storage::save_join_marker(code);
        self.open(&format!("/ride/{code}"));
    }

    /// Opens another page.
    pub fn open(self, path: &str) {
        self.navigate.try_run(path.to_owned());
    }

    /// True while a ride is being created.
    pub fn busy(self) -> bool {
        self.busy.get()
    }
}

/// Message that no ride could be created, and why.
#[component]
pub fn StartError(starter: RideStarter) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        starter.error.get().map(|error| {
            let sentence = move || match error {
                ApiError::Unreachable => t_string!(i18n, server.unreachable),
                ApiError::Full => t_string!(i18n, server.full),
                ApiError::TooManyRides => t_string!(i18n, server.too_many),
                ApiError::Outdated => t_string!(i18n, join_error.outdated),
                ApiError::NoSuchRide | ApiError::Other => t_string!(i18n, server.failed),
            };
            view! { <p class="error" role="alert">{sentence}</p> }
        })
    }
}
