//! Dialog in which a rider chooses a device, sees or hears what it captures, and goes live.

use std::time::Duration;

use leptos::{html, prelude::*};
use session::media::{MediaInput, MediaKind};

use super::{
    dialog::Dialog,
    labels::Texts,
    media::{device_name, is_live, send, source_of},
};
use crate::{
    browser::{
        capture::{self, CaptureError, Device, LevelMeter, OwnTrack, Pictures},
        clock, page,
    },
    i18n::*,
    state::{Intents, MediaSignals},
};

/// Interval between two readings of the level meter.
const METER_INTERVAL: Duration = Duration::from_millis(100);
/// Level in decibels below full scale at which the meter is empty.
const METER_RANGE: f32 = 60.0;

/// What the dialog shows.
#[derive(Clone, Copy)]
struct Choice {
    media: MediaSignals,
    /// Kind of device, also while the dialog closes.
    kind: RwSignal<MediaKind>,
    open: RwSignal<bool>,
    /// Track that is being tried.
    track: RwSignal<Option<OwnTrack>, LocalStorage>,
    devices: RwSignal<Vec<Device>>,
    is_opening: RwSignal<bool>,
    /// Number of attempts to open a device. Results of earlier ones are dropped.
    attempts: StoredValue<u32>,
}

/// The dialog.
#[component]
pub fn MediaDialog(media: MediaSignals) -> impl IntoView {
    let i18n = use_i18n();
    let choice = Choice {
        media,
        kind: RwSignal::new(MediaKind::Microphone),
        open: RwSignal::new(false),
        track: RwSignal::new_local(None),
        devices: RwSignal::new(Vec::new()),
        is_opening: RwSignal::new(false),
        attempts: StoredValue::new(0),
    };
    Effect::new(move || {
        if let Some(kind) = media.choosing.get() {
            choice.kind.set(kind);
            choice.devices.set(Vec::new());
            choice.open.set(true);
            choice.start(None);
        }
    });
    Effect::new(move || {
        if !choice.open.get() {
            choice.end();
        }
    });
    on_cleanup(move || choice.end());
    let heading = move || match choice.kind.get() {
        MediaKind::Microphone => t_string!(i18n, media.microphone_heading),
        MediaKind::Camera => t_string!(i18n, media.camera_heading),
        MediaKind::Screen => t_string!(i18n, media.screen_heading),
    };
    let body = move || match choice.kind.get() {
        MediaKind::Microphone => t_string!(i18n, media.microphone_body),
        MediaKind::Camera => t_string!(i18n, media.camera_body),
        MediaKind::Screen => t_string!(i18n, media.screen_body),
    };
    view! {
        <Dialog open=choice.open labelled_by="media-heading">
            <h2 id="media-heading">{heading}</h2>
            <p>{body}</p>
            <div class="media-preview">
                <Preview choice/>
                <DeviceSelect choice/>
            </div>
            <Problem choice/>
            <div class="dialog-actions">
                <button type="button" class="button" on:click=move |_| choice.open.set(false)>
                    {t!(i18n, media.cancel)}
                </button>
                <GoLive choice/>
            </div>
        </Dialog>
    }
    .into_any()
}

impl Choice {
    /// Opens a device, or the one of the last time.
    fn start(self, device: Option<String>) {
        let kind = self.kind.get_untracked();
        self.drop_track();
        self.attempts.update_value(|attempts| *attempts += 1);
        let attempt = self.attempts.get_value();
        self.media.set_problem(kind, None);
        self.is_opening.set(true);
        leptos::task::spawn_local(async move {
            let source = source_of(kind);
            let opened = match page::supports_webrtc() {
                true => capture::open(source, device.as_deref()).await,
                false => Err(CaptureError::NoWebRtc),
            };
            let devices = capture::devices(source).await;
            // A track that is not wanted any more is stopped by being dropped.
            let is_current = self.attempts.try_get_value() == Some(attempt);
            if !is_current || !self.open.try_get_untracked().unwrap_or_default() {
                return;
            }
            self.is_opening.set(false);
            self.devices.set(devices);
            match opened {
                Ok(track) => self.track.set(Some(track)),
                Err(error) => self.media.set_problem(kind, Some(error)),
            }
        });
    }

    /// Sends what is shown from now on.
    fn go_live(self, intents: Intents) {
        let kind = self.kind.get_untracked();
        let Some(track) = self.track.try_update(Option::take).flatten() else {
            return;
        };
        capture::remember(&track);
        self.media.set_own_track(kind, Some(track));
        if !untrack(|| is_live(self.media, kind)) {
            send(intents, MediaInput::GoLive(kind));
        }
        self.open.set(false);
    }

    fn end(self) {
        let _ = self.media.choosing.try_set(None);
        let _ = self.attempts.try_update_value(|attempts| *attempts += 1);
        let _ = self.is_opening.try_set(false);
        self.drop_track();
    }

    fn drop_track(self) {
        if let Some(track) = self.track.try_update(Option::take).flatten() {
            track.stop();
        }
    }
}

/// Picture or level of what is captured.
#[component]
fn Preview(choice: Choice) -> impl IntoView {
    let i18n = use_i18n();
    move || {
        let track = choice.track.get();
        match (track, choice.kind.get()) {
            (Some(track), MediaKind::Microphone) => view! { <Meter track/> }.into_any(),
            (Some(track), _) => {
                let pictures = track.pictures();
                view! { <Video pictures name="preview"/> }.into_any()
            }
            (None, _) if choice.is_opening.get() => {
                view! { <p class="hint" role="status">{t!(i18n, media.opening)}</p> }.into_any()
            }
            (None, _) => ().into_any(),
        }
    }
}

/// Pictures of a stream, without sound.
#[component]
pub fn Video(
    pictures: Pictures,
    /// Value of the attribute `data-media`.
    name: &'static str,
) -> impl IntoView {
    let node = NodeRef::<html::Video>::new();
    node.on_load(move |video| pictures.show(&video));
    view! {
        <video class="media-video" data-media=name autoplay muted playsinline node_ref=node></video>
    }
    .into_any()
}

/// Level of a microphone.
#[component]
fn Meter(track: OwnTrack) -> impl IntoView {
    let i18n = use_i18n();
    let level = RwSignal::new(0_u8);
    let meter = StoredValue::new_local(LevelMeter::new(&track));
    leptos::task::spawn_local(async move {
        // The meter is gone with the component.
        while let Some(rms) = meter.try_with_value(|meter| meter.as_ref().map(LevelMeter::level)) {
            let _ = level.try_set(scale(rms.unwrap_or_default()));
            clock::sleep(METER_INTERVAL).await;
        }
    });
    view! {
        <div
            class="media-meter"
            role="meter"
            aria-label=move || t_string!(i18n, media.level)
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || level.get().to_string()
        >
            <svg class="media-level" aria-hidden="true">
                <rect class="media-level-track" width="100%" height="100%"/>
                <rect class="media-level-fill" height="100%" width=move || format!("{}%", level.get())/>
            </svg>
        </div>
        <p class="hint">{t!(i18n, media.level_hint)}</p>
    }
    .into_any()
}

/// Percent of the meter for a level from 0 to 1.
fn scale(rms: f32) -> u8 {
    let decibels = 20.0 * rms.max(1e-6).log10();
    ((decibels + METER_RANGE) / METER_RANGE * 100.0).clamp(0.0, 100.0) as u8
}

/// Devices of the kind, where there is more than one to choose from.
#[component]
fn DeviceSelect(choice: Choice) -> impl IntoView {
    let i18n = use_i18n();
    let chosen = Memo::new(move |_| choice.track.read().as_ref().map(OwnTrack::device));
    let options = move || {
        let devices = choice.devices.get().into_iter().enumerate();
        let options = devices.map(|(index, Device { id, label })| {
            // Browsers tell the names only after the permission.
            let label = match label.is_empty() {
                true => format!(
                    "{} {}",
                    device_name(i18n, choice.kind.get_untracked()),
                    index + 1
                ),
                false => label,
            };
            let is_chosen = chosen.get().as_ref() == Some(&id);
            view! { <option value=id selected=is_chosen>{label}</option> }
        });
        options.collect_view()
    };
    view! {
        <Show when=move || !choice.devices.read().is_empty()>
            <label class="media-select">
                <span>{move || device_name(i18n, choice.kind.get())}</span>
                <select
                    class="select"
                    on:change=move |ev| choice.start(Some(event_target_value(&ev)))
                >
                    {options}
                </select>
            </label>
        </Show>
    }
    .into_any()
}

/// Reason why the device could not be opened, with what can be done.
#[component]
fn Problem(choice: Choice) -> impl IntoView {
    let i18n = use_i18n();
    let problem = Memo::new(move |_| choice.media.problem(choice.kind.get()));
    move || {
        problem.get().map(|error| {
            let text = problem_text(i18n, choice.kind.get(), error);
            let can_try = !matches!(
                error,
                CaptureError::Insecure | CaptureError::NoWebRtc | CaptureError::Policy
            );
            view! {
                <p class="error" role="alert" data-problem=problem_name(error)>{text}</p>
                {can_try.then(|| view! {
                    <button type="button" class="button" on:click=move |_| choice.start(None)>
                        {t!(i18n, common.try_again)}
                    </button>
                })}
            }
        })
    }
}

#[component]
fn GoLive(choice: Choice) -> impl IntoView {
    let i18n = use_i18n();
    let intents = expect_context::<Intents>();
    view! {
        <button
            type="button"
            class="button primary"
            disabled=move || choice.track.read().is_none()
            on:click=move |_| choice.go_live(intents)
        >
            {t!(i18n, media.go_live)}
        </button>
    }
    .into_any()
}

/// Value of the attribute `data-problem`.
fn problem_name(error: CaptureError) -> &'static str {
    match error {
        CaptureError::Insecure => "insecure",
        CaptureError::Unsupported => "unsupported",
        CaptureError::NoWebRtc => "no-webrtc",
        CaptureError::Policy => "policy",
        CaptureError::NotAllowed => "not-allowed",
        CaptureError::NoDevice => "no-device",
        CaptureError::Taken => "taken",
        CaptureError::Other => "other",
    }
}

fn problem_text(i18n: Texts, kind: MediaKind, error: CaptureError) -> &'static str {
    use MediaKind::{Camera, Microphone, Screen};
    match (error, kind) {
        (CaptureError::Insecure, _) => t_string!(i18n, media.insecure),
        (CaptureError::Unsupported, Screen) => t_string!(i18n, media.no_screen_sharing),
        (CaptureError::Unsupported, _) => t_string!(i18n, media.unsupported),
        (CaptureError::NoWebRtc, _) => t_string!(i18n, media.no_webrtc),
        (CaptureError::Policy, _) => t_string!(i18n, media.policy),
        (CaptureError::NotAllowed, Microphone) => t_string!(i18n, media.microphone_not_allowed),
        (CaptureError::NotAllowed, Camera) => t_string!(i18n, media.camera_not_allowed),
        (CaptureError::NotAllowed, Screen) => t_string!(i18n, media.screen_not_allowed),
        (CaptureError::NoDevice, Microphone) => t_string!(i18n, media.no_microphone),
        (CaptureError::NoDevice, Camera) => t_string!(i18n, media.no_camera),
        (CaptureError::NoDevice, Screen) => t_string!(i18n, media.no_screen),
        (CaptureError::Taken, Microphone) => t_string!(i18n, media.microphone_taken),
        (CaptureError::Taken, Camera) => t_string!(i18n, media.camera_taken),
        (CaptureError::Taken, Screen) => t_string!(i18n, media.screen_taken),
        (CaptureError::Other, _) => t_string!(i18n, media.other_problem),
    }
}
