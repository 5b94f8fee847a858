//! A lock by which one page of this browser tells the others that it rides as a
//! certain rider (W3C Web Locks).
//!
//! The browser releases the lock with the page, however it ends, so nothing has to be
//! stored at that moment; what Firefox is given in `pagehide` before it opens another
//! site is lost. In the browser only: without a window, and in browsers without the
//! API or pages that are no secure contexts, no lock is held, and nothing is known of others.
//!
//! The bindings are declared here, since web-sys offers this API only behind an
//! unstable flag.

use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    type LockManager;
    #[wasm_bindgen(method)]
    fn request(this: &LockManager, name: &str, hold: &js_sys::Function) -> js_sys::Promise;
    #[wasm_bindgen(method)]
    fn query(this: &LockManager) -> js_sys::Promise;
}

/// A lock with a name, released when it is dropped. Requested while another page holds
/// it, it is held from the moment that the other page releases it.
pub struct TabLock {
    name: String,
    release: Option<js_sys::Function>,
}

impl TabLock {
    /// Requests the lock.
    pub fn hold(name: String) -> Self {
        let mut release = None;
        if let Some(locks) = locks() {
            // The lock is held until this promise is resolved.
            let held = js_sys::Promise::new(&mut |resolve, _| release = Some(resolve));
            let hold = Closure::once_into_js(move |_lock: JsValue| held);
            let _ = locks.request(&name, hold.unchecked_ref());
        }
        Self { name, release }
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
    let snapshot = JsFuture::from(locks()?.query()).await.ok()?;
    let held = js_sys::Reflect::get(&snapshot, &"held".into()).ok()?;
    let has_name = |lock: JsValue| {
        js_sys::Reflect::get(&lock, &"name".into()).is_ok_and(|other| other == *name)
    };
    Some(js_sys::Array::from(&held).iter().any(has_name))
}

fn locks() -> Option<LockManager> {
    let navigator = web_sys::window()?.navigator();
    let locks = js_sys::Reflect::get(&navigator, &"locks".into()).ok()?;
    (!locks.is_undefined()).then(|| locks.unchecked_into())
}
