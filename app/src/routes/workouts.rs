//! The pages of the rider's workouts: all of them, or one in the designer.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    components::{
        ride_frame::{RideFrame, RideUnavailable},
        status_screen::LoadingScreen,
    },
    i18n::*,
    lazy::{self, Progress, WORKOUTS},
};

/// The page: of all workouts, or of the one with the number in the address.
#[component]
pub fn Workouts() -> impl IntoView {
    let i18n = use_i18n();
    let params = use_params_map();
    let address = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let part = lazy::use_part(&WORKOUTS);
    let view = move || match part.progress() {
        Progress::Fetching => view! {
            <RideFrame stage="waiting">
                <LoadingScreen text=Signal::derive(move || t_string!(i18n, part.loading))/>
            </RideFrame>
        }
        .into_any(),
        Progress::Failed => view! { <RideUnavailable part/> }.into_any(),
        Progress::Loaded => {
            let content = WORKOUTS.loaded().map(|part| (part.page)(address.get()));
            view! { <RideFrame stage="outside">{content}</RideFrame> }.into_any()
        }
    };
    view! {
        <Title text=move || t_string!(i18n, workouts.title)/>
        {view}
    }
    .into_any()
}
