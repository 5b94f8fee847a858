//! A lock that keeps the screen on during a ride (W3C Screen Wake Lock).
//!
//! The bindings are declared here, since web-sys offers this API only behind an
//! unstable flag. In the browser only: without a window, and in browsers without
//! the API, nothing happens. The lock is released when [`WakeLock`] is dropped, and
//! by the browser when the page is hidden or closed.

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

/// A wake lock on the screen, if the browser supports it.
///
/// At most one lock is held, and at most one request is under way: a lock that a
/// request brings after it is no longer wanted is released at once.
#[derive(Default)]
pub struct WakeLock(Rc<State>);

#[derive(Default)]
struct State {
    held: RefCell<Option<Sentinel>>,
    wanted: Cell<bool>,
    requesting: Cell<bool>,
    /// Number of calls of [`WakeLock::take`].
    taken: Cell<u32>,
}

impl WakeLock {
    /// Requests the lock. To be called again when the page becomes visible: the
    /// browser releases the lock whenever the page is hidden.
    pub fn take(&self) {
        let state = &self.0;
        state.wanted.set(true);
        state.taken.set(state.taken.get().wrapping_add(1));
        let is_held = state
            .held
            .borrow()
            .as_ref()
            .is_some_and(|lock| !lock.released());
        if !is_held && !state.requesting.replace(true) {
            spawn_local(State::request(state.clone()));
        }
    }

    /// Releases the lock.
    pub fn release(&self) {
        self.0.wanted.set(false);
        if let Some(lock) = self.0.held.borrow_mut().take() {
            let _ = lock.release();
        }
    }
}

impl State {
    /// Requests the lock, and again if it was wanted anew while the browser refused it, as
    /// it does for a hidden page.
    async fn request(self: Rc<Self>) {
        loop {
            let taken = self.taken.get();
            match request().await {
                Some(lock) if self.wanted.get() => *self.held.borrow_mut() = Some(lock),
                Some(lock) => drop(lock.release()),
                None if self.wanted.get() && self.taken.get() != taken => continue,
                None => {}
            }
            return self.requesting.set(false);
        }
    }
}

impl Drop for WakeLock {
    fn drop(&mut self) {
        self.release();
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
