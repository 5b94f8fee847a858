//! Every text a rider reads, by key, from `app/locales`. The macro checks the
//! keys at compile time, so a missing translation never ships.
#![allow(missing_docs, reason = "the macro generates undocumented items")]

leptos_i18n::load_locales!();
pub use i18n::*;
