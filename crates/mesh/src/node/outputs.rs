use std::collections::VecDeque;

use super::{NodeEvent, Output, Stats};
use crate::link::RtcCommand;
use protocol::{
    frame::{MAX_TARGETS, ToServer},
    peer::{DeliveryClass, PeerId, PeerNumber},
    signaling::ClientMessage,
};

/// Queue of outputs, and the counters of the node.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    queue: VecDeque<Output>,
    pub(super) stats: Stats,
}

impl Outputs {
    pub(super) fn pop(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    pub(super) fn event(&mut self, event: NodeEvent) {
        self.queue.push_back(Output::Event(event));
    }

    pub(super) fn open_socket(&mut self) {
        self.queue.push_back(Output::OpenSocket);
    }

    pub(super) fn close_socket(&mut self) {
        self.queue.push_back(Output::CloseSocket);
    }

    /// Sends a message to the server.
    pub(super) fn send(&mut self, message: &ClientMessage) {
        self.queue.push_back(Output::SendText(message.to_json()));
    }

    pub(super) fn command(&mut self, peer: PeerId, connection: u32, command: RtcCommand) {
        match &command {
            RtcCommand::Open { .. } => self.stats.connection_attempts += 1,
            RtcCommand::Send { bytes, .. } => {
                self.stats.direct_sent += 1;
                self.stats.bytes_sent += bytes.len() as u64;
            }
            _ => {}
        }
        self.queue.push_back(Output::Rtc {
            peer,
            connection,
            command,
        });
    }

    /// Relays one frame to several members, in as few envelopes as possible.
    pub(super) fn relay(&mut self, to: &[PeerNumber], class: DeliveryClass, frame: &[u8]) {
        for targets in to.chunks(MAX_TARGETS) {
            self.stats.relayed_sent += 1;
            self.stats.bytes_sent += frame.len() as u64;
            let envelope = ToServer {
                class,
                sealed: false,
                targets: targets.to_vec(),
                payload: frame,
            };
            self.queue.push_back(Output::SendBinary(envelope.encode()));
        }
    }

    /// Counts a message or frame that was ignored.
    pub(super) fn ignored(&mut self) {
        self.stats.ignored += 1;
    }

    /// Counts an own message that was dropped.
    pub(super) fn dropped(&mut self) {
        self.stats.dropped += 1;
    }
}
