//! How much anybody may ask of the server.
//!
//! - [`Limits`]: all of it, in the server's state. [`PeerLimit`]: what one
//!   socket may say, with the socket, and handed on to the next by
//!   [`PeerLimits`].
//! - [`Window`] and [`Bucket`]: how often, and how much, in a time.
//! - [`Book`]: what is remembered of addresses, with a hard bound.
//! - [`Doors`]: how many at once, counted by permits.
//! - [`client_address`]: who asks.
//!
//! Law: nothing here reads a clock; `now` is the hub's. What is refused is
//! answered and counted by whoever asked.

mod address;
mod book;
mod bucket;
mod doors;
mod joins;
mod left;
mod peer;
mod starts;
mod window;

pub use address::{Client, client_address, is_among};
pub use book::{Account, Book};
pub use bucket::Bucket;
pub use doors::{Doors, Full, Permit};
pub use joins::{JoinLimit, Missed, Try};
pub use left::{PeerLimits, Way};
pub use peer::{Load, PeerLimit, Verdict};
pub use starts::StartLimit;
pub use window::Window;

use crate::config::LimitSettings;

/// All limits that sockets and requests share.
#[derive(Debug)]
pub struct Limits {
    /// How many rides each address may still start.
    pub starts: StartLimit,
    /// How many codes may still be tried.
    pub joins: JoinLimit,
    /// How many rooms of the other dialects may still be opened, which is what
    /// trying codes comes to there.
    pub rooms: JoinLimit,
    /// What sockets that have ended had said.
    pub peers: PeerLimits,
    /// How many sockets may be open.
    pub sockets: Doors,
    /// How many HTTP connections may be open.
    pub connections: Doors,
}

impl Limits {
    /// Nothing used yet.
    pub fn new(settings: &LimitSettings) -> Self {
        Self {
            starts: StartLimit::new(settings.rides_per_hour),
            joins: JoinLimit::new(
                settings.joins_per_minute_per_address,
                settings.joins_per_minute,
            ),
            rooms: JoinLimit::new(
                settings.new_rooms_per_minute_per_address,
                settings.new_rooms_per_minute,
            ),
            peers: PeerLimits::default(),
            sockets: Doors::new(settings.max_sockets_per_address, settings.max_sockets),
            connections: Doors::new(
                settings.max_connections_per_address,
                settings.max_connections,
            ),
        }
    }
}
