//! Tunnel that brings a web site from a rider's own computer into the ride, without IO.
//!
//! A *tunnel peer* is the program beside the web site. A *visitor* is a browser's shell page, or the
//! server on behalf of a browser. Each visitor has channels to the peer: a WebRTC data channel
//! (direct) and its socket to the server (relayed). Each channel carries one multiplexer.
//!
//! - [`identity`]: the tunnel's key, the code that follows from it, and the token of its link;
//! - [`control`]: JSON messages on the sockets of peers and visitors;
//! - [`multiplexer`]: streams with flow control over one channel;
//! - [`head`]: heads of requests and responses;
//! - [`messages`]: WebSocket messages within a stream;
//! - [`ways`]: which channel the requests of a visitor take.
//!
//! The wire formats are documented in `docs/TUNNEL.md`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod control;
pub mod head;
pub mod identity;
pub mod messages;
pub mod multiplexer;
pub mod ways;
