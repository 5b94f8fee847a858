//! Sockets: the loop that serves one, and a file for each dialect it may speak.

pub mod app;
pub mod connection;
mod dialect;
mod guest;
pub mod peerjs;
pub mod simple_peer;
mod upgrade;
