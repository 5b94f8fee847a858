//! The host's dialog about the group: lock the ride, hand it over, kick a rider,
//! close the ride. Actions that cannot be undone ask for confirmation.

use super::{dialog::Dialog, icons::Bib, labels, rider::use_label};
use crate::{
    i18n::*,
    lazy,
    state::{Intent, Intents, OtherMember, RideState, RiderRow},
};
use leptos::{prelude::*, web_sys::HtmlInputElement};
use protocol::peer::PeerId;

/// Maximum length of the reason for a kick, in characters.
const MAX_REASON: &str = "120";

/// An action that waits for confirmation.
#[derive(Clone)]
pub enum PendingAction {
    /// Make a rider the host.
    HandOver {
        /// The rider.
        peer: PeerId,
        /// Name in the question.
        name: String,
    },
    /// Remove a member.
    Kick {
        /// The member.
        peer: PeerId,
        /// Name in the question.
        name: String,
    },
    /// Close the ride for all.
    Close,
}

/// The dialog and the button that opens it.
#[component]
pub fn ManageRiders() -> impl IntoView {
    let i18n = use_i18n();
    let open = RwSignal::new(false);
    view! {
        <button type="button" class="button" on:click=move |_| open.set(true)>
            {t!(i18n, manage_riders.heading)}
        </button>
        {lazy::dialog(&lazy::SCREENS, open, |views| views.manage)}
    }
    .into_any()
}

/// The dialog, and the questions that it leads to.
#[component]
pub fn ManageRidersDialog(open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let pending = RwSignal::new(None::<PendingAction>);
    let ask = Callback::new(move |question| {
        open.set(false);
        pending.set(Some(question));
    });
    view! {
        <Dialog open labelled_by="manage-heading">
            <div class="section-head">
                <h2 id="manage-heading">{t!(i18n, manage_riders.heading)}</h2>
                <button type="button" class="button quiet" on:click=move |_| open.set(false)>
                    {t!(i18n, manage_riders.done)}
                </button>
            </div>
            <LockSwitch/>
            <OtherRiders ask/>
            <OtherMembers ask/>
            <button type="button" class="button close-ride" on:click=move |_| ask.run(PendingAction::Close)>
                {t!(i18n, manage_riders.close)}
            </button>
        </Dialog>
        <ConfirmAction pending heading_id="ask-heading" reason_id="kick-reason"/>
    }
    .into_any()
}

#[component]
fn LockSwitch() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    // The checkbox shows the state that the server confirmed, so a change is
    // undone until then.
    let toggle = move |ev| {
        intents.send(Intent::Lock(event_target_checked(&ev)));
        event_target::<HtmlInputElement>(&ev).set_checked(state.locked.get_untracked());
    };
    view! {
        <label class="checkbox">
            <input
                type="checkbox"
                prop:checked=move || state.locked.get()
                aria-describedby="lock-hint"
                on:change=toggle
            />
            <span>{t!(i18n, manage_riders.lock)}</span>
        </label>
        <p class="hint" id="lock-hint">{t!(i18n, manage_riders.lock_hint)}</p>
    }
    .into_any()
}

#[component]
fn OtherRiders(ask: Callback<PendingAction>) -> impl IntoView {
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
                children=move |rider| view! { <OtherRider rider ask/> }
            />
        </ul>
        <Show when=move || others().is_empty()>
            <p class="hint">{t!(i18n, connection.no_riders)}</p>
        </Show>
    }
    .into_any()
}

#[component]
fn OtherRider(rider: RiderRow, ask: Callback<PendingAction>) -> impl IntoView {
    let i18n = use_i18n();
    let name = use_label(&rider);
    let number = RwSignal::from(rider.number);
    let peer = StoredValue::new(rider.peer);
    let hand_over = move |_| {
        ask.run(PendingAction::HandOver {
            peer: peer.get_value(),
            name: name.get_untracked(),
        })
    };
    let kick = move |_| {
        ask.run(PendingAction::Kick {
            peer: peer.get_value(),
            name: name.get_untracked(),
        })
    };
    let label = move |action: &str| format!("{action} {}", name.get());
    view! {
        <li>
            <Bib number name/>
            <span class="manage-rider-name" translate="no">{move || name.get()}</span>
            <button
                type="button"
                class="button"
                aria-label=move || label(t_string!(i18n, manage_riders.hand_over_to))
                on:click=hand_over
            >
                {t!(i18n, manage_riders.hand_over)}
            </button>
            <button
                type="button"
                class="button"
                aria-label=move || label(t_string!(i18n, manage_riders.kick))
                on:click=kick
            >
                {t!(i18n, manage_riders.kick)}
            </button>
        </li>
    }
    .into_any()
}

/// Members who do not ride: phones that connect devices, and programs of others.
#[component]
fn OtherMembers(ask: Callback<PendingAction>) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let list = move || {
        let others = state.others.get();
        let heading = move || t_string!(i18n, manage_riders.others);
        (!others.is_empty()).then(|| {
            view! {
                <h3>{heading}</h3>
                <ul class="manage-riders" role="list">
                    {others
                        .into_iter()
                        .map(|member| view! { <OtherMemberRow member ask/> })
                        .collect_view()}
                </ul>
            }
        })
    };
    list.into_any()
}

#[component]
fn OtherMemberRow(member: OtherMember, ask: Callback<PendingAction>) -> impl IntoView {
    let i18n = use_i18n();
    let OtherMember { peer, number, role } = member;
    let name = Memo::new(move |_| labels::other_member(i18n, role, number));
    let kick = move |_| {
        ask.run(PendingAction::Kick {
            peer: peer.clone(),
            name: name.get_untracked(),
        })
    };
    view! {
        <li>
            <span class="manage-rider-name">{move || name.get()}</span>
            <button
                type="button"
                class="button"
                aria-label=move || format!("{} {}", t_string!(i18n, manage_riders.kick), name.get())
                on:click=kick
            >
                {t!(i18n, manage_riders.kick)}
            </button>
        </li>
    }
    .into_any()
}

/// Dialog that asks for confirmation; for a kick it also asks for a reason.
#[component]
pub fn ConfirmAction(
    pending: RwSignal<Option<PendingAction>>,
    /// Unique on the page.
    heading_id: &'static str,
    /// Unique on the page.
    reason_id: &'static str,
) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let open = RwSignal::new(false);
    let reason = RwSignal::new(String::new());
    // Each effect tracks only the signal that the other one writes last;
    // otherwise they would trigger each other forever.
    Effect::new(move || {
        if pending.with(Option::is_some) {
            open.set(true);
        }
    });
    Effect::new(move || {
        if !open.get() && pending.with_untracked(Option::is_some) {
            pending.set(None);
            reason.set(String::new());
        }
    });
    let heading = move || match pending.get() {
        Some(PendingAction::HandOver { name, .. }) => {
            t!(i18n, manage_riders.hand_over_heading, name).into_any()
        }
        Some(PendingAction::Kick { name, .. }) => {
            t!(i18n, manage_riders.kick_heading, name).into_any()
        }
        Some(PendingAction::Close) => t!(i18n, manage_riders.close_heading).into_any(),
        None => ().into_any(),
    };
    let body = move || match pending.get() {
        Some(PendingAction::HandOver { .. }) => t_string!(i18n, manage_riders.hand_over_body),
        Some(PendingAction::Kick { .. }) => t_string!(i18n, manage_riders.kick_body),
        Some(PendingAction::Close) => t_string!(i18n, manage_riders.close_body),
        None => "",
    };
    let confirm = move || match pending.get() {
        Some(PendingAction::HandOver { .. }) => t_string!(i18n, manage_riders.hand_over),
        Some(PendingAction::Close) => t_string!(i18n, manage_riders.close_confirm),
        _ => t_string!(i18n, manage_riders.kick),
    };
    let kicking = move || matches!(pending.get(), Some(PendingAction::Kick { .. }));
    let execute = move |_| {
        match pending.get_untracked() {
            Some(PendingAction::HandOver { peer, .. }) => intents.send(Intent::HandOver(peer)),
            Some(PendingAction::Kick { peer, .. }) => intents.send(Intent::Kick {
                peer,
                reason: reason.get_untracked().trim().to_owned(),
            }),
            Some(PendingAction::Close) => intents.send(Intent::CloseRide),
            None => {}
        }
        open.set(false);
    };
    view! {
        <Dialog open labelled_by=heading_id>
            <h2 id=heading_id>{heading}</h2>
            <p>{body}</p>
            <Show when=kicking>
                <div class="field" data-kind="text">
                    <label for=reason_id>{t!(i18n, manage_riders.kick_reason)}</label>
                    <input
                        id=reason_id
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
                    {t!(i18n, manage_riders.cancel)}
                </button>
                <button type="button" class="button danger" on:click=execute>{confirm}</button>
            </div>
        </Dialog>
    }
    .into_any()
}

/// Button to become host again, for the rider who created the ride.
#[component]
pub fn ReclaimButton() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    view! {
        <Show when=move || state.can_reclaim.get()>
            <button type="button" class="button" on:click=move |_| intents.send(Intent::Reclaim)>
                {t!(i18n, manage_riders.reclaim)}
            </button>
        </Show>
    }
    .into_any()
}
