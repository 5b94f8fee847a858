//! The button that brings a design into a ride.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_navigate;
use ride::workout::design::Design;

use super::Designer;
use crate::{
    browser::tabs,
    i18n::*,
    next_workout::{self, NextWorkout},
};

/// Shares the workout into the ride whose lobby is open in another tab of this browser. Without one,
/// it becomes the workout of the ride that is started next.
#[component]
pub fn ShareButton(designer: Designer) -> impl IntoView {
    let i18n = use_i18n();
    let navigate = Callback::new({
        let navigate = use_navigate();
        move |path: &'static str| navigate(path, Default::default())
    });
    let is_sending = RwSignal::new(false);
    // Code of the ride that took it; empty for a ride alone.
    let shared_into = RwSignal::new(None::<String>);
    let is_workout = Memo::new(move |_| designer.design.read().workout().is_ok());
    // What is shared is not what is designed after it.
    Effect::watch(
        move || designer.design.track(),
        move |(), _, _| shared_into.set(None),
        false,
    );
    let share = move |_| {
        let Ok(workout) = designer.design.with_untracked(Design::workout) else {
            return;
        };
        is_sending.set(true);
        spawn_local(async move {
            let bytes = workout.to_bytes();
            let answer = tabs::send_workout(&bytes).await;
            if is_sending.try_set(false).is_some() {
                // The rider has left the page.
                return;
            }
            match answer {
                Some(code) => shared_into.set(Some(code)),
                None => {
                    let name = workout.name().to_owned();
                    next_workout::put(NextWorkout { name, bytes });
                    navigate.run("/");
                }
            }
        });
    };
    let result = move || {
        shared_into.get().map(|code| match code.as_str() {
            "" => t!(i18n, designer.shared_alone).into_any(),
            _ => t!(i18n, designer.shared, code).into_any(),
        })
    };
    view! {
        <button
            type="button"
            class="button primary"
            disabled=move || !is_workout.get() || is_sending.get()
            on:click=share
        >
            {t!(i18n, designer.share)}
        </button>
        <p class="hint" role="status">{result}</p>
    }
    .into_any()
}
