use clock::{Duration, Moment, WallTime};
use sha2::{Digest, Sha256};

use super::outgoing::MAX_WINDOW;

/// Largest number of bytes that arrived and are not kept yet. An honest sender has no more in flight
/// than its window, counted from what arrived when the receiver last asked.
const MAX_UNWRITTEN: usize = 2 * MAX_WINDOW;
/// Number of newly kept bytes that are acknowledged at once.
const REPORT_BYTES: u64 = 64 * 1024;
/// Time after which fewer bytes are acknowledged.
pub(super) const REPORT_INTERVAL: Duration = Duration::from_millis(100);
/// The same over the relay, where the server counts small frames as large ones.
pub(super) const RELAYED_REPORT_INTERVAL: Duration = Duration::from_millis(250);
/// Time in which bytes that are missing are not asked for twice.
const REQUEST_INTERVAL: Duration = Duration::from_secs(2);
/// Length of a read of what is kept, in bytes.
const READ_BACK_BYTES: u64 = 256 * 1024;

/// Progress of a transfer at the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The rider has not answered the offer.
    Offered,
    /// Accepted, but as many others as allowed are on their way.
    Queued,
    /// The bytes that were kept before a reload are read, to restore the hash.
    Restoring,
    /// Bytes arrive.
    Active,
}

/// Result of bytes that are kept, or of an end that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Bytes or the end are missing.
    Unfinished,
    /// All bytes are kept, and this tells if their hash is right.
    Finished(bool),
}

/// Part of a file to be kept: position and bytes.
pub(super) type Part = (u64, Vec<u8>);

/// Receiving half of a transfer: accepts chunks in order, has them written one write at a time, and
/// compares the hash at the end.
///
/// `reported <= kept <= arrived <= size`; before everything is restored, `restored <= kept`.
#[derive(Debug)]
pub(super) struct Incoming {
    size: u64,
    pub(super) phase: Phase,
    pub(super) accepted_at: WallTime,
    /// Moment until which an offer has to be repeated after the sender's page load has changed.
    pub(super) confirm_by: Option<Moment>,
    /// Bytes that arrived, in order.
    pub(super) arrived: u64,
    /// Those at the end of them that no write was begun for.
    unwritten: Vec<u8>,
    /// End of the write that is not answered.
    writing: Option<u64>,
    /// Bytes that the browser keeps.
    pub(super) kept: u64,
    restored: u64,
    hash: Sha256,
    /// Hash of the sender, once the end has arrived.
    expected: Option<[u8; 32]>,
    reported: u64,
    reported_at: Moment,
    /// Moment of the last request for bytes.
    pub(super) requested_at: Option<Moment>,
}

impl Incoming {
    /// An offer that arrived.
    pub(super) fn offered(size: u64) -> Self {
        Self {
            size,
            phase: Phase::Offered,
            accepted_at: WallTime::default(),
            confirm_by: None,
            arrived: 0,
            unwritten: Vec::new(),
            writing: None,
            kept: 0,
            restored: 0,
            hash: Sha256::new(),
            expected: None,
            reported: 0,
            reported_at: Moment::ZERO,
            requested_at: None,
        }
    }

    /// A transfer of which the browser has kept this many bytes over a reload.
    pub(super) fn stored(size: u64, kept: u64, accepted_at: WallTime) -> Self {
        Self {
            phase: Phase::Queued,
            accepted_at,
            arrived: kept,
            kept,
            reported: kept,
            ..Self::offered(size)
        }
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.phase != Phase::Offered
    }

    /// True while it is one of those that are on their way.
    pub(super) fn is_under_way(&self) -> bool {
        matches!(self.phase, Phase::Restoring | Phase::Active)
    }

    /// True if all bytes arrived, and the sender has told their hash.
    pub(super) fn is_checking(&self) -> bool {
        self.expected.is_some() && self.arrived == self.size
    }

    /// Begins with the transfer: with what was kept before, if there is any.
    pub(super) fn start(&mut self) {
        self.phase = if self.restored < self.kept {
            Phase::Restoring
        } else {
            Phase::Active
        };
    }

    /// Kept bytes to read for the hash, position and length.
    pub(super) fn read_back(&self) -> Option<(u64, u32)> {
        let length = (self.kept - self.restored).min(READ_BACK_BYTES) as u32;
        (self.phase == Phase::Restoring).then_some((self.restored, length))
    }

    /// Takes in kept bytes. Returns false if they are not those of [`Self::read_back`].
    #[must_use]
    pub(super) fn restore(&mut self, offset: u64, bytes: &[u8]) -> bool {
        let Some((from, length)) = self.read_back() else {
            return false;
        };
        if offset != from || bytes.len() as u64 != u64::from(length) {
            return false;
        }
        self.hash.update(bytes);
        self.restored += u64::from(length);
        self.start();
        true
    }

    /// Takes in a chunk. Returns false if bytes before it are missing, so that they have to be asked
    /// for. A chunk beyond the size, or one more than there is place for, changes nothing.
    pub(super) fn chunk(&mut self, offset: u64, bytes: &[u8]) -> bool {
        let end = offset.checked_add(bytes.len() as u64);
        if self.phase != Phase::Active || end.is_none_or(|end| end > self.size) {
            return true;
        }
        let Some(known) = self.arrived.checked_sub(offset) else {
            return false;
        };
        let new = usize::try_from(known)
            .ok()
            .and_then(|known| bytes.get(known..));
        let Some(new) = new.filter(|new| !new.is_empty()) else {
            return true;
        };
        if (self.arrived - self.kept) as usize + new.len() > MAX_UNWRITTEN {
            return true;
        }
        self.hash.update(new);
        self.unwritten.extend(new);
        self.arrived += new.len() as u64;
        true
    }

    /// Takes in the sender's hash. Returns false if bytes are missing, so that they have to be asked
    /// for.
    pub(super) fn end(&mut self, sha256: [u8; 32]) -> bool {
        if self.phase != Phase::Active {
            return true;
        }
        if self.arrived < self.size {
            return false;
        }
        self.expected = Some(sha256);
        true
    }

    /// Next bytes to write, if no write is outstanding.
    pub(super) fn take_write(&mut self) -> Option<Part> {
        if self.writing.is_some() || self.unwritten.is_empty() {
            return None;
        }
        let bytes = std::mem::take(&mut self.unwritten);
        self.writing = Some(self.arrived);
        Some((self.arrived - bytes.len() as u64, bytes))
    }

    /// The bytes up to here are kept. Returns false if these are fewer than were written.
    #[must_use]
    pub(super) fn written(&mut self, kept: u64) -> bool {
        let Some(end) = self.writing.take() else {
            // An answer without a write, for example to the record, says nothing.
            return true;
        };
        if kept < end {
            return false;
        }
        self.kept = end;
        true
    }

    /// Compares the hashes, if everything is there.
    pub(super) fn check(&self) -> Check {
        match self.expected {
            Some(expected) if self.kept == self.size && self.phase == Phase::Active => {
                let hash: [u8; 32] = self.hash.clone().finalize().into();
                Check::Finished(hash == expected)
            }
            _ => Check::Unfinished,
        }
    }

    /// Number of kept bytes to acknowledge now. `interval` is the time after which few bytes are
    /// acknowledged, too.
    pub(super) fn take_report(&mut self, now: Moment, interval: Duration) -> Option<u64> {
        let new = self.kept.saturating_sub(self.reported);
        let is_due = new >= REPORT_BYTES
            || new > 0 && (self.kept == self.size || now.since(self.reported_at) >= interval);
        is_due.then(|| {
            self.reported = self.kept;
            self.reported_at = now;
            self.kept
        })
    }

    /// Moment of the next report.
    pub(super) fn report_due(&self, interval: Duration) -> Option<Moment> {
        (self.kept > self.reported).then_some(self.reported_at + interval)
    }

    /// True if missing bytes may be asked for now.
    pub(super) fn may_request(&self, now: Moment) -> bool {
        let requested = self.requested_at;
        requested.is_none_or(|at| now.since(at) >= REQUEST_INTERVAL)
    }

    /// Missing bytes were asked for.
    pub(super) fn requested(&mut self, now: Moment) {
        self.requested_at = Some(now);
        self.reported = self.kept;
        self.reported_at = now;
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.unwritten.len()
    }

    /// Gives up the bytes in memory: the transfer has ended.
    pub(super) fn release(&mut self) {
        self.unwritten = Vec::new();
        self.writing = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(size: u64) -> Incoming {
        let mut incoming = Incoming::offered(size);
        incoming.start();
        incoming
    }

    #[test]
    fn chunks_are_taken_in_order_and_only_once() {
        let mut incoming = active(10);
        assert!(!incoming.chunk(2, &[3]), "a gap");
        assert!(incoming.chunk(0, &[1, 2, 3]));
        assert!(incoming.chunk(0, &[1, 2, 3]));
        assert!(incoming.chunk(2, &[3, 4]), "one byte is new");
        assert_eq!(incoming.take_write(), Some((0, vec![1, 2, 3, 4])));
        assert!(incoming.chunk(4, &[5]));
        assert_eq!(incoming.take_write(), None, "a write is outstanding");
        assert!(incoming.written(4));
        assert_eq!(incoming.take_write(), Some((4, vec![5])));
    }

    #[test]
    fn chunks_beyond_the_size_are_ignored() {
        let mut incoming = active(4);
        assert!(incoming.chunk(0, &[0; 5]));
        assert!(incoming.chunk(4, &[0]));
        assert!(incoming.chunk(u64::MAX, &[0; 5]));
        assert_eq!(incoming.arrived, 0);
    }

    #[test]
    fn a_sender_that_ignores_the_window_cannot_fill_the_memory() {
        let mut incoming = active(u64::MAX);
        for _ in 0..10_000 {
            incoming.chunk(incoming.arrived, &[0; 15_000]);
        }
        assert!(incoming.unwritten.len() <= MAX_UNWRITTEN);
    }

    #[test]
    fn the_hash_is_compared_once_everything_is_kept() {
        let mut incoming = active(3);
        let sha256: [u8; 32] = Sha256::digest([1, 2, 3]).into();
        assert!(!incoming.end(sha256), "bytes are missing");
        incoming.chunk(0, &[1, 2, 3]);
        assert!(incoming.end(sha256));
        assert_eq!(incoming.check(), Check::Unfinished);
        incoming.take_write();
        assert!(incoming.written(3));
        assert_eq!(incoming.check(), Check::Finished(true));
        assert!(incoming.end([0; 32]));
        assert_eq!(incoming.check(), Check::Finished(false));
    }

    #[test]
    fn an_empty_file_is_complete_with_its_end() {
        let mut incoming = active(0);
        assert_eq!(incoming.check(), Check::Unfinished);
        assert!(incoming.end(Sha256::digest([]).into()));
        assert_eq!(incoming.check(), Check::Finished(true));
    }

    #[test]
    fn the_hash_is_restored_from_what_is_kept() {
        let mut incoming = Incoming::stored(300_002, 300_000, WallTime::default());
        incoming.start();
        assert_eq!(incoming.read_back(), Some((0, 262_144)));
        assert!(!incoming.restore(1, &[0; 262_144]));
        assert!(!incoming.restore(0, &[0; 262_143]));
        assert!(incoming.restore(0, &[0; 262_144]));
        assert!(
            incoming.chunk(300_000, &[9]),
            "ignored while it is restored"
        );
        assert!(incoming.restore(262_144, &[0; 37_856]));
        assert_eq!(incoming.phase, Phase::Active);
        incoming.chunk(300_000, &[0, 0]);
        assert_eq!(incoming.take_write(), Some((300_000, vec![0, 0])));
        assert!(incoming.written(300_002));
        assert!(incoming.end(Sha256::digest(vec![0; 300_002]).into()));
        assert_eq!(incoming.check(), Check::Finished(true));
    }

    #[test]
    fn few_bytes_are_reported_after_a_while_and_many_at_once() {
        let at = |ms| Moment::from_origin(Duration::from_millis(ms));
        let mut incoming = active(1_000_000);
        let write = |incoming: &mut Incoming, length: usize| {
            incoming.chunk(incoming.arrived, &vec![0; length]);
            incoming.take_write();
            assert!(incoming.written(incoming.arrived));
        };
        write(&mut incoming, 1000);
        assert_eq!(incoming.take_report(at(500), REPORT_INTERVAL), Some(1000));
        write(&mut incoming, 1000);
        assert_eq!(incoming.take_report(at(550), REPORT_INTERVAL), None);
        assert_eq!(incoming.report_due(REPORT_INTERVAL), Some(at(600)));
        write(&mut incoming, 70_000);
        assert_eq!(incoming.take_report(at(560), REPORT_INTERVAL), Some(72_000));
        assert_eq!(incoming.report_due(REPORT_INTERVAL), None);
    }
}
