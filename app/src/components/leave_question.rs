//! The question before the browser's Back leaves a ride that is under way.

use leptos::prelude::*;

use super::dialog::Confirm;
use crate::{
    browser::leave_guard::LeaveGuard,
    i18n::*,
    state::{Intent, Intents, RideState},
};

/// The dialog, and the guard of the page while this is shown.
#[component]
pub fn LeaveQuestion() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let asking = RwSignal::new(false);
    let guard = StoredValue::new_local(None::<LeaveGuard>);
    Effect::new(move || guard.set_value(LeaveGuard::new(move || asking.set(true))));
    let body = move || {
        if state.riders.read().len() < 2 {
            t_string!(i18n, riding.leave_body_last)
        } else if state.is_host.get() {
            t_string!(i18n, riding.leave_body_host)
        } else {
            t_string!(i18n, riding.leave_body)
        }
    };
    view! {
        <Confirm
            open=asking
            id="leave-heading"
            heading=Signal::derive(move || t_string!(i18n, riding.leave_heading))
            body=Signal::derive(body)
            cancel=Signal::derive(move || t_string!(i18n, riding.end_stay))
            confirm=Signal::derive(move || t_string!(i18n, ride.leave))
            on_confirm=Callback::new(move |()| intents.send(Intent::Leave))
        />
    }
    .into_any()
}
