//! The question before the browser's Back leaves a ride that is under way.

use leptos::prelude::*;

use super::dialog::Confirm;
use crate::{
    browser::leave_guard::LeaveGuard,
    i18n::*,
    state::{Intent, Intents, RideState, Stage},
};

/// The dialog, and the guard of the page during the countdown and the ride.
#[component]
pub fn LeaveQuestion() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let asking = RwSignal::new(false);
    let guard = StoredValue::new_local(None::<LeaveGuard>);
    let under_way = Memo::new(move |_| {
        let stage = state.stage.read();
        matches!(*stage, Stage::Countdown | Stage::Riding)
    });
    Effect::new(move || {
        let guarded = under_way.get();
        let new = guarded.then(|| LeaveGuard::new(move || asking.set(true)));
        guard.set_value(new.flatten());
        if !guarded {
            asking.set(false);
        }
    });
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
