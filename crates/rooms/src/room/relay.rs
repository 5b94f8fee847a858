//! Relay of frames and signals between members.

use protocol::{
    frame::{FromServer, ToServer},
    peer::{Incarnation, PeerId, PeerNumber},
    signaling::{ServerMessage, Signal},
};

use super::{Output, SocketId, members::Members};

/// Relays a member's frame, encoded once for all its targets. `None` if no target is connected.
pub(super) fn relay_frame(
    members: &Members,
    from: PeerNumber,
    frame: &ToServer<'_>,
) -> Option<Output> {
    let sockets = target_sockets(members, from, &frame.targets);
    if sockets.is_empty() {
        return None;
    }
    let relayed = FromServer {
        class: frame.class,
        sealed: frame.sealed,
        from,
        incarnation: members.get(from)?.incarnation,
        payload: frame.payload,
    };
    Some(Output::Relay {
        sockets,
        bytes: relayed.encode().into(),
        class: frame.class,
    })
}

/// Sockets of the targets, each once, without the sender's own. No targets address all others.
fn target_sockets(members: &Members, from: PeerNumber, targets: &[PeerNumber]) -> Vec<SocketId> {
    let is_target = |number: &PeerNumber| targets.is_empty() || targets.contains(number);
    members
        .connected()
        .filter(|(number, _)| *number != from && is_target(number))
        .map(|(_, socket)| socket)
        .collect()
}

/// Delivers a WebRTC signal. `None` if the target is not connected or has another page load than
/// the signal is meant for.
pub(super) fn deliver_signal(
    members: &Members,
    from: PeerNumber,
    to: &PeerId,
    incarnation: Incarnation,
    signal: Signal,
) -> Option<Output> {
    let (_, target) = members.find(to)?;
    let sender = members.get(from)?;
    let socket = target.socket()?;
    (target.incarnation == incarnation).then(|| Output::Send {
        socket,
        message: ServerMessage::Signal {
            from: sender.peer.clone(),
            incarnation: sender.incarnation,
            signal,
        },
    })
}
