//! Everything that touches web-sys: thin wrappers that clean up after
//! themselves. Nothing here decides anything. On the server none of it runs:
//! the session is only made in an effect, and effects do not run there.

pub mod api;
pub mod bluetooth;
pub mod clock;
pub mod files;
pub mod listener;
pub mod page;
pub mod recordings;
pub mod rtc;
pub mod socket;
pub mod storage;
pub mod timer;
pub mod wake_lock;
