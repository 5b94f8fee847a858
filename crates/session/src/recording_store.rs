//! Storage of the recording in the browser, which may fail at any time: a phone that suspends a page
//! closes its database, a disk is full, a private window has none.
//!
//! [`RecordingStore`] decides when the database is opened and opened again, and knows which writes
//! have been confirmed. A write counts as done when its transaction is complete, never before. What
//! was not confirmed is written again after the database was opened again.

use litemap::LiteMap;

use clock::{Duration, Moment};
use ride::recording::SavePoint;

use crate::api::{Output, RecordingChange};

/// Time within which the browser has to open the database.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);
/// Time within which the browser has to confirm a write. Storing a few seconds takes milliseconds.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Delay of the second attempt to open the database; it doubles with each failure.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Largest delay between two attempts.
const MAX_RETRY: Duration = Duration::from_secs(30);

/// State of the storage of a recording.
#[derive(Debug, Default)]
pub(crate) struct RecordingStore {
    connection: Connection,
    /// Key of the recording, once it is known.
    key: Option<String>,
    /// It was open once, and what was stored has been read.
    has_opened: bool,
    /// Failures since a write was last confirmed.
    failures: u32,
    /// Writes that are not confirmed, with the time of each.
    writes: LiteMap<u32, (Moment, Write)>,
    /// Number of the newest write.
    last_write: u32,
    /// Number of the newest attempt to open the database.
    last_open: u32,
    /// Newest attempt that was made for another ride or rider. Answers up to it say nothing about this
    /// recording.
    last_foreign_open: u32,
}

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// Stores everything up to this extent.
    Append(SavePoint),
    /// Stores the finished ride, up to this extent.
    Keep(SavePoint),
    /// Deletes everything.
    Clear,
}

/// Connection to the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Connection {
    /// The rider has not joined yet. Holds the time of the first attempt to record.
    #[default]
    Unknown,
    /// The browser opens it.
    Opening {
        since: Moment,
    },
    Open,
    /// It did not open, or a write failed.
    Failed {
        retry_at: Moment,
    },
}

impl RecordingStore {
    /// Store of another recording of the same session. Numbers go on.
    pub(crate) fn next(&self) -> Self {
        Self {
            last_write: self.last_write,
            last_open: self.last_open,
            last_foreign_open: self.last_open,
            ..Self::default()
        }
    }

    /// Tells whether an attempt to open the database was made for this recording.
    pub(crate) fn is_own(&self, open: u32) -> bool {
        open > self.last_foreign_open
    }

    /// Opens the database for a recording, unless this was done before.
    pub(crate) fn open(&mut self, now: Moment, key: String, outputs: &mut impl Extend<Output>) {
        if self.connection == Connection::Unknown {
            self.key = Some(key);
            self.connect(now, outputs);
        }
    }

    /// Key of the recording, once it is known.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn connect(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if let Some(key) = self.key.clone() {
            self.connection = Connection::Opening { since: now };
            self.last_open += 1;
            let (open, reads) = (self.last_open, !self.has_opened);
            outputs.extend([Output::OpenRecording { open, key, reads }]);
        }
    }

    /// Takes the answer of the browser. An answer that comes late is as good.
    pub(crate) fn opened(&mut self, now: Moment, is_open: bool) {
        match self.connection {
            Connection::Opening { .. } | Connection::Failed { .. } if is_open => {
                self.connection = Connection::Open;
                self.has_opened = true;
            }
            Connection::Opening { .. } => self.fail(now),
            _ => {}
        }
    }

    /// Follows the time: gives up on what the browser does not answer, and tries again.
    pub(crate) fn handle_timeout(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        let mut writes = self.writes.values();
        match self.connection {
            Connection::Opening { since } if now - since >= OPEN_TIMEOUT => self.fail(now),
            Connection::Open if writes.any(|(since, _)| now - *since >= WRITE_TIMEOUT) => {
                self.fail(now);
            }
            Connection::Failed { retry_at } if now >= retry_at => self.connect(now, outputs),
            _ => {}
        }
    }

    /// Tells whether the stored recording is still being read, for the first time.
    pub(crate) fn is_opening(&self, now: Moment) -> bool {
        match self.connection {
            Connection::Unknown => true,
            Connection::Opening { since } => self.failures == 0 && now - since < OPEN_TIMEOUT,
            Connection::Open | Connection::Failed { .. } => false,
        }
    }

    /// Tells whether a write would be carried out.
    pub(crate) fn is_open(&self) -> bool {
        self.connection == Connection::Open
    }

    /// Tells whether the recording is not being stored, although it should be.
    pub(crate) fn is_failing(&self) -> bool {
        match self.connection {
            Connection::Failed { .. } => true,
            Connection::Opening { .. } => self.failures > 0,
            Connection::Unknown | Connection::Open => false,
        }
    }

    /// Tells whether a write is not confirmed yet.
    pub(crate) fn is_writing(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Tells whether a deletion is not confirmed yet.
    pub(crate) fn is_clearing(&self) -> bool {
        self.writes
            .values()
            .any(|(_, write)| *write == Write::Clear)
    }

    /// Writes a change of the recording, and returns the number of the write. A deletion includes
    /// what earlier writes store.
    pub(crate) fn write(
        &mut self,
        now: Moment,
        write: Write,
        change: RecordingChange,
        outputs: &mut impl Extend<Output>,
    ) -> u32 {
        if write == Write::Clear {
            self.writes.clear();
        }
        self.last_write += 1;
        self.writes.insert(self.last_write, (now, write));
        let write = self.last_write;
        outputs.extend([Output::WriteRecording { write, change }]);
        write
    }

    /// Takes the result of a write. Returns what it has done if it is stored. Results of writes that
    /// were given up are ignored: they have been written again.
    pub(crate) fn written(&mut self, now: Moment, write: u32, is_stored: bool) -> Option<Write> {
        let (_, write) = self.writes.remove(&write)?;
        if !is_stored {
            self.fail(now);
            return None;
        }
        self.failures = 0;
        Some(write)
    }

    /// Gives up all writes, and opens the database again later.
    fn fail(&mut self, now: Moment) {
        let delay = FIRST_RETRY.saturating_mul(1 << self.failures.min(8));
        self.failures = self.failures.saturating_add(1);
        self.writes.clear();
        self.connection = Connection::Failed {
            retry_at: now + delay.min(MAX_RETRY),
        };
    }
}
