//! Avatars, and the dialog in which the rider chooses one.

use std::sync::Arc;

use base64::prelude::*;
use leptos::{
    prelude::*,
    web_sys::{File, HtmlInputElement},
};
use protocol::{peer::PeerId, text::clusters};
use session::chat::{Avatar, MAX_EMOJI_BYTES, MAX_PICTURE_BYTES};

use super::{chat_text::rider_view, dialog::Dialog};
use crate::{
    browser::{
        pictures::{self, ObjectUrl},
        storage,
    },
    i18n::*,
    state::{ExchangeState, RideState},
};

/// Emoji that the dialog offers.
const EMOJI: [&str; 10] = ["🚴", "🚵", "🚀", "🐢", "🦊", "🐻", "🦄", "⚡", "☕", "🏔️"];
/// Number of colours of initials.
const COLOURS: u32 = 6;

/// Avatar that this browser has stored.
pub fn stored() -> Avatar {
    let text = storage::avatar();
    match text.split_once(':') {
        Some(("emoji", emoji)) => Avatar::Emoji(emoji.to_owned()),
        Some(("picture", picture)) => match BASE64_STANDARD.decode(picture) {
            Ok(bytes) if bytes.len() <= MAX_PICTURE_BYTES => Avatar::Picture(bytes.into()),
            _ => Avatar::Initials,
        },
        _ => Avatar::Initials,
    }
}

fn store(avatar: &Avatar) {
    storage::save_avatar(&match avatar {
        Avatar::Initials => String::new(),
        Avatar::Emoji(emoji) => format!("emoji:{emoji}"),
        Avatar::Picture(bytes) => format!("picture:{}", BASE64_STANDARD.encode(bytes)),
    });
}

/// Avatar of a rider.
#[component]
pub fn AvatarOf(
    exchange: ExchangeState,
    peer: PeerId,
    #[prop(into)] name: String,
) -> impl IntoView {
    let state = expect_context::<RideState>();
    let avatar = {
        let peer = peer.clone();
        Memo::new(move |_| {
            let chat = exchange.chat.read();
            rider_view(&chat, &peer)
                .map(|rider| rider.avatar.clone())
                .unwrap_or_default()
        })
    };
    let number = Memo::new(move |_| {
        let riders = state.riders.read();
        let rider = riders.iter().find(|rider| rider.peer == peer);
        rider.map_or(0, |rider| rider.number.get())
    });
    view! { <AvatarView exchange avatar name number/> }.into_any()
}

/// An avatar. Screen readers read the name beside it.
#[component]
pub fn AvatarView(
    exchange: ExchangeState,
    #[prop(into)] avatar: Signal<Avatar>,
    #[prop(into)] name: String,
    #[prop(into)] number: Signal<u32>,
) -> impl IntoView {
    let content = move || match avatar.get() {
        Avatar::Emoji(emoji) => emoji.into_any(),
        Avatar::Picture(bytes) => match picture_url(exchange, &bytes) {
            Some(url) => view! { <img src=url alt=""/> }.into_any(),
            None => initials(&name).into_any(),
        },
        Avatar::Initials => initials(&name).into_any(),
    };
    let kind = move || match avatar.get() {
        Avatar::Initials => "initials",
        Avatar::Emoji(_) => "emoji",
        Avatar::Picture(_) => "picture",
    };
    let colour = move || (number.get() % COLOURS).to_string();
    view! {
        <span class="avatar" translate="no" aria-hidden="true" data-avatar=kind data-colour=colour>
            {content}
        </span>
    }
    .into_any()
}

/// Address of a picture in this page. Pictures that have been replaced are forgotten.
fn picture_url(exchange: ExchangeState, bytes: &Arc<[u8]>) -> Option<String> {
    let is_same = |avatar: &Avatar, picture: &Arc<[u8]>| matches!(avatar, Avatar::Picture(bytes) if Arc::ptr_eq(bytes, picture));
    exchange.pictures.try_update_value(|pictures| {
        let mut known = pictures.iter();
        if let Some((_, url)) = known.find(|(picture, _)| Arc::ptr_eq(picture, bytes)) {
            return Some(url.as_str().to_owned());
        }
        let (chat, own) = (
            exchange.chat.read_untracked(),
            exchange.avatar.read_untracked(),
        );
        pictures.retain(|(picture, _)| {
            let mut riders = chat.riders.iter();
            is_same(&own, picture) || riders.any(|rider| is_same(&rider.avatar, picture))
        });
        let url = ObjectUrl::of_picture(bytes)?;
        let address = url.as_str().to_owned();
        pictures.push((Arc::clone(bytes), url));
        Some(address)
    })?
}

/// First letters of the first two words.
fn initials(name: &str) -> String {
    let words = name.split_whitespace().take(2);
    words
        .filter_map(|word| clusters(word).next())
        .collect::<String>()
        .to_uppercase()
}

/// The dialog.
#[component]
pub fn AvatarDialog(exchange: ExchangeState, open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let is_unreadable = RwSignal::new(false);
    let choose = Callback::new(move |avatar: Avatar| {
        is_unreadable.set(false);
        store(&avatar);
        exchange.avatar.set(avatar);
    });
    let own = move || state.riders.get().into_iter().find(|rider| rider.is_self);
    let preview = move || {
        own().map(|rider| {
            let number = RwSignal::from(rider.number);
            view! { <AvatarView exchange avatar=exchange.avatar name=rider.name.get() number/> }
        })
    };
    let emoji = move || match exchange.avatar.get() {
        Avatar::Emoji(emoji) => emoji,
        _ => String::new(),
    };
    let choose_emoji = move |text: &str| {
        let emoji = clusters(text.trim()).next();
        if let Some(emoji) = emoji.filter(|emoji| emoji.len() <= MAX_EMOJI_BYTES) {
            choose.run(Avatar::Emoji(emoji.to_owned()));
        }
    };
    let reduce = move |file: File| {
        leptos::task::spawn_local(async move {
            match pictures::reduce(&file, MAX_PICTURE_BYTES).await {
                Some(bytes) => choose.run(Avatar::Picture(bytes.into())),
                None => drop(is_unreadable.try_set(true)),
            }
        });
    };
    let picture_chosen = move |ev| {
        let input = event_target::<HtmlInputElement>(&ev);
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            reduce(file);
        }
        // The same file can be chosen again.
        input.set_value("");
    };
    let suggestion = move |emoji: &'static str| {
        view! {
            <button
                type="button"
                class="button reaction-button"
                aria-pressed=move || (exchange.avatar.get() == Avatar::Emoji(emoji.to_owned())).to_string()
                on:click=move |_| choose.run(Avatar::Emoji(emoji.to_owned()))
            >
                {emoji}
            </button>
        }
    };
    view! {
        <Dialog open labelled_by="avatar-heading">
            <div class="section-head">
                <h2 id="avatar-heading">{t!(i18n, avatar.heading)}</h2>
                <button type="button" class="button quiet" on:click=move |_| open.set(false)>
                    {t!(i18n, common.close)}
                </button>
            </div>
            <div class="avatar-preview">
                {preview}
                <p class="hint">{t!(i18n, avatar.body)}</p>
            </div>
            <div class="actions">
                <button
                    type="button"
                    class="button"
                    aria-pressed=move || (exchange.avatar.get() == Avatar::Initials).to_string()
                    on:click=move |_| choose.run(Avatar::Initials)
                >
                    {t!(i18n, avatar.initials)}
                </button>
                {EMOJI.map(suggestion).collect_view()}
            </div>
            <div class="field" data-kind="text">
                <label for="avatar-emoji">{t!(i18n, avatar.emoji)}</label>
                <input
                    id="avatar-emoji"
                    type="text"
                    autocomplete="off"
                    prop:value=emoji
                    on:change=move |ev| choose_emoji(&event_target_value(&ev))
                />
            </div>
            <div class="field" data-kind="text">
                <label for="avatar-picture">{t!(i18n, avatar.picture)}</label>
                <input
                    id="avatar-picture"
                    type="file"
                    accept="image/*"
                    aria-describedby="avatar-picture-hint"
                    on:change=picture_chosen
                />
                <p class="hint" id="avatar-picture-hint">{t!(i18n, avatar.picture_hint)}</p>
                <Show when=move || is_unreadable.get()>
                    <p class="error" role="alert">{t!(i18n, avatar.unreadable)}</p>
                </Show>
            </div>
        </Dialog>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_those_of_the_first_two_words() {
        assert_eq!(initials("ana maria lópez"), "AM");
        assert_eq!(initials("  Ben "), "B");
        assert_eq!(initials(""), "");
    }
}
