//! Sound of the others, each with a volume of its own.
//!
//! In the browser only: sounds come from connections. Dropping a [`Playback`] ends it.

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{capture, js, media_rtc::RemoteTrack};

/// Sound of one rider.
pub struct Playback {
    element: JsValue,
    refused: Rc<dyn Fn()>,
}

impl Playback {
    /// Plays a track with sound at a volume from 0 to 1; `None` if the browser cannot. Calls `refused` if
    /// the browser plays nothing before the rider has tapped the page; then [`Self::play`] is to be
    /// called in a tap.
    pub fn new(track: &RemoteTrack, gain: f32, refused: Rc<dyn Fn()>) -> Option<Self> {
        let document = web_sys::window()?.document()?;
        let element = JsValue::from(document.create_element("audio").ok()?);
        js::set(&element, "autoplay", &true.into());
        js::set(&element, "srcObject", &capture::stream_of(track.js())?);
        let playback = Self { element, refused };
        playback.apply(gain);
        playback.play();
        Some(playback)
    }

    /// Begins to play, unless it plays already.
    pub fn play(&self) {
        let refused = Rc::clone(&self.refused);
        let played = js::call(&self.element, "play", &[]);
        let played = played.and_then(|played| played.dyn_into::<js_sys::Promise>().ok());
        if let Some(played) = played {
            spawn_local(async move {
                let Err(error) = JsFuture::from(played).await else {
                    return;
                };
                if js::get(&error, "name").is_some_and(|name| name == "NotAllowedError") {
                    refused();
                }
            });
        }
    }

    /// Sets the volume, from 0 to 1.
    pub fn set_volume(&self, gain: f32) {
        let was_silent = js::get(&self.element, "muted").is_some_and(|muted| muted.is_truthy());
        self.apply(gain);
        if was_silent && gain > 0.0 {
            // Browsers that let only silence play before the first tap have paused it now.
            self.play();
        }
    }

    fn apply(&self, gain: f32) {
        js::set(&self.element, "volume", &gain.clamp(0.0, 1.0).into());
        // Volumes do nothing on iPhone and iPad.
        js::set(&self.element, "muted", &(gain <= 0.0).into());
    }
}

impl Drop for Playback {
    fn drop(&mut self) {
        js::call(&self.element, "pause", &[]);
        js::set(&self.element, "srcObject", &JsValue::NULL);
    }
}
