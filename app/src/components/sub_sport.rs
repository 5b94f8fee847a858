//! The choice of the kind of ride that files are written as.

use leptos::prelude::*;

use crate::{i18n::*, state::SubSport};

/// Values of the options.
const INDOOR: &str = "indoor";
const VIRTUAL: &str = "virtual";

/// The choice, with its label.
#[component]
pub fn SubSportSelect(
    #[prop(into)] sub_sport: Signal<SubSport>,
    on_choose: Callback<SubSport>,
) -> impl IntoView {
    let i18n = use_i18n();
    let is_virtual = move || sub_sport.get() == SubSport::VirtualActivity;
    let choose = move |event| {
        on_choose.run(match event_target_value(&event).as_str() {
            VIRTUAL => SubSport::VirtualActivity,
            _ => SubSport::IndoorCycling,
        });
    };
    view! {
        <label class="sub-sport">
            <span>{t!(i18n, summary.sub_sport)}</span>
            <select class="select" on:change=choose>
                <option value=INDOOR selected=move || !is_virtual()>
                    {t!(i18n, summary.indoor_cycling)}
                </option>
                <option value=VIRTUAL selected=is_virtual>
                    {t!(i18n, summary.virtual_ride)}
                </option>
            </select>
        </label>
    }
    .into_any()
}
