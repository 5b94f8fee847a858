//! Tunnels: which peers are connected, their visitors, and what is passed on between them.
//!
//! - [`Tunnels`]: all tunnels by code, part of the server's state.
//! - [`PeerSession`]: connected peer of a tunnel, the program beside a web site.
//! - [`Visitor`]: visitor of a tunnel, the socket of a shell page or a [`RelayChannel`].
//! - [`RelayChannel`]: the server as visitor on behalf of the browsers of one address, which have
//!   no shell page; [`RelayStream`] is one request within it.
//!
//! Contract: no lock is held across an await. Frames are passed on without being read, except for
//! the first byte of a visitor's first one. Every queue has a bound: a visitor that reads too
//! slowly is closed, and readers wait while the peer reads slowly or the relay limit is reached.
//! Neither keys nor tokens are logged.

mod peer;
mod relay;
mod stream;
mod tunnel;
mod visitor;

pub use peer::{Announcement, PeerSession};
pub use relay::{RelayChannel, RelayError};
pub use stream::{Failure, RelayStream, RelayWriter};
pub use tunnel::Standing;
pub use visitor::{TooManyVisitors, Visitor};

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ::tunnel::identity::TunnelCode;
use protocol::signaling::IceServer;
use tokio::time::Instant;

use crate::config::{Config, TunnelOrigin, TunnelSettings};
use crate::hub::outbox::Outbox;
use crate::hub::{Hub, QueueBudget};
use crate::limits::{AddressRateLimiter, ConnectionLimiter};
use crate::metrics::Metrics;
use crate::metrics::tunnels::TunnelMetrics;
use crate::sync::lock;
use tunnel::{Tunnel, VisitorKey};

/// Maximum size of one send queue in bytes: the default window of a channel, and room for heads
/// and control frames, which have no window.
const MAX_QUEUE_BYTES: usize = 5 * 1024 * 1024;
/// Part of the server's budget for send queues, as a divisor, that one address may use here.
const CLIENT_SHARE: usize = 4;
/// Tunnels whose peer has gone that are remembered, so that their visitors are told so.
const MAX_REMEMBERED: usize = 1_024;
/// Attempts to get a tunnel's cookie per address and minute. A page makes one.
const TOKENS_PER_MINUTE: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// Tunnels that one address may have in any case.
const MIN_TUNNELS_PER_ADDRESS: u32 = 16;

/// All tunnels of this server; cheap to clone.
#[derive(Debug, Clone)]
pub struct Tunnels(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: TunnelSettings,
    p2p: bool,
    hub: Hub,
    metrics: Arc<Metrics>,
    queues: QueueBudget,
    /// Tunnels by the address of their peer.
    permits: ConnectionLimiter,
    /// Attempts to get a cookie.
    tokens: AddressRateLimiter,
    started: Instant,
    /// Origins; unset while there is no listener for visitors.
    origin: OnceLock<TunnelOrigin>,
    all: Mutex<HashMap<TunnelCode, Arc<Tunnel>>>,
}

impl Tunnels {
    /// Server without tunnels, and without a listener for them.
    pub fn new(config: &Config, hub: Hub, metrics: Arc<Metrics>) -> Self {
        let settings = config.tunnels.clone();
        let max_total = config.max_queue_bytes_total as usize;
        let per_address = (settings.max_tunnels / 4).max(MIN_TUNNELS_PER_ADDRESS);
        Self(Arc::new(Shared {
            queues: QueueBudget::new(MAX_QUEUE_BYTES, max_total / CLIENT_SHARE, max_total),
            permits: ConnectionLimiter::new(per_address, settings.max_tunnels),
            tokens: AddressRateLimiter::new(TOKENS_PER_MINUTE, MINUTE),
            p2p: config.p2p_enabled,
            started: Instant::now(),
            origin: OnceLock::new(),
            all: Mutex::default(),
            settings,
            hub,
            metrics,
        }))
    }

    /// Begins to serve tunnels at these origins.
    pub fn open(&self, origin: TunnelOrigin) {
        // Called once; a second listener would change nothing.
        let _ = self.0.origin.set(origin);
    }

    /// Origins of tunnels; `None` if the server has none.
    pub fn origin(&self) -> Option<&TunnelOrigin> {
        self.0.origin.get()
    }

    /// Settings.
    pub fn settings(&self) -> &TunnelSettings {
        &self.0.settings
    }

    /// Standing of the tunnel with a code.
    pub fn standing(&self, code: &TunnelCode) -> Standing {
        let tunnel = lock(&self.0.all).get(code).cloned();
        tunnel.map_or(Standing::Unknown, |it| it.standing())
    }

    /// Takes one attempt to get a cookie from the allowance of an address.
    ///
    /// # Errors
    /// The time until the next attempt.
    pub fn take_attempt(&self, client: IpAddr) -> Result<(), Duration> {
        self.0.tokens.take(client, self.now())
    }

    fn metrics(&self) -> &TunnelMetrics {
        self.0.metrics.tunnels()
    }

    /// Time since the start, for limits.
    fn now(&self) -> Duration {
        self.0.started.elapsed()
    }

    fn ice_servers(&self, code: &TunnelCode, client: IpAddr) -> Vec<IceServer> {
        self.0.hub.tunnel_ice_servers(code.as_str(), client)
    }

    fn new_outbox(&self, client: IpAddr) -> Arc<Outbox> {
        let metrics = self.0.metrics.queues().clone();
        Arc::new(Outbox::new(self.0.queues.share(client), metrics))
    }

    /// Calls a function with the tunnel of a code, which is made if it is not known. The tunnel is
    /// forgotten again if it has neither visitors nor ever had a peer after it.
    fn with_tunnel<T>(&self, code: &TunnelCode, then: impl FnOnce(&Arc<Tunnel>) -> T) -> T {
        let mut all = lock(&self.0.all);
        let tunnel = match all.get(code) {
            Some(tunnel) => tunnel.clone(),
            None => {
                forget_old(&mut all);
                let tunnel = Arc::new(Tunnel::new(code.clone(), &self.0.settings));
                all.insert(code.clone(), tunnel.clone());
                tunnel
            }
        };
        let result = then(&tunnel);
        forget_unknown(&mut all, &tunnel);
        result
    }

    /// Removes a visitor from its tunnel.
    fn remove_visitor(&self, tunnel: &Tunnel, key: VisitorKey) {
        // Locked first, as everywhere.
        let mut all = lock(&self.0.all);
        lock(&tunnel.state).remove(key, self.now());
        forget_unknown(&mut all, tunnel);
    }
}

/// Forgets a tunnel that has no visitors and never had a peer.
fn forget_unknown(all: &mut HashMap<TunnelCode, Arc<Tunnel>>, tunnel: &Tunnel) {
    if tunnel.is_forgettable() && tunnel.standing() == Standing::Unknown {
        all.remove(tunnel.code());
    }
}

/// Forgets the tunnel whose peer has gone first, if many are remembered.
fn forget_old(all: &mut HashMap<TunnelCode, Arc<Tunnel>>) {
    if all.len() < MAX_REMEMBERED {
        return;
    }
    let unused = all.values().filter(|it| it.is_forgettable());
    let oldest = unused.min_by_key(|it| it.left_at());
    if let Some(code) = oldest.map(|it| it.code().clone()) {
        all.remove(&code);
    }
}
