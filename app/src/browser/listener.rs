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
    closure: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Calls `handle` for every event with this name.
    pub fn new(
        target: &EventTarget,
        name: &'static str,
        handle: impl FnMut(Event) + 'static,
    ) -> Self {
        let closure = Closure::<dyn FnMut(Event)>::new(handle);
        let function = closure.as_ref().unchecked_ref();
        // Fails only for an object that is no event target.
        let _ = target.add_event_listener_with_callback(name, function);
        Self {
            target: target.clone(),
            name,
            closure,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function = self.closure.as_ref().unchecked_ref();
        let _ = self
            .target
            .remove_event_listener_with_callback(self.name, function);
    }
}
