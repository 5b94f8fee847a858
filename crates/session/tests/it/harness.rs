//! A simulated world for whole sessions on virtual time: browsers with storage, clocks and a
//! trainer, the network between them, and the server with a real room.
//!
//! Everything random comes from one seed, so each run is exact and can be repeated. Socket messages
//! keep their order; relayed frames and telemetry channels may lose, delay and reorder; reliable
//! channels hold back what a cut path does not let through, as SCTP does.

#![allow(dead_code, unused_imports)] // Parts that no test uses yet.

mod browser;
mod network;
mod rtc;
mod server;

pub use browser::{Browser, CODE, StorageMode};
pub use network::{GOOD_PATH, PathConditions, World};

use clock::Duration;

pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}
