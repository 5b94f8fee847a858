//! A simulated world for whole sessions on virtual time: browsers with storage, clocks and a
//! trainer, the network between them, and the server with a real room.
//!
//! Everything random comes from one seed, so each run is exact and can be repeated. Socket messages
//! keep their order; relayed frames and telemetry channels may lose, delay and reorder; reliable
//! channels hold back what a cut path does not let through, as SCTP does.
//!
//! - [`World`]: virtual time, and the packets that are on their way;
//! - [`Tab`]: one tab with the ride's page; tabs of one browser share its [`BrowserStorage`];
//! - `faults`: sleep, lost networks, cut paths;
//! - `exchange`: chat and files; `media`: voice, cameras and screens;
//! - `rides`: workouts, and rides that have begun;
//! - [`FakeTrainer`]: a trainer over Bluetooth;
//! - [`RawPeer`]: a member that runs another program and sends any bytes;
//! - `rtc`, `server`: peer connections, and the server.

mod exchange;
mod faults;
mod media;
mod raw_peer;
mod rides;
mod rtc;
#[path = "../../src/media/rtc_model.rs"]
mod rtc_model;
mod server;
mod storage;
mod tab;
mod trainer;
mod world;

pub use exchange::ShownExchange;
pub use faults::ClockInSleep;
pub use raw_peer::RawPeer;
pub use rides::{ANA, BEN, CEM, DORA, four_steps, half_minute, long_ride, workout};
pub use storage::{BrowserStorage, RecordingStorage, TabStorage};
pub use tab::{CODE, Tab};
pub use trainer::{
    Chooser, FAILED, FakeTrainer, REQUEST_CONTROL, SET_SIMULATION, SET_TARGET_POWER, START,
    cancelled,
};
pub use world::{GOOD_PATH, PathConditions, World};

use clock::Duration;

pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}
