//! The whole server over real sockets, on a port of its own for each test.

mod http;
mod ice;
mod pages;
mod shutdown;
mod sockets;
mod support;
