//! The mesh of a group ride: how riders find each other, and how their bytes
//! get from one to the other.
//!
//! The server introduces riders and relays what they cannot send directly; it
//! reads none of it. Riders are connected the moment their socket is, and move
//! to data channels when these open.
//!
//! Both ends:
//! - [`code`]: session codes, what people share.
//! - [`peer`]: the names of riders, page loads, roles and link states.
//! - [`signaling`]: the JSON messages between a page and the server.
//! - [`frame`]: the bytes between pages, and the envelope they are relayed in.
//!
//! The server's end:
//! - [`room`]: one ride's members, host and relay.
//! - [`peerjs`]: the rooms of PeerJS clients, and their messages.
//! - [`simple_peer`]: the rooms of simple-peer clients, and their messages.
//!
//! The rider's end:
//! - [`node`]: all of it, the machine that a page drives.
//! - [`link`]: one rider's way to one other.
//! - [`clock`]: group time over links.
//! - [`backoff`]: when to try again.
//!
//! Law: everything here is a plain value without IO. No clock, no socket, no
//! random source, no browser: `now` comes in with every call, as a monotonic
//! [`Duration`](std::time::Duration) since any origin of the driver's choosing,
//! and seeds come in at construction. A machine is fed with `handle`, drained
//! with `poll_output` until it is empty, and woken at `poll_timeout`. So every
//! hard case is a fast, exact test on virtual time: see `tests/it`.
//!
//! This crate knows nothing of rides. Names, power and workouts are bytes of a
//! delivery class to it: control (ordered, exactly once), telemetry (the newest
//! wins), bulk (ordered, exactly once, gives way).

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod backoff;
pub mod clock;
pub mod code;
pub mod frame;
pub mod link;
pub mod node;
pub mod peer;
pub mod peerjs;
mod random;
pub mod room;
pub mod signaling;
pub mod simple_peer;
