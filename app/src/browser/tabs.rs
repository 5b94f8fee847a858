//! Messages between the tabs of this browser.
//!
//! Workouts on their way from one tab into a ride in another: a tab broadcasts the bytes of the workout;
//! a tab that takes it answers with a text. And the question which of them rides, for pages without Web
//! Locks. During server rendering nothing is sent or received.

use std::time::Duration;

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{BroadcastChannel, MessageEvent};

use super::listener::Listener;

const CHANNEL: &str = "gruppetto-workouts";
/// Channel of the questions for the holder of a lock.
const CLAIMS: &str = "gruppetto-riders";
/// Time that the holder of a lock has for its answer.
const CLAIM_WITHIN: Duration = Duration::from_millis(300);
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
    fn open(name: &str, handle: impl Fn(&BroadcastChannel, JsValue) + 'static) -> Option<Self> {
        let channel = BroadcastChannel::new(name).ok()?;
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
    Channel::open(CHANNEL, move |channel, message| {
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
    let question = Uint8Array::from(bytes).into();
    let answer = ask(CHANNEL, question, JsValue::is_string, ANSWER_WITHIN).await?;
    answer.as_string()
}

/// Answers other tabs that this one holds the lock with this name, until the channel is dropped.
pub fn claim(name: String) -> Option<Channel> {
    Channel::open(CLAIMS, move |channel, message| {
        if message.as_string().as_ref() == Some(&name) {
            // Fails only for a closed channel.
            let _ = channel.post_message(&JsValue::TRUE);
        }
    })
}

/// True if another tab answers that it holds the lock with this name.
pub async fn is_claimed(name: &str) -> bool {
    let is_yes = |answer: &JsValue| *answer == JsValue::TRUE;
    ask(CLAIMS, name.into(), is_yes, CLAIM_WITHIN)
        .await
        .is_some()
}

/// Sends a question to the other tabs, and returns the first answer.
async fn ask(
    channel: &str,
    question: JsValue,
    is_answer: fn(&JsValue) -> bool,
    within: Duration,
) -> Option<JsValue> {
    let mut opened = None;
    let answer = Promise::new(&mut |resolve: Function, _| {
        let answered = resolve.clone();
        opened = Channel::open(channel, move |_, message| {
            if is_answer(&message) {
                // Fails only for a function that throws.
                let _ = answered.call1(&JsValue::NULL, &message);
            }
        });
        if let Some(window) = web_sys::window() {
            let ms = within.as_millis() as i32;
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
        }
    });
    opened.as_ref()?.channel.post_message(&question).ok()?;
    let answer = JsFuture::from(answer).await.ok()?;
    (!answer.is_undefined()).then_some(answer)
}
