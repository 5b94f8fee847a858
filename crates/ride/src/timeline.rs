//! Timeline of a ride: the host's commands (workout shared, start, cancelled start, pause, resume,
//! skip, back, extension, end) as a signed log that every rider holds in full.
//!
//! Layout:
//! - `event`: format of [`TimelineEvent`] and [`SignedEvent`]; [`keys`]: their signatures.
//! - [`Timeline`]: the log; `pending`: events that do not connect to the log yet.
//! - `host_shares`: the part of a timeline that each host may fill.
//! - `state`: evaluation of the log; `progress`: the group's progress through the workout.
//! - [`TimelineSync`]: requests for missing events.
//! - [`RideClock`]: ride time as shown to a rider.
//!
//! Contract:
//! - Events are numbered by their [`Head`]: the epoch of the host that made them, and a sequence
//!   number within it. Each event names its predecessor by number and by [`EventHash`].
//! - An event is valid if it is signed by the key of the host of its epoch, or if a valid event
//!   follows it: a host elected without the server may be unknown to riders that were absent. The
//!   rider that passes an event on does not matter.
//! - The log with the highest head wins. A new host continues from the log that it holds; events of
//!   the old host beyond that are dropped by all riders.
//! - A rejected event changes nothing. An event received twice counts once.
//! - All results are computed from group time: the same events give the same phase to all riders at
//!   the same time. The time ridden never decreases; the position in the workout may.
//! - An event of an unknown kind is stored and passed on, and changes nothing.

mod error;
mod event;
mod host_shares;
pub mod keys;
mod pending;
mod progress;
mod ride_clock;
mod state;
mod sync;

use litemap::LiteMap;

use core::time::Duration;

use clock::GroupTime;
use protocol::peer::PeerId;

pub use error::TimelineError;
pub use event::{Change, EventHash, Head, SignedEvent, TimelineEvent};
pub use keys::{SeedError, SigningKey};
pub use progress::{EXTENSION, MAX_EXTENSION, PREVIOUS_INTERVAL_WINDOW};
pub use ride_clock::RideClock;
pub use state::DOUBLE_TAP_WINDOW;
pub use sync::{EVENT_GRACE, NO_OP_AFTER, NO_OP_AFTER_GAP, REQUEST_TIMEOUT, TimelineSync};

use crate::workout::Workout;
use host_shares::HostShares;
use pending::{EventKey, LogEntry, PendingEvents};
use state::TimelineState;

/// Largest number of events of a timeline. One host may make at most half of those that the others
/// leave, so that there is room for the next host, however many events the last one made.
pub const MAX_EVENTS: usize = 2_000;
/// Largest total size of all events in bytes, so that a whole timeline fits into one message.
pub const MAX_TIMELINE_BYTES: usize = 1024 * 1024;
/// Longest time by which a start may lie ahead when its event arrives.
pub const MAX_START_AHEAD: Duration = Duration::from_secs(3_600);
/// The same for all other changes. Later changes must not lie before them, so one far ahead would
/// keep the next host from changing anything.
pub const MAX_CHANGE_AHEAD: Duration = Duration::from_secs(60);
/// Number of forged events in one message after which the rest of it is ignored.
const MAX_FORGED: usize = 8;

/// Phase of the ride at some group time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No start is set.
    Lobby,
    /// The start lies ahead.
    Countdown {
        /// Time until the start.
        remaining: Duration,
    },
    /// The ride is running.
    Riding {
        /// Time ridden, without pauses.
        elapsed: Duration,
    },
    /// The host has paused the ride.
    Paused {
        /// Time ridden before the pause.
        elapsed: Duration,
        /// Time until the ride resumes, once the host has resumed it.
        resumes_in: Option<Duration>,
    },
    /// The workout is over or the host has ended the ride.
    Ended {
        /// Time ridden.
        elapsed: Duration,
    },
}

/// Result of [`Timeline::merge`]. Events that the timeline contains already, and events of a host
/// that a later host has superseded, change nothing and are not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeResult {
    /// The timeline has a new head.
    pub grew: bool,
    /// Predecessors of some events are missing: request the whole timeline, newer than
    /// [`Head::NONE`], from the sender.
    pub gap: bool,
    /// Reason for each rejected event.
    pub rejected: Vec<TimelineError>,
}

/// Log of the host's commands, and its evaluation.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    log: Vec<LogEntry>,
    state: TimelineState,
    pending: PendingEvents,
}

impl Timeline {
    /// Empty timeline: in the lobby, without a workout.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of the newest event; [`Head::NONE`] for an empty timeline.
    pub fn head(&self) -> Head {
        self.newest().0
    }

    fn newest(&self) -> EventKey {
        let newest = self.log.last();
        newest.map_or((Head::NONE, EventHash::NONE), LogEntry::key)
    }

    /// Events newer than a head, in log order.
    pub fn since(&self, head: Head) -> Vec<SignedEvent> {
        let newer = self.log.iter().filter(|entry| entry.event.head() > head);
        newer.map(|entry| entry.signed.clone()).collect()
    }

    /// Shared workout, with the extensions of its intervals so far.
    pub fn workout(&self) -> Option<&Workout> {
        self.state.workout()
    }

    /// Position of the group in the workout, as [`player`](crate::player) takes it. It advances with
    /// the time ridden, forward with a skip and backward with a back, so it differs from the time
    /// ridden.
    pub fn position(&self, now: GroupTime) -> Duration {
        self.state.position(now)
    }

    /// Number of skips and backs up to `now`. Each of them begins a lap.
    pub fn jumps(&self, now: GroupTime) -> usize {
        self.state.jumps(now)
    }

    /// Targets as they were ridden up to `now`, as a workout of the length of the time ridden:
    /// skipped parts are left out, repeated parts occur twice. `None` before the start.
    pub fn as_ridden(&self, now: GroupTime) -> Option<Workout> {
        self.state.as_ridden(now)
    }

    /// Changes newer than a head, in log order, each with the peer id of its host.
    pub fn changes_since(&self, head: Head) -> impl Iterator<Item = (&PeerId, &Change)> {
        let newer = self.log.iter().map(|entry| &entry.event);
        let newer = newer.filter(move |event| event.head() > head);
        newer.filter_map(|event| Some((&event.host, event.change.as_ref()?)))
    }

    /// Number of events of a kind that this version does not know.
    pub fn unknown_events(&self) -> usize {
        let is_unknown = |entry: &&LogEntry| entry.event.change.is_none();
        self.log.iter().filter(is_unknown).count()
    }

    /// Phase of the ride.
    pub fn phase(&self, now: GroupTime) -> Phase {
        self.state.phase(now)
    }

    /// Time of the start, once it is set.
    pub fn started_at(&self) -> Option<GroupTime> {
        self.state.started_at()
    }

    /// Time at which the ride ended, if it has ended by `now`. It may lie well before `now` for a
    /// page that slept.
    pub fn ended_at(&self, now: GroupTime) -> Option<GroupTime> {
        self.state.ended_at(now)
    }

    /// Start and end of each pause, in order of time. The last pause may be open.
    pub fn pauses(&self) -> impl Iterator<Item = (GroupTime, Option<GroupTime>)> {
        self.state.pauses()
    }

    /// Appends a change as the host of an epoch, and returns the event to send to the riders.
    ///
    /// # Errors
    /// The reason why the change is not possible now. The timeline stays unchanged.
    pub fn append(
        &mut self,
        change: Change,
        epoch: u32,
        host: &PeerId,
        key: &SigningKey,
    ) -> Result<SignedEvent, TimelineError> {
        let event = TimelineEvent::following(self.newest(), epoch, host, change)
            .ok_or(TimelineError::OldEpoch)?;
        let signed = event.sign(key);
        let mut state = self.state.clone();
        state.apply(event.change.as_ref())?;
        let entry = LogEntry {
            event,
            hash: signed.hash(),
            signed: signed.clone(),
        };
        let mut shares = HostShares::default();
        for earlier in &self.log {
            shares.take(earlier)?;
        }
        shares.take(&entry)?;
        self.state = state;
        self.log.push(entry);
        Ok(signed)
    }

    /// Merges events that a rider has sent. Where group time is known, events that lie too far ahead
    /// of it are rejected ([`MAX_START_AHEAD`], [`MAX_CHANGE_AHEAD`]). `key_of` returns the public
    /// key of a peer if that peer was the host of the epoch.
    pub fn merge(
        &mut self,
        events: impl IntoIterator<Item = SignedEvent>,
        now: Option<GroupTime>,
        key_of: impl Fn(u32, &PeerId) -> Option<[u8; 32]>,
    ) -> MergeResult {
        let before = self.newest();
        let (mut added, mut known, mut rejected) = (vec![], vec![], vec![]);
        let (mut unverified, mut errors, mut forged) = (LiteMap::new_vec(), vec![], 0);
        for event in events.into_iter().take(MAX_EVENTS) {
            let entry = match LogEntry::read(event) {
                Ok(entry) => entry,
                Err(error) => {
                    rejected.push(error);
                    continue;
                }
            };
            let key = entry.key();
            if self.contains(key) || unverified.contains_key(&key) {
                continue;
            }
            if self.pending.contains(key) {
                known.push(key);
                continue;
            }
            if now.is_some_and(|now| entry.event.is_too_far_ahead(now)) {
                rejected.push(TimelineError::TooFarAhead);
                continue;
            }
            match entry.signed.verify(&entry.event, &key_of) {
                Ok(()) => {
                    added.push(key);
                    self.pending.insert(entry);
                }
                Err(error) => {
                    forged += usize::from(error == TimelineError::Forged);
                    errors.push((key, error));
                    unverified.insert(key, entry);
                }
            }
            if forged > MAX_FORGED {
                break;
            }
        }
        self.pending.accept_predecessors(&mut unverified);
        let unproven = |(key, error)| unverified.contains_key(&key).then_some(error);
        rejected.extend(errors.into_iter().filter_map(unproven));
        rejected.extend(self.advance());
        let conflicts = added.iter().filter(|key| self.conflicts(**key));
        rejected.extend(conflicts.map(|_| TimelineError::Conflict));
        let is_unconnected = |key: &EventKey| key.0 > self.head() && self.pending.contains(*key);
        let gap = known.iter().chain(&added).any(is_unconnected);
        self.pending.evict_excess();
        MergeResult {
            grew: self.newest() != before,
            gap,
            rejected,
        }
    }

    /// Restores events of [`Timeline::since`] that were stored by this browser. They were verified
    /// before they were stored, so their signatures are not checked again: the keys of earlier hosts
    /// may be unknown by now.
    pub fn restore(&mut self, stored: impl IntoIterator<Item = SignedEvent>) {
        let stored = stored.into_iter().take(MAX_EVENTS);
        for entry in stored.filter_map(|event| LogEntry::read(event).ok()) {
            self.pending.insert(entry);
        }
        self.advance();
        self.pending.evict_excess();
    }

    fn entry_at(&self, head: Head) -> Option<&LogEntry> {
        let by_head = |entry: &LogEntry| entry.event.head();
        let index = self.log.binary_search_by_key(&head, by_head).ok()?;
        self.log.get(index)
    }

    fn contains(&self, (head, hash): EventKey) -> bool {
        self.entry_at(head).is_some_and(|entry| entry.hash == hash)
    }

    /// Reports whether the log has another event of the same number.
    fn conflicts(&self, (head, hash): EventKey) -> bool {
        self.entry_at(head).is_some_and(|entry| entry.hash != hash)
    }

    /// Moves the head to the highest pending event that connects to the log. Returns the errors of
    /// events on the way that could not be applied.
    fn advance(&mut self) -> Vec<TimelineError> {
        let mut rejected = vec![];
        loop {
            let is_in_log = |key| self.contains(key);
            let Some((base, chain)) = self.pending.best_chain(self.head(), is_in_log) else {
                return rejected;
            };
            let kept = self
                .log
                .partition_point(|entry| entry.event.head() <= base.0);
            match self.evaluate(kept, &chain) {
                Ok(state) => {
                    self.adopt(kept, &chain, state);
                    return rejected;
                }
                Err((key, error)) => {
                    // The events that follow it cannot be applied either.
                    for key in chain.iter().skip_while(|one| **one != key) {
                        self.pending.remove(*key);
                    }
                    rejected.push(error);
                }
            }
        }
    }

    /// Evaluates the kept part of the log and the chain that follows it.
    fn evaluate(
        &self,
        kept: usize,
        chain: &[EventKey],
    ) -> Result<TimelineState, (EventKey, TimelineError)> {
        let chained = chain.iter().filter_map(|key| self.pending.get(*key));
        let (mut state, mut shares) = (TimelineState::default(), HostShares::default());
        for entry in self.log[..kept].iter().chain(chained) {
            shares
                .take(entry)
                .and_then(|()| state.apply(entry.event.change.as_ref()))
                .map_err(|error| (entry.key(), error))?;
        }
        Ok(state)
    }

    fn adopt(&mut self, kept: usize, chain: &[EventKey], state: TimelineState) {
        self.log.truncate(kept);
        // The highest first, since removing one moves those above it.
        let connected = chain.iter().rev();
        let connected = connected.filter_map(|key| self.pending.remove(*key));
        let connected: Vec<LogEntry> = connected.collect();
        self.log.extend(connected.into_iter().rev());
        self.state = state;
    }
}

#[cfg(test)]
mod tests;
