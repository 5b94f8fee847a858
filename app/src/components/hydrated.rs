//! Hydration state of the page. Controls are disabled until the page is
//! hydrated, so that no tap is lost.

use leptos::prelude::*;

/// Context of all pages: whether the page is hydrated.
#[derive(Clone, Copy)]
pub struct Hydrated(RwSignal<bool>);

impl Hydrated {
    /// Provides the context: false during server rendering and in the first
    /// render in the browser, then true.
    pub fn provide() {
        let hydrated = RwSignal::new(false);
        Effect::new(move || hydrated.set(true));
        provide_context(Self(hydrated));
    }
}

/// True until the page is hydrated: the `disabled` state of controls.
pub fn use_hydrating() -> Signal<bool> {
    match use_context::<Hydrated>() {
        Some(Hydrated(hydrated)) => Signal::derive(move || !hydrated.get()),
        None => Signal::stored(false),
    }
}
