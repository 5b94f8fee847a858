//! Order and rate in which the chunks of all transfers are sent.

use clock::Moment;
use ride::transfer::{CHUNK_OVERHEAD, Chunk, End, TransferMessage};

use super::{
    TransferOutput, Transfers,
    outgoing::{CHUNK_BYTES, MAX_WINDOW},
    transfer::{Side, Transfer},
};

/// Largest number of bytes in flight of all transfers.
const MAX_IN_FLIGHT: usize = 4 * MAX_WINDOW;
/// Largest number of bytes in flight over the relay, per transfer: more would wait in the mesh.
const MAX_RELAYED_WINDOW: usize = 256 * 1024;
/// Size of a chunk's message, for the relay's budget.
const CHUNK_MESSAGE: usize = CHUNK_BYTES + CHUNK_OVERHEAD;

impl Transfers {
    /// Sends chunks of all transfers in turn, as far as windows and the relay's budget allow.
    pub(super) fn send_chunks(&mut self, now: Moment) {
        self.outbox.relay.fill(now);
        self.relay_allows_at = None;
        let outbox = &self.outbox;
        let is_sending =
            |one: &Transfer| one.is_sending() && one.is_wanted() && outbox.is_reachable(&one.peer);
        let mut sending: Vec<(usize, usize)> = Vec::new();
        for (index, transfer) in self.list.iter_mut().enumerate() {
            if is_sending(transfer) {
                sending.push((index, MAX_WINDOW));
            } else if let Side::Sending(outgoing) = &mut transfer.side {
                // The file can be read again.
                outgoing.drop_blocks();
            }
        }
        let largest_share = MAX_IN_FLIGHT / sending.len().max(1);
        for at in 0..sending.len() {
            let peer = &self.list[sending[at].0].peer;
            let of_peer = sending.iter().filter(|one| self.list[one.0].peer == *peer);
            sending[at].1 = (MAX_WINDOW / of_peer.count()).min(largest_share);
        }
        let first = sending.iter().position(|one| one.0 >= self.turn);
        sending.rotate_left(first.unwrap_or(0));
        loop {
            let mut has_sent = false;
            for (index, share) in &sending {
                has_sent |= self.send_chunk(now, *index, *share);
            }
            if !has_sent {
                return;
            }
        }
    }

    /// Sends the next chunk of a transfer, its end, or a read of its file. Returns true if it sent a
    /// chunk.
    fn send_chunk(&mut self, now: Moment, index: usize, share: usize) -> bool {
        let transfer = &mut self.list[index];
        let Side::Sending(outgoing) = &mut transfer.side else {
            return false;
        };
        if let Some((offset, length)) = outgoing.take_read() {
            let file = outgoing.file;
            self.outbox.emit(TransferOutput::ReadFile {
                file,
                offset,
                length,
            });
        }
        let id = transfer.wire_id;
        if let Some(sha256) = outgoing.take_end() {
            let end = TransferMessage::End(End { id, sha256 });
            self.outbox.send(&transfer.peer, &end);
            return false;
        }
        let is_relayed = self.outbox.is_relayed(&transfer.peer);
        let share = if is_relayed {
            // Half a second's worth.
            let window = (self.outbox.relay.rate() / 2.0) as usize;
            share.min(window.clamp(2 * CHUNK_BYTES, MAX_RELAYED_WINDOW))
        } else {
            share
        };
        let Some((offset, bytes)) = outgoing.next_chunk(share) else {
            return false;
        };
        if is_relayed && !self.outbox.relay.allows(CHUNK_MESSAGE) {
            self.relay_allows_at = Some(self.outbox.relay.allows_at(CHUNK_MESSAGE));
            return false;
        }
        let length = bytes.len();
        let chunk = TransferMessage::Chunk(Chunk { id, offset, bytes });
        self.outbox.send(&transfer.peer, &chunk);
        outgoing.sent_chunk(now, length);
        if is_relayed {
            // The budget may last for one chunk only: another transfer is the next.
            self.turn = index + 1;
        }
        true
    }
}
