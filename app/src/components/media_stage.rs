//! What is shown large: the shared screen, and the camera of a rider.

use leptos::{html, prelude::*};
use protocol::peer::PeerId;
use session::media::{MediaInput, MediaKind};

use super::{media::send, media_dialog::Video};
use crate::{
    browser::page,
    i18n::*,
    state::{Intents, MediaSignals},
};

/// The shared screen and the enlarged camera. They are a part of the current screen (`.stage`), beside
/// its other parts, so that they never cover the own numbers.
#[component]
pub fn MediaStage(media: MediaSignals) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    node.on_load(|node| page::move_into(&node, &[".ride > .stage"]));
    let screen = Memo::new(move |_| media.view.read().screen_of.clone());
    let enlarged = Memo::new(move |_| media.view.read().enlarged.clone());
    view! {
        <div class="media-stage" node_ref=node>
            {move || screen.get().map(|peer| view! { <SharedScreen media peer/> })}
            {move || enlarged.get().map(|peer| view! { <EnlargedCamera media peer/> })}
        </div>
    }
    .into_any()
}

fn name_of(media: MediaSignals, peer: PeerId) -> Memo<String> {
    Memo::new(move |before: Option<&String>| {
        let view = media.view.read();
        let rider = view.riders.iter().find(|rider| rider.peer == peer);
        // A rider who has just left keeps the name.
        rider
            .map(|rider| rider.name.clone())
            .or_else(|| before.cloned())
            .unwrap_or_default()
    })
}

#[component]
fn SharedScreen(media: MediaSignals, peer: PeerId) -> impl IntoView {
    let i18n = use_i18n();
    let name = name_of(media, peer.clone());
    view! {
        <section class="media-large" aria-label=move || t_string!(i18n, media.shared_screen)>
            <Large media peer kind=MediaKind::Screen data="screen"/>
            <p class="media-caption">
                <span translate="no">{move || name.get()}</span>
                " "
                {t!(i18n, media.shares)}
            </p>
        </section>
    }
    .into_any()
}

#[component]
fn EnlargedCamera(media: MediaSignals, peer: PeerId) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let name = name_of(media, peer.clone());
    let of = peer.clone();
    let is_speaking = Memo::new(move |_| {
        let view = media.view.read();
        let mut riders = view.riders.iter();
        riders.any(|rider| rider.peer == of && rider.is_speaking)
    });
    let shrink = move |_| {
        send(intents, MediaInput::Enlarge(None));
    };
    view! {
        <section
            class="media-large"
            aria-label=move || format!("{} {}", t_string!(i18n, media.large_camera), name.get())
            data-speaking=move || is_speaking.get().then_some("true")
        >
            <Large media peer kind=MediaKind::Camera data="enlarged"/>
            <div class="media-caption">
                <p translate="no">{move || name.get()}</p>
                <button type="button" class="button quiet" on:click=shrink>
                    {t!(i18n, media.shrink)}
                </button>
            </div>
        </section>
    }
    .into_any()
}

/// Pictures of a rider, once they arrive.
#[component]
fn Large(media: MediaSignals, peer: PeerId, kind: MediaKind, data: &'static str) -> impl IntoView {
    let i18n = use_i18n();
    let pictures = move || match media.pictures_of(&peer, kind) {
        Some(pictures) => view! { <Video pictures name=data/> }.into_any(),
        None => view! { <p class="media-wait hint">{t!(i18n, media.waiting)}</p> }.into_any(),
    };
    pictures.into_any()
}
