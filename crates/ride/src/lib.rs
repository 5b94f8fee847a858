//! Everything about a group ride that can be decided without IO.
//!
//! - [`workout`]: what is ridden, as a share of each rider's own FTP; [`zwo`] reads it from files
//!   and [`library`] holds the built-in ones.
//! - [`player`]: where in a workout a moment lies.
//! - [`timeline`]: what the host has decided (shared, started, paused, skipped, ended), signed and
//!   replicated.
//! - [`history`]: what everybody has ridden so far, for the charts.
//! - [`rider`]: who rides; [`message`]: what riders tell each other.
//! - [`trainer`]: the bytes that trainers speak, and a simulated one.
//! - [`recording`]: one sample a second, kept, and written as a FIT file; [`analysis`]: what it
//!   adds up to.
//!
//! The law of this crate: no clock, no socket, no random source, no browser. Time comes in as an
//! argument and seeds at construction, so that every case can be tested exactly.

pub mod analysis;
pub mod history;
pub mod message;
pub mod player;
pub mod recording;
pub mod rider;
mod text;
pub mod timeline;
pub mod trainer;
mod wire;
pub mod workout;

pub use workout::{library, zwo};
