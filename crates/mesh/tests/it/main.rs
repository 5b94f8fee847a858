//! What riders experience, on a virtual network of several nodes and a room.

#![allow(clippy::unwrap_used)]

mod away;
mod bulk;
mod chaos;
mod clocks;
mod host;
mod hostile;
mod links;
mod members;
mod net;
mod restart;
mod retries;
mod streams;
mod without_server;
