//! Behaviours of whole sessions, without a browser: several riders' sessions, a real room and a
//! simulated network on virtual time.

#![allow(clippy::unwrap_used)]

mod countdown;
mod harness;
mod host_gone;
mod intervals;
mod joining;
mod late_join;
mod moderation;
mod pause;
mod presence;
mod recording;
mod reload;
mod server_gone;
mod tabs;
