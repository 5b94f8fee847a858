//! The buttons of a ride that are there all the time: the host's, and leaving.

use leptos::prelude::*;

use super::{dialog::Confirm, manage::TakeBack};
use crate::{
    i18n::*,
    state::{Intent, Intents, RideState, Stage},
};

/// The bar.
#[component]
pub fn Controls() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let stage = Memo::new(move |_| state.stage.get());
    let riding = Memo::new(move |_| stage.get() == Stage::Riding);
    let inside = move || matches!(stage.get(), Stage::Lobby | Stage::Countdown | Stage::Riding);
    let hosts = move || riding.get() && state.is_host.get();
    let may_cancel = move || stage.get() == Stage::Countdown && state.is_host.get();
    view! {
        <Show when=inside>
            <section class="controls" aria-label=move || t_string!(i18n, ride.controls)>
                <Show when=hosts>
                    <div class="controls-group">
                        <BackButton/>
                        <SkipButton/>
                        <ExtendButton/>
                    </div>
                </Show>
                <div class="controls-group">
                    <Show when=hosts>
                        <PauseButton/>
                        <EndButton/>
                    </Show>
                    <Show when=may_cancel>
                        <CancelButton/>
                    </Show>
                    <TakeBack/>
                    <LeaveButton riding/>
                </div>
            </section>
        </Show>
    }
    .into_any()
}

/// The interval on the screen: what a tap means, even if another one has begun
/// by the time it is heard.
fn seen(state: RideState) -> usize {
    state.progress.read_untracked().interval
}

#[component]
fn BackButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    view! {
        <button
            type="button"
            class="button"
            title=move || t_string!(i18n, riding.back_hint)
            on:click=move |_| intents.send(Intent::Back(seen(state)))
        >
            {t!(i18n, riding.back)}
        </button>
    }
    .into_any()
}

#[component]
fn SkipButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    view! {
        <button
            type="button"
            class="button"
            on:click=move |_| intents.send(Intent::Skip(seen(state)))
        >
            {t!(i18n, riding.skip)}
        </button>
    }
    .into_any()
}

#[component]
fn ExtendButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    view! {
        <button
            type="button"
            class="button"
            aria-label=move || t_string!(i18n, riding.extend_name)
            on:click=move |_| intents.send(Intent::Extend(seen(state)))
        >
            {t!(i18n, riding.extend)}
        </button>
    }
    .into_any()
}

#[component]
fn CancelButton() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    view! {
        <button
            type="button"
            class="button"
            on:click=move |_| intents.send(Intent::CancelStart)
        >
            {t!(i18n, countdown.cancel)}
        </button>
    }
    .into_any()
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
            disabled=resuming
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
        <button type="button" class="button" on:click=move |_| asking.set(true)>
            {t!(i18n, riding.end)}
        </button>
        <Confirm
            open=asking
            id="end-heading"
            heading=Signal::derive(move || t_string!(i18n, riding.end_heading))
            body=Signal::derive(move || t_string!(i18n, riding.end_body))
            stay=Signal::derive(move || t_string!(i18n, riding.end_stay))
            go=Signal::derive(move || t_string!(i18n, riding.end_confirm))
            on_go=Callback::new(move |()| intents.send(Intent::End))
        />
    }
    .into_any()
}

/// In the lobby a tap is enough; while riding it may be an accident.
#[component]
fn LeaveButton(riding: Memo<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let asking = RwSignal::new(false);
    let leave = move |_| {
        if riding.get_untracked() {
            asking.set(true);
        } else {
            intents.send(Intent::Leave);
        }
    };
    view! {
        <button type="button" class="button quiet" on:click=leave>{t!(i18n, ride.leave)}</button>
        <Confirm
            open=asking
            id="leave-heading"
            heading=Signal::derive(move || t_string!(i18n, ride.leave_heading))
            body=Signal::derive(move || t_string!(i18n, ride.leave_body))
            stay=Signal::derive(move || t_string!(i18n, ride.leave_stay))
            go=Signal::derive(move || t_string!(i18n, ride.leave_confirm))
            on_go=Callback::new(move |()| intents.send(Intent::Leave))
        />
    }
    .into_any()
}
