use std::time::Duration;

use clock::WallTime;

use crate::{
    clock_sync::GroupOffset,
    link::{OutcomeCounts, RtcCommand, RtcEvent},
};
use protocol::{
    election::BallotKey,
    peer::{
        DeliveryClass, Incarnation, LinkState, MemberRole, PeerId, PeerNumber, PublicKeys, Token,
    },
    signaling::{
        CandidateType, ErrorCode, HostCommand, HostTerm, LeftReason, Member, Resume, RoomSnapshot,
    },
};

/// Settings of a new node.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Public keys of the page.
    pub keys: PublicKeys,
    /// Role in which the page joins. A resumed member keeps the role that the server knows.
    pub role: MemberRole,
    /// Secret key of `keys.sign`, with which the rider votes for a host while the server is
    /// unreachable. Without it this rider neither votes nor stands for election.
    pub ballot_key: Option<BallotKey>,
    /// Present to resume as a known member; after a reload without its incarnation.
    pub resume: Option<Resume>,
    /// Seed for jitter, different in every page.
    pub seed: u64,
    /// True if the browser has `RTCPeerConnection`.
    pub p2p_available: bool,
    /// [`Node::group_offset`](super::Node::group_offset) before a reload. A host continues from
    /// it when no other rider knows group time.
    pub group_offset: Option<GroupOffset>,
    /// [`Node::room_snapshot`](super::Node::room_snapshot) before a reload, for a server that lost
    /// its memory in the meantime.
    pub room_snapshot: Option<RoomSnapshot>,
}

/// Input of a node.
#[derive(Clone, Debug)]
pub enum Input {
    /// The socket requested by [`Output::OpenSocket`] is open.
    SocketOpened,
    /// Text message from the socket.
    SocketText(String),
    /// Binary message from the socket.
    SocketBinary(Vec<u8>),
    /// The socket closed, or could not be opened.
    SocketClosed {
        /// Close code; 1006 where there is none.
        code: u16,
        /// Reason given by the server.
        reason: String,
    },
    /// Event of a peer connection.
    Rtc {
        /// Member at the other end.
        peer: PeerId,
        /// Number of the connection, as in [`Output::Rtc`].
        connection: u32,
        /// The event.
        event: RtcEvent,
    },
    /// The farther of the two candidates between which a connection runs, if it is known. The
    /// success of the connection is counted with the first answer after it became direct.
    Candidate {
        /// Member at the other end.
        peer: PeerId,
        /// Number of the connection, as in [`Output::Rtc`].
        connection: u32,
        /// Type of the candidate.
        candidate: Option<CandidateType>,
    },
    /// Sends a payload to one member.
    Send {
        /// Receiver.
        to: PeerId,
        /// Delivery class. Telemetry has at most 1,024 bytes, the others at most 2 MiB.
        class: DeliveryClass,
        /// Opaque bytes.
        payload: Vec<u8>,
    },
    /// Sends a payload to all other members that follow the ride, see
    /// [`MemberRole::follows_ride`]. Members that join later do not receive it.
    Broadcast {
        /// Delivery class. Telemetry has at most 1,024 bytes, the others at most 2 MiB.
        class: DeliveryClass,
        /// Opaque bytes.
        payload: Vec<u8>,
    },
    /// Sets the payload of every following heartbeat, at most
    /// [`MAX_HEARTBEAT_PAYLOAD`](crate::link_frame::MAX_HEARTBEAT_PAYLOAD) bytes. A changed payload
    /// is sent at once.
    SetHeartbeatPayload(Vec<u8>),
    /// Sends a command of the host to the server. Dropped while the socket is closed.
    Command(HostCommand),
    /// Requests a direct link to this member, whatever its role and number. Both members have to
    /// request it.
    SetPartner(PeerId),
    /// Leaves the ride for good; the node does nothing afterwards.
    Leave,
    /// The page became visible or is online again: the node checks its socket, or opens one, at
    /// once.
    ProbeSocket,
    /// The page did not run for this long, by the monotonic clock, and its ride has waited: group
    /// time goes on from where it was. Ignored if another member follows the ride.
    Waited(Duration),
    /// The moment of [`Node::poll_timeout`](super::Node::poll_timeout) has come.
    Timeout,
}

/// Output of a node, to be carried out by the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a signaling socket.
    OpenSocket,
    /// Close the socket after sending what was queued. The node expects no further input from it,
    /// not even [`Input::SocketClosed`].
    CloseSocket,
    /// Send a text message on the socket.
    SendText(String),
    /// Send a binary message on the socket.
    SendBinary(Vec<u8>),
    /// Carry out a command on a peer connection.
    Rtc {
        /// Member at the other end.
        peer: PeerId,
        /// Number of the connection, used once in the life of the node.
        connection: u32,
        /// The command.
        command: RtcCommand,
    },
    /// Event for the rider's session.
    Event(NodeEvent),
}

/// Event for the rider's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeEvent {
    /// The server admitted this page, for the first time or (rarely) under a new number or
    /// incarnation. Everything known about members before is void.
    Welcomed {
        /// Id of this member.
        peer: PeerId,
        /// Number of this member.
        number: PeerNumber,
        /// Page load of this member.
        incarnation: Incarnation,
        /// Secret with which the page resumes as this member after a reload.
        token: Token,
        /// The other members.
        members: Vec<Member>,
        /// The server's wall clock.
        server_time: WallTime,
    },
    /// A member joined, for the first time or after its grace period had expired.
    Joined(Member),
    /// A member lost its socket. Its link may still be direct.
    Away(PeerId),
    /// A member has a socket again. With a new incarnation it has lost everything it was sent.
    Returned(Member),
    /// A member is no longer in the ride.
    Left {
        /// The member.
        peer: PeerId,
        /// Reason.
        reason: LeftReason,
    },
    /// A new host term began: another host, or the same one with another key.
    HostChanged(HostTerm),
    /// Another rider is host, and this rider may take the role back with
    /// [`HostCommand::Reclaim`].
    ReclaimAvailable,
    /// The controls of the host were suspended (true) or work again (false): see
    /// [`Node::host_controls_suspended`](super::Node::host_controls_suspended).
    HostControlsSuspended(bool),
    /// The ride was locked (true), so that it admits no new members, or unlocked (false).
    LockChanged(bool),
    /// The state of a link changed.
    LinkChanged {
        /// Member at the other end.
        peer: PeerId,
        /// New state.
        state: LinkState,
    },
    /// A payload arrived.
    Received {
        /// Sender.
        from: PeerId,
        /// Delivery class. Control and bulk payloads arrive exactly once and in order, each class
        /// for itself; telemetry older than the newest is left out.
        class: DeliveryClass,
        /// Opaque bytes.
        payload: Vec<u8>,
    },
    /// The heartbeat payload of a member changed.
    HeartbeatPayload {
        /// Sender.
        from: PeerId,
        /// Opaque bytes.
        payload: Vec<u8>,
    },
    /// The server refused to admit this page. The node does nothing afterwards, unless it still has
    /// direct links, which it then keeps.
    JoinRefused {
        /// Reason.
        code: ErrorCode,
        /// The reason as a sentence.
        message: String,
    },
    /// The server refused a command of the host.
    CommandRefused {
        /// Reason.
        code: ErrorCode,
        /// The reason as a sentence.
        message: String,
    },
    /// The host kicked and banned this rider; the node does nothing afterwards.
    Kicked {
        /// Reason in the host's words; may be empty.
        reason: String,
    },
    /// The host ended the ride for everyone; the node does nothing afterwards.
    RideEnded,
    /// Another page took over this member; the node does nothing afterwards.
    Replaced,
    /// The socket was lost; direct links continue.
    SocketLost {
        /// Number of attempts to reconnect so far, plus one.
        attempt: u32,
        /// Time until the next attempt.
        retry_in: Duration,
    },
    /// The socket is open again. Changes in the meantime follow as events.
    SocketRestored,
}

/// Counters since the node was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Stats {
    /// Link frames sent over the server; a frame with several receivers counts once.
    pub relayed_sent: u64,
    /// Link frames received over the server.
    pub relayed_received: u64,
    /// Link frames sent over data channels.
    pub direct_sent: u64,
    /// Link frames received over data channels.
    pub direct_received: u64,
    /// Bytes of link frames sent.
    pub bytes_sent: u64,
    /// Bytes of link frames received.
    pub bytes_received: u64,
    /// Messages and frames from outside that were invalid, exceeded a rate limit, or came from an
    /// unknown member or an older page load.
    pub ignored: u64,
    /// Own messages that were too large or found a full queue.
    pub dropped: u64,
    /// Attempts to make a link direct.
    pub connection_attempts: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// How attempts ended. A success is counted when its candidates are known.
    pub outcomes: OutcomeCounts,
    /// Connections that became direct. A connection that was silent for a while and then continued
    /// counts once.
    pub direct_connections: u64,
    /// Number of times that a direct link fell back to the relay or was lost.
    pub fallbacks: u64,
    /// Time that the newest direct connection took to become direct.
    pub connect_time: Option<Duration>,
}
