//! News of the chat while it is not open: large lines during the ride, and what screen readers read.

use std::{sync::Arc, time::Duration};

use leptos::{html, prelude::*};
use session::chat::{GroupReaction, MessageRow, MessageState};

use super::chat_reactions::reaction_name;
use crate::{
    browser::page,
    i18n::*,
    state::{ExchangeState, RideState, Stage},
};

/// Time that a message is shown large.
const LINE_DURATION: Duration = Duration::from_secs(5);
/// Largest number of messages that are shown large at the same time.
const MAX_LINES: usize = 2;

fn text_of(message: &MessageRow) -> Option<&str> {
    match &message.state {
        MessageState::Text { text, .. } => Some(text),
        MessageState::Deleted | MessageState::Removed => None,
    }
}

/// Messages that have just arrived, in lines that can be read from the bike.
#[component]
pub fn ArrivedLines(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let lines = RwSignal::new(Vec::<(u32, Arc<MessageRow>)>::new());
    let count = StoredValue::new(0_u32);
    let node = NodeRef::<html::Div>::new();
    node.on_load(|node| page::show_popover(&node));
    Effect::watch(
        move || exchange.arrived.get(),
        move |message, _, _| {
            let is_riding = *state.stage.read_untracked() == Stage::Riding;
            let Some(message) = message.clone().filter(|_| is_riding) else {
                return;
            };
            let number = count.get_value().wrapping_add(1);
            count.set_value(number);
            lines.update(|lines| {
                lines.push((number, message));
                let first = lines.len().saturating_sub(MAX_LINES);
                lines.drain(..first);
            });
            let hide = move || {
                let _ = lines.try_update(|lines| lines.retain(|(line, _)| *line != number));
            };
            set_timeout(hide, LINE_DURATION);
        },
        false,
    );
    // The open chat shows its messages itself.
    Effect::new(move || {
        if exchange.is_open.get() {
            lines.set(Vec::new());
        }
    });
    view! {
        <div class="chat-lines" popover="manual" aria-hidden="true" node_ref=node>
            <For
                each=move || lines.get()
                key=|(number, _)| *number
                children=move |(_, message)| {
                    let text = text_of(&message).unwrap_or_default().to_owned();
                    let is_private = message.is_private;
                    view! {
                        <p class="chat-line" data-private=is_private.then_some("true")>
                            <span class="chat-line-name" translate="no">{message.name.clone()}</span>
                            {is_private.then(|| view! { <span class="tag">{t!(i18n, chat.private)}</span> })}
                            <span class="chat-line-text">{text}</span>
                        </p>
                    }
                }
            />
        </div>
    }
    .into_any()
}

/// News for screen readers.
#[derive(Clone)]
enum News {
    Message(Arc<MessageRow>),
    Reaction(GroupReaction),
}

/// The live region for messages that arrive while the chat is closed, and for reactions.
#[component]
pub fn ChatNews(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let newest = RwSignal::new(None::<(u32, News)>);
    let tell = move |news| {
        newest.update(|newest| {
            let number = newest.as_ref().map_or(0, |(number, _)| *number);
            *newest = Some((number.wrapping_add(1), news));
        });
    };
    Effect::watch(
        move || exchange.arrived.get(),
        move |message, _, _| {
            if let Some(message) = message.clone() {
                tell(News::Message(message));
            }
        },
        false,
    );
    Effect::watch(
        move || exchange.reacted.get(),
        move |reacted, _, _| {
            if let Some((_, reaction)) = reacted.clone() {
                tell(News::Reaction(reaction));
            }
        },
        false,
    );
    let name_of = move |peer| {
        let riders = state.riders.read_untracked();
        let rider = riders.iter().find(|rider| rider.peer == peer)?;
        Some(match rider.is_self {
            true => t_string!(i18n, chat.to_you).to_owned(),
            false => format!(
                "{} {}",
                t_string!(i18n, chat.to),
                rider.name.get_untracked()
            ),
        })
    };
    let words = move |news: News| match news {
        News::Message(message) => {
            let private = match message.is_private {
                true => format!(" ({})", t_string!(i18n, chat.private)),
                false => String::new(),
            };
            format!(
                "{}{private}: {}",
                message.name,
                text_of(&message).unwrap_or_default()
            )
        }
        News::Reaction(reaction) => {
            let name = reaction_name(i18n, reaction.reaction);
            let to = reaction.to.and_then(name_of).unwrap_or_default();
            format!("{}: {name} {to}", reaction.name)
                .trim_end()
                .to_owned()
        }
    };
    view! {
        <div class="visually-hidden" role="status" aria-label=move || t_string!(i18n, chat.news)>
            <For
                each=move || newest.get()
                key=|(number, _)| *number
                children=move |(_, news)| view! { <p>{words(news)}</p> }
            />
        </div>
    }
    .into_any()
}
