//! Reactions to riders and messages: their icons, names and buttons.
//!
//! The icons are drawn here because many systems have no font with emoji.

use leptos::prelude::*;
use session::chat::{ChatInput, Tab};

use super::{
    chat_text::{send, tab_view},
    labels::Texts,
};
use crate::{
    i18n::*,
    state::{ExchangeState, Intents},
};

/// Outlines of the icons by the number of the reaction, in a square of 24.
const OUTLINES: [&str; session::chat::REACTIONS as usize] = [
    "M2 10H6V21H2ZM8 10L12 2C14.3 2 15.2 3.6 14.8 5.5L14 9H20C21.4 9 22.3 10.2 22 11.5L20.2 19.2C19.9 20.3 19 21 17.8 21H10C8.8 21 8 20.2 8 19Z",
    "M12.5 1C13.5 5.5 19 8.5 19 15A7 7 0 0 1 5 15C5 11.8 6.6 9.4 8.5 7.5C8.4 9.8 9.2 11.2 10.6 11.8C12 8.6 11 4.6 12.5 1Z",
    "M14 1L4 14H10.5L9 23L20 9.5H13Z",
    "M12 2A10 10 0 1 0 12 22A10 10 0 1 0 12 2ZM6.2 10.5Q8 7 9.8 10.5ZM14.2 10.5Q16 7 17.8 10.5ZM6.5 13H17.5A5.5 5.5 0 0 1 6.5 13Z",
    "M12 21.5C4.8 15.6 2 12.2 2 8.2C2 2.6 9.4 1 12 6.4C14.6 1 22 2.6 22 8.2C22 12.2 19.2 15.6 12 21.5Z",
];

/// Icon of a reaction; an empty one for a reaction of a later version. Its name stands elsewhere.
#[component]
pub fn ReactionIcon(reaction: u8) -> impl IntoView {
    let outline = OUTLINES.get(usize::from(reaction)).copied();
    view! {
        <svg class="reaction-icon" viewBox="0 0 24 24" aria-hidden="true" data-icon=reaction.to_string()>
            <path fill-rule="evenodd" d=outline.unwrap_or_default()/>
        </svg>
    }
    .into_any()
}

/// Name of a reaction.
pub fn reaction_name(i18n: Texts, number: u8) -> &'static str {
    match number {
        0 => t_string!(i18n, reaction.thumbs_up),
        1 => t_string!(i18n, reaction.fire),
        2 => t_string!(i18n, reaction.power),
        3 => t_string!(i18n, reaction.laughing),
        _ => t_string!(i18n, reaction.heart),
    }
}

/// Five buttons, one for each reaction.
#[component]
pub fn ReactionButtons(
    /// Accessible name of the group.
    #[prop(into)]
    label: Signal<String>,
    on_choose: Callback<u8>,
) -> impl IntoView {
    let i18n = use_i18n();
    let button = move |number: u8| {
        view! {
            <button
                type="button"
                class="button reaction-button"
                aria-label=move || reaction_name(i18n, number)
                on:click=move |_| on_choose.run(number)
            >
                <ReactionIcon reaction=number/>
            </button>
        }
    };
    view! {
        <div class="reaction-buttons" role="group" aria-label=move || label.get()>
            {(0..session::chat::REACTIONS).map(button).collect_view()}
        </div>
    }
    .into_any()
}

/// The five reactions to the group.
#[component]
pub fn GroupReactions() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let react =
        Callback::new(move |reaction| send(intents, ChatInput::React { to: None, reaction }));
    let label = Signal::derive(move || t_string!(i18n, chat.react_to_group).to_owned());
    view! { <ReactionButtons label on_choose=react/> }.into_any()
}

/// The five reactions to those who read the chosen tab: the group, or one rider.
#[component]
pub fn TabReactions(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let react = Callback::new(move |reaction| {
        let to = match exchange.tab.get_untracked() {
            Tab::Private(peer) => Some(peer),
            Tab::Group => None,
        };
        send(intents, ChatInput::React { to, reaction });
    });
    let label = Signal::derive(move || {
        let tab = exchange.tab.read();
        if *tab == Tab::Group {
            return t_string!(i18n, chat.react_to_group).to_owned();
        }
        let chat = exchange.chat.read();
        let name = tab_view(&chat, &tab).map_or("", |view| &view.name);
        format!("{} {name}", t_string!(i18n, chat.react_to))
    });
    view! { <ReactionButtons label on_choose=react/> }.into_any()
}
