//! A timer that fires on time in a hidden tab.
//!
//! Browsers slow the timers of hidden pages down to one a second or less, but
//! not those of workers, so the timer runs in a worker (`public/timer.js`).
//!
//! In the browser only: it is created together with the session, never during
//! server rendering. Dropping it terminates the worker and clears the timers.

use std::{cell::Cell, rc::Rc, time::Duration};

use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::Worker;

use super::listener::Listener;

/// A timer that fires once after the delay set last.
pub struct WorkerTimer {
    worker: Option<Worker>,
    /// True if loading the worker's script failed. The browser reports this
    /// after the worker has been created, and posting to it still succeeds.
    broken: Rc<Cell<bool>>,
    fallback: PageTimer,
    _listeners: Vec<Listener>,
}

impl WorkerTimer {
    /// A timer that calls `fire`. Without workers, or without a network to load
    /// the script from, it uses the timers of the page.
    pub fn new(fire: impl Fn() + 'static) -> Self {
        let fire = Rc::new(fire);
        let worker = Worker::new("/timer.js").ok();
        let broken = Rc::new(Cell::new(false));
        let listeners = worker
            .as_ref()
            .map(|worker| listen(worker, &fire, &broken))
            .unwrap_or_default();
        Self {
            worker,
            broken,
            fallback: PageTimer::new(move || fire()),
            _listeners: listeners,
        }
    }

    /// Sets the delay, replacing the one set before.
    pub fn set(&self, delay: Duration) {
        // Rounded up: a timer that fires early would only be set again.
        let ms = (delay.as_micros().div_ceil(1_000)).min(i32::MAX as u128) as i32;
        match &self.worker {
            Some(worker)
                if !self.broken.get() && worker.post_message(&JsValue::from(ms)).is_ok() => {}
            _ => self.fallback.set(ms),
        }
    }
}

impl Drop for WorkerTimer {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.terminate();
        }
        self.fallback.clear();
    }
}

/// Fires when the worker does. Also fires when the worker breaks, so that the
/// owner sets its delay again, now with the fallback.
fn listen(
    worker: &Worker,
    fire: &Rc<impl Fn() + 'static>,
    broken: &Rc<Cell<bool>>,
) -> Vec<Listener> {
    let (on_message, on_error, broken) = (fire.clone(), fire.clone(), broken.clone());
    vec![
        Listener::new(worker, "message", move |_| on_message()),
        Listener::new(worker, "error", move |_| {
            broken.set(true);
            on_error();
        }),
    ]
}

/// A timer of the page itself.
struct PageTimer {
    handle: Cell<Option<i32>>,
    closure: Closure<dyn Fn()>,
}

impl PageTimer {
    fn new(fire: impl Fn() + 'static) -> Self {
        Self {
            handle: Cell::new(None),
            closure: Closure::new(fire),
        }
    }

    fn set(&self, ms: i32) {
        self.clear();
        let handle = web_sys::window().and_then(|window| {
            window
                .set_timeout_with_callback_and_timeout_and_arguments_0(
                    self.closure.as_ref().unchecked_ref(),
                    ms,
                )
                .ok()
        });
        self.handle.set(handle);
    }

    fn clear(&self) {
        if let (Some(handle), Some(window)) = (self.handle.take(), web_sys::window()) {
            window.clear_timeout_with_handle(handle);
        }
    }
}
