//! Remarks on the file of the shared workout: what was repaired, assumed or left out.

use leptos::prelude::*;

use super::error_text;
use crate::{
    i18n::*,
    state::{Intent, Intents, RideState},
};

/// The list, with a button that dismisses it.
#[component]
pub fn WorkoutRemarks() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let remarks = move || {
        let remarks = state.workout_remarks.get().into_iter();
        remarks
            .map(|remark| view! { <li>{error_text::remark(i18n, remark)}</li> })
            .collect_view()
    };
    view! {
        <div class="workout-remarks">
            <div class="section-head">
                <h3>{t!(i18n, errors.remark.heading)}</h3>
                <button
                    type="button"
                    class="button"
                    on:click=move |_| intents.send(Intent::DismissRemarks)
                >
                    {t!(i18n, errors.remark.dismiss)}
                </button>
            </div>
            <ul>{remarks}</ul>
        </div>
    }
    .into_any()
}
