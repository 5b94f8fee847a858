//! A rider's side of the mesh, without IO: how frames get from one page to the others.
//!
//! - [`node`]: the state machine that a driver feeds, made of everything below.
//! - [`link`]: connection to one other rider, over the relay or over data channels.
//! - [`link_frame`]: binary frames that two pages exchange.
//! - [`clock_sync`]: group time, estimated from heartbeats.
//! - [`backoff`]: retry intervals with jitter.
//! - [`peer_limits`]: rate limits for the requests of other members.
//!
//! A rider takes part as soon as its signaling socket is open, through the server's relay, and
//! moves to data channels when these open. Payloads are opaque bytes of a delivery class: control
//! (ordered, reliable), telemetry (newest wins, may be lost) and bulk (ordered, reliable, yields to
//! the others).
//!
//! No clock, socket or random source is used here: `now` comes in with every call as a monotonic
//! reading, and seeds come in at construction, so every case is an exact test on virtual time
//! (`tests/it`).

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backoff;
pub mod clock_sync;
pub mod link;
pub mod link_frame;
pub mod node;
pub mod peer_limits;
mod random;
