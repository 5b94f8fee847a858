//! The whole server over real sockets, on a port of its own for each test.

mod clients;
mod http;
mod pages;
mod peerjs;
mod shutdown;
mod simple_peer;
mod sockets;
mod support;
