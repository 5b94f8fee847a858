//! Workouts on their way from one tab of this browser into a ride in another.
//!
//! A tab broadcasts the bytes of the workout; a tab that takes it answers with a text. During server
//! rendering nothing is sent or received.

use std::time::Duration;

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{BroadcastChannel, MessageEvent};

use super::listener::Listener;

const CHANNEL: &str = "gruppetto-workouts";
/// Time that another tab has for its answer. Hidden tabs get messages at once, too.
const ANSWER_WITHIN: Duration = Duration::from_millis(1_500);

/// Largest workout in bytes that a tab takes.
const MAX_BYTES: u32 = 1024 * 1024;

/// Open channel to the other tabs. Dropping it closes it.
pub struct Channel {
    channel: BroadcastChannel,
    _listener: Listener,
}

impl Channel {
    /// `None` in a browser without such channels.
    fn open(handle: impl Fn(&BroadcastChannel, JsValue) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(CHANNEL).ok()?;
        let own = channel.clone();
        let listener = Listener::new(&channel, "message", move |ev| {
            if let Some(message) = ev.dyn_ref::<MessageEvent>() {
                handle(&own, message.data());
            }
        });
        Some(Self {
            channel,
            _listener: listener,
        })
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.channel.close();
    }
}

/// Calls `take` for every workout that another tab sends, until the channel is dropped. What it
/// returns is the answer; with `None` the workout is not taken.
pub fn receive_workouts(take: impl Fn(Vec<u8>) -> Option<String> + 'static) -> Option<Channel> {
    Channel::open(move |channel, message| {
        let Ok(bytes) = message.dyn_into::<Uint8Array>() else {
            return;
        };
        if bytes.length() > MAX_BYTES {
            return;
        }
        if let Some(answer) = take(bytes.to_vec()) {
            // Fails only for a closed channel.
            let _ = channel.post_message(&answer.into());
        }
    })
}

/// Sends a workout to the other tabs, and returns the answer of the one that takes it.
pub async fn send_workout(bytes: &[u8]) -> Option<String> {
    let mut channel = None;
    let answer = Promise::new(&mut |resolve: Function, _| {
        let answered = resolve.clone();
        channel = Channel::open(move |_, message| {
            if message.is_string() {
                // Fails only for a function that throws.
                let _ = answered.call1(&JsValue::NULL, &message);
            }
        });
        if let Some(window) = web_sys::window() {
            let ms = ANSWER_WITHIN.as_millis() as i32;
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
        }
    });
    channel
        .as_ref()?
        .channel
        .post_message(&Uint8Array::from(bytes))
        .ok()?;
    let answer = JsFuture::from(answer).await.ok()?;
    answer.as_string()
}
