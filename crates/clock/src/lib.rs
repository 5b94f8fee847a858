//! Time as types: a monotonic [`Moment`], the ride's [`GroupTime`] and the calendar's
//! [`WallTime`].
//!
//! Each comes from another clock, so they neither compare nor subtract across types. A length of
//! time is a [`Duration`] everywhere.
//!
//! - [`Moment`]: reading of the monotonic clock of one process or page. State machines take it as
//!   `now`. It means nothing outside of that process and is never stored or sent.
//! - [`GroupTime`]: reading of the host's clock, shared by all riders. Start, pauses and positions
//!   in a workout are computed from it.
//! - [`WallTime`]: Unix time, for files, names, lists and everything that is kept over a reload.
//!   It can jump when the machine's clock is set.
//! - [`Now`]: readings of the monotonic and the wall clock at the same time. Two of them show a
//!   jump between the clocks, as after a sleep.
//!
//! This crate reads no clock itself: drivers do, and pass the values in.

mod group_time;
mod moment;
mod now;
mod wall_time;

pub use group_time::GroupTime;
pub use moment::Moment;
pub use now::Now;
pub use wall_time::WallTime;

#[doc(no_inline)]
pub use core::time::Duration;
