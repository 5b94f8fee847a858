use std::{sync::Arc, time::Duration};

use protocol::{
    peer::{DeliveryClass, PeerId},
    signaling::{ClientMessage, DirectLinkSettings, Hello, IceServer, ServerMessage},
};

/// A socket, by the server's own number for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// What a room is told when it opens.
#[derive(Clone, Debug)]
pub struct RoomSettings {
    /// The most members, 1 to 64.
    pub max_riders: u32,
    /// So many riders of the lowest numbers have direct links with each other.
    pub max_direct: u32,
    /// How long a rider who lost its socket stays a member.
    pub grace: Duration,
    /// A socket that says nothing for so long is lost; never if it is zero.
    /// Pages say something every second.
    pub silence: Duration,
    /// How long the host's socket may be gone before another rider is host,
    /// unless somebody still reaches the host directly.
    pub host_grace: Duration,
    /// How long a room that was lost waits for what its riders report before
    /// it says who is host.
    pub restore_wait: Duration,
    /// How long a token is good after the welcome that gave it.
    pub token_life: Duration,
    /// How long the room lives after its last member left.
    pub ttl: Duration,
    /// The largest socket message, in bytes; told to the riders.
    pub max_message_bytes: u32,
    /// How many bytes a rider may have relayed in a second; told to the
    /// riders, who keep below it.
    pub relay_bytes_per_second: Option<u32>,
    /// Whether direct links are wanted.
    pub p2p: bool,
    /// For the riders' direct links.
    pub ice_servers: Vec<IceServer>,
    /// How the riders make them.
    pub direct: DirectLinkSettings,
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            max_riders: 32,
            max_direct: 16,
            grace: Duration::from_secs(30),
            silence: Duration::from_millis(4_500),
            host_grace: Duration::from_secs(4),
            restore_wait: Duration::from_secs(3),
            // Longer than any ride.
            token_life: Duration::from_secs(86_400),
            ttl: Duration::from_secs(600),
            max_message_bytes: 65_536,
            relay_bytes_per_second: None,
            p2p: true,
            ice_servers: Vec::new(),
            direct: DirectLinkSettings::default(),
        }
    }
}

/// What happens to a room.
#[derive(Clone, Debug)]
pub enum Input {
    /// A socket said hello.
    Join(Join),
    /// A socket said something else.
    Message {
        /// Which.
        socket: SocketId,
        /// What it said.
        message: ClientMessage,
    },
    /// A socket sent a binary message.
    Relay {
        /// Which.
        socket: SocketId,
        /// An envelope, see [`protocol::frame`].
        bytes: Vec<u8>,
    },
    /// A socket is gone, whoever closed it.
    Closed {
        /// Which.
        socket: SocketId,
    },
    /// The time of [`super::Room::poll_timeout`] has come.
    Timeout,
}

/// A socket's hello, and what the room cannot know.
#[derive(Clone, Debug)]
pub struct Join {
    /// Which socket.
    pub socket: SocketId,
    /// What it said.
    pub hello: Hello,
    /// The id if this is somebody new: unique and random.
    pub fresh_peer: PeerId,
    /// The server's wall clock, in Unix milliseconds, for the welcome and for
    /// how long tokens are good.
    pub server_time: u64,
}

/// What a room wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a text message.
    Send {
        /// On which socket.
        socket: SocketId,
        /// What.
        message: ServerMessage,
    },
    /// Send one binary message on several sockets.
    Relay {
        /// On which.
        sockets: Vec<SocketId>,
        /// The envelope.
        bytes: Arc<[u8]>,
        /// How it is delivered: telemetry is dropped where the queue is long.
        class: DeliveryClass,
    },
    /// Close a socket after what was sent before; the room knows it no more
    /// and needs no [`Input::Closed`] for it.
    Close {
        /// Which.
        socket: SocketId,
        /// Close code, see [`protocol::signaling::close`].
        code: u16,
        /// For the log and the developer tools.
        reason: &'static str,
    },
}

/// What people who are not in the ride may know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Members, present and away.
    pub riders: u32,
    /// Whether nobody new gets in.
    pub full: bool,
    /// Whether the host lets nobody new in.
    pub locked: bool,
}
