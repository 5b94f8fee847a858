//! What the chat adds to a rider's card: presence, avatar, reactions, and buttons for messages.

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use protocol::peer::PeerId;
use session::chat::{Avatar, ChatInput, GroupReaction};

use super::{
    chat_avatar::AvatarView,
    chat_reactions::{GroupReactions, ReactionButtons, ReactionIcon},
    chat_text::{open_private, presence, presence_name, rider_view, send},
};
use crate::{
    browser::page,
    i18n::*,
    state::{ExchangeState, Intents, RideState},
};

/// Time that a reaction is shown.
const REACTION_DURATION: Duration = Duration::from_secs(3);

/// The additions to the card of a rider.
#[component]
pub fn ChatRider(exchange: ExchangeState, peer: PeerId, label: Memo<String>) -> impl IntoView {
    let state = expect_context::<RideState>();
    let is_self = {
        let riders = state.riders.read_untracked();
        riders
            .iter()
            .any(|rider| rider.is_self && rider.peer == peer)
    };
    let quick = move || {
        let is_open = exchange.is_open.get();
        (is_self && !is_open).then(
            || view! { <div class="rider-reactions" data-quick="true"><GroupReactions/></div> },
        )
    };
    view! {
        <RiderAvatar exchange peer=peer.clone() label/>
        {(!is_self).then(|| view! { <RiderPresence exchange peer=peer.clone()/> })}
        {(!is_self).then(|| view! { <RiderActions exchange peer=peer.clone() label/> })}
        {quick}
        <RiderReaction exchange peer/>
    }
    .into_any()
}

/// Avatar in place of the start number, if the rider has chosen one.
#[component]
fn RiderAvatar(exchange: ExchangeState, peer: PeerId, label: Memo<String>) -> impl IntoView {
    let avatar = Memo::new(move |_| {
        let chat = exchange.chat.read();
        rider_view(&chat, &peer)
            .map(|rider| rider.avatar.clone())
            .unwrap_or_default()
    });
    let is_chosen = Memo::new(move |_| avatar.with(|avatar| *avatar != Avatar::Initials));
    move || {
        is_chosen.get().then(|| {
            view! { <AvatarView exchange avatar name=label.get_untracked() number=0/> }
        })
    }
}

#[component]
fn RiderPresence(exchange: ExchangeState, peer: PeerId) -> impl IntoView {
    let i18n = use_i18n();
    let rider = Memo::new(move |_| {
        let chat = exchange.chat.read();
        rider_view(&chat, &peer).cloned()
    });
    let text = move || rider.with(|rider| rider.as_ref().map(|rider| presence(i18n, rider)));
    let name = move || rider.with(|rider| rider.as_ref().map(presence_name));
    view! { <p class="rider-presence" data-presence=name title=text>{text}</p> }.into_any()
}

/// Buttons for a message and for a reaction.
#[component]
fn RiderActions(exchange: ExchangeState, peer: PeerId, label: Memo<String>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let is_reacting = RwSignal::new(false);
    let id = format!("react-{peer}");
    let peer = StoredValue::new(peer);
    let message_name = move || format!("{} {}", t_string!(i18n, chat.message_to), label.get());
    let react_name = move || format!("{} {}", t_string!(i18n, chat.react_to), label.get());
    let open = move |ev| {
        open_private(exchange, intents, peer.get_value());
        exchange.wants_focus.set(!page::is_touch(&ev));
    };
    let button_id = id.clone();
    let react = Callback::new(move |reaction| {
        let to = Some(peer.get_value());
        send(intents, ChatInput::React { to, reaction });
        is_reacting.set(false);
        page::focus(&id);
    });
    view! {
        <div class="rider-actions">
            <button type="button" class="button quiet" aria-label=message_name title=message_name on:click=open>
                <svg class="chat-icon" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M3 5H21V17H11L6 21V17H3Z"/>
                </svg>
            </button>
            <button
                type="button"
                class="button quiet"
                id=button_id
                aria-label=react_name
                title=react_name
                aria-expanded=move || is_reacting.get().to_string()
                on:click=move |_| is_reacting.update(|is_reacting| *is_reacting = !*is_reacting)
            >
                <svg class="chat-icon" viewBox="0 0 24 24" aria-hidden="true">
                    <circle cx="12" cy="12" r="9"/>
                    <path d="M8 14Q12 18 16 14M9 9V10M15 9V10"/>
                </svg>
            </button>
        </div>
        <Show when=move || is_reacting.get()>
            <div class="rider-reactions">
                <ReactionButtons label=Signal::derive(react_name) on_choose=react/>
            </div>
        </Show>
    }
    .into_any()
}

/// The newest reaction to this rider, or of this rider to the group.
#[component]
fn RiderReaction(exchange: ExchangeState, peer: PeerId) -> impl IntoView {
    let shown = RwSignal::new(None::<(u32, GroupReaction)>);
    let timer = StoredValue::new_local(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    Effect::watch(
        move || exchange.reacted.get(),
        move |reacted, _, _| {
            let Some((_, reaction)) = reacted else { return };
            if *reaction.to.as_ref().unwrap_or(&reaction.from) != peer {
                return;
            }
            stop();
            shown.set(reacted.clone());
            let hide = move || drop(shown.try_set(None));
            timer.set_value(set_timeout_with_handle(hide, REACTION_DURATION).ok());
        },
        false,
    );
    on_cleanup(stop);
    view! {
        <For
            each=move || shown.get()
            key=|(number, _)| *number
            children=|(_, shown)| {
                let from = shown.to.is_some().then_some(shown.name);
                view! {
                    <p class="rider-reaction" aria-hidden="true" data-reaction=shown.reaction.to_string()>
                        <ReactionIcon reaction=shown.reaction/>
                        {from.map(|from| view! { <span class="rider-reaction-from" translate="no">{from}</span> })}
                    </p>
                }
            }
        />
    }
    .into_any()
}
