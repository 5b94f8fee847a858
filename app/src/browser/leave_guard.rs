//! A guard against leaving the page by accident.
//!
//! In the browser only: it is created in an effect, and effects do not run on the
//! server.

use std::cell::RefCell;
use std::rc::Rc;

use web_sys::Event;

use super::listener::Listener;

type OnBack = Rc<dyn Fn(&Event)>;

thread_local! {
    /// Function of the guard that there is, if any.
    static ON_BACK: RefCell<Option<OnBack>> = const { RefCell::new(None) };
}

/// Keeps the page until it is dropped. There is at most one.
///
/// Back to another page of this app is undone, so that the app can ask first. Before
/// the browser leaves for another site, reloads or closes the tab, it asks by itself;
/// browsers do so only for a page that the rider has used.
pub struct LeaveGuard {
    _leave: Listener,
}

/// Lets a later [`LeaveGuard`] hear of Back before the router does. Call it before
/// the router listens: browsers call the listeners of a window in the order in
/// which they were registered, those for the capturing phase included.
pub fn listen_before_router() {
    let Some(window) = web_sys::window() else {
        return;
    };
    let listener = Listener::new(&window, "popstate", |event| {
        let on_back = ON_BACK.with_borrow(Clone::clone);
        if let Some(on_back) = on_back {
            on_back(&event);
        }
    });
    // It is needed for as long as the page is there.
    std::mem::forget(listener);
}

impl LeaveGuard {
    /// A guard that calls `on_back` when the rider has gone back.
    pub fn new(on_back: impl Fn() + 'static) -> Option<Self> {
        let window = web_sys::window()?;
        let page = window.location().pathname().ok()?;
        let leave = Listener::new(&window, "beforeunload", |event| event.prevent_default());
        let undo = move |event: &Event| {
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
        };
        ON_BACK.set(Some(Rc::new(undo)));
        Some(Self { _leave: leave })
    }
}

impl Drop for LeaveGuard {
    fn drop(&mut self) {
        ON_BACK.set(None);
    }
}
