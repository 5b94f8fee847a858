//! What goes out to sockets.

use super::*;

impl Room {
    pub(super) fn send(&mut self, socket: SocketId, message: ServerMessage) {
        self.outputs.push_back(Output::Send { socket, message });
    }

    pub(super) fn close(&mut self, socket: SocketId, code: u16, reason: &'static str) {
        self.outputs.push_back(Output::Close {
            socket,
            code,
            reason,
        });
    }

    /// Closes a socket that is not in the ride.
    pub(super) fn turn_away(&mut self, socket: SocketId, error: ErrorCode, code: u16) {
        self.send(socket, ServerMessage::error(error));
        self.close(socket, code, "refused");
    }

    /// Closes a member's socket; the member is away.
    pub(super) fn cut_off(&mut self, now: Duration, socket: SocketId, error: ErrorCode, code: u16) {
        self.turn_away(socket, error, code);
        self.closed(now, socket);
    }

    pub(super) fn tell_all(&mut self, message: &ServerMessage) {
        // No member has this number.
        self.tell_others(PeerNumber(0), message);
    }

    pub(super) fn tell_others(&mut self, except: PeerNumber, message: &ServerMessage) {
        let others = self.members.iter().filter(|(number, _)| **number != except);
        let sends = others
            .filter_map(|(_, rider)| rider.socket())
            .map(|socket| Output::Send {
                socket,
                message: message.clone(),
            });
        self.outputs.extend(sends);
    }
}
