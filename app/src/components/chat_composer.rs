//! The field for a new message.

use leptos::{
    ev::{KeyboardEvent, SubmitEvent},
    html,
    prelude::*,
};
use session::chat::{ChatInput, MAX_MESSAGE_CHARS, Tab};

use super::{
    chat::ChatPanelState,
    chat_text::{rejection, send, send_message, tab_view},
};
use crate::{
    browser::page,
    i18n::*,
    state::{ExchangeState, Intents},
};

/// Number of characters from which on they are counted.
const COUNTED_FROM: usize = 450;

/// The field, and the button that sends.
#[component]
pub fn Composer(exchange: ExchangeState, panel: ChatPanelState) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let (tab, rejected) = (exchange.tab, exchange.rejected);
    let text = RwSignal::new(String::new());
    Effect::new(move || {
        let draft = || {
            let drafts = exchange.drafts.read_untracked();
            let draft = drafts.iter().find(|(of, _)| *of == tab.get());
            draft.map(|(_, text)| text.clone()).unwrap_or_default()
        };
        text.set(match panel.editing.get() {
            Some((_, text)) => text,
            None => draft(),
        });
    });
    Effect::watch(
        move || tab.get(),
        move |_, _, _| {
            panel.editing.set(None);
            rejected.set(None);
        },
        false,
    );
    let can_write = Memo::new(move |_| {
        let chat = exchange.chat.read();
        let can_send = tab_view(&chat, &tab.read()).is_some_and(|view| view.can_send);
        can_send && !chat.is_off
    });
    let is_gone = Memo::new(move |_| {
        let chat = exchange.chat.read();
        tab_view(&chat, &tab.read()).is_some_and(|view| !view.can_send) && !chat.is_off
    });
    let change = move |new: String| {
        if panel.editing.read_untracked().is_none() {
            let has_text = !new.trim().is_empty();
            let tab = tab.get_untracked();
            keep_draft(exchange, &tab, &new);
            send(intents, ChatInput::Typing { tab, has_text });
        }
        text.set(new);
    };
    let submit = move || {
        let tab = tab.get_untracked();
        let new = text.get_untracked().trim().to_owned();
        rejected.set(None);
        // A message that is not sent is rejected before this returns.
        match panel.editing.get_untracked() {
            Some((message, _)) => {
                send_message(exchange, intents, ChatInput::Edit { message, text: new });
                if rejected.read_untracked().is_none() {
                    panel.editing.set(None);
                }
            }
            None => {
                let message = ChatInput::Send {
                    tab: tab.clone(),
                    text: new,
                };
                send_message(exchange, intents, message);
                if rejected.read_untracked().is_none() {
                    keep_draft(exchange, &tab, "");
                    text.set(String::new());
                    panel.to_end.update(|count| *count = count.wrapping_add(1));
                }
            }
        }
    };
    let key = move |ev: KeyboardEvent| {
        // Input methods end a word with Enter.
        if ev.key() == "Enter" && !ev.shift_key() && !page::is_composed(&ev) {
            ev.prevent_default();
            if !page::is_repeated(&ev) {
                submit();
            }
        }
    };
    let node = NodeRef::<html::Textarea>::new();
    Effect::new(move || {
        if exchange.wants_focus.get()
            && can_write.get()
            && let Some(node) = node.get()
        {
            // Fails only for an element outside the document.
            let _ = node.focus();
            exchange.wants_focus.set(false);
        }
    });
    let count = Memo::new(move |_| text.read().chars().count());
    let counter = move || {
        let n = count.get();
        (n >= COUNTED_FROM).then(|| {
            view! {
                <p class="hint" data-too-long=(n > MAX_MESSAGE_CHARS).then_some("true")>
                    {t!(i18n, chat.count, n, m = MAX_MESSAGE_CHARS)}
                </p>
            }
        })
    };
    view! {
        <form
            class="chat-composer"
            on:submit=move |ev: SubmitEvent| {
                ev.prevent_default();
                submit();
            }
        >
            {move || {
                rejected.get().map(|reason| {
                    view! { <p class="error" role="alert">{rejection(i18n, reason)}</p> }
                })
            }}
            <Show when=move || is_gone.get()>
                <p class="hint">{t!(i18n, chat.cannot_send)}</p>
            </Show>
            <Show when=move || panel.editing.read().is_some()>
                <p class="chat-editing">
                    {t!(i18n, chat.editing)}
                    <button type="button" class="button quiet" on:click=move |_| panel.editing.set(None)>
                        {t!(i18n, chat.cancel)}
                    </button>
                </p>
            </Show>
            <div class="chat-entry">
                <textarea
                    id="chat-text"
                    rows="1"
                    aria-label=move || t_string!(i18n, chat.message)
                    placeholder=move || t_string!(i18n, chat.message)
                    autocomplete="off"
                    enterkeyhint="send"
                    disabled=move || !can_write.get()
                    node_ref=node
                    prop:value=move || text.get()
                    on:input=move |ev| change(event_target_value(&ev))
                    on:keydown=key
                ></textarea>
                <button type="submit" class="button" disabled=move || !can_write.get()>
                    {t!(i18n, chat.send)}
                </button>
            </div>
            {counter}
        </form>
    }
    .into_any()
}

/// Keeps the text of a tab that is not sent yet.
fn keep_draft(exchange: ExchangeState, tab: &Tab, text: &str) {
    exchange.drafts.update(|drafts| {
        drafts.retain(|(of, _)| of != tab);
        if !text.is_empty() {
            drafts.push((tab.clone(), text.to_owned()));
        }
    });
}
