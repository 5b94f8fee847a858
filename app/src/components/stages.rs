//! A ride's page: the frame that stays, and the screen of the stage.

use leptos::{html, prelude::*, web_sys::HtmlElement};

use super::{
    connection_panel::ConnectionPanel,
    controls::Controls,
    countdown::Countdown,
    doors::{Introduction, Left, Moved, Waiting, WhoAreYou},
    lobby::Lobby,
    marks::Brand,
    news::News,
    refused::Refused,
    riding::Riding,
    summary::Summary,
};
use crate::{
    i18n::*,
    state::{RideState, Stage},
};

/// The page. Wants [`RideState`] and the intents in the context.
#[component]
pub fn Stages() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let stage = Memo::new(move |_| state.stage.get());
    let screen = move || match stage.get() {
        Stage::Opening => {
            view! { <Waiting words=Signal::derive(move || t_string!(i18n, ride.opening))/> }
                .into_any()
        }
        Stage::WhoAreYou { known } => view! { <WhoAreYou known/> }.into_any(),
        Stage::Introduce => view! { <Introduction/> }.into_any(),
        Stage::Joining => {
            view! { <Waiting words=Signal::derive(move || t_string!(i18n, ride.joining))/> }
                .into_any()
        }
        Stage::Lobby => view! { <Lobby/> }.into_any(),
        Stage::Countdown => view! { <Countdown/> }.into_any(),
        Stage::Riding => view! { <Riding/> }.into_any(),
        Stage::Ended => view! { <Summary/> }.into_any(),
        Stage::Refused(refusal) => view! { <Refused refusal/> }.into_any(),
        Stage::Moved => view! { <Moved/> }.into_any(),
        Stage::Left => view! { <Left/> }.into_any(),
    };
    let main = NodeRef::<html::Main>::new();
    Effect::watch(
        move || stage.with(word),
        move |word, before, _| {
            if before.is_some_and(|before| before != word)
                && let Some(main) = main.get_untracked()
            {
                go_to_top(&main);
            }
        },
        false,
    );
    view! {
        <div class="ride" data-stage=move || stage.with(word)>
            <header class="topbar">
                <p class="brand"><Brand/></p>
                <p class="topbar-ride"><RideName/></p>
                <ConnectionPanel/>
            </header>
            <News/>
            <Controls/>
            <main class="stage" tabindex="-1" node_ref=main>{screen}</main>
        </div>
    }
    .into_any()
}

/// A new screen is read from its beginning, by eye and by screen reader.
fn go_to_top(main: &HtmlElement) {
    // Fails only for an element outside the document, which nobody reads.
    let _ = main.focus();
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// What is being ridden: the workout's name, once there is one.
#[component]
fn RideName() -> impl IntoView {
    let state = expect_context::<RideState>();
    move || state.workout.get().map(|workout| workout.name().to_owned())
}

fn word(stage: &Stage) -> &'static str {
    match stage {
        Stage::Opening | Stage::Joining => "waiting",
        Stage::WhoAreYou { .. } | Stage::Introduce => "asking",
        Stage::Lobby => "lobby",
        Stage::Countdown => "countdown",
        Stage::Riding => "riding",
        Stage::Ended => "ended",
        Stage::Refused(_) | Stage::Moved | Stage::Left => "outside",
    }
}
