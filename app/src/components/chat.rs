//! The panel of the chat: tabs, messages and the field for new ones.

use std::sync::Arc;

use leptos::{ev::KeyboardEvent, html, prelude::*, web_sys::HtmlInputElement};
use protocol::peer::PeerId;
use session::chat::{ChatInput, MessageId, MessageRow, Tab, TabView};

use super::{
    chat_avatar::{AvatarDialog, AvatarView},
    chat_composer::Composer,
    chat_message::Message,
    chat_reactions::TabReactions,
    chat_text::{presence, rider_view, send, tab_view},
    files::SendFile,
    together::BUTTON_ID,
};
use crate::{
    browser::{
        page,
        storage::{self, ChatSwitch},
    },
    i18n::*,
    state::{ExchangeState, Intents, RideState},
};

/// Distance from the end in pixels within which the list stays at its end.
const AT_END: f64 = 32.0;

/// Id of the panel.
const PANEL_ID: &str = "chat";

/// What the panel shows besides the chat itself.
#[derive(Clone, Copy)]
pub struct ChatPanelState {
    /// Message whose actions are shown.
    pub menu: RwSignal<Option<MessageId>>,
    /// Own message that is being edited, and its text.
    pub editing: RwSignal<Option<(MessageId, String)>>,
    /// Counts the requests to show the end of the list.
    pub to_end: RwSignal<u32>,
}

/// The panel.
#[component]
pub fn ChatPanel(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let panel = ChatPanelState {
        menu: RwSignal::new(None),
        editing: RwSignal::new(None),
        to_end: RwSignal::new(0),
    };
    let (has_settings, choosing_avatar) = (RwSignal::new(false), RwSignal::new(false));
    let node = NodeRef::<html::Section>::new();
    node.on_load(|node| page::show_popover(&node));
    let close = move || {
        page::focus(BUTTON_ID);
        exchange.is_open.set(false);
    };
    let escape = move |ev: KeyboardEvent| {
        if ev.key() != "Escape" || ev.default_prevented() {
            return;
        }
        ev.prevent_default();
        if page::is_for_text_or_dialog(&ev) {
            panel.editing.set(None);
            page::focus(PANEL_ID);
        } else if panel.menu.get_untracked().is_some() {
            panel.menu.set(None);
        } else {
            close();
        }
    };
    let is_off = Memo::new(move |_| exchange.chat.read().is_off);
    view! {
        <section
            class="chat"
            id=PANEL_ID
            popover="manual"
            tabindex="-1"
            aria-label=move || t_string!(i18n, chat.heading)
            node_ref=node
            on:keydown=escape
        >
            <div class="chat-head">
                <h2 aria-hidden="true">{t!(i18n, chat.heading)}</h2>
                <Tabs exchange/>
                <div class="chat-tools">
                    <SendFile exchange/>
                    <OwnAvatar exchange choosing_avatar/>
                    <button
                        type="button"
                        class="button quiet"
                        aria-label=move || t_string!(i18n, chat.settings)
                        title=move || t_string!(i18n, chat.settings)
                        aria-expanded=move || has_settings.get().to_string()
                        on:click=move |_| has_settings.update(|shown| *shown = !*shown)
                    >
                        <svg class="chat-icon" viewBox="0 0 24 24" aria-hidden="true">
                            <path d="M3 7H13M19 7H21M3 17H5M11 17H21"/>
                            <circle cx="16" cy="7" r="3"/>
                            <circle cx="8" cy="17" r="3"/>
                        </svg>
                    </button>
                    <button
                        type="button"
                        class="button quiet"
                        aria-label=move || t_string!(i18n, common.close)
                        title=move || t_string!(i18n, common.close)
                        on:click=move |_| close()
                    >
                        <svg class="chat-icon" viewBox="0 0 24 24" aria-hidden="true">
                            <path d="M5 5L19 19M19 5L5 19"/>
                        </svg>
                    </button>
                </div>
            </div>
            <Show when=move || has_settings.get()>
                <Settings exchange/>
            </Show>
            <Show when=move || is_off.get()>
                <p class="chat-note" role="status">{t!(i18n, chat.off)}</p>
            </Show>
            <TabPanel exchange panel/>
            <TabReactions exchange/>
            <Composer exchange panel/>
        </section>
        <AvatarDialog exchange open=choosing_avatar/>
    }
    .into_any()
}

/// Button with the own avatar, which opens the dialog.
#[component]
fn OwnAvatar(exchange: ExchangeState, choosing_avatar: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let own = move || {
        let own = state.riders.get().into_iter().find(|rider| rider.is_self)?;
        let number = RwSignal::from(own.number);
        Some(view! { <AvatarView exchange avatar=exchange.avatar name=own.name.get() number/> })
    };
    view! {
        <button
            type="button"
            class="button quiet"
            aria-label=move || t_string!(i18n, avatar.heading)
            title=move || t_string!(i18n, avatar.heading)
            on:click=move |_| choosing_avatar.set(true)
        >
            {own}
        </button>
    }
    .into_any()
}

/// What can be known of a tab at a glance.
#[derive(Clone, PartialEq)]
struct TabLabel {
    tab: Tab,
    name: String,
    unread: u32,
}

fn tab_id(tab: &Tab) -> String {
    match tab {
        Tab::Group => "chat-tab".to_owned(),
        Tab::Private(peer) => format!("chat-tab-{peer}"),
    }
}

#[component]
fn Tabs(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let tabs = Memo::new(move |_| {
        let chat = exchange.chat.read();
        let label = |view: &TabView| TabLabel {
            tab: view.tab.clone(),
            name: view.name.clone(),
            unread: view.unread,
        };
        let mut tabs: Vec<_> = chat.tabs.iter().map(label).collect();
        if tabs.is_empty() {
            tabs.push(TabLabel {
                tab: Tab::Group,
                name: String::new(),
                unread: 0,
            });
        }
        tabs
    });
    // Arrow keys go around the list.
    let step = move |ev: KeyboardEvent| {
        let by = match ev.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            _ => return,
        };
        ev.prevent_default();
        let tabs = tabs.get_untracked();
        let at = tabs
            .iter()
            .position(|label| label.tab == exchange.tab.get_untracked());
        let next = (at.unwrap_or(0) as isize + by).rem_euclid(tabs.len() as isize);
        if let Some(label) = tabs.get(next as usize) {
            exchange.tab.set(label.tab.clone());
            page::focus(&tab_id(&label.tab));
        }
    };
    let tab_button = move |tab: Tab| {
        let id = tab_id(&tab);
        let own = tab.clone();
        let label = Memo::new(move |_| tabs.get().into_iter().find(|label| label.tab == own));
        let name = move || {
            let label = label.get()?;
            Some(match label.tab {
                Tab::Group => t_string!(i18n, chat.everyone).to_owned(),
                Tab::Private(_) => label.name,
            })
        };
        let unread = move || {
            let unread = label.get()?.unread;
            (unread > 0).then(|| {
                view! {
                    <span class="chat-unread" translate="no">{unread}</span>
                    <span class="visually-hidden">{t!(i18n, chat.unread)}</span>
                }
            })
        };
        let own = tab.clone();
        let is_chosen = Memo::new(move |_| *exchange.tab.read() == own);
        let is_private = tab != Tab::Group;
        view! {
            <button
                type="button"
                class="chat-tab"
                role="tab"
                id=id
                aria-selected=move || is_chosen.get().to_string()
                aria-controls="chat-panel"
                tabindex=move || if is_chosen.get() { "0" } else { "-1" }
                on:click=move |_| exchange.tab.set(tab.clone())
            >
                <span class="chat-tab-name" translate=is_private.then_some("no")>{name}</span>
                {unread}
            </button>
        }
    };
    view! {
        <div class="chat-tabs" role="tablist" aria-label=move || t_string!(i18n, chat.tabs) on:keydown=step>
            <For
                each=move || tabs.get()
                key=|label| tab_id(&label.tab)
                children=move |label| tab_button(label.tab)
            />
        </div>
    }
    .into_any()
}

/// One message of the list, whose content changes in place.
#[derive(Clone)]
struct ListedMessage {
    /// Key of the row, never used twice.
    row: u32,
    id: MessageId,
    message: ArcRwSignal<Arc<MessageRow>>,
}

/// The messages of the chosen tab.
#[component]
fn TabPanel(exchange: ExchangeState, panel: ChatPanelState) -> impl IntoView {
    let i18n = use_i18n();
    let tab = exchange.tab;
    let listed = use_messages(exchange);
    let node = NodeRef::<html::Div>::new();
    let (is_at_end, has_new) = (RwSignal::new(true), RwSignal::new(false));
    // The list is laid out from its end, where the position is 0.
    let scrolled = move |_| {
        if let Some(node) = node.get_untracked() {
            is_at_end.set(page::scroll_position(&node) > -AT_END);
        }
    };
    let go_to_end = move || {
        if let Some(node) = node.get_untracked() {
            page::scroll_to(&node, 0.0);
        }
        is_at_end.set(true);
    };
    Effect::watch(
        move || (tab.get(), panel.to_end.get()),
        move |_, _, _| go_to_end(),
        false,
    );
    let last = Memo::new(move |_| listed.read().last().map(|listed| listed.id.clone()));
    Effect::watch(
        move || (tab.get(), last.get()),
        move |(tab, last), before, _| {
            let is_same_tab = before.is_some_and(|(before, _)| before == tab);
            let is_new = is_same_tab && before.is_some_and(|(_, before)| before != last);
            has_new.set(is_new && !is_at_end.get_untracked());
        },
        false,
    );
    Effect::new(move || {
        if is_at_end.get() {
            has_new.set(false);
        }
    });
    let is_empty = Memo::new(move |_| listed.read().is_empty());
    let typing = Memo::new(move |_| {
        let chat = exchange.chat.read();
        tab_view(&chat, &tab.read())
            .map(|view| view.typing.clone())
            .unwrap_or_default()
    });
    let typing_text = move || {
        let mut names = typing.get().into_iter();
        let count = names.len();
        match (names.next(), names.next()) {
            (None, _) => ().into_any(),
            (Some(name), None) => t!(i18n, chat.typing_one, name).into_any(),
            (Some(name), Some(other)) if count == 2 => {
                t!(i18n, chat.typing_two, name, other).into_any()
            }
            _ => t!(i18n, chat.typing_many, n = count).into_any(),
        }
    };
    view! {
        <div
            class="chat-panel"
            id="chat-panel"
            role="tabpanel"
            aria-labelledby=move || tab.with(tab_id)
        >
            <PrivateHead exchange/>
            <div
                class="chat-log"
                role="log"
                tabindex="0"
                aria-label=move || t_string!(i18n, chat.messages)
                node_ref=node
                on:scroll=scrolled
            >
                <div class="chat-messages">
                    <For
                        each=move || listed.get()
                        key=|listed| listed.row
                        children=move |listed| {
                            let message = RwSignal::from(listed.message);
                            view! { <Message exchange panel message/> }
                        }
                    />
                    <Show when=move || is_empty.get()>
                        <p class="hint">{t!(i18n, chat.empty)}</p>
                    </Show>
                </div>
            </div>
            <Show when=move || has_new.get()>
                <button type="button" class="button chat-new" on:click=move |_| go_to_end()>
                    {t!(i18n, chat.new_messages)}
                </button>
            </Show>
            <p class="chat-typing">{typing_text}</p>
        </div>
    }
    .into_any()
}

/// The messages of the chosen tab, as rows that outlast a change of their content.
fn use_messages(exchange: ExchangeState) -> RwSignal<Vec<ListedMessage>> {
    let listed = RwSignal::new(Vec::<ListedMessage>::new());
    let rows = StoredValue::new(0_u32);
    Effect::new(move || {
        let chat = exchange.chat.read();
        let messages = tab_view(&chat, &exchange.tab.read())
            .map(|view| view.messages.as_slice())
            .unwrap_or_default();
        let old = listed.read_untracked();
        // Nearly always, each message follows the one before in the old list, too.
        let mut next = 0;
        let mut row_of = |message: &Arc<MessageRow>| {
            let is_same = |row: &ListedMessage| row.id == message.id;
            let at = match old.get(next) {
                Some(row) if is_same(row) => Some(next),
                _ => old.iter().position(is_same),
            };
            match at.and_then(|at| Some((at, old.get(at)?))) {
                Some((at, row)) => {
                    next = at + 1;
                    if !row.message.with_untracked(|old| Arc::ptr_eq(old, message)) {
                        row.message.set(Arc::clone(message));
                    }
                    row.clone()
                }
                None => {
                    rows.update_value(|rows| *rows = rows.wrapping_add(1));
                    ListedMessage {
                        row: rows.get_value(),
                        id: message.id.clone(),
                        message: ArcRwSignal::new(Arc::clone(message)),
                    }
                }
            }
        };
        let new: Vec<_> = messages.iter().map(&mut row_of).collect();
        let is_same = new
            .iter()
            .map(|row| row.row)
            .eq(old.iter().map(|row| row.row));
        drop(old);
        if !is_same {
            listed.set(new);
        }
    });
    listed
}

/// Head of a private tab: who sees it, and what the other rider does.
#[component]
fn PrivateHead(exchange: ExchangeState) -> impl IntoView {
    let peer = Memo::new(move |_| match exchange.tab.get() {
        Tab::Private(peer) => Some(peer),
        Tab::Group => None,
    });
    move || {
        peer.get()
            .map(|peer| view! { <PrivateTabHead exchange peer/> })
    }
}

#[component]
fn PrivateTabHead(exchange: ExchangeState, peer: PeerId) -> impl IntoView {
    let i18n = use_i18n();
    let tab = Tab::Private(peer.clone());
    let name = Memo::new(move |_| {
        let chat = exchange.chat.read();
        tab_view(&chat, &tab)
            .map(|view| view.name.clone())
            .unwrap_or_default()
    });
    let presence_text = {
        let peer = peer.clone();
        move || {
            let chat = exchange.chat.read();
            rider_view(&chat, &peer).map(|rider| presence(i18n, rider))
        }
    };
    view! {
        <div class="chat-private">
            <p class="hint">
                {move || t!(i18n, chat.only_you, name = name.get())}
                " "
                <span class="chat-presence">{presence_text}</span>
            </p>
            <HideButton exchange peer name/>
        </div>
    }
    .into_any()
}

/// Button that hides a rider in this browser, or shows them again.
#[component]
pub fn HideButton(
    exchange: ExchangeState,
    peer: PeerId,
    #[prop(into)] name: Signal<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let of = peer.clone();
    let is_hidden = Memo::new(move |_| {
        let chat = exchange.chat.read();
        rider_view(&chat, &of).is_some_and(|rider| rider.is_hidden)
    });
    let words = move || {
        let word = match is_hidden.get() {
            true => t_string!(i18n, chat.show),
            false => t_string!(i18n, chat.hide),
        };
        format!("{word} {}", name.get())
    };
    let toggle = move |_| {
        send(
            intents,
            ChatInput::Hide(peer.clone(), !is_hidden.get_untracked()),
        );
    };
    view! {
        <button type="button" class="button" translate="no" on:click=toggle>
            {words}
        </button>
    }
    .into_any()
}

/// Choices of this browser, and the host's switch.
#[component]
fn Settings(exchange: ExchangeState) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let intents = expect_context::<Intents>();
    let choice = |switch: ChatSwitch, label: AnyView| {
        view! {
            <label class="chat-choice">
                <input
                    type="checkbox"
                    prop:checked=storage::chat_switch(switch)
                    on:change=move |ev| storage::save_chat_switch(switch, event_target_checked(&ev))
                />
                <span>{label}</span>
            </label>
        }
    };
    // The checkbox shows what holds for the group, so a change is undone until then.
    let switch = move |ev| {
        send(intents, ChatInput::SwitchOn(event_target_checked(&ev)));
        let is_on = !exchange.chat.read_untracked().is_off;
        event_target::<HtmlInputElement>(&ev).set_checked(is_on);
    };
    let hidden = move || {
        let riders = state.riders.get();
        let chat = exchange.chat.read();
        let hidden = chat.riders.iter().filter(|rider| rider.is_hidden);
        let hidden = hidden.map(|rider| rider.peer.clone()).collect::<Vec<_>>();
        let rows = riders
            .into_iter()
            .filter(|rider| hidden.contains(&rider.peer));
        rows.map(|rider| {
            let name = RwSignal::from(rider.name);
            view! { <HideButton exchange peer=rider.peer name/> }
        })
        .collect_view()
    };
    view! {
        <div class="chat-settings">
            {choice(ChatSwitch::Sound, t!(i18n, chat.sound).into_any())}
            {choice(ChatSwitch::Keys, t!(i18n, chat.keys).into_any())}
            <Show when=move || state.is_host.get()>
                <label class="chat-choice">
                    <input
                        type="checkbox"
                        prop:checked=move || !exchange.chat.read().is_off
                        on:change=switch
                    />
                    <span>{t!(i18n, chat.switch)}</span>
                </label>
            </Show>
            {hidden}
        </div>
    }
    .into_any()
}
