//! Rooms of the server, without IO.
//!
//! - [`room`]: one group ride with its members, its host and its relay.
//! - [`peerjs`]: broker for PeerJS clients.
//! - [`simple_peer`]: broker for simple-peer clients.
//!
//! Each is a state machine: `handle(now, input)` changes it, `poll_output()` is drained until it
//! returns `None`, and `poll_timeout()` says when to call it again. `now` is a
//! [`Moment`](clock::Moment) of the driver's clock. Names, metrics and workouts are opaque here:
//! this crate knows nothing of rides.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod client_key;
pub mod peerjs;
pub mod room;
pub mod simple_peer;

pub use client_key::ClientKey;
