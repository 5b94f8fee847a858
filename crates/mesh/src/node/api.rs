use std::time::Duration;

use crate::link::{RtcCommand, RtcEvent};
use protocol::{
    election::BallotKey,
    peer::{DeliveryClass, Incarnation, LinkState, PeerId, PeerNumber, PublicKeys, Token},
    signaling::{ErrorCode, HostCommand, HostTerm, LeftReason, Member, Resume, RoomSnapshot},
};

/// What a node is told when it is made.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The page's public keys.
    pub keys: PublicKeys,
    /// The secret of `keys.sign`, to vote for a host while there is no server;
    /// without it this rider neither votes nor is voted for.
    pub ballot_key: Option<BallotKey>,
    /// Present to be the same rider again: after a reload, without its
    /// incarnation.
    pub resume: Option<Resume>,
    /// For jitter; different in every page.
    pub seed: u64,
    /// Whether the browser has `RTCPeerConnection`.
    pub p2p_available: bool,
    /// Group time minus this page's clock in microseconds, as it was before a
    /// reload. A host whom nobody can tell group time carries on from it.
    pub group_offset: Option<i64>,
    /// What [`Node::rule`](super::Node::rule) gave before a reload, for a server that
    /// lost its memory meanwhile.
    pub rule: Option<RoomSnapshot>,
}

/// What happens to a node.
#[derive(Clone, Debug)]
pub enum Input {
    /// The socket asked for by [`Output::OpenSocket`] is open.
    SocketOpened,
    /// A text message of the socket.
    SocketText(String),
    /// A binary message of the socket.
    SocketBinary(Vec<u8>),
    /// The socket closed, or could not be opened.
    SocketClosed {
        /// The close code; 1006 where there is none.
        code: u16,
        /// What the server said.
        reason: String,
    },
    /// Something happened to a peer connection.
    Rtc {
        /// To whom it leads.
        peer: PeerId,
        /// Which, as in [`Output::Rtc`].
        connection: u32,
        /// What.
        event: RtcEvent,
    },
    /// Send to one rider.
    Send {
        /// To whom.
        to: PeerId,
        /// How: telemetry of at most 1,024 bytes, others of at most 2 MiB.
        class: DeliveryClass,
        /// What.
        payload: Vec<u8>,
    },
    /// Send to everyone else in the ride. Who joins later does not get it.
    Broadcast {
        /// How: telemetry of at most 1,024 bytes, others of at most 2 MiB.
        class: DeliveryClass,
        /// What.
        payload: Vec<u8>,
    },
    /// From now on every beat carries these bytes, 64 at most; news go out at
    /// once.
    Gossip(Vec<u8>),
    /// Sends a command of the host to the server. Dropped while the socket is closed.
    Command(HostCommand),
    /// Leave the ride for good; the node does nothing afterwards.
    Leave,
    /// The page is visible or online again: try the socket at once.
    Probe,
    /// The time of [`super::Node::poll_timeout`] has come.
    Timeout,
}

/// What a node wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a signaling socket.
    OpenSocket,
    /// Close the socket after what was sent; nothing more of it is wanted, not
    /// even [`Input::SocketClosed`].
    CloseSocket,
    /// Send a text message on the socket.
    SendText(String),
    /// Send a binary message on the socket.
    SendBinary(Vec<u8>),
    /// Tell a peer connection what to do.
    Rtc {
        /// To whom it leads.
        peer: PeerId,
        /// Which: a number used once in the node's life.
        connection: u32,
        /// What.
        command: RtcCommand,
    },
    /// Something the rider's page wants to know.
    Event(Event),
}

/// What the rider's page wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// In the ride, for the first time or (rarely) under a new number or
    /// incarnation: what was known of members before is void.
    Welcomed {
        /// Who you are.
        peer: PeerId,
        /// Your number.
        number: PeerNumber,
        /// Your page load.
        incarnation: Incarnation,
        /// By which you are the same rider after a reload. Keep it.
        token: Token,
        /// The others.
        members: Vec<Member>,
        /// The server's wall clock, in Unix milliseconds.
        server_time: u64,
    },
    /// Somebody new, or back after the grace.
    Joined(Member),
    /// A rider lost its socket. Its link may still be direct.
    Away(PeerId),
    /// A rider has a socket again. With a new incarnation it has forgotten
    /// everything it was sent.
    Returned(Member),
    /// A rider is no longer in the ride.
    Left {
        /// Who.
        peer: PeerId,
        /// Why.
        reason: LeftReason,
    },
    /// There is a new term: another host, or the same with another key.
    HostChanged(HostTerm),
    /// Another is host, and you may take the ride back: [`HostCommand::Reclaim`].
    MayReclaim,
    /// There is no server, and too few riders are reached for the host to
    /// decide anything, or enough again: see [`super::Node::controls_wait`].
    HostControls {
        /// Whether the host's controls are to be disabled.
        waiting: bool,
    },
    /// The ride lets nobody new in, or everybody again.
    Locked(bool),
    /// A rider is reached another way.
    Link {
        /// Who.
        peer: PeerId,
        /// How.
        state: LinkState,
    },
    /// Something came.
    Received {
        /// From whom.
        from: PeerId,
        /// How. Control and bulk come exactly once and in order, each for
        /// itself; of telemetry the older is left out.
        class: DeliveryClass,
        /// What.
        payload: Vec<u8>,
    },
    /// A rider's gossip, when it is not what it was.
    Gossip {
        /// From whom.
        from: PeerId,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The server refuses; the node does nothing afterwards.
    Refused {
        /// What.
        code: ErrorCode,
        /// As a sentence.
        message: String,
    },
    /// The server does not do what was wished.
    Denied {
        /// Why.
        code: ErrorCode,
        /// As a sentence.
        message: String,
    },
    /// The host removed you; you cannot come back to this ride, and the node
    /// does nothing afterwards.
    Kicked {
        /// Why, in the host's words; may be empty.
        reason: String,
    },
    /// The host ended the ride for everybody; the node does nothing afterwards.
    Ended,
    /// Another page is this rider now; the node does nothing afterwards.
    Replaced,
    /// The socket is lost; direct links go on.
    SocketLost {
        /// How many tries to come back there were, plus one.
        attempt: u32,
        /// When the next is made.
        retry_in: Duration,
    },
    /// The socket is back. What changed meanwhile follows as events.
    SocketBack,
}

/// Counts since the node was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Stats {
    /// Link frames sent over the server, each once however many its targets.
    pub relayed_sent: u64,
    /// Link frames that came over the server.
    pub relayed_received: u64,
    /// Link frames sent over data channels.
    pub direct_sent: u64,
    /// Link frames that came over data channels.
    pub direct_received: u64,
    /// Bytes of link frames sent.
    pub bytes_sent: u64,
    /// Bytes of link frames that came.
    pub bytes_received: u64,
    /// Messages and frames from outside that could not be read or came from
    /// nobody known, an older page load among them.
    pub ignored: u64,
    /// Messages of ours that were too large or found a full queue.
    pub dropped: u64,
    /// Tries to make a link direct.
    pub attempts: u64,
    /// Tries that did not succeed in time.
    pub failures: u64,
    /// Connections that became direct; one that was silent for a while and goes on is none.
    pub directs: u64,
    /// How often a direct link went back to the relay.
    pub fallbacks: u64,
    /// How long the newest connection that became direct took to.
    pub connect_time: Option<Duration>,
}
