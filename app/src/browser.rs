//! Wrappers of the browser's interfaces: the only modules that use web-sys.
//!
//! A wrapper translates calls and events and decides nothing. It has its own
//! types and knows neither `state` nor the session. What it registers in the
//! browser (listeners, timers, connections) is removed when it is dropped.
//!
//! During server rendering there is no `window`. The session, which uses most
//! wrappers, is created in an effect, and effects do not run on the server; each
//! module says what its functions do there nevertheless.

pub mod api;
pub mod bluetooth;
pub mod capture;
pub mod chats;
pub mod clock;
pub mod compression;
pub mod database;
pub mod files;
pub mod frames;
pub mod intervals_icu;
mod js;
pub mod kept_files;
pub mod kept_rides;
pub mod leave_guard;
pub mod listener;
pub mod media_rtc;
pub mod page;
pub mod page_mark;
pub mod pictures;
pub mod playback;
pub mod plot;
pub mod pointer;
pub mod recordings;
pub mod rtc;
pub mod socket;
pub mod sound;
pub mod storage;
pub mod tab_lock;
pub mod tabs;
pub mod timer;
pub mod wake_lock;
pub mod workouts;
