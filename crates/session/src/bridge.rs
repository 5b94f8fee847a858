//! A phone as bridge: it connects Bluetooth devices for a rider whose browser has no Bluetooth.
//!
//! - [`BridgeSession`]: the phone's page;
//! - [`BridgeLink`]: address by which a phone finds its rider, with the secret that proves its right
//!   to speak;
//! - `held_load`: load of the trainer while the rider's page is silent.
//!
//! The rider's side is `devices::phone`.

mod held_load;
mod link;
mod session;

pub use held_load::HOLD_TIME;
pub(crate) use link::BridgeSecret;
pub use link::{BridgeLink, BridgeLinkError};
pub use session::BridgeSession;
