//! The page of a solo ride on the simulated trainer, and other pages that show one view of the part
//! `ride`.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::ride_frame::{LoadingRide, RideUnavailable},
    i18n::*,
    lazy::{self, Progress, RideViews},
};

/// The page.
#[component]
pub fn SoloRide() -> impl IntoView {
    let i18n = use_i18n();
    let title = Signal::derive(move || t_string!(i18n, ride.title_solo));
    page(title, |views| views.solo)
}

/// Page with a view of the part `ride`.
pub(super) fn page(
    title: Signal<&'static str>,
    choose: fn(RideViews) -> fn() -> AnyView,
) -> AnyView {
    let part = lazy::use_part(&lazy::RIDE);
    let view = move || match part.progress() {
        Progress::Fetching => view! { <LoadingRide/> }.into_any(),
        Progress::Failed => view! { <RideUnavailable part/> }.into_any(),
        Progress::Loaded => lazy::RIDE.loaded().map(|views| choose(views)()).into_any(),
    };
    view! {
        <Title text=move || title.get()/>
        {view}
    }
    .into_any()
}
