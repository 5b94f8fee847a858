//! Settings of the PeerJS dialect.

use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use rooms::peerjs::Settings;

/// Settings of the PeerJS dialect.
#[derive(Debug, Clone, Args)]
pub struct PeerJsSettings {
    /// On: the token of PeerJS clients names their room, so clients need a shared
    /// `token` option. Off: as in the PeerJS server, every peer reaches every other,
    /// and the token is the secret with which a client takes its id over
    #[arg(long, env = "GRUPPETTO_PEERJS_ROOMS", hide_env_values = true, default_value = "on", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub peerjs_rooms: bool,

    /// Key that PeerJS clients must pass
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_KEY",
        hide_env_values = true,
        default_value = "peerjs"
    )]
    pub peerjs_key: String,

    /// Allow PeerJS clients to list peers. With rooms, the list requires the room's
    /// token
    #[arg(long, env = "GRUPPETTO_PEERJS_DISCOVERY", hide_env_values = true, default_value = "off", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub peerjs_discovery: bool,

    /// Maximum number of connected peers in a PeerJS room
    #[arg(long, env = "GRUPPETTO_PEERJS_ROOM_SIZE", hide_env_values = true, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub peerjs_room_size: u32,

    /// Maximum number of connected PeerJS peers
    #[arg(long, env = "GRUPPETTO_PEERJS_MAX_PEERS", hide_env_values = true, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub peerjs_max_peers: u32,

    /// Milliseconds after which a PeerJS peer without a socket counts as left and
    /// its room is told
    #[arg(long, env = "GRUPPETTO_PEERJS_HEARTBEAT_TIMEOUT_MS", hide_env_values = true, default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub peerjs_heartbeat_timeout_ms: u64,

    /// Milliseconds for which a message to an absent PeerJS peer is queued
    #[arg(long, env = "GRUPPETTO_PEERJS_EXPIRE_MS", hide_env_values = true, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub peerjs_expire_ms: u64,

    /// Milliseconds within which the socket of a PeerJS id must answer a ping when
    /// another client requests the id
    #[arg(long, env = "GRUPPETTO_PEERJS_PROBE_MS", hide_env_values = true, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub peerjs_probe_ms: u64,

    /// Maximum number of queued messages from one PeerJS peer to one absent peer
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_PAIR_MESSAGES",
        hide_env_values = true,
        default_value_t = 64
    )]
    pub peerjs_pair_messages: u32,

    /// Maximum number of queued bytes from one PeerJS peer to one absent peer
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_PAIR_BYTES",
        hide_env_values = true,
        default_value_t = 262_144
    )]
    pub peerjs_pair_bytes: u32,

    /// Maximum number of pairs of PeerJS peers with queued messages
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_MAX_PAIRS",
        hide_env_values = true,
        default_value_t = 4_096
    )]
    pub peerjs_max_pairs: u32,

    /// Maximum number of queued bytes for all PeerJS peers
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_MAX_QUEUE_BYTES",
        hide_env_values = true,
        default_value_t = 33_554_432
    )]
    pub peerjs_max_queue_bytes: u64,
}

impl PeerJsSettings {
    /// Settings of the broker.
    pub fn broker_settings(&self) -> Settings {
        Settings {
            rooms: self.peerjs_rooms,
            key: self.peerjs_key.clone(),
            room_size: self.peerjs_room_size,
            max_peers: self.peerjs_max_peers,
            expire: Duration::from_millis(self.peerjs_expire_ms),
            heartbeat_timeout: Duration::from_millis(self.peerjs_heartbeat_timeout_ms),
            probe_timeout: Duration::from_millis(self.peerjs_probe_ms),
            pair_messages: self.peerjs_pair_messages,
            pair_bytes: self.peerjs_pair_bytes,
            max_pairs: self.peerjs_max_pairs,
            max_queue_bytes: self.peerjs_max_queue_bytes,
        }
    }
}
