//! The whole server over real sockets, on a port of its own for each test.

mod host;
mod http;
mod pages;
mod restart;
mod shutdown;
mod sockets;
mod support;
