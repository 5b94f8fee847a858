//! The browser's door: makes the server-rendered page live.
#![cfg(feature = "hydrate")]
#![recursion_limit = "256"]

mod parts;

/// Called by the script that the page carries.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    app::hydrate(parts::fetches());
}
