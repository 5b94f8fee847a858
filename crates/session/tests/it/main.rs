//! Behaviours of whole sessions, without a browser: several riders' sessions, a real room and a
//! simulated network on virtual time.

#![allow(clippy::unwrap_used)]

mod bridge;
mod chaos;
mod chat;
mod companion;
mod controls;
mod countdown;
mod devices;
mod files;
mod harness;
mod host_gone;
mod hostile;
mod intervals;
mod joining;
mod late_join;
mod link_stats;
mod media;
mod moderation;
mod names;
mod own_settings;
mod pause;
mod presence;
mod profiles;
mod recording;
mod reload;
mod sensors;
mod server_gone;
mod sleep;
mod solo;
mod tabs;
mod telemetry;
