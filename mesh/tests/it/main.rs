//! What riders experience, on a virtual network of several nodes and a room.

#![allow(clippy::unwrap_used)]

mod chaos;
mod clocks;
mod host;
mod hostile;
mod links;
mod members;
mod net;
mod restart;
mod streams;
