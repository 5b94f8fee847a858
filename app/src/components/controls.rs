//! The bar with the host's buttons and the button to leave.

use leptos::prelude::*;

use super::{dialog::Confirm, manage_riders::ReclaimButton};
use crate::{
    i18n::*,
    state::{Intent, Intents, RideState, Stage},
};

/// The bar, shown from the lobby to the end of the ride.
#[component]
pub fn Controls() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let stage = Memo::new(move |_| state.stage.get());
    let riding = Memo::new(move |_| stage.get() == Stage::Riding);
    let in_ride = move || matches!(stage.get(), Stage::Lobby | Stage::Countdown | Stage::Riding);
    let is_leading = move || riding.get() && state.is_host.get();
    let may_cancel = move || stage.get() == Stage::Countdown && state.is_host.get();
    view! {
        <Show when=in_ride>
            <section class="controls" aria-label=move || t_string!(i18n, ride.controls)>
                <Show when=is_leading>
                    <div class="controls-group">
                        <BackButton/>
                        <SkipButton/>
                        <ExtendButton/>
                    </div>
                </Show>
                <div class="controls-group">
                    <Show when=is_leading>
                        <PauseButton/>
                        <EndButton/>
                    </Show>
                    <Show when=may_cancel>
                        <CancelButton/>
                    </Show>
                    <ReclaimButton/>
                    <LeaveButton/>
                </div>
            </section>
        </Show>
    }
    .into_any()
}

/// Index of the interval on the screen. A tap is meant for this interval, even if
/// the next one has started by the time the session handles it.
fn shown_interval(state: RideState) -> usize {
    state.progress.read_untracked().interval
}

/// A button of the host, disabled while host commands are suspended.
#[component]
fn HostButton(
    #[prop(into)] label: Signal<&'static str>,
    /// Accessible name, if it differs from the label.
    #[prop(into, optional)]
    name: Option<Signal<&'static str>>,
    #[prop(into, optional)] hint: Option<Signal<&'static str>>,
    on_press: Callback<()>,
) -> impl IntoView {
    let state = expect_context::<RideState>();
    view! {
        <button
            type="button"
            class="button"
            disabled=move || state.controls_suspended.get()
            title=move || hint.map(|hint| hint.get())
            aria-label=move || name.map(|name| name.get())
            on:click=move |_| on_press.run(())
        >
            {move || label.get()}
        </button>
    }
    .into_any()
}

#[component]
fn BackButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    view! {
        <HostButton
            label=Signal::derive(move || t_string!(i18n, riding.back))
            hint=Signal::derive(move || t_string!(i18n, riding.back_hint))
            on_press=Callback::new(move |()| intents.send(Intent::Back(shown_interval(state))))
        />
    }
}

#[component]
fn SkipButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    view! {
        <HostButton
            label=Signal::derive(move || t_string!(i18n, riding.skip))
            on_press=Callback::new(move |()| intents.send(Intent::Skip(shown_interval(state))))
        />
    }
}

#[component]
fn ExtendButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    view! {
        <HostButton
            label=Signal::derive(move || t_string!(i18n, riding.extend))
            name=Signal::derive(move || t_string!(i18n, riding.extend_name))
            on_press=Callback::new(move |()| intents.send(Intent::Extend(shown_interval(state))))
        />
    }
}

#[component]
fn CancelButton() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    view! {
        <HostButton
            label=Signal::derive(move || t_string!(i18n, countdown.cancel))
            on_press=Callback::new(move |()| intents.send(Intent::CancelStart))
        />
    }
}

#[component]
fn PauseButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let paused = Memo::new(move |_| state.progress.read().paused);
    let resuming = Memo::new(move |_| state.progress.read().resumes_in.is_some());
    let toggle = move |_| {
        intents.send(if paused.get_untracked() {
            Intent::Resume
        } else {
            Intent::Pause
        })
    };
    let label = move || {
        if paused.get() {
            t_string!(i18n, riding.resume)
        } else {
            t_string!(i18n, riding.pause)
        }
    };
    view! {
        <button
            type="button"
            class="button"
            class:primary=move || paused.get()
            disabled=move || resuming.get() || state.controls_suspended.get()
            on:click=toggle
        >
            {label}
        </button>
    }
    .into_any()
}

#[component]
fn EndButton() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let asking = RwSignal::new(false);
    view! {
        <HostButton
            label=Signal::derive(move || t_string!(i18n, riding.end))
            on_press=Callback::new(move |()| asking.set(true))
        />
        <Confirm
            open=asking
            id="end-heading"
            heading=Signal::derive(move || t_string!(i18n, riding.end_heading))
            body=Signal::derive(move || t_string!(i18n, riding.end_body))
            cancel=Signal::derive(move || t_string!(i18n, riding.end_stay))
            confirm=Signal::derive(move || t_string!(i18n, riding.end_confirm))
            on_confirm=Callback::new(move |()| intents.send(Intent::End))
        />
    }
    .into_any()
}

/// Leaves without confirmation: nothing is lost, since the summary and the FIT
/// file are shown afterwards and the address still leads back into the ride.
#[component]
fn LeaveButton() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    view! {
        <button type="button" class="button quiet" on:click=move |_| intents.send(Intent::Leave)>
            {t!(i18n, ride.leave)}
        </button>
    }
    .into_any()
}
