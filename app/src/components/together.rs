//! Chat, reactions, files, media and shared pages on the page of a group ride.

use leptos::{
    ev::{self, KeyboardEvent, MouseEvent},
    prelude::*,
};
use session::chat::{ChatInput, Presence};

use super::{
    chat::ChatPanel,
    chat_avatar,
    chat_news::{ArrivedLines, ChatNews},
    chat_text::send,
    files::Files,
    media::Media,
    shared_pages::SharedPages,
};
use crate::{
    browser::{
        page,
        sound::{self, Tone},
        storage::{self, ChatSwitch},
    },
    i18n::*,
    state::{ExchangeState, Intents, RideState, Stage},
};

/// Chat, files, media and shared pages of the ride, from the lobby to the summary.
#[component]
pub fn Together(exchange: ExchangeState) -> impl IntoView {
    let state = expect_context::<RideState>();
    let is_in_ride = Memo::new(move |_| {
        use Stage::{Countdown, Ended, Lobby, Riding};
        let stage = state.stage.read();
        matches!(*stage, Lobby | Countdown | Riding | Ended)
    });
    view! {
        <Show when=move || is_in_ride.get()>
            <Group exchange/>
        </Show>
    }
    .into_any()
}

#[component]
fn Group(exchange: ExchangeState) -> impl IntoView {
    let visible = use_visibility();
    use_presence(exchange, visible);
    use_avatar(exchange);
    use_sound(exchange);
    use_title(exchange);
    use_keys(exchange);
    view! {
        <ChatButton exchange/>
        <Media exchange/>
        <Show when=move || exchange.is_open.get()>
            <ChatPanel exchange/>
        </Show>
        <Files exchange/>
        <SharedPages exchange/>
        <ArrivedLines exchange/>
        <ChatNews exchange/>
    }
    .into_any()
}

/// Id of the button, to which the focus returns.
pub const BUTTON_ID: &str = "chat-button";

/// Button that opens and closes the chat.
#[component]
fn ChatButton(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let unread = Memo::new(move |_| exchange.chat.read().unread);
    let name = move || match unread.get() {
        0 => t_string!(i18n, chat.heading).to_owned(),
        count => format!(
            "{}, {count} {}",
            t_string!(i18n, chat.heading),
            t_string!(i18n, chat.unread)
        ),
    };
    let is_open = exchange.is_open;
    let toggle = move |ev: MouseEvent| {
        is_open.update(|is_open| *is_open = !*is_open);
        // On a touch screen the keyboard would cover what the rider wants to read.
        exchange
            .wants_focus
            .set(is_open.get_untracked() && !page::is_touch(&ev));
    };
    let badge = move || {
        let unread = Some(unread.get()).filter(|unread| *unread > 0);
        unread.map(|unread| view! { <span class="chat-unread" aria-hidden="true">{unread}</span> })
    };
    view! {
        <button
            type="button"
            class="button quiet chat-button"
            id=BUTTON_ID
            aria-label=name
            aria-expanded=move || is_open.get().to_string()
            aria-controls=move || is_open.get().then_some("chat")
            on:click=toggle
        >
            <svg class="chat-icon" viewBox="0 0 24 24" aria-hidden="true">
                <path d="M3 5H21V17H11L6 21V17H3Z"/>
            </svg>
            <span class="chat-word" aria-hidden="true">{t!(i18n, chat.heading)}</span>
            {badge}
        </button>
    }
    .into_any()
}

/// True while the page is visible.
fn use_visibility() -> RwSignal<bool> {
    let visible = RwSignal::new(page::is_visible());
    let listener = page::on_visibility(move |is_visible| visible.set(is_visible));
    // The listener lasts as long as the component.
    StoredValue::new_local(listener);
    visible
}

/// Tells the chat what this page does, and what it shows.
fn use_presence(exchange: ExchangeState, visible: RwSignal<bool>) {
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let is_riding = Memo::new(move |_| *state.stage.read() == Stage::Riding);
    let is_paused = Memo::new(move |_| state.progress.read().paused);
    let presence = Memo::new(move |_| match (visible.get(), is_riding.get()) {
        (false, _) => Presence::Hidden,
        (true, false) => Presence::Waiting,
        (true, true) if is_paused.get() => Presence::Paused,
        (true, true) => Presence::Riding,
    });
    Effect::new(move || send(intents, ChatInput::SetPresence(presence.get())));
    let shown = Memo::new(move |_| {
        let is_shown = exchange.is_open.get() && visible.get();
        is_shown.then(|| exchange.tab.get())
    });
    Effect::new(move || send(intents, ChatInput::Shown(shown.get())));
}

/// Gives the others the avatar that this browser has stored, and each one that is chosen later.
fn use_avatar(exchange: ExchangeState) {
    let intents = expect_context::<Intents>();
    exchange.avatar.set(chat_avatar::stored());
    Effect::new(move || send(intents, ChatInput::SetAvatar(exchange.avatar.get())));
}

/// Plays a tone when a message arrives.
fn use_sound(exchange: ExchangeState) {
    let state = expect_context::<RideState>();
    Effect::watch(
        move || exchange.arrived.get(),
        move |_, _, _| {
            let volume = state.volume.get_untracked();
            if volume > 0 && storage::chat_switch(ChatSwitch::Sound) {
                sound::play(Tone::Message, volume);
            }
        },
        false,
    );
}

/// Shows the number of unread messages in the page's title.
fn use_title(exchange: ExchangeState) {
    let unread = Memo::new(move |_| exchange.chat.read().unread);
    Effect::new(move || page::number_title(unread.get()));
    on_cleanup(|| page::number_title(0));
}

/// Single keys: `/` writes a message, 1 to 5 react to the group.
fn use_keys(exchange: ExchangeState) {
    let intents = expect_context::<Intents>();
    let listener = window_event_listener(ev::keydown, move |ev: KeyboardEvent| {
        let has_modifier = ev.ctrl_key() || ev.meta_key() || ev.alt_key();
        if has_modifier
            || page::is_repeated(&ev)
            || ev.default_prevented()
            || page::is_for_text_or_dialog(&ev)
        {
            return;
        }
        if !storage::chat_switch(ChatSwitch::Keys) {
            return;
        }
        match ev.key().as_bytes() {
            b"/" => {
                ev.prevent_default();
                exchange.is_open.set(true);
                exchange.wants_focus.set(true);
            }
            [digit @ b'1'..=b'5'] => {
                let reaction = digit - b'1';
                send(intents, ChatInput::React { to: None, reaction });
            }
            _ => {}
        }
    });
    on_cleanup(move || listener.remove());
}
