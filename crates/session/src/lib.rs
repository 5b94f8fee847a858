//! One rider's whole session: from the address of a ride to its summary.
//!
//! [`RideSession`] combines the mesh (links, group time, host) with the ride (timeline, trainer,
//! recording) and decides everything that a rider's page does. It is a state machine without IO:
//!
//! - [`RideSession::handle`] takes one [`Input`] with the readings of both clocks ([`Now`]);
//! - [`RideSession::poll_output`] is drained until it returns `None`, after each input;
//! - [`RideSession::poll_timeout`] gives the moment of the next [`Input::Timeout`];
//! - [`RideSession::view`] is what the screen shows.
//!
//! A driver connects it with the world: the page's driver with browser APIs, the tests with a
//! simulated network on virtual time. Drivers contain no decisions.
//!
//! [`bridge::BridgeSession`] is the session of a phone that only connects devices for a rider,
//! [`companion::CompanionSession`] that of a program that shares a page with the riders. They have the
//! same inputs, outputs and view: all are a [`Session`].
//!
//! Each part owns its state: `JoinFlow` (from the address to a rider who joins), `Group` (the
//! connection to the mesh), `Roster`, `SharedTimeline`, `OwnRide` with `OwnDevices`,
//! `RecordingSession` with `RecordingStore` and `RideHistory`, and `LinkMonitor`. Requests of other riders are limited by
//! [`mesh::peer_limits`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
pub mod bridge;
pub mod chat;
pub mod companion;
mod control_guard;
pub mod devices;
pub mod exchange;
mod exchange_port;
mod group;
mod history;
mod host_controls;
mod interval_sounds;
mod join_flow;
mod links;
pub mod media;
mod own_ride;
pub mod pages;
mod recording;
mod recording_store;
mod rider;
mod roster;
mod session;
mod shared_timeline;
pub mod storage;
mod token_buckets;
pub mod transfers;
pub mod view;

pub use api::{
    FinishedRide, Input, Intent, OpenedRecording, Opening, Output, RecordingChange, RideInfo,
    SessionConfig, SocketEvent, Sound, UnfinishedSolo,
};
pub use clock::Now;
pub use session::{RideSession, Session};
