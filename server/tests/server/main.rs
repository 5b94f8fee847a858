//! The whole server over real sockets, on a port of its own for each test.

mod http;
mod limits;
mod metrics;
mod pages;
mod shutdown;
mod sockets;
mod support;
