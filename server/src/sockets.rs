//! WebSockets: the loop that serves one socket, and a file per dialect.
//!
//! - `upgrade`: from an HTTP request to an open socket.
//! - [`connection`]: the loop, which knows a socket's `dialect` as a trait.
//! - [`app`], [`peerjs`], [`simple_peer`]: the dialects. The latter two share the
//!   implementation in `third_party`.

pub mod app;
pub mod connection;
mod dialect;
pub mod peerjs;
pub mod simple_peer;
mod third_party;
mod upgrade;

pub use upgrade::SocketUpgrade;
