//! An event listener that is removed when it is dropped.
//!
//! In the browser only: it needs an event target, which does not exist during
//! server rendering.

use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{Event, EventTarget};

/// A listener on a DOM object. Dropping it removes it from the object.
pub struct Listener {
    target: EventTarget,
    name: &'static str,
    capture: bool,
    closure: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Calls `handle` for every event with this name.
    pub fn new(
        target: &EventTarget,
        name: &'static str,
        handle: impl FnMut(Event) + 'static,
    ) -> Self {
        Self::register(target, name, false, Closure::new(handle))
    }

    /// Calls `handle` for every event with this name, before the listeners that
    /// [`Listener::new`] and other code register.
    pub fn capturing(
        target: &EventTarget,
        name: &'static str,
        handle: impl FnMut(Event) + 'static,
    ) -> Self {
        Self::register(target, name, true, Closure::new(handle))
    }

    fn register(
        target: &EventTarget,
        name: &'static str,
        capture: bool,
        closure: Closure<dyn FnMut(Event)>,
    ) -> Self {
        let function = closure.as_ref().unchecked_ref();
        // Fails only for an object that is no event target.
        let _ = target.add_event_listener_with_callback_and_bool(name, function, capture);
        Self {
            target: target.clone(),
            name,
            capture,
            closure,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function = self.closure.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback_and_bool(
            self.name,
            function,
            self.capture,
        );
    }
}
