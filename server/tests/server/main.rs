//! The whole server over real sockets, on a port of its own for each test.

mod clients;
mod host;
mod http;
mod ice;
mod limits;
mod metrics;
mod pages;
mod peerjs;
mod restart;
mod shutdown;
mod simple_peer;
mod sockets;
mod support;
