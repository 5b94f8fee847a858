//! WebAssembly module of the shell page: the visitor's side of [`tunnel`] for JavaScript.
//!
//! - [`channel`]: one multiplexer, bytes in and bytes out;
//! - [`message`]: WebSocket messages within a stream;
//! - [`ways`]: which channel requests take;
//! - [`field`]: header fields as JavaScript has them.
//!
//! The scripts in `shell/scripts` own sockets, data channels, timers and pages. This crate is
//! built by `tools/build.mjs`.

mod channel;
mod field;
mod message;
mod ways;
