use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clock::Moment;
use protocol::peer::PeerId;
use protocol::signaling::{IceServer, ServerMessage};
use rooms::ClientKey;
use rooms::room::SocketId;
use tokio::time::Instant;
use uuid::Uuid;

use super::outbox::Outbox;
use super::queue_budget::QueueBudget;
use crate::config::Config;
use crate::limits::client_network;
use crate::metrics::{DialectMetrics, DialectName, Metrics};
use crate::turn::TurnServer;

/// Services that all rides and rooms share: the clock, socket ids, send queues,
/// names for the log, metrics, and credentials for the TURN server.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) metrics: Arc<Metrics>,
    origin: Instant,
    next_socket: AtomicU64,
    pub(super) queues: QueueBudget,
    turn: Option<TurnServer>,
    /// Key of the names in the log, of clients and of TURN users, different in every process.
    names: RandomState,
}

impl Context {
    pub(super) fn new(config: &Config, metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            origin: Instant::now(),
            next_socket: AtomicU64::new(1),
            queues: QueueBudget::new(
                config.max_queue_bytes as usize,
                config.max_queue_bytes_per_address as usize,
                config.max_queue_bytes_total as usize,
            ),
            turn: config.ice.turn(),
            names: RandomState::new(),
        }
    }

    /// Moment of the hub's monotonic clock.
    pub(super) fn now(&self) -> Moment {
        self.moment_of(Instant::now())
    }

    /// Moment of the hub's clock at an instant of the runtime's clock.
    pub(super) fn moment_of(&self, instant: Instant) -> Moment {
        Moment::from_origin(instant.saturating_duration_since(self.origin))
    }

    /// Instant of the runtime's clock at a moment of the hub's clock.
    pub(super) fn instant_at(&self, moment: Moment) -> Instant {
        self.origin + moment.since_origin()
    }

    /// Metrics of the app's dialect.
    pub(super) fn app_metrics(&self) -> &DialectMetrics {
        self.metrics.dialect(DialectName::App)
    }

    pub(super) fn next_socket(&self) -> SocketId {
        SocketId(self.next_socket.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn new_outbox(&self, client: IpAddr) -> Arc<Outbox> {
        let metrics = self.metrics.queues().clone();
        Arc::new(Outbox::new(self.queues.share(client), metrics))
    }

    /// Key of the client at an address, for limits within rooms. It reveals nothing of
    /// the address.
    pub(super) fn client_key(&self, client: IpAddr) -> ClientKey {
        ClientKey(self.names.hash_one(client_network(client)))
    }

    /// Adds the TURN server to a welcome, with the credentials of a client in a ride.
    pub(super) fn add_turn_server(
        &self,
        message: &mut ServerMessage,
        ride: &str,
        client: ClientKey,
    ) {
        if let ServerMessage::Welcome(welcome) = message {
            let server = self.turn_server(ride, client, welcome.server_time);
            welcome.ice_servers.extend(server);
        }
    }

    /// The TURN server, if there is one, with the credentials of a client in a ride or tunnel.
    pub(super) fn turn_server(
        &self,
        code: &str,
        client: ClientKey,
        now_unix_millis: u64,
    ) -> Option<IceServer> {
        let user = self.names.hash_one((code, client));
        let turn = self.turn.as_ref()?;
        Some(turn.ice_server(user, now_unix_millis))
    }

    /// Name for the log: equal for equal texts, within this process only.
    pub(super) fn log_name(&self, text: &str) -> String {
        format!("{:08x}", self.log_hash(text))
    }

    /// Hash behind [`Context::log_name`], for values that are kept.
    pub(super) fn log_hash(&self, text: &str) -> u32 {
        self.names.hash_one(text) as u32
    }
}

/// New, random peer id.
pub(super) fn random_peer_id() -> PeerId {
    let text = Uuid::new_v4().simple().to_string();
    text.parse().expect("32 hexadecimal digits are a peer id")
}
