//! Loading the page again, with a word about what to do then.
//!
//! In the browser only.

use std::cell::Cell;

use super::{js, listener::Listener, page};

/// What to do after the page was loaded again.
pub type PageMark = &'static str;

/// Key in the session storage.
const KEY: &str = "gruppetto.media.ask";

thread_local! {
    static IS_RELOADING: Cell<bool> = const { Cell::new(false) };
}

/// Loads the page again and leaves a mark for it.
pub fn reload_with(mark: PageMark) {
    if let Some(storage) = session_storage() {
        js::call(&storage, "setItem", &[KEY.into(), mark.into()]);
    }
    IS_RELOADING.set(true);
    page::reload();
}

/// Takes the mark that the page before has left.
pub fn take() -> Option<String> {
    let storage = session_storage()?;
    let mark = js::call(&storage, "getItem", &[KEY.into()])?.as_string()?;
    js::call(&storage, "removeItem", &[KEY.into()]);
    Some(mark)
}

/// Keeps later listeners from asking the rider before [`reload_with`] leaves the page, until it is
/// dropped.
pub fn allow_reload() -> Option<Listener> {
    let window = web_sys::window()?;
    Some(Listener::new(&window, "beforeunload", |event| {
        if IS_RELOADING.get() {
            event.stop_immediate_propagation();
        }
    }))
}

fn session_storage() -> Option<wasm_bindgen::JsValue> {
    let window = web_sys::window()?;
    js::get(&window, "sessionStorage").filter(|storage| !storage.is_null())
}
