//! A phone as bridge: it connects Bluetooth devices for a rider whose browser has no Bluetooth.
//!
//! - [`BridgeSession`]: the phone's page;
//! - [`BridgeLink`]: address by which a phone finds its rider, with the secret that proves its right
//!   to speak;
//! - `identity`: the phone as member of the ride, for a reload;
//! - `proved_bridges`: proofs that a rider's page has verified;
//! - `held_load`: load of the trainer while the rider's page is silent.
//!
//! The rider's side is `devices::phone`.

mod held_load;
mod identity;
mod link;
mod proved_bridges;
mod session;

pub(crate) use link::{BridgeLink, BridgeSecret};
pub(crate) use proved_bridges::ProvedBridges;
pub use session::BridgeSession;
