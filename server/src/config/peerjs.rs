//! The settings of the PeerJS dialect.

use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;
use rooms::peerjs::Settings;

/// How the server treats PeerJS clients.
#[derive(Debug, Clone, Args)]
pub struct PeerJs {
    /// Whether the token of PeerJS clients is their room (on), which takes
    /// clients with a shared `token` option; off, it behaves as the PeerJS
    /// server: any peer reaches any, and the token is the secret for taking an
    /// id over
    #[arg(long, env = "GRUPPETTO_PEERJS_ROOMS", hide_env_values = true, default_value = "on", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub peerjs_rooms: bool,

    /// The key that PeerJS clients have to name
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_KEY",
        hide_env_values = true,
        default_value = "peerjs"
    )]
    pub peerjs_key: String,

    /// Whether the list of peers may be asked for; with rooms, by those who
    /// know the room's token
    #[arg(long, env = "GRUPPETTO_PEERJS_DISCOVERY", hide_env_values = true, default_value = "off", action = clap::ArgAction::Set, value_parser = BoolishValueParser::new())]
    pub peerjs_discovery: bool,

    /// Connected peers that one PeerJS room takes
    #[arg(long, env = "GRUPPETTO_PEERJS_ROOM_SIZE", hide_env_values = true, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub peerjs_room_size: u32,

    /// Connected PeerJS peers in all
    #[arg(long, env = "GRUPPETTO_PEERJS_MAX_PEERS", hide_env_values = true, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub peerjs_max_peers: u32,

    /// Milliseconds for which a PeerJS peer whose socket dropped may come back
    /// before its room is told that it left
    #[arg(long, env = "GRUPPETTO_PEERJS_HEARTBEAT_TIMEOUT_MS", hide_env_values = true, default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub peerjs_heartbeat_timeout_ms: u64,

    /// Milliseconds for which a message waits for a PeerJS peer that is not
    /// there
    #[arg(long, env = "GRUPPETTO_PEERJS_EXPIRE_MS", hide_env_values = true, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub peerjs_expire_ms: u64,

    /// Milliseconds in which the old socket of a PeerJS id has to answer when
    /// another one asks for the id
    #[arg(long, env = "GRUPPETTO_PEERJS_PROBE_MS", hide_env_values = true, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub peerjs_probe_ms: u64,

    /// Messages of one PeerJS peer that wait for one other
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_PAIR_MESSAGES",
        hide_env_values = true,
        default_value_t = 64
    )]
    pub peerjs_pair_messages: u32,

    /// Bytes of one PeerJS peer that wait for one other
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_PAIR_BYTES",
        hide_env_values = true,
        default_value_t = 262_144
    )]
    pub peerjs_pair_bytes: u32,

    /// Pairs of PeerJS peers between which messages wait, in all
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_MAX_PAIRS",
        hide_env_values = true,
        default_value_t = 4_096
    )]
    pub peerjs_max_pairs: u32,

    /// Bytes that wait for PeerJS peers, in all
    #[arg(
        long,
        env = "GRUPPETTO_PEERJS_MAX_QUEUE_BYTES",
        hide_env_values = true,
        default_value_t = 33_554_432
    )]
    pub peerjs_max_queue_bytes: u64,
}

impl PeerJs {
    /// For the broker.
    pub fn settings(&self) -> Settings {
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
