//! The page of a solo ride on the simulated trainer.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::ride_frame::{LoadingRide, RideUnavailable},
    i18n::*,
    lazy::{self, Progress},
};

/// The page.
#[component]
pub fn SoloRide() -> impl IntoView {
    let i18n = use_i18n();
    let part = lazy::use_part(&lazy::RIDE);
    let view = move || match part.progress() {
        Progress::Fetching => view! { <LoadingRide/> }.into_any(),
        Progress::Failed => view! { <RideUnavailable part/> }.into_any(),
        Progress::Loaded => lazy::RIDE.loaded().map(|views| (views.solo)()).into_any(),
    };
    view! {
        <Title text=move || t_string!(i18n, ride.title_solo)/>
        {view}
    }
    .into_any()
}
