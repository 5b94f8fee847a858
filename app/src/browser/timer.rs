//! One alarm for the whole session, off the page's thread so that a hidden tab
//! keeps its links and its ride going.

use std::{cell::Cell, rc::Rc, time::Duration};

use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::Worker;

use super::listener::Listener;

/// Rings once after the time that was last set.
pub struct WorkerTimer {
    worker: Option<Worker>,
    /// Whether the worker's script could not be loaded: the browser says so
    /// only after the worker has been made, and posting to it still succeeds.
    broken: Rc<Cell<bool>>,
    fallback: Fallback,
    _listeners: Vec<Listener>,
}

impl WorkerTimer {
    /// An alarm that calls `fire`. Where workers are forbidden, or there is no
    /// network to load one from, it falls back to the page's own timers.
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
            fallback: Fallback::new(move || fire()),
            _listeners: listeners,
        }
    }

    /// Sets the alarm, replacing what was set before.
    pub fn set(&self, delay: Duration) {
        // Rounded up: ringing before the time would only be set again.
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

/// Rings when the worker does; and at once when it breaks, so that what was set
/// is set again.
fn listen(
    worker: &Worker,
    fire: &Rc<impl Fn() + 'static>,
    broken: &Rc<Cell<bool>>,
) -> Vec<Listener> {
    let (fire, again, broken) = (fire.clone(), fire.clone(), broken.clone());
    vec![
        Listener::new(worker, "message", move |_| fire()),
        Listener::new(worker, "error", move |_| {
            broken.set(true);
            again();
        }),
    ]
}

struct Fallback {
    timer: Cell<Option<i32>>,
    closure: Closure<dyn Fn()>,
}

impl Fallback {
    fn new(fire: impl Fn() + 'static) -> Self {
        Self {
            timer: Cell::new(None),
            closure: Closure::new(fire),
        }
    }

    fn set(&self, ms: i32) {
        self.clear();
        let timer = web_sys::window().and_then(|window| {
            window
                .set_timeout_with_callback_and_timeout_and_arguments_0(
                    self.closure.as_ref().unchecked_ref(),
                    ms,
                )
                .ok()
        });
        self.timer.set(timer);
    }

    fn clear(&self) {
        if let (Some(timer), Some(window)) = (self.timer.take(), web_sys::window()) {
            window.clear_timeout_with_handle(timer);
        }
    }
}
