//! A page's side of the mesh, without IO: transport of frames between the pages of a ride.
//!
//! - [`node`]: the state machine that a driver feeds, made of everything below.
//! - [`link`]: link to one other page, over the relay or over data channels.
//! - [`link_frame`]: binary frames that two pages exchange.
//! - [`clock_sync`]: group time, estimated from heartbeats.
//! - [`media`]: connection for sound and pictures to one other page.
//! - `negotiation`: offers, answers and candidates of a peer connection, for links and media.
//! - `backoff`: retry delays with jitter; `rate_limit`: token buckets.
//! - [`peer_limits`]: rate limits for the requests of other members.
//!
//! A rider takes part as soon as its signaling socket is open, through the server's relay, and
//! moves to data channels when these open. Payloads are opaque bytes of a delivery class: control
//! (ordered, reliable), telemetry (newest wins, may be lost) and bulk (ordered, reliable, yields to
//! the others).
//!
//! The crate uses no clock, socket or random source: `now` is an argument of every call, and seeds
//! are given at construction, so all cases are tested exactly on virtual time. `tests/it` runs
//! several nodes and a real room on an emulated network.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backoff;
pub mod clock_sync;
pub mod link;
pub mod link_frame;
pub mod media;
mod negotiation;
pub mod node;
pub mod peer_limits;
pub mod random;
mod rate_limit;
