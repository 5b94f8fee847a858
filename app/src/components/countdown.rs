//! The seconds before the start.

use leptos::prelude::*;

use super::{interval::IntervalCard, rider::RiderCard};
use crate::{i18n::*, state::RideState};

/// The screen of the countdown.
#[component]
pub fn Countdown() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let seconds = Memo::new(move |_| state.progress.read().countdown);
    let first = move || {
        state.workout.get().and_then(|workout| {
            let interval = workout.intervals().first()?.clone();
            Some(view! {
                <IntervalCard interval label=Signal::derive(move || t_string!(i18n, countdown.first))/>
            })
        })
    };
    view! {
        <section class="countdown">
            <h1>{t!(i18n, countdown.heading)}</h1>
            <div class="countdown-face">
                <div
                    class="countdown-seconds"
                    translate="no"
                    role="timer"
                    aria-label=move || t_string!(i18n, countdown.name)
                >
                    {move || seconds.get()}
                </div>
                <div class="road" aria-hidden="true"></div>
            </div>
            {first}
            <p class="hint">{t!(i18n, countdown.go)}</p>
        </section>
        <ul class="countdown-riders" role="list" aria-label=move || t_string!(i18n, riders.heading)>
            <For
                each=move || state.riders.get()
                key=|rider| rider.row
                children=|rider| view! { <li><RiderCard rider/></li> }
            />
        </ul>
    }
    .into_any()
}
