//! Behaviours of whole sessions, without a browser: several riders' sessions, a real room and a
//! simulated network on virtual time.

#![allow(clippy::unwrap_used)]

mod countdown;
mod harness;
mod joining;
mod late_join;
mod presence;
mod reload;
mod tabs;
