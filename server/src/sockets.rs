//! WebSockets: the loop that serves one socket, and a file per dialect.
//!
//! - `upgrade`: from an HTTP request to an open socket.
//! - [`connection`]: the loop, which knows a socket's `dialect` as a trait.
//! - [`app`], [`peerjs`], [`simple_peer`]: the dialects. The latter two share the
//!   implementation in `third_party`.
//! - [`tunnel`]: sockets of the peers and visitors of tunnels, which are read only as fast as
//!   what they send can be passed on.

pub mod app;
pub mod connection;
mod dialect;
pub mod peerjs;
pub mod simple_peer;
mod third_party;
pub mod tunnel;
mod upgrade;

pub use upgrade::SocketUpgrade;
