//! The page of a ride: a top bar, the status region and the controls, and the
//! screen of the current stage.

use leptos::{html, prelude::*, web_sys::HtmlElement};

use super::{
    cannot_join::CannotJoinScreen,
    connection_panel::ConnectionPanel,
    controls::Controls,
    countdown::Countdown,
    icons::Brand,
    lobby::Lobby,
    status_region::StatusRegion,
    status_screen::{ChooseRiderScreen, LeftScreen, LoadingScreen, TakenOverScreen},
};
use crate::{
    i18n::*,
    lazy,
    state::{RideState, Stage},
};

/// The page. Needs [`RideState`] and the intents as contexts.
#[component]
pub fn RidePage() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let stage = Memo::new(move |_| state.stage.get());
    let screen = move || match stage.get() {
        Stage::LookingUp => {
            view! { <LoadingScreen text=Signal::derive(move || t_string!(i18n, ride.looking_up))/> }
                .into_any()
        }
        Stage::ChooseRider { known } => view! { <ChooseRiderScreen known/> }.into_any(),
        // The form belongs to the page around the ride.
        Stage::EnterName => ().into_any(),
        Stage::Joining => {
            view! { <LoadingScreen text=Signal::derive(move || t_string!(i18n, ride.joining))/> }
                .into_any()
        }
        Stage::Lobby => view! { <Lobby/> }.into_any(),
        Stage::Countdown => view! { <Countdown/> }.into_any(),
        Stage::Riding => lazy::screen(|views| (views.riding)()),
        Stage::Ended => lazy::screen(|views| (views.summary)()),
        Stage::CannotJoin(error) => view! { <CannotJoinScreen error/> }.into_any(),
        Stage::TakenOver => view! { <TakenOverScreen/> }.into_any(),
        Stage::Left => view! { <LeftScreen/> }.into_any(),
    };
    Effect::new(move || {
        if stage.with(|stage| matches!(stage, Stage::Lobby | Stage::Countdown | Stage::Riding)) {
            lazy::prefetch();
        }
    });
    let is_under_way =
        Memo::new(move |_| stage.with(|stage| matches!(stage, Stage::Countdown | Stage::Riding)));
    let main = NodeRef::<html::Main>::new();
    Effect::watch(
        move || stage.with(layout_name),
        move |name, before, _| {
            if before.is_some_and(|before| before != name)
                && let Some(main) = main.get_untracked()
            {
                go_to_top(&main);
            }
        },
        false,
    );
    view! {
        <div class="ride" data-stage=move || stage.with(layout_name)>
            <header class="topbar">
                <p class="brand"><Brand/></p>
                <RideName/>
                <ConnectionPanel/>
                {lazy::exchange_view(Box::new(|part, exchange| (part.view)(exchange)))}
            </header>
            <StatusRegion/>
            <Controls/>
            <main class="stage" tabindex="-1" node_ref=main>{screen}</main>
            <Show when=move || is_under_way.get()>
                {lazy::screen(|views| (views.leave_question)())}
            </Show>
        </div>
    }
    .into_any()
}

/// Scrolls to the top and moves the focus there, so that screen readers read a
/// new screen from its beginning.
pub fn go_to_top(main: &HtmlElement) {
    // Fails only for an element outside the document.
    let _ = main.focus();
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// Name of the shared workout.
#[component]
fn RideName() -> impl IntoView {
    let state = expect_context::<RideState>();
    let name = Memo::new(move |_| {
        let workout = state.workout.read();
        workout.as_ref().map(|workout| workout.name().to_owned())
    });
    view! { <p class="topbar-ride" title=move || name.get()>{move || name.get()}</p> }.into_any()
}

/// Value of the `data-stage` attribute: stages that share a layout share one.
fn layout_name(stage: &Stage) -> &'static str {
    match stage {
        Stage::LookingUp | Stage::Joining => "waiting",
        Stage::ChooseRider { .. } | Stage::EnterName => "asking",
        Stage::Lobby => "lobby",
        Stage::Countdown => "countdown",
        Stage::Riding => "riding",
        Stage::Ended => "ended",
        Stage::CannotJoin(_) | Stage::TakenOver | Stage::Left => "outside",
    }
}
