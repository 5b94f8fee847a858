//! All texts on the screen, by key, from `app/locales`. The macro checks the keys
//! at compile time, so that no page refers to a missing text.
#![allow(missing_docs, reason = "the macro generates undocumented items")]
#![allow(
    deprecated,
    reason = "its successor, a build script, compiles an exporter of ICU data on every machine"
)]

leptos_i18n::load_locales!();
pub mod text;

pub use i18n::*;
#[expect(
    hidden_glob_reexports,
    reason = "the macro replaces the one that the generated module re-exports"
)]
pub(crate) use text::t;
