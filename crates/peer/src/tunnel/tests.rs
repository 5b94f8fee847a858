//! Tests of the proxy with a visitor whose channel is memory, and a site on the loopback address.

mod access;
mod bodies;
mod direct;
mod hostile;
mod requests;
mod server;
mod support;
mod web_sockets;
