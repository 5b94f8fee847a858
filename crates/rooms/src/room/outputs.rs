use std::collections::VecDeque;

use protocol::{
    peer::PeerNumber,
    signaling::{ErrorCode, ServerMessage, close},
};

use super::{Output, SocketId, StandingChange, members::Members};

/// Queue of outputs.
#[derive(Debug, Default)]
pub(super) struct Outputs(VecDeque<Output>);

impl Outputs {
    pub(super) fn pop(&mut self) -> Option<Output> {
        self.0.pop_front()
    }

    pub(super) fn push(&mut self, output: Output) {
        self.0.push_back(output);
    }

    pub(super) fn send(&mut self, socket: SocketId, message: ServerMessage) {
        self.push(Output::Send { socket, message });
    }

    pub(super) fn record(&mut self, change: StandingChange) {
        self.push(Output::Record(change));
    }

    pub(super) fn close(&mut self, socket: SocketId, code: u16, reason: &'static str) {
        self.push(Output::Close {
            socket,
            code,
            reason,
        });
    }

    /// Sends an error to a socket and closes it.
    pub(super) fn refuse(&mut self, socket: SocketId, error: ErrorCode, code: u16) {
        self.send(socket, ServerMessage::error(error));
        self.close(socket, code, "refused");
    }

    /// Tells a kicked member the reason and closes its socket.
    pub(super) fn close_kicked(&mut self, socket: SocketId, reason: String) {
        self.send(socket, ServerMessage::Kicked { reason });
        self.close(socket, close::KICKED, "kicked by the host");
    }

    /// Sends a message to all connected members.
    pub(super) fn broadcast(&mut self, members: &Members, message: &ServerMessage) {
        for (_, socket) in members.connected() {
            self.send(socket, message.clone());
        }
    }

    /// Sends a message to all connected members but one.
    pub(super) fn broadcast_except(
        &mut self,
        members: &Members,
        except: PeerNumber,
        message: &ServerMessage,
    ) {
        let others = members.connected().filter(|(number, _)| *number != except);
        for (_, socket) in others {
            self.send(socket, message.clone());
        }
    }
}
