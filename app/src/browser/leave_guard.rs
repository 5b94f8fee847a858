//! A guard against leaving the page by accident.
//!
//! In the browser only: it is created in an effect, and effects do not run on the
//! server.

use super::listener::Listener;

/// Keeps the page until it is dropped.
///
/// Back to another page of this app is undone, so that the app can ask first. Before
/// the browser leaves for another site, reloads or closes the tab, it asks by itself;
/// browsers do so only for a page that the rider has used.
pub struct LeaveGuard {
    _listeners: [Listener; 2],
}

impl LeaveGuard {
    /// A guard that calls `on_back` when the rider has gone back.
    pub fn new(on_back: impl Fn() + 'static) -> Option<Self> {
        let window = web_sys::window()?;
        let page = window.location().pathname().ok()?;
        let leave = Listener::new(&window, "beforeunload", |event| event.prevent_default());
        let target = window.clone();
        let back = Listener::capturing(&target, "popstate", move |event| {
            if window.location().pathname().is_ok_and(|path| path == page) {
                return;
            }
            // The router must not show the other page.
            event.stop_immediate_propagation();
            if let Ok(history) = window.history() {
                // Fails only for a page that is being left.
                let _ = history.forward();
            }
            on_back();
        });
        Some(Self {
            _listeners: [leave, back],
        })
    }
}
