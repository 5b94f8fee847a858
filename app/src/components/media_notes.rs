//! What happens to a rider's voice and pictures without the rider's doing: notices, the host's request to
//! unmute, and sound that the browser does not play yet.

use std::time::Duration;

use leptos::{ev, html, leptos_dom::helpers::TimeoutHandle, prelude::*};
use session::media::{CameraQuality, MediaInput, MediaKind, MediaNotice};

use super::{
    labels::Texts,
    media::{device_name, send},
};
use crate::{
    browser::page,
    i18n::*,
    state::{Intents, MediaSignals},
};

/// Time that a notice stays on the screen: enough to read it twice.
const NOTICE_DURATION: Duration = Duration::from_secs(12);

/// The notes, over the lower end of the page: away from the own numbers.
#[component]
pub fn MediaNotes(media: MediaSignals) -> impl IntoView {
    let i18n = use_i18n();
    let notice = use_recent(media);
    use_sound(media);
    let node = NodeRef::<html::Div>::new();
    node.on_load(|node| page::show_popover(&node));
    let asks = Memo::new(move |_| media.view.read().asks_to_unmute);
    let is_camera_off = Memo::new(move |_| {
        let view = media.view.read();
        view.camera && view.camera_quality == CameraQuality::Off
    });
    let notice_note = move || {
        notice.get().map(|shown| {
            view! {
                <div class="media-note" data-notice=notice_name(shown)>
                    <p>{notice_text(i18n, shown)}</p>
                    <button
                        type="button"
                        class="button quiet"
                        on:click=move |_| notice.set(None)
                    >
                        {t!(i18n, common.close)}
                    </button>
                </div>
            }
        })
    };
    view! {
        <div class="media-notes" popover="manual" node_ref=node role="status" aria-label=move || t_string!(i18n, media.notes)>
            <Show when=move || asks.get()>
                <UnmuteRequest/>
            </Show>
            <Show when=move || media.is_silenced.get()>
                <div class="media-note">
                    <p>{t!(i18n, media.silenced)}</p>
                    <button type="button" class="button" on:click=move |_| media.play_sounds()>
                        {t!(i18n, media.hear)}
                    </button>
                </div>
            </Show>
            <Show when=move || is_camera_off.get()>
                <div class="media-note" data-notice="camera-paused">
                    <p>{t!(i18n, media.camera_paused)}</p>
                </div>
            </Show>
            {notice_note}
        </div>
    }
    .into_any()
}

/// The host's request to unmute.
#[component]
fn UnmuteRequest() -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    let answer = move |unmutes| send(intents, MediaInput::AnswerUnmute(unmutes));
    view! {
        <div class="media-note" data-notice="asked">
            <p>{t!(i18n, media.asked)}</p>
            <div class="actions">
                <button type="button" class="button" on:click=move |_| answer(true)>
                    {t!(i18n, media.unmute)}
                </button>
                <button type="button" class="button quiet" on:click=move |_| answer(false)>
                    {t!(i18n, media.not_now)}
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// The newest notice until its time on the screen is over.
fn use_recent(media: MediaSignals) -> RwSignal<Option<MediaNotice>> {
    let shown = RwSignal::new(None);
    let timer = StoredValue::new_local(None::<TimeoutHandle>);
    let stop = move || {
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    };
    Effect::watch(
        move || media.notice.get(),
        move |newest, _, _| {
            stop();
            shown.set(newest.map(|(_, notice)| notice));
            let hide = move || {
                let _ = shown.try_set(None);
            };
            timer.set_value(set_timeout_with_handle(hide, NOTICE_DURATION).ok());
        },
        false,
    );
    on_cleanup(stop);
    shown
}

/// Plays the sounds that the browser did not play before, at the next tap or key.
fn use_sound(media: MediaSignals) {
    let play = move || {
        if media.is_silenced.get_untracked() {
            media.play_sounds();
        }
    };
    let click = window_event_listener(ev::click, move |_| play());
    let key = window_event_listener(ev::keydown, move |_| play());
    on_cleanup(move || {
        click.remove();
        key.remove();
    });
}

/// Value of the attribute `data-notice`.
fn notice_name(notice: MediaNotice) -> &'static str {
    match notice {
        MediaNotice::MutedByHost => "muted-by-host",
        MediaNotice::TooManyCameras { .. } => "too-many-cameras",
        MediaNotice::ScreenTaken => "screen-taken",
        MediaNotice::ScreenLost => "screen-lost",
        MediaNotice::DeviceEnded(_) => "device-ended",
    }
}

fn notice_text(i18n: Texts, notice: MediaNotice) -> AnyView {
    match notice {
        MediaNotice::MutedByHost => t!(i18n, media.muted_by_host).into_any(),
        MediaNotice::TooManyCameras { max } => {
            t!(i18n, media.too_many_cameras, count = move || max).into_any()
        }
        MediaNotice::ScreenTaken => t!(i18n, media.other_screen).into_any(),
        MediaNotice::ScreenLost => t!(i18n, media.screen_lost).into_any(),
        MediaNotice::DeviceEnded(MediaKind::Screen) => t!(i18n, media.screen_ended).into_any(),
        MediaNotice::DeviceEnded(kind) => {
            let device = device_name(i18n, kind);
            t!(i18n, media.device_ended, device).into_any()
        }
    }
}
