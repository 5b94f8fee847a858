//! Whether the page is live yet. Until it is, controls are disabled, so that
//! an early tap is never lost: it cannot be made.

use leptos::prelude::*;

/// The context that every page shares.
#[derive(Clone, Copy)]
pub struct Hydrated(RwSignal<bool>);

impl Hydrated {
    /// Provides the context. False on the server and in the first render in
    /// the browser, true from then on.
    pub fn provide() {
        let hydrated = RwSignal::new(false);
        Effect::new(move || hydrated.set(true));
        provide_context(Self(hydrated));
    }
}

/// Whether controls still have to wait, for their `disabled`.
pub fn use_waiting() -> Signal<bool> {
    match use_context::<Hydrated>() {
        Some(Hydrated(hydrated)) => Signal::derive(move || !hydrated.get()),
        None => Signal::stored(false),
    }
}
