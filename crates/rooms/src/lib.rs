//! The server's side of group rides and of third-party clients, without IO.
//!
//! - [`room`]: one ride with its members, its host and its relay.
//! - [`peerjs`]: broker for PeerJS clients.
//! - [`simple_peer`]: rooms of simple-peer clients.
//!
//! Each is a state machine: `handle(now, input)` changes it, `poll_output()` is drained until it
//! returns `None`, and `poll_timeout()` says when to call it again. `now` is a monotonic reading
//! since an origin of the driver's choosing. Names, metrics and workouts are opaque here: this
//! crate knows nothing of rides.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod peerjs;
pub mod room;
pub mod simple_peer;
