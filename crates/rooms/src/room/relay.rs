use std::time::Duration;

use super::{Output, PeerNumber, Room, SocketId};
use protocol::{
    frame::{FrameError, FromServer, ToServer},
    signaling::{ErrorCode, close},
};

impl Room {
    /// Hands a rider's frame on, once for all its targets.
    pub(super) fn relay(&mut self, now: Duration, socket: SocketId, bytes: &[u8]) {
        let Some(&from) = self.sockets.get(&socket) else {
            return self.turn_away(socket, ErrorCode::NotInRide, close::POLICY);
        };
        match ToServer::decode(bytes) {
            Ok(frame) => self.hand_on(from, &frame),
            Err(FrameError::TooLarge(_)) => {
                self.cut_off(now, socket, ErrorCode::TooLarge, close::TOO_LARGE);
            }
            Err(_) => self.cut_off(now, socket, ErrorCode::BadMessage, close::MALFORMED),
        }
    }

    fn hand_on(&mut self, from: PeerNumber, frame: &ToServer<'_>) {
        let sockets = self.sockets_of(from, &frame.targets);
        if sockets.is_empty() {
            return;
        }
        let onward = FromServer {
            class: frame.class,
            sealed: frame.sealed,
            from,
            incarnation: self.members[&from].incarnation,
            payload: frame.payload,
        };
        let bytes = onward.encode().into();
        self.outputs.push_back(Output::Relay {
            sockets,
            bytes,
            class: frame.class,
        });
    }

    /// Each socket once, never the sender's own.
    fn sockets_of(&self, from: PeerNumber, targets: &[PeerNumber]) -> Vec<SocketId> {
        let wanted = |number: &PeerNumber| targets.is_empty() || targets.contains(number);
        self.members
            .iter()
            .filter(|(number, _)| **number != from && wanted(number))
            .filter_map(|(_, rider)| rider.socket())
            .collect()
    }
}
