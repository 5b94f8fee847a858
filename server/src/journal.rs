//! Endings of rides, bans and leaves. They outlast the server's memory in a small file
//! beside the secret, so that old resume tokens do not undo them after a restart.
//!
//! - [`RideJournal`]: the records, in memory, and the thread that writes their file.
//! - [`RideRecords`]: the records of one ride, as its room sees them.
//!
//! The file has one line per event, appended when it happens: `kind expiry mac`, where
//! the expiry is in Unix seconds, when all tokens from before the event have expired, and
//! the MAC is HMAC-SHA256 over session code and peer id, with the server's secret,
//! truncated to 128 bits (RFC 2104, section 5). So the file reveals neither codes nor
//! ids. It is written anew without the dead lines when it has become too long.
//!
//! Contract: the memory is bounded and always up to date; nothing waits for the disk.
//! If the file cannot be written, the server goes on without it, and the whole
//! file is written once that is possible again.

mod recent;

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hmac::Mac;
use protocol::code::SessionCode;
use protocol::peer::PeerId;
use rooms::room::{Standing, StandingChange, Standings};
use tokio::sync::watch;

use crate::private_file::{self, FileError};
use crate::sync::lock;
use crate::tokens::Secret;
use crate::wall_clock;
use recent::Recent;

/// Maximum numbers of records in memory, apart for each kind, because an attacker can
/// cause many leaves and must not displace bans with them. On all but the busiest servers, records expire before they are displaced.
const MAX_ENDED: usize = 12_000;
const MAX_BANNED: usize = 4_000;
const MAX_LEFT: usize = 4_000;
/// Number of lines above which the file is written anew, twice the number of records.
const MAX_LINES: usize = 2 * (MAX_ENDED + MAX_BANNED + MAX_LEFT);
/// Upper bound of the length of a line that this program writes.
const MAX_LINE_BYTES: usize = 64;

/// Prefix of all data under a MAC, so that the secret can be used for other purposes.
const PURPOSE: &[u8] = b"gruppetto ride journal 1";
const MAC_BYTES: usize = 16;

const ONLY_IN_MEMORY: &str = "endings and bans are kept in memory only: after a restart of the server, rides that have ended can be opened again, and riders who were kicked can return";

/// Pause after a failed write.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// Minimum interval between two warnings about failed writes.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Truncated MAC of a ride, or of a member of a ride.
type Tag = [u8; MAC_BYTES];

/// Journal of all rides. Dropping it writes what is left and ends its thread.
#[derive(Debug)]
pub struct RideJournal {
    secret: Secret,
    /// Time from an event until all tokens from before have expired.
    token_life: Duration,
    shared: Arc<Shared>,
    /// Set if there is a file, and a thread that writes it.
    has_file: bool,
}

/// State that the journal and its thread share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Notified when there is something for the thread to do.
    changed: Condvar,
    /// Number of changes up to which the thread has written the file or failed to.
    settled: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    records: Records,
    /// Lines to append to the file.
    pending: Vec<Line>,
    /// Set if the file is to be written anew.
    rewrite: bool,
    /// Lines in the file.
    file_lines: usize,
    /// Number of changes so far.
    recorded: u64,
    /// Set if a failed write is to be repeated at once.
    hurry: bool,
    is_closing: bool,
}

/// Records in memory.
#[derive(Debug)]
struct Records {
    ended: Recent,
    banned: Recent,
    left: Recent,
}

/// One line of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    event: Event,
    /// In Unix seconds.
    expires: u64,
    tag: Tag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// The ride has ended.
    Ended,
    /// The member is banned.
    Banned,
    /// The member has left.
    Left,
    /// A member who had left has joined again.
    Returned,
}

/// Content of the file at the start.
#[derive(Debug, Default)]
struct FileContent {
    lines: VecDeque<Line>,
    unreadable: usize,
    /// Set if the last line is incomplete, or earlier ones were left out.
    is_partial: bool,
}

impl RideJournal {
    /// Journal in a file, which is created if it does not exist. Without a file, or with
    /// one that cannot be used, a journal in memory. Needs a secret that lasts as long as
    /// the file. May block.
    pub fn open(file: Option<PathBuf>, secret: Secret, token_life: Duration) -> Self {
        let mut state = State::default();
        if file.is_none() && secret.is_lasting() {
            tracing::warn!(
                "there is no folder for a file beside the secret: {ONLY_IN_MEMORY}; set GRUPPETTO_SECRET_FILE"
            );
        }
        let file = file.filter(|_| secret.is_lasting()).filter(|file| {
            let loaded = state.load(file);
            if let Err(error) = &loaded {
                warn(file, error, ONLY_IN_MEMORY);
            }
            loaded.is_ok()
        });
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            settled: watch::Sender::new(0),
        });
        let has_file = file.is_some_and(|file| {
            let shared = shared.clone();
            let thread = std::thread::Builder::new().name("journal".to_owned());
            let started = thread.spawn(move || write_changes(&shared, &file));
            started
                .inspect_err(|error| tracing::warn!(%error, "endings and bans cannot be written"))
                .is_ok()
        });
        Self {
            secret,
            token_life,
            shared,
            has_file,
        }
    }

    /// Records that a ride has ended.
    pub fn record_end(&self, code: &SessionCode) {
        self.record(Event::Ended, self.tag(code, None));
    }

    /// Returns `true` if a ride has ended.
    pub fn has_ended(&self, code: &SessionCode) -> bool {
        let tag = self.tag(code, None);
        lock(&self.shared.state).records.ended.contains(&tag)
    }

    /// Standing of a member in a ride.
    pub fn standing(&self, code: &SessionCode, peer: &PeerId) -> Standing {
        let tag = self.tag(code, Some(peer));
        let records = &lock(&self.shared.state).records;
        match () {
            () if records.banned.contains(&tag) => Standing::Banned,
            () if records.left.contains(&tag) => Standing::Left,
            () => Standing::Member,
        }
    }

    /// Keeps all records for as long as new ones, because the wall clock was set: records of a
    /// machine that did not know the time would have expired at the next start.
    pub fn wall_clock_was_set(&self) {
        let expires = self.new_expiry();
        let mut state = lock(&self.shared.state);
        let records = &mut state.records;
        for kind in [&mut records.ended, &mut records.banned, &mut records.left] {
            kind.keep_until(expires);
        }
        if self.has_file {
            state.recorded += 1;
            state.rewrite = true;
            drop(state);
            self.shared.changed.notify_all();
        }
    }

    /// Resolves when everything that was recorded before has been written, or the attempt has
    /// failed.
    pub async fn flushed(&self) {
        if !self.has_file {
            return;
        }
        let mut settled = self.shared.settled.subscribe();
        let recorded = {
            let mut state = lock(&self.shared.state);
            state.hurry = true;
            state.recorded
        };
        self.shared.changed.notify_all();
        // Waiting cannot fail: the sender is in `self`.
        let _ = settled.wait_for(|settled| *settled >= recorded).await;
    }

    fn record_change(&self, code: &SessionCode, change: &StandingChange) {
        let (event, peer) = match change {
            StandingChange::Banned(peer) => (Event::Banned, peer),
            StandingChange::Left(peer) => (Event::Left, peer),
            StandingChange::Returned(peer) => (Event::Returned, peer),
        };
        let tag = self.tag(code, Some(peer));
        if event != Event::Returned || lock(&self.shared.state).records.left.contains(&tag) {
            self.record(event, tag);
        }
    }

    fn record(&self, event: Event, tag: Tag) {
        let line = Line {
            event,
            expires: self.new_expiry(),
            tag,
        };
        let mut state = lock(&self.shared.state);
        state.records.apply(line);
        if self.has_file {
            state.recorded += 1;
            state.pending.push(line);
            if state.pending.len() > MAX_LINES {
                // The disk does not keep up; the records in memory are what matters.
                state.pending.clear();
                state.rewrite = true;
            }
            drop(state);
            self.shared.changed.notify_all();
        }
    }

    /// Expiry of a record from now, in Unix seconds.
    fn new_expiry(&self) -> u64 {
        let expiry = wall_clock::now().after(self.token_life);
        expiry.unix_seconds()
    }

    fn tag(&self, code: &SessionCode, peer: Option<&PeerId>) -> Tag {
        let peer = peer.map_or("", PeerId::as_str);
        let parts = [PURPOSE, code.as_str().as_bytes(), peer.as_bytes()];
        let mac = self.secret.mac(&parts).finalize().into_bytes();
        *mac.first_chunk().expect("SHA-256 has 32 bytes")
    }
}

impl Drop for RideJournal {
    fn drop(&mut self) {
        lock(&self.shared.state).is_closing = true;
        self.shared.changed.notify_all();
    }
}

/// Records of one ride.
#[derive(Debug, Clone)]
pub struct RideRecords {
    journal: Arc<RideJournal>,
    code: SessionCode,
}

impl RideRecords {
    /// Records of a ride in a journal.
    pub fn new(journal: Arc<RideJournal>, code: SessionCode) -> Self {
        Self { journal, code }
    }

    /// Records a change of a member's standing.
    pub fn record(&self, change: &StandingChange) {
        self.journal.record_change(&self.code, change);
    }
}

impl Standings for RideRecords {
    fn standing(&self, peer: &PeerId) -> Standing {
        self.journal.standing(&self.code, peer)
    }
}

impl State {
    /// Takes over the records in a file that have not expired.
    fn load(&mut self, file: &Path) -> Result<(), FileError> {
        private_file::create_folder(file)?;
        // Opened for writing first, because this creates it.
        private_file::open(file, OpenOptions::new().append(true).create(true))?;
        let content = FileContent::read(file)?;
        if content.unreadable > 0 {
            tracing::warn!(
                file = %file.display(),
                lines = content.unreadable,
                "some endings and bans cannot be read, and are ignored"
            );
        }
        let now = wall_clock::now().unix_seconds();
        let is_valid = |line: &&Line| line.expires > now;
        for line in content.lines.iter().filter(is_valid) {
            self.records.apply(*line);
        }
        self.file_lines = content.lines.len() + content.unreadable;
        let alive = self.records.lines().count();
        self.rewrite = content.is_partial || content.unreadable > 0 || 2 * alive < self.file_lines;
        Ok(())
    }

    fn take_batch(&mut self) -> Batch {
        let whole = self.rewrite || self.file_lines + self.pending.len() > MAX_LINES;
        let pending = std::mem::take(&mut self.pending);
        self.rewrite = false;
        self.hurry = false;
        Batch {
            whole,
            lines: match whole {
                true => self.records.lines().collect(),
                false => pending,
            },
            recorded: self.recorded,
        }
    }
}

impl Default for Records {
    fn default() -> Self {
        Self {
            ended: Recent::new(MAX_ENDED),
            banned: Recent::new(MAX_BANNED),
            left: Recent::new(MAX_LEFT),
        }
    }
}

impl Records {
    fn apply(&mut self, line: Line) {
        match line.event {
            Event::Ended => self.ended.insert(line.tag, line.expires),
            Event::Banned => self.banned.insert(line.tag, line.expires),
            Event::Left => self.left.insert(line.tag, line.expires),
            Event::Returned => self.left.remove(&line.tag),
        }
    }

    /// Lines of a file with all records.
    fn lines(&self) -> impl Iterator<Item = Line> {
        let kinds = [
            (Event::Ended, &self.ended),
            (Event::Banned, &self.banned),
            (Event::Left, &self.left),
        ];
        kinds.into_iter().flat_map(|(event, records)| {
            records.oldest_first().map(move |(tag, expires)| Line {
                event,
                expires,
                tag,
            })
        })
    }
}

impl Event {
    const ALL: [Self; 4] = [Self::Ended, Self::Banned, Self::Left, Self::Returned];

    const fn name(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Banned => "banned",
            Self::Left => "left",
            Self::Returned => "returned",
        }
    }
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let name = words.next()?;
        let event = Event::ALL.into_iter().find(|event| event.name() == name)?;
        let expires = words.next()?.parse().ok()?;
        let digits = words.next()?;
        let is_hex = digits.len() == 2 * MAC_BYTES && digits.is_ascii();
        let number = is_hex.then(|| u128::from_str_radix(digits, 16).ok())??;
        words.next().is_none().then_some(Self {
            event,
            expires,
            tag: number.to_be_bytes(),
        })
    }

    fn write_to(&self, text: &mut String) {
        let (name, tag) = (self.event.name(), u128::from_be_bytes(self.tag));
        text.push_str(&format!("{name} {} {tag:032x}\n", self.expires));
    }
}

impl FileContent {
    /// Reads the end of a file, as much as this program would have written.
    fn read(path: &Path) -> Result<Self, FileError> {
        const LIMIT: u64 = (MAX_LINES * MAX_LINE_BYTES) as u64;
        let mut file = private_file::open(path, OpenOptions::new().read(true))?;
        let skipped = file.metadata()?.len().saturating_sub(LIMIT);
        file.seek(SeekFrom::Start(skipped))?;
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let is_complete = text.is_empty() || text.ends_with('\n');
        let mut content = Self {
            is_partial: skipped > 0 || !is_complete,
            ..Self::default()
        };
        // The first line may be the rest of one that was skipped.
        for line in text.lines().skip(usize::from(skipped > 0)) {
            match Line::parse(line) {
                Some(line) => content.lines.push_back(line),
                None => content.unreadable += 1,
            }
            if content.lines.len() > MAX_LINES {
                content.lines.pop_front();
                content.is_partial = true;
            }
        }
        Ok(content)
    }
}

/// Lines for the file.
#[derive(Debug)]
struct Batch {
    /// Set if the lines replace the file, instead of being appended.
    whole: bool,
    lines: Vec<Line>,
    /// Number of changes that they include.
    recorded: u64,
}

impl Batch {
    fn write(&self, path: &Path) -> Result<(), FileError> {
        let mut text = String::new();
        self.lines.iter().for_each(|line| line.write_to(&mut text));
        if self.whole {
            private_file::write_aside(path, text.as_bytes(), |it| fs::rename(it, path))?;
        } else {
            // Opened anew each time, because the file may have been moved away.
            let options = OpenOptions::new().append(true).create(true).clone();
            let mut file = private_file::open(path, &options)?;
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
        }
        Ok(())
    }
}

impl Shared {
    /// Waits for lines to write; after a failure, until `retry_at` or until a caller waits
    /// for the result. `None` when the journal is closed and nothing is left to try.
    fn next_batch(&self, retry_at: Option<Instant>) -> Option<Batch> {
        let mut state = lock(&self.state);
        loop {
            let has_lines = state.rewrite || !state.pending.is_empty();
            let pause = retry_at.map(|at| at.saturating_duration_since(Instant::now()));
            let pause = pause.filter(|pause| !pause.is_zero());
            if has_lines && (pause.is_none() || state.hurry) {
                return Some(state.take_batch());
            }
            if state.is_closing {
                return None;
            }
            state = match pause.filter(|_| has_lines) {
                Some(pause) => {
                    let waited = self.changed.wait_timeout(state, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    fn settle(&self, batch: &Batch, is_written: bool) {
        let mut state = lock(&self.state);
        match is_written {
            true if batch.whole => state.file_lines = batch.lines.len(),
            true => state.file_lines += batch.lines.len(),
            // A part of it may have been written.
            false => state.rewrite = true,
        }
        self.settled.send_replace(batch.recorded);
    }
}

/// Writes the file whenever there is something to write, until the journal is closed.
fn write_changes(shared: &Shared, file: &Path) {
    let mut retry_at = None;
    let mut last_warning: Option<Instant> = None;
    while let Some(batch) = shared.next_batch(retry_at) {
        let result = batch.write(file);
        let now = Instant::now();
        retry_at = result.is_err().then(|| now + RETRY_INTERVAL);
        match &result {
            Ok(()) if last_warning.take().is_some() => {
                tracing::info!(file = %file.display(), "endings and bans are written again");
            }
            Ok(()) => {}
            Err(error) if last_warning.is_none_or(|at| now >= at + WARNING_INTERVAL) => {
                last_warning = Some(now);
                warn(
                    file,
                    error,
                    "endings and bans cannot be written now: until they are, a restart of the server forgets them",
                );
            }
            Err(_) => {}
        }
        shared.settle(&batch, result.is_ok());
    }
}

fn warn(file: &Path, error: &FileError, message: &str) {
    let file = file.display();
    match error {
        FileError::Io(error) => tracing::warn!(%file, %error, "{message}"),
        FileError::Unsafe(advice) => tracing::warn!(%file, %advice, "{message}"),
    }
}

#[cfg(test)]
mod tests;
