//! The page of a group ride, from the invitation to the summary.
//!
//! The ride is a part of its own ([`crate::lazy`]). Until it is loaded, and until
//! its session knows the next step, the page shows the form for name and FTP. The
//! form is rendered on the server, so that a new rider can type before any code
//! has arrived. A rider who is known here, or has just filled in the form of the
//! home page, does not see it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use protocol::code::SessionCode;
use ride::rider::{Ftp, RiderName};

use crate::{
    browser::storage,
    components::{
        ride_frame::{LoadingRide, PartFailure, RideFrame, RideUnavailable},
        rider_form::RiderFormState,
        status_screen::EnterNameScreen,
    },
    i18n::*,
    lazy::{self, JoinStep, OpenRide, Progress},
};

/// The page. It starts anew when the code in the address changes.
#[component]
pub fn GroupRide() -> impl IntoView {
    let i18n = use_i18n();
    let params = use_params_map();
    // While the router leaves the page, the address has no code; the previous one
    // is kept then.
    let code = Memo::new(move |before: Option<&String>| {
        let code = params.read().get("code").filter(|code| !code.is_empty());
        code.or_else(|| before.cloned()).unwrap_or_default()
    });
    view! {
        <Title text=move || format!("{} · {}", code.get(), t_string!(i18n, app.name))/>
        {move || view! { <Ride address=code.get()/> }}
    }
    .into_any()
}

/// Content of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// The form for name and FTP.
    Form,
    /// The ride is being loaded.
    Loading,
    /// The ride could not be loaded.
    Unavailable,
    /// The ride.
    Ride,
}

#[component]
fn Ride(address: String) -> impl IntoView {
    let code = address.parse::<SessionCode>().ok();
    let rider = RiderFormState::new();
    // True while the form is shown although the session has not asked for it.
    let form_first = RwSignal::new(code.is_some());
    let part = lazy::use_part(&lazy::RIDE);
    let ride = RwSignal::new(None::<OpenRide>);
    // The session's signals live as long as this component.
    let owner = Owner::current();
    let known_code = code.clone();
    Effect::new(move || {
        if known_code.as_ref().is_some_and(storage::knows_ride) {
            form_first.set(false);
        }
    });
    Effect::new(move || {
        if part.progress() == Progress::Loaded
            && ride.read_untracked().is_none()
            && let (Some(owner), Some(views)) = (&owner, lazy::RIDE.loaded())
        {
            let opened = untrack(|| owner.with(|| (views.open_group)(address.clone())));
            ride.set(Some(opened));
        }
    });
    let content = Memo::new(move |_| match (ride.get(), part.progress()) {
        (Some(ride), _) => match ride.step.get() {
            JoinStep::EnterName => Content::Form,
            JoinStep::LookUp if form_first.get() => Content::Form,
            JoinStep::LookUp | JoinStep::Other => Content::Ride,
        },
        (None, _) if form_first.get() => Content::Form,
        (None, Progress::Failed) => Content::Unavailable,
        (None, _) => Content::Loading,
    });
    let join = Callback::new(move |(name, ftp): (RiderName, Ftp)| {
        match ride.get_untracked() {
            Some(ride) if ride.step.get_untracked() == JoinStep::EnterName => {
                ride.join.run((name, ftp));
            }
            // The session joins as soon as it has looked up the ride.
            _ => {
                if let Some(code) = &code {
                    storage::save_join_marker(code);
                }
                form_first.set(false);
            }
        }
    });
    let view = move || match content.get() {
        Content::Form => view! {
            <RideFrame stage="asking">
                <EnterNameScreen rider join>
                    <PartFailure part/>
                </EnterNameScreen>
            </RideFrame>
        }
        .into_any(),
        Content::Loading => view! { <LoadingRide/> }.into_any(),
        Content::Unavailable => view! { <RideUnavailable part/> }.into_any(),
        Content::Ride => ride.get_untracked().map(|ride| (ride.page)()).into_any(),
    };
    view.into_any()
}
