use std::collections::VecDeque;

use clock::{Duration, Moment};
use mesh::link_frame::SEGMENT_HEADER;
use protocol::{frame::MAX_LINK_FRAME, peer::Incarnation};
use ride::transfer::CHUNK_OVERHEAD;
use sha2::{Digest, Sha256};

/// Content of a chunk in bytes: its message fills one segment of the mesh.
pub(super) const CHUNK_BYTES: usize = MAX_LINK_FRAME - SEGMENT_HEADER - CHUNK_OVERHEAD;
/// Length of a read of the file in bytes, about 120 kB.
pub(super) const READ_BYTES: usize = 8 * CHUNK_BYTES;
/// Unacknowledged bytes at the beginning, and after each change of the link: more than the receiver
/// acknowledges at once.
const FIRST_WINDOW: usize = 5 * CHUNK_BYTES;
/// Largest number of unacknowledged bytes of a transfer, and of all transfers to one peer.
pub(super) const MAX_WINDOW: usize = 1024 * 1024;
/// Delay of an acknowledgement, beyond the lowest one of this link, up to which the window grows. The
/// receiver may wait for a quarter of a second.
const QUICK: Duration = Duration::from_millis(400);
/// Delay beyond the lowest one from which the window shrinks: a pause or a cancellation should not
/// take much longer.
const LATE: Duration = Duration::from_secs(1);
/// Time in which the sender does not go back twice to bytes that were not acknowledged. A receiver
/// asks again after a longer time.
const REWIND_INTERVAL: Duration = Duration::from_secs(1);
/// Number of times that a receiver may lose bytes that it has acknowledged, by a reload without a
/// place to keep them.
const MAX_RESTARTS: u8 = 16;

/// Sending half of a transfer: reads the file in order, sends chunks, and keeps the bytes in flight
/// within a window.
///
/// Offsets never go beyond the size: `acknowledged <= sent <= farthest <= hashed <= size`.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// Number of the file.
    pub(super) file: u32,
    size: u64,
    /// True once the receiver has accepted.
    pub(super) is_accepted: bool,
    /// Bytes that the receiver keeps.
    pub(super) acknowledged: u64,
    /// Bytes up to which chunks are on their way.
    sent: u64,
    /// Largest value of `sent`, and so the most that can be acknowledged.
    farthest: u64,
    /// True if the end was sent after the last chunk.
    end_is_sent: bool,
    /// True if the end was sent at any time, so that the file can be complete.
    end_was_sent: bool,
    /// Bytes that were read and not sent: blocks that follow each other, at most two.
    blocks: VecDeque<Block>,
    /// Position of the read that is not answered.
    reading: Option<u64>,
    hash: Sha256,
    hashed: u64,
    window: usize,
    /// Position of a chunk in flight, and the moment at which it was sent.
    probe: Option<(u64, Moment)>,
    /// Lowest delay of an acknowledgement on this link.
    lowest_delay: Duration,
    rewound_at: Option<Moment>,
    /// Page load of the receiver that has accepted.
    receiver: Option<Incarnation>,
    restarts: u8,
}

#[derive(Debug)]
struct Block {
    offset: u64,
    bytes: Vec<u8>,
}

impl Block {
    fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

impl Outgoing {
    pub(super) fn new(file: u32, size: u64) -> Self {
        Self {
            file,
            size,
            is_accepted: false,
            acknowledged: 0,
            sent: 0,
            farthest: 0,
            end_is_sent: false,
            end_was_sent: false,
            blocks: VecDeque::new(),
            reading: None,
            hash: Sha256::new(),
            hashed: 0,
            window: FIRST_WINDOW,
            probe: None,
            lowest_delay: Duration::MAX,
            rewound_at: None,
            receiver: None,
            restarts: 0,
        }
    }

    /// The receiver asks for the bytes from here on. Ignored where that is no honest request: beyond
    /// what was sent, or before what the same page load has acknowledged.
    pub(super) fn accept(&mut self, now: Moment, from: u64, receiver: Incarnation) {
        if from > self.farthest {
            return;
        }
        let is_new_load = self.receiver.replace(receiver) != Some(receiver);
        self.is_accepted = true;
        if from < self.acknowledged {
            if !is_new_load || self.restarts >= MAX_RESTARTS {
                return;
            }
            self.restarts += 1;
            self.acknowledged = from;
        } else {
            self.progress(now, from);
            let rewound = self.rewound_at.filter(|_| !is_new_load);
            if rewound.is_some_and(|at| now.since(at) < REWIND_INTERVAL) {
                return;
            }
        }
        if from < self.sent || self.end_is_sent {
            self.rewound_at = Some(now);
            self.seek(from);
        }
    }

    /// The receiver keeps the bytes up to here. Returns true if these are more than before.
    pub(super) fn progress(&mut self, now: Moment, kept: u64) -> bool {
        if kept <= self.acknowledged || kept > self.farthest {
            return false;
        }
        let was_full = self.in_flight() + CHUNK_BYTES > self.window;
        self.acknowledged = kept;
        if kept > self.sent {
            self.seek(kept);
        }
        if let Some((_, sent_at)) = self.probe.take_if(|probe| probe.0 <= kept) {
            let delay = now.since(sent_at);
            self.lowest_delay = self.lowest_delay.min(delay);
            let queued = delay - self.lowest_delay;
            if queued > LATE {
                self.window = (self.window / 2).max(FIRST_WINDOW);
            } else if queued < QUICK && was_full {
                self.window = (self.window * 2).min(MAX_WINDOW);
            }
        }
        true
    }

    /// The link is another one: nothing is known about it.
    pub(super) fn path_changed(&mut self) {
        self.window = FIRST_WINDOW;
        self.lowest_delay = Duration::MAX;
        self.probe = None;
    }

    /// True if an answer of the receiver is outstanding.
    pub(super) fn awaits_answer(&self) -> bool {
        self.sent > self.acknowledged || self.end_is_sent
    }

    /// True if all bytes are at the receiver.
    pub(super) fn is_checking(&self) -> bool {
        self.end_is_sent && self.acknowledged == self.size
    }

    /// True if the receiver can have the whole file.
    pub(super) fn can_be_complete(&self) -> bool {
        self.end_was_sent
    }

    /// Next bytes to send and their position, within a window of at most `share` bytes. They count as
    /// sent once [`Self::sent_chunk`] is called.
    pub(super) fn next_chunk(&self, share: usize) -> Option<(u64, &[u8])> {
        let in_flight = self.in_flight();
        // A window smaller than a chunk still lets one through.
        if in_flight > 0 && in_flight + CHUNK_BYTES > self.window.min(share) {
            return None;
        }
        let block = self.blocks.front()?;
        let start = usize::try_from(self.sent.checked_sub(block.offset)?).ok()?;
        let bytes = block.bytes.get(start..)?;
        Some((self.sent, &bytes[..bytes.len().min(CHUNK_BYTES)]))
    }

    /// The chunk of [`Self::next_chunk`], of this length, was sent.
    pub(super) fn sent_chunk(&mut self, now: Moment, length: usize) {
        self.sent += length as u64;
        self.farthest = self.farthest.max(self.sent);
        self.probe.get_or_insert((self.sent, now));
        self.drop_sent_blocks();
    }

    /// Hash of the file, if its end is to be sent now.
    pub(super) fn take_end(&mut self) -> Option<[u8; 32]> {
        let is_due = self.sent == self.size && self.hashed == self.size && !self.end_is_sent;
        is_due.then(|| {
            self.end_is_sent = true;
            self.end_was_sent = true;
            self.hash.clone().finalize().into()
        })
    }

    /// Part of the file to read next, position and length, while at most half a read is left.
    pub(super) fn take_read(&mut self) -> Option<(u64, u32)> {
        let from = self.read_up_to();
        let left = from.saturating_sub(self.sent);
        if self.reading.is_some() || from >= self.size || left > READ_BYTES as u64 / 2 {
            return None;
        }
        self.reading = Some(from);
        Some((from, read_length(self.size, from)))
    }

    /// True if this is the position of the read that is not answered.
    pub(super) fn is_reading(&self, offset: u64) -> bool {
        self.reading == Some(offset)
    }

    /// Takes in the answer to a read. Returns false if it is not the part that was asked for.
    #[must_use]
    pub(super) fn file_read(&mut self, offset: u64, bytes: Vec<u8>) -> bool {
        self.reading = None;
        if bytes.len() as u64 != u64::from(read_length(self.size, offset)) {
            return false;
        }
        let block = Block { offset, bytes };
        if let Some(new) = self.hashed.checked_sub(offset)
            && let Ok(new) = usize::try_from(new)
            && let Some(new) = block.bytes.get(new..)
        {
            self.hash.update(new);
            self.hashed += new.len() as u64;
        }
        // After a change of the position the answer may be to an old question.
        let follows = match self.blocks.back() {
            Some(last) => last.end() == offset,
            None => offset <= self.sent && self.sent < block.end(),
        };
        if follows {
            self.blocks.push_back(block);
        }
        true
    }

    /// Gives up what can be read again.
    pub(super) fn drop_blocks(&mut self) {
        self.blocks = VecDeque::new();
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.len()).sum()
    }

    fn in_flight(&self) -> usize {
        // At most the largest window.
        (self.sent - self.acknowledged) as usize
    }

    fn read_up_to(&self) -> u64 {
        self.blocks.back().map_or(self.sent, Block::end)
    }

    fn seek(&mut self, to: u64) {
        self.sent = to;
        self.end_is_sent = false;
        self.probe = None;
        if self.blocks.front().is_some_and(|block| block.offset > to) {
            self.blocks.clear();
        }
        self.drop_sent_blocks();
    }

    fn drop_sent_blocks(&mut self) {
        while self
            .blocks
            .front()
            .is_some_and(|block| block.end() <= self.sent)
        {
            self.blocks.pop_front();
        }
    }
}

/// Length of the read at a position; the same for all receivers of a file.
fn read_length(size: u64, offset: u64) -> u32 {
    size.saturating_sub(offset).min(READ_BYTES as u64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1_500_000;
    const FIRST: Incarnation = Incarnation(1);

    fn content(offset: u64, length: usize) -> Vec<u8> {
        (offset..).take(length).map(|at| (at % 251) as u8).collect()
    }

    fn accepted() -> Outgoing {
        let mut outgoing = Outgoing::new(1, SIZE);
        outgoing.accept(Moment::ZERO, 0, FIRST);
        outgoing
    }

    /// Sends as much as the window lets through, and returns the positions.
    fn send_all(outgoing: &mut Outgoing, now: Moment) -> Vec<u64> {
        let mut positions = Vec::new();
        loop {
            if let Some((offset, length)) = outgoing.take_read() {
                assert!(outgoing.file_read(offset, content(offset, length as usize)));
            }
            let Some((offset, bytes)) = outgoing.next_chunk(MAX_WINDOW) else {
                return positions;
            };
            assert_eq!(bytes, content(offset, bytes.len()));
            let length = bytes.len();
            outgoing.sent_chunk(now, length);
            positions.push(offset);
        }
    }

    fn at(ms: u64) -> Moment {
        Moment::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn a_chunk_fills_one_segment_of_the_mesh() {
        let bytes = content(0, CHUNK_BYTES);
        let chunk = ride::transfer::Chunk {
            id: u64::MAX,
            offset: u64::MAX,
            bytes: &bytes,
        };
        let message = ride::transfer::TransferMessage::Chunk(chunk).encode();
        assert_eq!(message.len() + SEGMENT_HEADER, MAX_LINK_FRAME);
    }

    #[test]
    fn the_window_grows_while_acknowledgements_are_quick_and_shrinks_when_they_are_late() {
        let mut outgoing = accepted();
        assert_eq!(send_all(&mut outgoing, at(0)).len(), 5);
        for round in 1..4 {
            outgoing.progress(at(50 * round), outgoing.sent);
            send_all(&mut outgoing, at(50 * round));
        }
        assert_eq!(outgoing.window, 8 * FIRST_WINDOW);
        outgoing.progress(at(5_000), outgoing.sent);
        assert_eq!(outgoing.window, 4 * FIRST_WINDOW);
        outgoing.path_changed();
        assert_eq!(outgoing.window, FIRST_WINDOW);
    }

    #[test]
    fn a_long_way_gets_a_large_window_too() {
        let mut outgoing = accepted();
        for round in 1..5 {
            send_all(&mut outgoing, at(900 * round));
            outgoing.progress(at(900 * (round + 1)), outgoing.sent);
        }
        assert!(outgoing.window > 500_000, "{}", outgoing.window);
    }

    #[test]
    fn bytes_that_were_never_sent_cannot_be_acknowledged() {
        let mut outgoing = accepted();
        send_all(&mut outgoing, at(0));
        let sent = outgoing.sent;
        assert!(!outgoing.progress(at(1), sent + 1));
        assert!(!outgoing.progress(at(1), u64::MAX));
        outgoing.accept(at(2_000), u64::MAX, FIRST);
        assert_eq!((outgoing.acknowledged, outgoing.sent), (0, sent));
        assert!(outgoing.progress(at(1), sent));
        assert!(!outgoing.progress(at(1), 1));
    }

    #[test]
    fn the_sender_goes_back_once_in_a_while_and_never_before_what_was_acknowledged() {
        let mut outgoing = accepted();
        send_all(&mut outgoing, at(0));
        let chunk = CHUNK_BYTES as u64;
        outgoing.progress(at(10), chunk);
        outgoing.accept(at(2_000), chunk, FIRST);
        assert_eq!(outgoing.sent, chunk);
        assert_eq!(send_all(&mut outgoing, at(2_000))[0], chunk);
        let sent = outgoing.sent;
        outgoing.accept(at(2_500), chunk, FIRST);
        assert_eq!(outgoing.sent, sent);
        outgoing.accept(at(9_000), 0, FIRST);
        assert_eq!((outgoing.acknowledged, outgoing.sent), (chunk, sent));
        outgoing.accept(at(9_000), 0, Incarnation(2));
        assert_eq!((outgoing.acknowledged, outgoing.sent), (0, 0));
        assert_eq!(send_all(&mut outgoing, at(9_000))[0], 0);
    }

    #[test]
    fn a_receiver_that_loses_everything_again_and_again_is_not_served_for_ever() {
        let mut outgoing = accepted();
        for load in 2..30 {
            send_all(&mut outgoing, at(0));
            outgoing.progress(at(0), outgoing.sent);
            outgoing.accept(at(0), 0, Incarnation(load));
        }
        assert_eq!(outgoing.restarts, MAX_RESTARTS);
        assert!(outgoing.acknowledged > 0);
    }

    #[test]
    fn the_hash_covers_each_byte_once_whatever_is_sent_again() {
        let mut outgoing = accepted();
        let mut now = 0;
        let hash = loop {
            now += 2_000;
            send_all(&mut outgoing, at(now));
            if let Some(hash) = outgoing.take_end() {
                break hash;
            }
            let middle = outgoing.acknowledged + (outgoing.sent - outgoing.acknowledged) / 2;
            outgoing.accept(at(now), middle, FIRST);
        };
        let expected: [u8; 32] = Sha256::digest(content(0, SIZE as usize)).into();
        assert_eq!(hash, expected);
    }

    #[test]
    fn an_answer_of_another_length_means_that_the_file_has_changed() {
        let mut outgoing = accepted();
        let (offset, length) = outgoing.take_read().unwrap();
        assert!(!outgoing.file_read(offset, content(offset, length as usize - 1)));
    }

    #[test]
    fn no_more_than_two_reads_are_kept() {
        let mut outgoing = accepted();
        for _ in 0..10 {
            send_all(&mut outgoing, at(0));
            let kept: usize = outgoing.blocks.iter().map(|block| block.bytes.len()).sum();
            assert!(kept <= 2 * READ_BYTES && outgoing.blocks.len() <= 2);
            outgoing.progress(at(0), outgoing.sent);
        }
    }
}
