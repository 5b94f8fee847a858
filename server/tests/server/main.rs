//! Tests of the whole server over real connections. Each test runs its own server
//! on a free port.

mod check;
mod clients;
mod host;
mod http;
mod ice;
mod intervals_icu;
mod limits;
mod log;
mod metrics;
mod pages;
mod peerjs;
mod restart;
mod shutdown;
mod simple_peer;
mod sockets;
mod support;
mod tunnels;
