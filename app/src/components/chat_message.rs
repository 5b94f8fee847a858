//! One message of the chat: text, marks, reactions and actions.

use std::sync::Arc;

use leptos::prelude::*;
use session::chat::{ChatInput, DeliveryMarks, MessageRow, MessageState};

use super::{
    chat::{ChatPanelState, HideButton},
    chat_avatar::AvatarOf,
    chat_reactions::{ReactionIcon, reaction_name},
    chat_text::{Piece, names, pieces, send},
};
use crate::{
    browser::clock::time_of_day,
    i18n::*,
    state::{ExchangeState, Intents, RideState},
};

/// The message. Its content changes in place, so that the focus stays.
#[component]
pub fn Message(
    exchange: ExchangeState,
    panel: ChatPanelState,
    message: RwSignal<Arc<MessageRow>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let first = message.get_untracked();
    let id = first.id.clone();
    let key = format!("{}-{}-{}", id.author, id.log, id.number);
    let is_own = first.is_own;
    let state_name = move || match message.read().state {
        MessageState::Text { .. } => "text",
        MessageState::Deleted => "deleted",
        MessageState::Removed => "removed",
    };
    let is_verified = Memo::new(move |_| message.read().is_verified);
    let is_edited = Memo::new(move |_| {
        matches!(
            message.read().state,
            MessageState::Text {
                is_edited: true,
                ..
            }
        )
    });
    let name = Memo::new(move |_| message.read().name.clone());
    let author = move || {
        match is_own {
        true => view! { <span class="message-name">{t!(i18n, chat.you)}</span> }.into_any(),
        false => view! {
            <span class="message-name" translate="no" title=move || name.get()>{move || name.get()}</span>
        }
        .into_any(),
    }
    };
    let content = Memo::new(move |_| message.read().state.clone());
    let text = move || match content.get() {
        MessageState::Text { text, .. } => view! { <MessageText text/> }.into_any(),
        MessageState::Deleted => {
            view! { <p class="message-gone">{t!(i18n, chat.deleted)}</p> }.into_any()
        }
        MessageState::Removed => {
            view! { <p class="message-gone">{t!(i18n, chat.removed)}</p> }.into_any()
        }
    };
    let is_open = {
        let id = id.clone();
        Memo::new(move |_| panel.menu.with(|menu| menu.as_ref() == Some(&id)))
    };
    let has_text = Memo::new(move |_| matches!(message.read().state, MessageState::Text { .. }));
    let menu_id = StoredValue::new(id.clone());
    let toggle_menu = move |_| {
        let is_open = is_open.get_untracked();
        panel.menu.set((!is_open).then(|| menu_id.get_value()));
    };
    view! {
        <article
            class="message"
            data-message=key
            data-state=state_name
            data-own=is_own.then_some("true")
            data-private=first.is_private.then_some("true")
            data-verified=move || is_verified.get().to_string()
        >
            <div class="message-head">
                {(!is_own).then(|| view! { <AvatarOf exchange peer=id.author name=first.name.clone()/> })}
                {author}
                <time class="message-time" translate="no">{time_of_day(first.at)}</time>
                {first.is_private.then(|| view! { <span class="tag">{t!(i18n, chat.private)}</span> })}
                {move || {
                    (!is_verified.get()).then(|| view! { <span class="tag">{t!(i18n, chat.unverified)}</span> })
                }}
                {move || {
                    is_edited.get().then(|| view! { <span class="message-time">{t!(i18n, chat.edited)}</span> })
                }}
            </div>
            <div class="message-content">{text}</div>
            <Show when=move || has_text.get()>
                <button
                    type="button"
                    class="button quiet message-menu"
                    aria-label=move || t_string!(i18n, chat.actions)
                    aria-expanded=move || is_open.get().to_string()
                    on:click=toggle_menu
                >
                    <span aria-hidden="true">"⋯"</span>
                </button>
            </Show>
            <Reactions message/>
            <Marks message/>
            <Show when=move || is_open.get() && has_text.get()>
                <Actions exchange panel message/>
            </Show>
        </article>
    }
    .into_any()
}

/// The text, whose addresses are links.
#[component]
fn MessageText(text: String) -> impl IntoView {
    let piece = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => (*text).to_owned().into_any(),
        Piece::Link(address) => {
            let address = (*address).to_owned();
            let shown = address.clone();
            view! {
                <a href=address target="_blank" rel="noopener noreferrer">{shown}</a>
            }
            .into_any()
        }
    };
    view! {
        <p class="message-text" data-text="">{pieces(&text).iter().map(piece).collect_view()}</p>
    }
    .into_any()
}

/// Reactions that the message has.
#[component]
fn Reactions(message: RwSignal<Arc<MessageRow>>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let shown = Memo::new(move |_| {
        let message = message.read();
        let numbers = message.reactions.iter().map(|count| count.reaction);
        numbers.collect::<Vec<_>>()
    });
    let button = move |number: u8| {
        let count = Memo::new(move |_| {
            let message = message.read();
            message
                .reactions
                .iter()
                .find(|count| count.reaction == number)
                .cloned()
        });
        let people = move || {
            count
                .get()
                .map(|count| names(&count.names))
                .unwrap_or_default()
        };
        let size = move || count.with(|count| count.as_ref().map_or(0, |count| count.names.len()));
        let name = move || format!("{}, {}: {}", reaction_name(i18n, number), size(), people());
        let is_own = move || count.with(|count| count.as_ref().is_some_and(|count| count.is_own));
        let react = move |_| {
            let message = message.read_untracked().id.clone();
            send(
                intents,
                ChatInput::ReactTo {
                    message,
                    reaction: number,
                },
            );
        };
        view! {
            <button
                type="button"
                class="button message-reaction"
                aria-label=name
                aria-pressed=move || is_own().to_string()
                title=people
                on:click=react
            >
                <ReactionIcon reaction=number/>
                <span aria-hidden="true" translate="no">{size}</span>
            </button>
        }
    };
    view! {
        <div class="message-reactions">
            <For each=move || shown.get() key=|number| *number children=button/>
        </div>
    }
    .into_any()
}

/// To whom an own message was delivered, with the names on demand.
#[component]
fn Marks(message: RwSignal<Arc<MessageRow>>) -> impl IntoView {
    let i18n = use_i18n();
    let marks = Memo::new(move |_| message.read().marks.clone());
    let has_marks = Memo::new(move |_| marks.read().is_some());
    let shows_names = RwSignal::new(false);
    let words = move || {
        let marks = marks.get().unwrap_or_default();
        let m = marks.present.len();
        let read = (!marks.read.is_empty()).then(|| {
            view! { <span>{t!(i18n, chat.read, n = marks.read.len(), m)}</span> }
        });
        match marks.delivered.len() {
            0 => t!(i18n, chat.sent).into_any(),
            n => view! { <span>{t!(i18n, chat.delivered, n, m)}</span> {read} }.into_any(),
        }
    };
    let list = move || {
        let marks = marks.get().unwrap_or_default();
        let DeliveryMarks {
            present,
            delivered,
            read,
        } = &marks;
        let waiting: Vec<_> = present
            .iter()
            .filter(|name| !delivered.contains(name))
            .cloned()
            .collect();
        let delivered: Vec<_> = delivered
            .iter()
            .filter(|name| !read.contains(name))
            .cloned()
            .collect();
        let row = |words: AnyView, people: &[String]| {
            let people = names(people);
            (!people.is_empty()).then(|| {
                view! { <div><dt>{words}</dt><dd translate="no">{people}</dd></div> }
            })
        };
        view! {
            <dl class="message-names">
                {row(t!(i18n, chat.read_by).into_any(), read)}
                {row(t!(i18n, chat.delivered_to).into_any(), &delivered)}
                {row(t!(i18n, chat.not_delivered).into_any(), &waiting)}
            </dl>
        }
    };
    view! {
        <Show when=move || has_marks.get()>
            <button
                type="button"
                class="message-marks"
                aria-expanded=move || shows_names.get().to_string()
                on:click=move |_| shows_names.update(|shown| *shown = !*shown)
            >
                {words}
            </button>
            <Show when=move || shows_names.get()>{list}</Show>
        </Show>
    }
    .into_any()
}

/// Reactions to choose from, and what else can be done with the message.
#[component]
fn Actions(
    exchange: ExchangeState,
    panel: ChatPanelState,
    message: RwSignal<Arc<MessageRow>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let is_own = message.read_untracked().is_own;
    let id = move || message.read_untracked().id.clone();
    let can_change = Memo::new(move |_| message.read().can_change);
    // The host's own newer messages have "Delete" instead, with the same effect.
    let can_remove = Memo::new(move |_| state.is_host.get() && !(is_own && can_change.get()));
    let reaction_button = move |number: u8| {
        let is_pressed = move || {
            let message = message.read();
            message
                .reactions
                .iter()
                .any(|count| count.reaction == number && count.is_own)
        };
        view! {
            <button
                type="button"
                class="button reaction-button"
                aria-label=move || reaction_name(i18n, number)
                aria-pressed=move || is_pressed().to_string()
                on:click=move |_| send(intents, ChatInput::ReactTo { message: id(), reaction: number })
            >
                <ReactionIcon reaction=number/>
            </button>
        }
    };
    let people = move || {
        let message = message.read();
        let row = |count: &session::chat::ReactionCount| {
            view! {
                <div>
                    <dt aria-hidden="true"><ReactionIcon reaction=count.reaction/></dt>
                    <dd translate="no">{names(&count.names)}</dd>
                </div>
            }
        };
        message.reactions.iter().map(row).collect_view()
    };
    let edit = move |_| {
        let row = message.get_untracked();
        if let MessageState::Text { text, .. } = &row.state {
            panel.editing.set(Some((row.id.clone(), text.clone())));
            panel.menu.set(None);
            exchange.wants_focus.set(true);
        }
    };
    let finish = move |input| {
        panel.menu.set(None);
        send(intents, input);
    };
    let hide = {
        let row = message.read_untracked();
        (!is_own).then(|| (row.id.author.clone(), row.name.clone()))
    };
    view! {
        <div class="message-actions">
            <div class="reaction-buttons">
                {(0..session::chat::REACTIONS).map(reaction_button).collect_view()}
            </div>
            <dl class="message-names">{people}</dl>
            <div class="actions">
                <Show when=move || can_change.get()>
                    <button type="button" class="button" on:click=edit>{t!(i18n, chat.edit)}</button>
                    <button
                        type="button"
                        class="button"
                        on:click=move |_| finish(ChatInput::Delete(id()))
                    >
                        {t!(i18n, chat.delete)}
                    </button>
                </Show>
                <Show when=move || can_remove.get()>
                    <button
                        type="button"
                        class="button"
                        on:click=move |_| finish(ChatInput::Remove(id()))
                    >
                        {t!(i18n, chat.remove)}
                    </button>
                </Show>
                {hide.map(|(peer, name)| view! { <HideButton exchange peer name/> })}
            </div>
        </div>
    }
    .into_any()
}
