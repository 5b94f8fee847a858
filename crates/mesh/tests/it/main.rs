//! Behaviour of several nodes and a room on an emulated network.

#![allow(clippy::unwrap_used)]

mod away;
mod bulk;
mod chaos;
mod clocks;
mod host;
mod hostile;
mod links;
mod media;
mod members;
mod network;
mod outcomes;
mod restart;
mod retries;
mod roles;
mod streams;
mod without_server;
