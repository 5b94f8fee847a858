//! The native peer: the session of a rider that runs in a program instead of a page, simulated
//! riders that use it, and the program that brings a local web site to visitors.
//!
//! - [`Peer`]: driver of a [`session::Session`] on tokio, that of a rider unless said otherwise. It
//!   contains no decisions: like the page's driver, it feeds the session with everything that happens,
//!   and carries out its outputs.
//! - [`Companion`]: the same driver with the session of a program that shares a page with the riders.
//! - [`server`]: the server of a ride, as a peer reaches it: requests and the signaling socket.
//! - [`authorities`]: certificate authorities that it trusts.
//! - [`bot`]: decisions of a simulated rider, without IO.
//! - [`bots`]: many simulated riders in one ride, until they are told to leave.
//! - [`tunnel`]: a local web site for visitors.
//! - [`load`]: many light riders in many rides, for capacity figures.
//! - [`options`]: flags of the commands.
//!
//! Contract: sessions are not `Send`, so a [`Peer`] is used within a [`tokio::task::LocalSet`].
//! All peers of a process may share one thread.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod authorities;
pub mod bot;
pub mod bots;
mod clocks;
mod companion;
mod exchange;
pub mod load;
pub mod options;
mod peer;
mod rtc;
pub mod server;
mod socket;
mod storage;
pub mod tunnel;

pub use companion::{Companion, page_of_tunnel};
pub use exchange::ExchangeView;
pub use peer::{Peer, PeerConfig};
