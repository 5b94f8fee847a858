//! What media add to a rider's card: the camera, the state of the microphone, and its volume.

use leptos::prelude::*;
use protocol::peer::PeerId;
use session::media::{MediaInput, MediaKind, MediaState, RiderMedia};

use super::{
    dialog::Dialog,
    labels::Texts,
    media::{ask, device_name, is_live, send},
    media_dialog::Video,
};
use crate::{
    i18n::*,
    state::{ExchangeState, Intents, MediaSignals, RideState, Stage},
};

/// The additions to the card of a rider.
#[component]
pub fn MediaCard(exchange: ExchangeState, peer: PeerId, label: Memo<String>) -> impl IntoView {
    let state = expect_context::<RideState>();
    let media = exchange.media;
    let is_self = {
        let riders = state.riders.read_untracked();
        riders
            .iter()
            .any(|rider| rider.is_self && rider.peer == peer)
    };
    let is_shown = Memo::new(move |_| *state.stage.read() != Stage::Ended);
    let card = move || match is_self {
        true => view! { <OwnMedia media/> }.into_any(),
        false => view! { <OtherMedia media peer=peer.clone() label/> }.into_any(),
    };
    view! { <Show when=move || is_shown.get()>{card()}</Show> }.into_any()
}

/// State of a microphone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// Not live.
    None,
    Live,
    Muted,
    Speaking,
    /// Not heard, since the rider at this screen has hidden the other.
    Hidden,
    Connecting,
    Unreachable,
}

impl Voice {
    fn of(rider: &RiderMedia) -> Self {
        match rider.state {
            MediaState::Unreachable => Self::Unreachable,
            MediaState::Connecting if rider.microphone || rider.camera => Self::Connecting,
            _ if !rider.microphone => Self::None,
            _ if rider.is_hidden => Self::Hidden,
            _ if rider.is_muted => Self::Muted,
            _ if rider.is_speaking => Self::Speaking,
            _ => Self::Live,
        }
    }

    /// Value of the attribute `data-voice`.
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Live => "live",
            Self::Muted => "muted",
            Self::Speaking => "speaking",
            Self::Hidden => "hidden",
            Self::Connecting => "connecting",
            Self::Unreachable => "unreachable",
        }
    }

    fn text(self, i18n: Texts) -> &'static str {
        match self {
            Self::None => "",
            Self::Live => t_string!(i18n, media.voice_live),
            Self::Muted => t_string!(i18n, media.voice_muted),
            Self::Speaking => t_string!(i18n, media.voice_speaking),
            Self::Hidden => t_string!(i18n, media.voice_hidden),
            Self::Connecting => t_string!(i18n, media.voice_connecting),
            Self::Unreachable => t_string!(i18n, media.voice_unreachable),
        }
    }
}

/// Icon and words for the state of a microphone. Both change with it, so that colour alone says nothing.
#[component]
fn VoiceState(voice: Memo<Voice>) -> impl IntoView {
    let i18n = use_i18n();
    let outline = move || match voice.get() {
        Voice::None => "",
        Voice::Live | Voice::Connecting => {
            "M12 3A3 3 0 0 0 9 6V11A3 3 0 0 0 15 11V6A3 3 0 0 0 12 3ZM5 11A7 7 0 0 0 19 11M12 18V21"
        }
        Voice::Muted | Voice::Hidden => {
            "M12 3A3 3 0 0 0 9 6V11A3 3 0 0 0 15 11V6A3 3 0 0 0 12 3ZM5 11A7 7 0 0 0 19 11M12 18V21M4 3L20 21"
        }
        Voice::Speaking => "M4 10V14M8 6V18M12 3V21M16 6V18M20 10V14",
        Voice::Unreachable => "M12 3L22 20H2ZM12 10V14M12 17V17.5",
    };
    view! {
        <span class="rider-voice-state" title=move || voice.get().text(i18n)>
            <svg class="chat-icon" viewBox="0 0 24 24" aria-hidden="true"><path d=outline/></svg>
            <span class="rider-voice-text">{move || voice.get().text(i18n)}</span>
        </span>
    }
    .into_any()
}

/// On the card of another rider.
#[component]
fn OtherMedia(media: MediaSignals, peer: PeerId, label: Memo<String>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let of = peer.clone();
    let rider = Memo::new(move |_| {
        let view = media.view.read();
        view.riders.iter().find(|rider| rider.peer == of).cloned()
    });
    let voice = Memo::new(move |_| rider.read().as_ref().map_or(Voice::None, Voice::of));
    let has_voice = Memo::new(move |_| voice.get() != Voice::None);
    let has_camera = Memo::new(move |_| {
        let rider = rider.read();
        rider
            .as_ref()
            .is_some_and(|rider| rider.camera && rider.state != MediaState::Unreachable)
    });
    let hears = Memo::new(move |_| {
        let rider = rider.read();
        rider
            .as_ref()
            .is_some_and(|rider| rider.microphone && !rider.is_hidden)
    });
    let can_ask = Memo::new(move |_| media.view.read().is_host && voice.get() == Voice::Muted);
    let is_open = RwSignal::new(false);
    let peer = StoredValue::new(peer);
    let sound_name = move || format!("{} {}", t_string!(i18n, media.sound_of), label.get());
    let volume_name = move || format!("{} {}", t_string!(i18n, media.volume_of), label.get());
    let volume = Memo::new(move |_| rider.read().as_ref().map_or(100, |rider| rider.volume));
    let set_volume = move |ev| {
        if let Ok(percent) = event_target_value(&ev).parse() {
            let peer = peer.get_value();
            send(intents, MediaInput::SetVolume { peer, percent });
        }
    };
    let ask_to_unmute = move |_| send(intents, MediaInput::AskToUnmute(peer.get_value()));
    view! {
        <Show when=move || has_camera.get()>
            <OtherCamera media peer=peer.get_value() label/>
        </Show>
        <Show when=move || has_voice.get()>
            <div
                class="rider-voice"
                data-voice=move || voice.get().name()
                data-speaking=move || (voice.get() == Voice::Speaking).then_some("true")
            >
                <VoiceState voice/>
                <Show when=move || can_ask.get()>
                    <button type="button" class="button quiet" on:click=ask_to_unmute>
                        {t!(i18n, media.ask_to_unmute)}
                    </button>
                </Show>
                <Show when=move || hears.get()>
                    <button
                        type="button"
                        class="button quiet rider-sound"
                        aria-label=sound_name
                        title=sound_name
                        aria-expanded=move || is_open.get().to_string()
                        on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
                    >
                        <svg class="chat-icon" viewBox="0 0 24 24" aria-hidden="true">
                            <path d="M3 9V15H7L12 20V4L7 9ZM16 9Q18 12 16 15M19 6Q23 12 19 18"/>
                        </svg>
                    </button>
                </Show>
            </div>
        </Show>
        <Show when=move || is_open.get() && hears.get()>
            <div class="rider-volume">
                <input
                    type="range"
                    min="0"
                    max="100"
                    step="5"
                    aria-label=volume_name
                    prop:value=move || volume.get().to_string()
                    on:input=set_volume
                />
                <span class="rider-volume-value" aria-hidden="true">{move || volume.get()} "%"</span>
            </div>
        </Show>
    }
    .into_any()
}

/// Camera of another rider, in place of the avatar.
#[component]
fn OtherCamera(media: MediaSignals, peer: PeerId, label: Memo<String>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let peer = StoredValue::new(peer);
    let is_large = Memo::new(move |_| {
        peer.with_value(|peer| media.view.read().enlarged.as_ref() == Some(peer))
    });
    let name = move || format!("{} {}", t_string!(i18n, media.enlarge), label.get());
    let toggle = move |_| {
        let enlarged = (!is_large.get_untracked()).then(|| peer.get_value());
        send(intents, MediaInput::Enlarge(enlarged));
    };
    let pictures = move || {
        let pictures = peer.with_value(|peer| media.pictures_of(peer, MediaKind::Camera));
        pictures.map(|pictures| view! { <Video pictures name="camera"/> })
    };
    view! {
        <div class="rider-camera">
            {pictures}
            <button
                type="button"
                class="button quiet rider-enlarge"
                aria-label=name
                title=name
                aria-pressed=move || is_large.get().to_string()
                on:click=toggle
            >
                <svg class="chat-icon" viewBox="0 0 24 24" aria-hidden="true">
                    <path d="M14 4H20V10M20 4L14 10M10 20H4V14M4 20L10 14"/>
                </svg>
            </button>
        </div>
    }
    .into_any()
}

/// On the card of the rider at this screen.
#[component]
fn OwnMedia(media: MediaSignals) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let voice = Memo::new(move |_| {
        let view = media.view.read();
        match (view.microphone, view.is_muted, view.is_speaking) {
            (false, ..) => Voice::None,
            (true, _, true) => Voice::Speaking,
            (true, true, _) => Voice::Muted,
            (true, false, _) => Voice::Live,
        }
    });
    let is_any_live =
        Memo::new(move |_| MediaKind::ALL.into_iter().any(|kind| is_live(media, kind)));
    let can_mute_all = Memo::new(move |_| {
        let view = media.view.read();
        let mut riders = view.riders.iter();
        view.is_host && riders.any(|rider| rider.microphone && !rider.is_muted)
    });
    let camera = move || {
        let is_live = media.view.with(|view| view.camera);
        let own = media.own.read();
        let track = own.iter().find(|(kind, _)| *kind == MediaKind::Camera);
        track.filter(|_| is_live).map(|(_, track)| {
            let pictures = track.pictures();
            view! { <div class="rider-camera" data-own="true"><Video pictures name="own"/></div> }
        })
    };
    let changing = RwSignal::new(false);
    let mute_everyone = move |_| send(intents, MediaInput::MuteEveryone);
    view! {
        {camera}
        <Show when=move || is_any_live.get() || can_mute_all.get()>
            <div
                class="rider-voice"
                data-voice=move || voice.get().name()
                data-speaking=move || (voice.get() == Voice::Speaking).then_some("true")
            >
                <VoiceState voice/>
                <Show when=move || can_mute_all.get()>
                    <button type="button" class="button quiet" on:click=mute_everyone>
                        {t!(i18n, media.mute_everyone)}
                    </button>
                </Show>
                <Show when=move || is_any_live.get()>
                    <button
                        type="button"
                        class="button quiet rider-sound"
                        aria-label=move || t_string!(i18n, media.settings)
                        title=move || t_string!(i18n, media.settings)
                        on:click=move |_| changing.set(true)
                    >
                        <svg class="chat-icon" viewBox="0 0 24 24" aria-hidden="true">
                            <path d="M3 7H13M19 7H21M3 17H5M11 17H21"/>
                            <circle cx="16" cy="7" r="3"/>
                            <circle cx="8" cy="17" r="3"/>
                        </svg>
                    </button>
                </Show>
            </div>
        </Show>
        <SettingsDialog media open=changing/>
    }
    .into_any()
}

/// Dialog in which a rider changes or switches off what is live.
#[component]
fn SettingsDialog(media: MediaSignals, open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let row = move |kind| {
        view! {
            <Show when=move || is_live(media, kind)>
                <LiveDevice media kind open/>
            </Show>
        }
    };
    view! {
        <Dialog open labelled_by="media-settings-heading">
            <div class="section-head">
                <h2 id="media-settings-heading">{t!(i18n, media.settings)}</h2>
                <button type="button" class="button quiet" on:click=move |_| open.set(false)>
                    {t!(i18n, common.close)}
                </button>
            </div>
            {MediaKind::ALL.map(row).collect_view()}
            <p class="hint">{t!(i18n, media.keys)}</p>
        </Dialog>
    }
    .into_any()
}

/// A live device, with buttons to change it and to switch it off.
#[component]
fn LiveDevice(media: MediaSignals, kind: MediaKind, open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let (change, off) = match kind {
        MediaKind::Microphone => (
            t_string!(i18n, media.change_microphone),
            t_string!(i18n, media.microphone_off),
        ),
        MediaKind::Camera => (
            t_string!(i18n, media.change_camera),
            t_string!(i18n, media.camera_off),
        ),
        MediaKind::Screen => (
            t_string!(i18n, media.change_screen),
            t_string!(i18n, media.screen_off),
        ),
    };
    view! {
        <div class="media-live" role="group" aria-label=device_name(i18n, kind)>
            <button
                type="button"
                class="button"
                on:click=move |_| {
                    open.set(false);
                    ask(media, kind);
                }
            >
                {change}
            </button>
            <button
                type="button"
                class="button"
                on:click=move |_| {
                    open.set(false);
                    send(intents, MediaInput::TurnOff(kind));
                }
            >
                {off}
            </button>
        </div>
    }
    .into_any()
}
