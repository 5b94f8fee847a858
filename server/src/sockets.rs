//! Sockets, one file a dialect.

pub mod app;
