//! The offer to resume or finish a solo ride that was not finished.

use leptos::prelude::*;

use super::format;
use crate::{
    browser::clock,
    i18n::*,
    own_rides::id_of,
    state::{Intent, Intents, RideState},
};

/// The offer, while there is such a ride.
#[component]
pub fn UnfinishedOffer() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let offer = move || {
        let ride = state.unfinished.get()?;
        let finish = format!("/rides/{}#finish", id_of(&ride.key));
        Some(view! {
            <section class="panel" aria-labelledby="unfinished-heading">
                <h2 id="unfinished-heading">{t!(i18n, unfinished.heading)}</h2>
                <p>
                    <strong>{ride.workout.clone()}</strong>
                    " · "
                    {clock::date_and_time(ride.started_at)}
                    " · "
                    <span translate="no">{format::duration(ride.recorded)}</span>
                </p>
                <div class="actions">
                    <button
                        type="button"
                        class="button primary"
                        on:click=move |_| intents.send(Intent::ResumeUnfinished)
                    >
                        {t!(i18n, home.resume)}
                    </button>
                    <a class="button" href=finish>{t!(i18n, home.finish)}</a>
                </div>
            </section>
        })
    };
    view! { <div class="unfinished-offer" role="status">{offer}</div> }.into_any()
}
