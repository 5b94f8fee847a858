//! Keeps the screen on during a ride. Bindings of our own: web-sys has the
//! Screen Wake Lock API only behind an unstable flag.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

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
pub struct WakeLock {
    held: Rc<RefCell<Option<Sentinel>>>,
    wanted: Rc<Cell<bool>>,
}

impl WakeLock {
    /// Takes the lock, or takes it again: the browser lets go of it whenever
    /// the page is hidden.
    pub fn take(&self) {
        self.wanted.set(true);
        let (held, wanted) = (self.held.clone(), self.wanted.clone());
        if held.borrow().as_ref().is_some_and(|lock| !lock.released()) {
            return;
        }
        spawn_local(async move {
            match request().await {
                Some(lock) if wanted.get() => *held.borrow_mut() = Some(lock),
                Some(lock) => drop(lock.release()),
                None => {}
            }
        });
    }

    /// Lets the screen go dark again.
    pub fn release(&self) {
        self.wanted.set(false);
        if let Some(lock) = self.held.borrow_mut().take() {
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
