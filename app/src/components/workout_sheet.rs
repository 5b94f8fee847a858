//! The shared workout, as all riders see it before the start.

use std::sync::Arc;

use leptos::prelude::*;
use ride::workout::Workout;

use super::{
    format,
    profile::{Profile, ZoneLegend},
};
use crate::i18n::*;

/// Name, duration, profile and description of a workout.
#[component]
pub fn WorkoutSheet(workout: Arc<Workout>) -> impl IntoView {
    let i18n = use_i18n();
    let count = workout.intervals().len();
    let author = workout.author().to_owned();
    let author_line = (!author.is_empty()).then(|| {
        view! { <span>{t!(i18n, workout.by, author)}</span> }
    });
    view! {
        <section class="sheet" aria-label=move || t_string!(i18n, workout.heading)>
            <div class="section-head">
                <h2>{workout.name().to_owned()}</h2>
                <p class="workout-duration" translate="no">{format::duration(workout.duration())}</p>
            </div>
            <p class="sheet-facts">
                <span>{t!(i18n, workout.intervals, count = move || count)}</span>
                {author_line}
            </p>
            <Profile workout=workout.clone() id=String::from("shared-profile")/>
            <ZoneLegend workout=workout.clone()/>
            <p class="sheet-description">{workout.description().to_owned()}</p>
        </section>
    }
    .into_any()
}
