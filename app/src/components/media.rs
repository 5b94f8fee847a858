//! Voice, cameras and screen sharing on the page of a ride: the buttons, their keys, and what follows
//! from leaving the ride.

use leptos::{
    ev::{self, KeyboardEvent},
    prelude::*,
};
use session::{
    exchange::ExchangeInput,
    media::{MediaInput, MediaKind},
};

use super::{
    labels::Texts, media_dialog::MediaDialog, media_notes::MediaNotes, media_stage::MediaStage,
};
use crate::{
    browser::{
        capture::{self, Source},
        page,
        page_mark::{self, PageMark},
        storage::{self, ChatSwitch},
    },
    i18n::*,
    state::{ExchangeState, Intents, MediaSignals, RideState, Stage},
};

/// Media from the lobby to the end of the ride.
#[component]
pub fn Media(exchange: ExchangeState) -> impl IntoView {
    let state = expect_context::<RideState>();
    let is_shown = Memo::new(move |_| {
        use Stage::{Countdown, Lobby, Riding};
        matches!(*state.stage.read(), Lobby | Countdown | Riding)
    });
    view! {
        <Show when=move || is_shown.get()>
            <Bar media=exchange.media/>
        </Show>
    }
    .into_any()
}

#[component]
fn Bar(media: MediaSignals) -> impl IntoView {
    let i18n = use_i18n();
    use_keys(media);
    use_end(media);
    use_reload(media);
    view! {
        <div class="media-bar" role="group" aria-label=move || t_string!(i18n, media.bar)>
            {MediaKind::ALL.map(|kind| view! { <DeviceButton media kind/> }).collect_view()}
        </div>
        <MediaDialog media/>
        <MediaStage media/>
        <MediaNotes media/>
    }
    .into_any()
}

/// Sends an input for media.
pub fn send(intents: Intents, input: MediaInput) {
    intents.exchange(ExchangeInput::Media(input));
}

/// What is captured for a kind of media.
pub fn source_of(kind: MediaKind) -> Source {
    match kind {
        MediaKind::Microphone => Source::Microphone,
        MediaKind::Camera => Source::Camera,
        MediaKind::Screen => Source::Screen,
    }
}

/// Name of a device.
pub fn device_name(i18n: Texts, kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Microphone => t_string!(i18n, media.microphone),
        MediaKind::Camera => t_string!(i18n, media.camera),
        MediaKind::Screen => t_string!(i18n, media.screen),
    }
}

/// True if a device of this page is live.
pub fn is_live(media: MediaSignals, kind: MediaKind) -> bool {
    let view = media.view.read();
    match kind {
        MediaKind::Microphone => view.microphone,
        MediaKind::Camera => view.camera,
        MediaKind::Screen => view.screen,
    }
}

/// Opens the dialog of a device. A document that was loaded for another page may not be allowed to use
/// the device, so it is loaded again before.
pub fn ask(media: MediaSignals, kind: MediaKind) {
    let source = source_of(kind);
    if !capture::is_allowed(source) && capture::is_document_of_other_page() {
        page_mark::reload_with(mark_of(kind));
    } else {
        media.choosing.set(Some(kind));
    }
}

fn mark_of(kind: MediaKind) -> PageMark {
    match kind {
        MediaKind::Microphone => "microphone",
        MediaKind::Camera => "camera",
        MediaKind::Screen => "screen",
    }
}

/// Opens the dialog for which the page was loaded again, and lets it be loaded again without the
/// question of the browser.
fn use_reload(media: MediaSignals) {
    let listener = page_mark::allow_reload();
    // The listener lasts as long as the component.
    StoredValue::new_local(listener);
    Effect::new(move || {
        let mark = page_mark::take();
        let kind = MediaKind::ALL
            .into_iter()
            .find(|kind| mark.as_deref() == Some(mark_of(*kind)));
        if let Some(kind) = kind {
            media.choosing.set(Some(kind));
        }
    });
}

/// Ends what this page sends when the ride is over or left.
fn use_end(media: MediaSignals) {
    let intents = expect_context::<Intents>();
    on_cleanup(move || {
        for kind in MediaKind::ALL {
            if media.own_track(kind).is_some() {
                media.set_own_track(kind, None);
                send(intents, MediaInput::TurnOff(kind));
            }
        }
    });
}

/// Keys: `m` mutes and unmutes, `v` is held to talk.
fn use_keys(media: MediaSignals) {
    let intents = expect_context::<Intents>();
    let is_talking = StoredValue::new(false);
    let stop_talking = move || {
        if is_talking.try_get_value() == Some(true) {
            is_talking.set_value(false);
            send(intents, MediaInput::PushToTalk(false));
        }
    };
    let down = window_event_listener(ev::keydown, move |ev: KeyboardEvent| {
        let has_modifier = ev.ctrl_key() || ev.meta_key() || ev.alt_key();
        if has_modifier
            || page::is_repeated(&ev)
            || ev.default_prevented()
            || page::is_for_text_or_dialog(&ev)
            || !storage::chat_switch(ChatSwitch::Keys)
            || !media.view.with_untracked(|view| view.microphone)
        {
            return;
        }
        match ev.key().as_bytes() {
            b"m" | b"M" => toggle_mute(media, intents),
            b"v" | b"V" => {
                is_talking.set_value(true);
                send(intents, MediaInput::PushToTalk(true));
            }
            _ => {}
        }
    });
    let up = window_event_listener(ev::keyup, move |ev: KeyboardEvent| {
        if ev.key().eq_ignore_ascii_case("v") {
            stop_talking();
        }
    });
    // Without the focus, the page does not hear that the key is released.
    let blur = window_event_listener(ev::blur, move |_| stop_talking());
    on_cleanup(move || {
        stop_talking();
        down.remove();
        up.remove();
        blur.remove();
    });
}

fn toggle_mute(media: MediaSignals, intents: Intents) {
    let is_muted = media.view.with_untracked(|view| view.is_muted);
    send(intents, MediaInput::SetMuted(!is_muted));
}

/// State of a device's button.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ButtonState {
    Off,
    Live,
    Muted,
    /// It could not be opened.
    Blocked,
}

impl ButtonState {
    /// Value of the attribute `data-state`.
    fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Live => "live",
            Self::Muted => "muted",
            Self::Blocked => "blocked",
        }
    }

    fn hint(self, i18n: Texts, kind: MediaKind) -> &'static str {
        match (self, kind) {
            (Self::Blocked, _) => t_string!(i18n, media.blocked_hint),
            (Self::Muted, _) => t_string!(i18n, media.muted_hint),
            (Self::Live, MediaKind::Microphone) => t_string!(i18n, media.live_hint),
            (Self::Live, MediaKind::Camera) => t_string!(i18n, media.camera_live_hint),
            (Self::Live, MediaKind::Screen) => t_string!(i18n, media.screen_live_hint),
            (Self::Off, MediaKind::Microphone) => t_string!(i18n, media.microphone_hint),
            (Self::Off, MediaKind::Camera) => t_string!(i18n, media.camera_hint),
            (Self::Off, MediaKind::Screen) => t_string!(i18n, media.screen_hint),
        }
    }
}

/// Button of a device: opens its dialog, and mutes or switches off what is live.
#[component]
fn DeviceButton(media: MediaSignals, kind: MediaKind) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let button = Memo::new(move |_| match is_live(media, kind) {
        true if kind == MediaKind::Microphone && media.view.read().is_muted => ButtonState::Muted,
        true => ButtonState::Live,
        false if media.problem(kind).is_some() => ButtonState::Blocked,
        false => ButtonState::Off,
    });
    let is_speaking =
        Memo::new(move |_| kind == MediaKind::Microphone && media.view.read().is_speaking);
    let tap = move |_| match (button.get_untracked(), kind) {
        (ButtonState::Off | ButtonState::Blocked, _) => ask(media, kind),
        (_, MediaKind::Microphone) => toggle_mute(media, intents),
        _ => send(intents, MediaInput::TurnOff(kind)),
    };
    view! {
        <button
            type="button"
            class="button quiet media-button"
            id=format!("media-{}", mark_of(kind))
            aria-label=move || device_name(i18n, kind)
            title=move || button.get().hint(i18n, kind)
            aria-pressed=move || (button.get() == ButtonState::Live).to_string()
            data-state=move || button.get().name()
            data-speaking=move || is_speaking.get().then_some("true")
            on:click=tap
        >
            {move || {
                let is_on = button.get() == ButtonState::Live;
                view! { <MediaIcon kind is_on/> }
            }}
        </button>
    }
    .into_any()
}

/// Icon of a device; crossed out unless it is on.
#[component]
pub fn MediaIcon(kind: MediaKind, is_on: bool) -> impl IntoView {
    let outline = match kind {
        MediaKind::Microphone => {
            "M12 3A3 3 0 0 0 9 6V11A3 3 0 0 0 15 11V6A3 3 0 0 0 12 3ZM5 11A7 7 0 0 0 19 11M12 18V21"
        }
        MediaKind::Camera => "M3 7H15V17H3ZM15 11L21 8V16L15 13",
        MediaKind::Screen => "M3 4H21V16H3ZM9 20H15M12 16V20M12 13V8M9 10L12 7L15 10",
    };
    view! {
        <svg class="chat-icon media-icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=outline/>
            {(!is_on && kind != MediaKind::Screen).then(|| view! { <path d="M4 3L20 21"/> })}
        </svg>
    }
    .into_any()
}
