//! The native peer: the session of a rider that runs in a program instead of a page, simulated
//! riders that use it, and the program that brings a local web site to visitors.
//!
//! - [`Peer`]: driver of a [`session::RideSession`] on tokio. It contains no decisions: like the
//!   page's driver, it feeds the session with everything that happens, and carries out its outputs.
//! - [`server`]: the server of a ride, as a peer reaches it: requests and the signaling socket.
//! - [`bot`]: decisions of a simulated rider, without IO.
//! - [`bots`]: many simulated riders in one ride, until they are told to leave.
//! - [`tunnel`]: a local web site for visitors.
//! - [`options`]: flags of the commands.
//!
//! Contract: sessions are not `Send`, so a [`Peer`] is used within a [`tokio::task::LocalSet`].
//! All peers of a process may share one thread.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bot;
pub mod bots;
mod clocks;
mod exchange;
pub mod options;
mod peer;
mod rtc;
pub mod server;
mod socket;
mod storage;
pub mod tunnel;

pub use exchange::ExchangeView;
pub use peer::{Peer, PeerConfig};
