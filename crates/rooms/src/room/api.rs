use std::{sync::Arc, time::Duration};

use clock::WallTime;
use protocol::{
    peer::{DeliveryClass, PeerId},
    signaling::{ClientMessage, DirectLinkSettings, Hello, IceServer, ServerMessage},
};

use super::StandingChange;
use crate::ClientKey;

/// Number that the server gives to a socket, unique in its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// Settings of a room, fixed when it opens.
#[derive(Clone, Debug)]
pub struct RoomSettings {
    /// Largest number of riders, 1 to 64.
    pub max_riders: u32,
    /// Largest number of members of other roles, at most 32.
    pub max_other_members: u32,
    /// Number of riders, those with the lowest numbers, that have direct links with each other.
    pub max_direct: u32,
    /// Grace period: time that a member without a socket stays a member.
    pub grace: Duration,
    /// Time without a message after which a socket counts as lost; zero disables the check. Pages
    /// send a message every second.
    pub silence: Duration,
    /// Time without a socket after which the host is succeeded, unless a connected rider reports a
    /// direct link to it.
    pub host_grace: Duration,
    /// Time that a restored room collects the snapshots of its riders before it names the host.
    pub restore_wait: Duration,
    /// Validity of a resume token, counted from the welcome that carries it.
    pub token_life: Duration,
    /// Members that join for the first time per minute, after the first 64; zero: unlimited.
    pub newcomers_per_minute: u32,
    /// Returns of one member per minute, after the first 8; zero: unlimited.
    pub returns_per_minute: u32,
    /// Time that the room stays open without members.
    pub ttl: Duration,
    /// Time that a new room waits for its first member, if that is shorter than `ttl`.
    pub unjoined_ttl: Duration,
    /// Largest socket message in bytes, for the welcome.
    pub max_message_bytes: u32,
    /// Relayed bytes per member and second, for the welcome; pages stay below it.
    pub relay_bytes_per_second: Option<u32>,
    /// Size in bytes of the largest file that riders send each other, for the welcome.
    pub max_file_bytes: Option<u32>,
    /// Largest number of riders who show their camera at a time, for the welcome.
    pub max_cameras: Option<u8>,
    /// Set if direct links are allowed.
    pub p2p: bool,
    /// ICE servers for direct links.
    pub ice_servers: Vec<IceServer>,
    /// Settings for making direct links.
    pub direct: DirectLinkSettings,
    /// Origins of tunnels, such as `https://*.tunnel.example`, for the welcome.
    pub tunnel_origin: Option<String>,
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            max_riders: 32,
            max_other_members: 32,
            max_direct: 16,
            grace: Duration::from_secs(30),
            silence: Duration::from_millis(4_500),
            host_grace: Duration::from_secs(4),
            restore_wait: Duration::from_secs(3),
            // Longer than any ride.
            token_life: Duration::from_secs(86_400),
            newcomers_per_minute: 30,
            returns_per_minute: 30,
            ttl: Duration::from_secs(600),
            unjoined_ttl: Duration::from_secs(60),
            max_message_bytes: 65_536,
            relay_bytes_per_second: None,
            max_file_bytes: None,
            max_cameras: None,
            p2p: true,
            ice_servers: Vec::new(),
            direct: DirectLinkSettings::default(),
            tunnel_origin: None,
        }
    }
}

/// Input of a room.
#[derive(Clone, Debug)]
pub enum Input {
    /// A socket sent its hello.
    Join(Join),
    /// A socket sent another text message.
    Message {
        /// Sending socket.
        socket: SocketId,
        /// The message.
        message: ClientMessage,
    },
    /// A socket sent a binary message.
    Relay {
        /// Sending socket.
        socket: SocketId,
        /// Envelope, see [`protocol::frame`].
        bytes: Vec<u8>,
    },
    /// A socket closed, from either side.
    Closed {
        /// The socket.
        socket: SocketId,
    },
    /// The time of [`Room::poll_timeout`](super::Room::poll_timeout) has come.
    Timeout,
}

/// Hello of a socket, with the values that the room cannot create itself.
#[derive(Clone, Debug)]
pub struct Join {
    /// Joining socket.
    pub socket: SocketId,
    /// Client that the socket belongs to.
    pub client: ClientKey,
    /// Its hello.
    pub hello: Hello,
    /// Random, unique id, used if the hello is a new member's.
    pub fresh_peer: PeerId,
    /// The server's wall clock, for the welcome and for the expiry of new tokens.
    pub server_time: WallTime,
}

/// Output of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a text message.
    Send {
        /// Receiving socket.
        socket: SocketId,
        /// The message.
        message: ServerMessage,
    },
    /// Send one binary message to several sockets.
    Relay {
        /// Receiving sockets.
        sockets: Vec<SocketId>,
        /// Envelope, see [`protocol::frame`].
        bytes: Arc<[u8]>,
        /// Delivery class. Telemetry may be dropped when a send queue is long.
        class: DeliveryClass,
    },
    /// Remember a change of a member's standing for a restart of the server.
    Record(StandingChange),
    /// Close a socket after the messages sent before. The room has forgotten it and needs no
    /// [`Input::Closed`] for it.
    Close {
        /// The socket.
        socket: SocketId,
        /// Close code, see [`protocol::signaling::close`].
        code: u16,
        /// Reason for the log and the developer tools.
        reason: &'static str,
    },
}

/// Public summary of a ride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Number of riders, present and away. Members of other roles do not count.
    pub riders: u32,
    /// Set if the ride has its maximum number of riders.
    pub full: bool,
    /// Set if the host has locked the ride.
    pub locked: bool,
}
