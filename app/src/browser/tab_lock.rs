//! A lock by which one page of this browser tells the others that it rides as a
//! certain rider (W3C Web Locks).
//!
//! The browser releases the lock with the page, however it ends, so nothing has to be
//! stored at that moment; what Firefox is given in `pagehide` before it opens another
//! site is lost. In the browser only: without a window nothing is held or known. In
//! browsers without the API, and in pages that are no secure contexts, a page that holds a lock
//! answers the others over a broadcast channel instead.
//!
//! The bindings are declared here, since web-sys offers this API only behind an
//! unstable flag.

use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;

use super::{
    js,
    tabs::{self, Channel},
};

#[wasm_bindgen]
extern "C" {
    type LockManager;
    #[wasm_bindgen(method)]
    fn request(this: &LockManager, name: &str, hold: &js_sys::Function) -> js_sys::Promise;
    #[wasm_bindgen(method)]
    fn query(this: &LockManager) -> js_sys::Promise;
}

/// Name of the lock of a page that rides as this rider.
pub fn rider_lock(rider: &str) -> String {
    format!("gruppetto.rider.{rider}")
}

/// Name of the lock of a page that makes the recording with this name, `{code}/{rider}`.
pub fn recording_lock(recording: &str) -> String {
    rider_lock(recording.split('/').nth(1).unwrap_or_default())
}

/// A lock with a name, released when it is dropped. Requested while another page holds
/// it, it is held from the moment that the other page releases it.
pub struct TabLock {
    name: String,
    release: Option<js_sys::Function>,
    /// Answers other pages where there are no locks.
    _claim: Option<Channel>,
}

impl TabLock {
    /// Requests the lock.
    pub fn hold(name: String) -> Self {
        let (mut release, mut claim) = (None, None);
        if let Some(locks) = locks() {
            // The lock is held until this promise is resolved.
            let held = js_sys::Promise::new(&mut |resolve, _| release = Some(resolve));
            let hold = Closure::once_into_js(move |_lock: JsValue| held);
            let _ = locks.request(&name, hold.unchecked_ref());
        } else {
            claim = tabs::claim(name.clone());
        }
        Self {
            name,
            release,
            _claim: claim,
        }
    }

    /// Name of the lock.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TabLock {
    fn drop(&mut self) {
        if let Some(release) = &self.release {
            // A function that resolves a promise throws nothing.
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

/// True if a page of this browser holds the lock with this name; `None` if that is not known.
pub async fn is_held(name: &str) -> Option<bool> {
    match held_names().await {
        Some(names) => Some(names.iter().any(|held| held == name)),
        // Pages that are no secure contexts have no locks. One that rides answers.
        None => tabs::is_claimed(name).await.then_some(true),
    }
}

/// True if a page of this browser is known to ride, in any ride.
pub async fn is_any_rider_held() -> bool {
    let prefix = rider_lock("");
    let names = held_names().await.unwrap_or_default();
    names.iter().any(|name| name.starts_with(&prefix))
}

async fn held_names() -> Option<Vec<String>> {
    let snapshot = JsFuture::from(locks()?.query()).await.ok()?;
    let held = js::get(&snapshot, "held")?;
    let name = |lock: JsValue| js::get(&lock, "name")?.as_string();
    Some(js_sys::Array::from(&held).iter().filter_map(name).collect())
}

fn locks() -> Option<LockManager> {
    let navigator = web_sys::window()?.navigator();
    js::get(&navigator, "locks").map(JsCast::unchecked_into)
}
