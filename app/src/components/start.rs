//! Starting a group ride, from wherever a button offers it.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use protocol::code::SessionCode;

use super::words;
use crate::{
    browser::{api, storage},
    i18n::*,
    state::Refusal,
};

/// The way to a new ride.
#[derive(Clone, Copy)]
pub struct Start {
    busy: RwSignal<bool>,
    failed: RwSignal<Option<Refusal>>,
    navigate: Callback<String>,
}

/// A way to a new ride. Does nothing on the server.
pub fn use_start() -> Start {
    let navigate = use_navigate();
    Start {
        busy: RwSignal::new(false),
        failed: RwSignal::new(None),
        navigate: Callback::new(move |path: String| navigate(&path, Default::default())),
    }
}

impl Start {
    /// Makes a ride on the server and goes there.
    pub fn ride(self) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.failed.set(None);
        spawn_local(async move {
            let made = api::create_ride().await;
            // The page may have been left meanwhile: then nobody waits.
            self.busy.try_set(false);
            match made {
                Ok(code) => self.go_to(&code),
                Err(refusal) => {
                    self.failed.try_set(Some(refusal));
                }
            }
        });
    }

    /// Goes to a ride as the rider that this browser remembers.
    pub fn go_to(self, code: &SessionCode) {
        storage::announce_joining(code);
        self.open(&format!("/ride/{code}"));
    }

    /// Goes to another page.
    pub fn open(self, path: &str) {
        self.navigate.try_run(path.to_owned());
    }

    /// Whether a ride is being made.
    pub fn busy(self) -> bool {
        self.busy.get()
    }
}

/// Why no ride could be started, if so.
#[component]
pub fn StartFailure(start: Start) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        start.failed.get().map(|refusal| {
            let sentence = move || match refusal {
                Refusal::Unreachable => t_string!(i18n, server.unreachable),
                Refusal::Full => t_string!(i18n, server.full),
                Refusal::TooMany => t_string!(i18n, server.too_many),
                Refusal::Outdated => words::refusal(i18n, refusal),
                _ => t_string!(i18n, server.failed),
            };
            view! { <p class="error" role="alert">{sentence}</p> }
        })
    }
}
