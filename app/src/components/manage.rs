//! What the host can do about the group: lock the ride, hand it over, remove a
//! rider. What cannot be undone asks first.

use leptos::{prelude::*, web_sys::HtmlInputElement};

use super::{dialog::Dialog, rider::Row};
use crate::{
    i18n::*,
    state::{Intent, Intents, RideState, RiderRow},
};

/// The longest reason for removing a rider, in characters.
const MAX_REASON: &str = "120";

/// What is asked before it is done.
#[derive(Clone)]
enum Question {
    HandOver { peer: String, name: String },
    Remove { peer: String, name: String },
    Close,
}

/// The button that opens the dialog, and the dialog.
#[component]
pub fn ManageRiders() -> impl IntoView {
    let i18n = use_i18n();
    let open = RwSignal::new(false);
    let asking = RwSignal::new(None::<Question>);
    let ask = Callback::new(move |question| {
        open.set(false);
        asking.set(Some(question));
    });
    view! {
        <button type="button" class="button" on:click=move |_| open.set(true)>
            {t!(i18n, manage.open)}
        </button>
        <Dialog open labelled_by="manage-heading">
            <div class="section-head">
                <h2 id="manage-heading">{t!(i18n, manage.heading)}</h2>
                <button type="button" class="button quiet" on:click=move |_| open.set(false)>
                    {t!(i18n, manage.done)}
                </button>
            </div>
            <LockSwitch/>
            <Others ask/>
            <button type="button" class="button manage-close" on:click=move |_| ask.run(Question::Close)>
                {t!(i18n, manage.close)}
            </button>
        </Dialog>
        <Ask asking/>
    }
    .into_any()
}

#[component]
fn LockSwitch() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    // It shows what the server says, not what was asked of it.
    let toggle = move |ev| {
        intents.send(Intent::Lock(event_target_checked(&ev)));
        event_target::<HtmlInputElement>(&ev).set_checked(state.locked.get_untracked());
    };
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || state.locked.get()
                aria-describedby="lock-hint"
                on:change=toggle
            />
            <span>{t!(i18n, manage.lock)}</span>
        </label>
        <p class="hint" id="lock-hint">{t!(i18n, manage.lock_hint)}</p>
    }
    .into_any()
}

#[component]
fn Others(ask: Callback<Question>) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let others = move || {
        let riders = state.riders.get().into_iter();
        riders.filter(|rider| !rider.is_self).collect::<Vec<_>>()
    };
    view! {
        <ul class="manage-riders" role="list">
            <For
                each=others
                key=|rider| rider.row
                children=move |rider| view! { <Other rider ask/> }
            />
        </ul>
        <Show when=move || others().is_empty()>
            <p class="hint">{t!(i18n, connection.nobody)}</p>
        </Show>
    }
    .into_any()
}

#[component]
fn Other(rider: RiderRow, ask: Callback<Question>) -> impl IntoView {
    let i18n = use_i18n();
    let name = Row::new(&rider).name;
    let peer = StoredValue::new(rider.peer);
    let hand_over = move |_| {
        ask.run(Question::HandOver {
            peer: peer.get_value(),
            name: name.get_untracked(),
        })
    };
    let remove = move |_| {
        ask.run(Question::Remove {
            peer: peer.get_value(),
            name: name.get_untracked(),
        })
    };
    let label = move |words: &str| format!("{words} {}", name.get());
    view! {
        <li>
            <span class="manage-name">{move || name.get()}</span>
            <button
                type="button"
                class="button"
                aria-label=move || label(t_string!(i18n, manage.hand_over_to))
                on:click=hand_over
            >
                {t!(i18n, manage.hand_over)}
            </button>
            <button
                type="button"
                class="button"
                aria-label=move || label(t_string!(i18n, manage.remove))
                on:click=remove
            >
                {t!(i18n, manage.remove)}
            </button>
        </li>
    }
    .into_any()
}

/// The question, with room for a reason where somebody is sent away.
#[component]
fn Ask(asking: RwSignal<Option<Question>>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let open = RwSignal::new(false);
    let reason = RwSignal::new(String::new());
    // Each writes only what the other reads anew, or they would call each other
    // for ever.
    Effect::new(move || {
        if asking.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move || {
        if !open.get() && asking.with_untracked(Option::is_some) {
            asking.set(None);
            reason.set(String::new());
        }
    });
    let heading = move || match asking.get() {
        Some(Question::HandOver { name, .. }) => {
            t!(i18n, manage.hand_over_heading, name).into_any()
        }
        Some(Question::Remove { name, .. }) => t!(i18n, manage.remove_heading, name).into_any(),
        Some(Question::Close) => t!(i18n, manage.close_heading).into_any(),
        None => ().into_any(),
    };
    let body = move || match asking.get() {
        Some(Question::HandOver { .. }) => t_string!(i18n, manage.hand_over_body),
        Some(Question::Remove { .. }) => t_string!(i18n, manage.remove_body),
        Some(Question::Close) => t_string!(i18n, manage.close_body),
        None => "",
    };
    let go = move || match asking.get() {
        Some(Question::HandOver { .. }) => t_string!(i18n, manage.hand_over),
        Some(Question::Close) => t_string!(i18n, manage.close_confirm),
        _ => t_string!(i18n, manage.remove),
    };
    let removing = move || matches!(asking.get(), Some(Question::Remove { .. }));
    let done = move |_| {
        match asking.get_untracked() {
            Some(Question::HandOver { peer, .. }) => intents.send(Intent::HandOver(peer)),
            Some(Question::Remove { peer, .. }) => intents.send(Intent::Remove {
                peer,
                reason: reason.get_untracked().trim().to_owned(),
            }),
            Some(Question::Close) => intents.send(Intent::CloseRide),
            None => {}
        }
        open.set(false);
    };
    view! {
        <Dialog open labelled_by="ask-heading">
            <h2 id="ask-heading">{heading}</h2>
            <p>{body}</p>
            <Show when=removing>
                <div class="field" data-takes="text">
                    <label for="remove-reason">{t!(i18n, manage.reason)}</label>
                    <input
                        id="remove-reason"
                        type="text"
                        maxlength=MAX_REASON
                        autocomplete="off"
                        prop:value=move || reason.get()
                        on:input=move |ev| reason.set(event_target_value(&ev))
                    />
                </div>
            </Show>
            <div class="dialog-actions">
                <button type="button" class="button" on:click=move |_| open.set(false)>
                    {t!(i18n, manage.stay)}
                </button>
                <button type="button" class="button danger" on:click=done>{go}</button>
            </div>
        </Dialog>
    }
    .into_any()
}

/// For whoever was host first and is not any more.
#[component]
pub fn TakeBack() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    view! {
        <Show when=move || state.may_reclaim.get()>
            <button type="button" class="button" on:click=move |_| intents.send(Intent::Reclaim)>
                {t!(i18n, manage.take_back)}
            </button>
        </Show>
    }
    .into_any()
}
