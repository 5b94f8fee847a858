//! Microphone, camera and screen of the rider at this page (W3C Media Capture and Streams, W3C Screen
//! Capture).
//!
//! In the browser only: a track is opened after a tap. It is stopped by [`OwnTrack::stop`], or when its
//! last clone is dropped, which switches the light of the device off.

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{js, listener::Listener};

/// What is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Microphone.
    Microphone,
    /// Camera.
    Camera,
    /// Screen, window or tab, which the browser lets the rider choose.
    Screen,
}

impl Source {
    /// Member of the constraints, and of a stream's methods `getAudioTracks` and `getVideoTracks`.
    const fn is_sound(self) -> bool {
        matches!(self, Self::Microphone)
    }

    /// Name of the feature in a permissions policy.
    const fn feature(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Camera => "camera",
            Self::Screen => "display-capture",
        }
    }

    /// `kind` of the devices in `enumerateDevices`.
    const fn device_kind(self) -> &'static str {
        match self {
            Self::Microphone => "audioinput",
            Self::Camera => "videoinput",
            Self::Screen => "",
        }
    }

    /// Use of the track, which the encoder respects (`contentHint`).
    const fn content_hint(self) -> &'static str {
        match self {
            Self::Microphone => "speech",
            Self::Camera => "motion",
            Self::Screen => "detail",
        }
    }

    /// Key of the device that the rider chose last.
    const fn storage_key(self) -> &'static str {
        match self {
            Self::Microphone => "gruppetto.media.microphone",
            Self::Camera => "gruppetto.media.camera",
            Self::Screen => "",
        }
    }
}

/// Reason why nothing is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureError {
    /// The page is not a secure context (HTTPS, or this computer).
    Insecure,
    /// The browser cannot capture this.
    Unsupported,
    /// The browser has no WebRTC, so there is no use in capturing anything.
    NoWebRtc,
    /// The document does not allow it, because of its permissions policy.
    Policy,
    /// The rider or the system does not allow it.
    NotAllowed,
    /// There is no such device.
    NoDevice,
    /// Another program has the device.
    Taken,
    /// Anything else.
    Other,
}

/// A device that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `deviceId`.
    pub id: String,
    /// Name; empty until the rider has allowed this kind of device.
    pub label: String,
}

/// A track of this page. The clones of one track share it; it stops with the last of them.
#[derive(Clone)]
pub struct OwnTrack(Rc<Track>);

struct Track {
    source: Source,
    track: JsValue,
    /// Stream with the track alone.
    stream: JsValue,
}

impl Drop for Track {
    fn drop(&mut self) {
        // The second time does nothing.
        js::call(&self.track, "stop", &[]);
    }
}

impl PartialEq for OwnTrack {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl OwnTrack {
    /// Stops it, whatever still has a clone of it.
    pub fn stop(&self) {
        js::call(&self.0.track, "stop", &[]);
    }

    /// Id of its device.
    pub fn device(&self) -> String {
        let settings = js::call(&self.0.track, "getSettings", &[]);
        let id = settings.and_then(|settings| js::get(&settings, "deviceId")?.as_string());
        id.unwrap_or_default()
    }

    /// Height of the pictures in pixels; `None` for sound.
    pub(super) fn height(&self) -> Option<f64> {
        js::get(&js::call(&self.0.track, "getSettings", &[])?, "height")?.as_f64()
    }

    /// Whether it sends what the device captures, or silence.
    pub fn set_enabled(&self, is_enabled: bool) {
        js::set(&self.0.track, "enabled", &is_enabled.into());
    }

    /// Calls `handle` when the track ends by itself: unplugged, or ended with a button of the
    /// browser.
    pub fn on_ended(&self, handle: impl Fn() + 'static) -> Listener {
        Listener::new(self.0.track.unchecked_ref(), "ended", move |_| handle())
    }

    /// Its pictures.
    pub fn pictures(&self) -> Pictures {
        Pictures(self.0.stream.clone())
    }

    /// The track in JavaScript.
    pub(super) fn js(&self) -> &JsValue {
        &self.0.track
    }
}

/// A stream of pictures, for an element `video`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pictures(JsValue);

impl Pictures {
    /// Pictures of a track.
    pub(super) fn of(track: &JsValue) -> Option<Self> {
        stream_of(track).map(Self)
    }

    /// Shows the pictures in an element `video`.
    pub fn show(&self, video: &web_sys::HtmlElement) {
        // An attribute alone does not mute an element that was made by a script.
        js::set(video, "muted", &true.into());
        js::set(video, "srcObject", &self.0);
        if let Some(played) = js::call(video, "play", &[]) {
            settle(&played);
        }
    }
}

/// New stream with one track.
pub(super) fn stream_of(track: &JsValue) -> Option<JsValue> {
    let tracks: js_sys::Array = std::iter::once(track).collect();
    js::construct("MediaStream", &[tracks.into()])
}

/// Waits for a promise whose result does not matter, so that its failure is no error of the page.
pub(super) fn settle(promise: &JsValue) {
    if let Some(promise) = promise.dyn_ref::<js_sys::Promise>() {
        let promise = promise.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let _ = JsFuture::from(promise).await;
        });
    }
}

/// Opens a device: the one with this id, the one that was chosen last, or any. Asks the rider for the
/// permission if need be. A screen is chosen in a window of the browser, which opens only shortly
/// after a tap.
///
/// # Errors
/// [`CaptureError`], among them that the rider has closed the window.
pub async fn open(source: Source, device: Option<&str>) -> Result<OwnTrack, CaptureError> {
    let wanted = match device {
        Some(device) => Some(device.to_owned()),
        None => remembered(source),
    };
    let mut opened = request(source, wanted.as_deref()).await;
    // The device is gone, or cannot do what was asked for.
    if matches!(opened, Err(Failure::Overconstrained)) {
        opened = request(source, None).await;
    }
    let stream = opened.map_err(|failure| match failure {
        Failure::Known(error) => error,
        Failure::Overconstrained => CaptureError::NoDevice,
    })?;
    let method = match source.is_sound() {
        true => "getAudioTracks",
        false => "getVideoTracks",
    };
    let tracks = js::call(&stream, method, &[]).ok_or(CaptureError::Other)?;
    let track = js::get(&tracks, "0").ok_or(CaptureError::NoDevice)?;
    js::set(&track, "contentHint", &source.content_hint().into());
    let stream = stream_of(&track).ok_or(CaptureError::Unsupported)?;
    Ok(OwnTrack(Rc::new(Track {
        source,
        track,
        stream,
    })))
}

enum Failure {
    Overconstrained,
    Known(CaptureError),
}

/// Opens a stream.
async fn request(source: Source, device: Option<&str>) -> Result<JsValue, Failure> {
    let window = web_sys::window().ok_or(Failure::Known(CaptureError::Unsupported))?;
    let is_secure = js::get(&window, "isSecureContext").is_some_and(|secure| secure.is_truthy());
    let Some(devices) = js::get(&window.navigator(), "mediaDevices") else {
        return Err(Failure::Known(match is_secure {
            true => CaptureError::Unsupported,
            false => CaptureError::Insecure,
        }));
    };
    let method = match source {
        Source::Microphone | Source::Camera => "getUserMedia",
        Source::Screen => "getDisplayMedia",
    };
    let promise = js::call(&devices, method, &[constraints(source, device)]);
    let promise = promise.and_then(|promise| promise.dyn_into::<js_sys::Promise>().ok());
    let promise = promise.ok_or(Failure::Known(CaptureError::Unsupported))?;
    JsFuture::from(promise)
        .await
        .map_err(|error| failure(source, &error))
}

fn failure(source: Source, error: &JsValue) -> Failure {
    let name = js::get(error, "name").and_then(|name| name.as_string());
    Failure::Known(match name.as_deref() {
        Some("OverconstrainedError") => return Failure::Overconstrained,
        Some("NotFoundError" | "DevicesNotFoundError") => CaptureError::NoDevice,
        Some("NotAllowedError" | "PermissionDeniedError") if !is_allowed(source) => {
            CaptureError::Policy
        }
        Some("NotAllowedError" | "PermissionDeniedError" | "InvalidStateError") => {
            CaptureError::NotAllowed
        }
        Some("NotReadableError" | "TrackStartError" | "AbortError") => CaptureError::Taken,
        Some("SecurityError") => CaptureError::Insecure,
        Some("NotSupportedError") => CaptureError::Unsupported,
        _ => CaptureError::Other,
    })
}

fn constraints(source: Source, device: Option<&str>) -> JsValue {
    let track = js_sys::Object::new();
    let ideal = |value: JsValue| {
        let ideal = js_sys::Object::new();
        js::set(&ideal, "ideal", &value);
        JsValue::from(ideal)
    };
    match source {
        Source::Microphone => {
            for name in ["echoCancellation", "noiseSuppression", "autoGainControl"] {
                js::set(&track, name, &ideal(true.into()));
            }
        }
        Source::Camera => {
            js::set(&track, "width", &ideal(640.into()));
            js::set(&track, "height", &ideal(480.into()));
            js::set(&track, "frameRate", &ideal(15.into()));
        }
        Source::Screen => js::set(&track, "frameRate", &ideal(10.into())),
    }
    if let Some(device) = device.filter(|device| !device.is_empty()) {
        let exact = js_sys::Object::new();
        js::set(&exact, "exact", &device.into());
        js::set(&track, "deviceId", &exact);
    }
    let constraints = js_sys::Object::new();
    let member = match source.is_sound() {
        true => "audio",
        false => "video",
    };
    js::set(&constraints, member, &track);
    constraints.into()
}

/// Devices of this kind; none for screens.
pub async fn devices(source: Source) -> Vec<Device> {
    let list = async {
        let devices = js::get(&web_sys::window()?.navigator(), "mediaDevices")?;
        let promise = js::call(&devices, "enumerateDevices", &[])?;
        JsFuture::from(promise.dyn_into::<js_sys::Promise>().ok()?)
            .await
            .ok()?
            .dyn_into::<js_sys::Array>()
            .ok()
    };
    let text = |device: &JsValue, name: &str| {
        let text = js::get(device, name).and_then(|text| text.as_string());
        text.unwrap_or_default()
    };
    let all = list.await.into_iter().flatten();
    all.filter(|device| text(device, "kind") == source.device_kind())
        .map(|device| Device {
            id: text(&device, "deviceId"),
            label: text(&device, "label"),
        })
        .filter(|device| !device.id.is_empty())
        .collect()
}

fn local_storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

fn remembered(source: Source) -> Option<String> {
    let key = source.storage_key();
    (!key.is_empty()).then_some(())?;
    local_storage()?.get_item(key).ok().flatten()
}

/// Remembers the device of a track, to be opened first the next time.
pub fn remember(track: &OwnTrack) {
    let key = track.0.source.storage_key();
    if let (Some(storage), false) = (local_storage(), key.is_empty()) {
        // Without it, the browser's default is opened the next time.
        let _ = storage.set_item(key, &track.device());
    }
}

/// True unless the permissions policy of the document forbids it. Browsers that do not tell know no
/// such policy.
pub fn is_allowed(source: Source) -> bool {
    let allowed = || {
        let document = web_sys::window()?.document()?;
        let policy = ["permissionsPolicy", "featurePolicy"]
            .into_iter()
            .find_map(|name| js::get(&document, name))?;
        // A browser that does not know the feature has no rule for it.
        let known = js::call(&policy, "features", &[])?;
        let is_known = js::call(&known, "includes", &[source.feature().into()])?;
        is_known.is_truthy().then_some(())?;
        js::call(&policy, "allowsFeature", &[source.feature().into()])
    };
    allowed().is_none_or(|allowed| allowed.is_truthy())
}

/// True if the document was loaded with the address of another page of the app. Its permissions policy
/// is that of the other page.
pub fn is_document_of_other_page() -> bool {
    let path = web_sys::window().and_then(|window| window.location().pathname().ok());
    document_path().is_some_and(|loaded| Some(loaded) != path)
}

/// Path of the address with which the document was loaded.
fn document_path() -> Option<String> {
    let performance = web_sys::window()?.performance()?;
    let entries = js::call(&performance, "getEntriesByType", &["navigation".into()])?;
    let address = js::get(&js::get(&entries, "0")?, "name")?;
    let address = js::construct("URL", &[address])?;
    js::get(&address, "pathname")?.as_string()
}

/// Meter of the level of a track with sound.
pub struct LevelMeter {
    context: JsValue,
    analyser: JsValue,
    samples: js_sys::Uint8Array,
    /// Its sound is measured while its stream exists.
    _track: OwnTrack,
}

/// Number of samples of which the level is the root mean square: 43 ms at 48 kHz.
const SAMPLES: u32 = 2_048;

impl LevelMeter {
    /// A meter; `None` in a browser without Web Audio.
    pub fn new(track: &OwnTrack) -> Option<Self> {
        let options = js_sys::Object::new();
        // Nothing is played, so that the sound may be handled rarely, in large pieces.
        js::set(&options, "latencyHint", &"playback".into());
        let context = js::construct("AudioContext", &[options.into()])?;
        let source = js::call(
            &context,
            "createMediaStreamSource",
            std::slice::from_ref(&track.0.stream),
        )?;
        let analyser = js::call(&context, "createAnalyser", &[])?;
        js::set(&analyser, "fftSize", &SAMPLES.into());
        js::call(&source, "connect", std::slice::from_ref(&analyser))?;
        let samples = js::construct("Uint8Array", &[SAMPLES.into()])?;
        if let Some(resumed) = js::call(&context, "resume", &[]) {
            settle(&resumed);
        }
        Some(Self {
            context,
            analyser,
            samples: samples.unchecked_into(),
            _track: track.clone(),
        })
    }

    /// Level now, from 0 to 1.
    pub fn level(&self) -> f32 {
        let samples: JsValue = self.samples.clone().into();
        js::call(&self.analyser, "getByteTimeDomainData", &[samples]);
        // Bytes from 0 to 255, with silence at 128.
        let samples = self.samples.to_vec();
        let power: f32 = samples
            .iter()
            .map(|sample| (f32::from(*sample) / 128.0 - 1.0).powi(2))
            .sum();
        (power / SAMPLES as f32).sqrt().min(1.0)
    }
}

impl Drop for LevelMeter {
    fn drop(&mut self) {
        if let Some(closed) = js::call(&self.context, "close", &[]) {
            settle(&closed);
        }
    }
}
