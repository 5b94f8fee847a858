//! The seconds before the start.

use std::time::Duration;

use leptos::prelude::*;

use super::{format, interval::IntervalCard, rider::RiderCard};
use crate::{i18n::*, state::RideState};

/// Seconds from which the time is shown with minutes.
const LONG: u32 = 100;
/// Seconds of a day. A rider who does not know group time may hear of a start as far away as the
/// host likes.
const DAY: u32 = 86_400;

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
                    class:long=move || { seconds.get() >= LONG }
                    translate="no"
                    role="timer"
                    aria-label=move || t_string!(i18n, countdown.name)
                >
                    {move || match seconds.get() {
                        DAY.. => t_string!(i18n, countdown.far).to_owned(),
                        LONG.. => format::duration(Duration::from_secs(seconds.get().into())),
                        few => few.to_string(),
                    }}
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
