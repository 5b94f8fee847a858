//! Keeps the screen on during a ride. Bindings of our own: web-sys has the
//! Screen Wake Lock API only behind an unstable flag.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::{JsFuture, spawn_local};

#[wasm_bindgen]
extern "C" {
    type LockManager;
    #[wasm_bindgen(method, catch)]
    fn request(this: &LockManager, kind: &str) -> Result<js_sys::Promise, JsValue>;

    type Sentinel;
    #[wasm_bindgen(method)]
    fn release(this: &Sentinel) -> js_sys::Promise;
    #[wasm_bindgen(method, getter)]
    fn released(this: &Sentinel) -> bool;
}

/// A lock on the screen, where the browser has one; elsewhere it does nothing.
#[derive(Clone, Default)]
pub struct WakeLock(Rc<RefCell<Option<Sentinel>>>);

impl WakeLock {
    /// Takes the lock, or takes it again: the browser lets go of it whenever
    /// the page is hidden.
    pub fn take(&self) {
        let held = self.0.clone();
        if held.borrow().as_ref().is_some_and(|lock| !lock.released()) {
            return;
        }
        spawn_local(async move {
            if let Some(sentinel) = request().await {
                *held.borrow_mut() = Some(sentinel);
            }
        });
    }

    /// Lets the screen go dark again.
    pub fn release(&self) {
        if let Some(lock) = self.0.borrow_mut().take() {
            let _ = lock.release();
        }
    }
}

async fn request() -> Option<Sentinel> {
    let navigator = web_sys::window()?.navigator();
    let manager = js_sys::Reflect::get(&navigator, &"wakeLock".into()).ok()?;
    if manager.is_undefined() {
        return None;
    }
    let promise = manager
        .unchecked_into::<LockManager>()
        .request("screen")
        .ok()?;
    let sentinel = JsFuture::from(promise).await.ok()?;
    Some(sentinel.unchecked_into())
}
