//! Limits on what one client, and all clients together, may ask of the server.
//!
//! - [`Limits`]: limiters that all sockets and requests share, part of the
//!   server's state.
//! - [`PeerRateLimiter`]: limiter of one socket. [`SavedLimiters`] keeps it for
//!   the peer's next socket.
//! - [`SlidingWindow`] and [`TokenBucket`]: the two algorithms.
//! - [`Pace`]: rate limiter of readers that wait instead of refusing.
//! - [`AddressTable`]: bounded table of values per network of clients.
//! - [`networks_of`]: networks that a client's address is counted in.
//! - [`ConnectionLimiter`]: concurrent connections, counted by permits.
//! - [`ClientAddress`]: address of the client behind a request.
//!
//! Contract: nothing here reads a clock. `now` is the time of the hub's
//! monotonic clock. The caller answers and counts what is refused.

mod address_rate;
mod address_table;
mod client_address;
mod connection_limiter;
mod join_rate;
mod network;
mod pace;
mod peer_rate;
mod received_bytes;
mod saved_limiters;
mod sliding_window;
mod token_bucket;

pub use address_rate::AddressRateLimiter;
pub use address_table::{AddressTable, Usage};
pub use client_address::{ClientAddress, client_address, is_among};
pub use connection_limiter::{ConnectionLimiter, ConnectionPermit};
pub use join_rate::{AttemptOutcome, JoinRateLimiter, LookupError};
pub use network::{Network, client_network, networks_of};
pub use pace::Pace;
pub use peer_rate::{Incoming, PeerRateLimiter, Verdict};
pub use received_bytes::ReceivedBytes;
pub use saved_limiters::{RateLimitKey, SavedLimiters};
pub use sliding_window::SlidingWindow;
pub use token_bucket::TokenBucket;

use std::time::Duration;

use crate::config::{IntervalsIcuSettings, LimitSettings};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// All limiters that sockets and requests share.
#[derive(Debug)]
pub struct Limits {
    /// Rides started per address.
    pub ride_starts: AddressRateLimiter,
    /// New riders per address.
    pub newcomers: AddressRateLimiter,
    /// Unknown session codes tried.
    pub joins: JoinRateLimiter,
    /// Rooms opened by PeerJS and simple-peer clients. There, an unknown code
    /// opens a room, so guessing codes means opening rooms.
    pub new_rooms: JoinRateLimiter,
    /// Limiters of sockets that were closed lately.
    pub saved_limiters: SavedLimiters,
    /// Open WebSockets.
    pub sockets: ConnectionLimiter,
    /// Open HTTP connections.
    pub connections: ConnectionLimiter,
    /// Calls to intervals.icu per address.
    pub service_calls: AddressRateLimiter,
    /// Open calls to intervals.icu.
    pub open_service_calls: ConnectionLimiter,
}

impl Limits {
    /// Limiters with nothing used yet.
    pub fn new(settings: &LimitSettings, service: &IntervalsIcuSettings) -> Self {
        Self {
            ride_starts: AddressRateLimiter::new(settings.rides_per_hour, HOUR),
            newcomers: AddressRateLimiter::new(settings.newcomers_per_minute_per_address, MINUTE),
            joins: JoinRateLimiter::new(
                settings.joins_per_minute_per_address,
                settings.joins_per_minute,
            ),
            new_rooms: JoinRateLimiter::new(
                settings.new_rooms_per_minute_per_address,
                settings.new_rooms_per_minute,
            ),
            saved_limiters: SavedLimiters::default(),
            sockets: ConnectionLimiter::new(settings.max_sockets_per_address, settings.max_sockets),
            connections: ConnectionLimiter::new(
                settings.max_connections_per_address,
                settings.max_connections,
            ),
            service_calls: AddressRateLimiter::new(
                service.intervals_icu_calls_per_minute_per_address,
                MINUTE,
            ),
            open_service_calls: ConnectionLimiter::new(
                service.max_calls_per_address(),
                service.intervals_icu_max_calls,
            ),
        }
    }
}
