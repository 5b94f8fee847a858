//! What the host has decided about the ride: a workout shared, started (or called off again),
//! paused, resumed, an interval skipped, ridden again or made longer, the ride ended.
//!
//! Layout: [`Event`] and [`SignedEvent`] are the format, [`keys`] signs it, `state` folds events
//! into what they mean, `course` is the group's way through the workout, [`Timeline`] is the log
//! that every rider holds the whole of, and [`RideClock`] shows its time to a rider.
//!
//! The law:
//! - Events are numbered by their [`Head`]: the epoch of the host who made them, and their number
//!   within it. Each names the one it follows, so a head stands for everything before it.
//! - An event counts when it is signed by the key of the host of its epoch. Who passed it on does
//!   not matter.
//! - The log with the highest head wins. A new host carries on what it holds; what the old host
//!   said beyond that is dropped everywhere.
//! - What is refused changes nothing. Applied twice, an event counts once.
//! - Everything is reckoned from group time: the same events give the same phase to everybody at
//!   the same moment. The time ridden never runs backwards; the position in the workout may.
//! - An event of a kind that this version does not know is held and passed on, and changes nothing.

mod clock;
mod course;
mod event;
pub mod keys;
mod refused;
mod state;

use std::collections::BTreeMap;

use core::time::Duration;

use minicbor::{Decode, Encode};

pub use clock::RideClock;
pub use course::{BACK_FURTHER_WITHIN, EXTENSION, MAX_EXTENSION};
pub use event::{Change, Event, Head, SignedEvent};
pub use keys::{SeedError, SigningKey};
pub use refused::Refused;
pub use state::SETTLES_WITHIN;

use crate::workout::Workout;
use state::State;

/// The most events that a timeline holds.
pub const MAX_EVENTS: usize = 2_000;
/// The most bytes that all events of a timeline take, so that the whole of it fits into one
/// message.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most events that wait for one that has not come yet.
const MAX_WAITING: usize = 256;

/// A moment on the group's clock, in microseconds. Its origin is the host's, and means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct GroupTime(#[n(0)] pub i64);

impl GroupTime {
    /// The time since an earlier moment; zero if that one is later.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// The moment so much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

/// What the group is doing at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the start.
    Lobby,
    /// The start is set.
    Countdown {
        /// The time until it.
        remaining: Duration,
    },
    /// Riding.
    Riding {
        /// The time ridden, without pauses.
        elapsed: Duration,
    },
    /// The host has paused the ride.
    Paused {
        /// The time ridden before the pause.
        elapsed: Duration,
        /// The time until it goes on, once the host has said so.
        resumes_in: Option<Duration>,
    },
    /// The workout is over or the host has ended the ride.
    Ended {
        /// The time ridden.
        elapsed: Duration,
    },
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It counts, and so may others that had been waiting for it.
    New,
    /// It changes nothing: held already, or overtaken by a later host.
    Known,
    /// It is kept, but what it follows is missing: ask for the timeline from [`Head::NONE`].
    Gap,
    /// It does not count.
    Refused(Refused),
}

#[derive(Clone, Debug)]
struct Entry {
    event: Event,
    signed: SignedEvent,
}

/// The log of what hosts have decided, and what it comes to.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    log: Vec<Entry>,
    state: State,
    /// Verified events that do not link to the log, or not yet.
    waiting: BTreeMap<Head, Entry>,
}

impl Timeline {
    /// An empty timeline: the lobby, no workout.
    pub fn new() -> Self {
        Self::default()
    }

    /// The newest event; [`Head::NONE`] when there is none.
    pub fn head(&self) -> Head {
        self.log
            .last()
            .map_or(Head::NONE, |entry| entry.event.head())
    }

    /// Everything newer than a head, in the order in which to apply it.
    pub fn since(&self, head: Head) -> Vec<SignedEvent> {
        let newer = self.log.iter().filter(|entry| entry.event.head() > head);
        newer.map(|entry| entry.signed.clone()).collect()
    }

    /// The shared workout, with the extensions of its intervals so far.
    pub fn workout(&self) -> Option<&Workout> {
        self.state.workout()
    }

    /// Where in the workout the group is at a moment: what [`player`](crate::player) takes. It
    /// advances with the time ridden but for skips, which move it on, and backs, which move it
    /// back, so it says nothing of how long somebody has ridden.
    pub fn position(&self, now: GroupTime) -> Duration {
        self.state.position(now)
    }

    /// How many skips and backs there have been up to a moment: each begins a lap.
    pub fn moves(&self, now: GroupTime) -> usize {
        self.state.moves(now)
    }

    /// What was asked of the riders up to a moment, as a workout as long as the time ridden: what
    /// was skipped is left out, what was ridden twice is in it twice. None before the start.
    pub fn as_ridden(&self, now: GroupTime) -> Option<Workout> {
        self.state.as_ridden(now)
    }

    /// The changes newer than a head, in order, each with the peer id of its host.
    pub fn decided_since(&self, head: Head) -> impl Iterator<Item = (&str, &Change)> {
        let newer = self.log.iter().map(|entry| &entry.event);
        let newer = newer.filter(move |event| event.head() > head);
        newer.filter_map(|event| Some((event.host.as_str(), event.change.as_ref()?)))
    }

    /// How many events are of a kind that this version does not know.
    pub fn unknown(&self) -> usize {
        let unknown = |entry: &&Entry| entry.event.change.is_none();
        self.log.iter().filter(unknown).count()
    }

    /// What the group is doing at a moment.
    pub fn phase(&self, now: GroupTime) -> Phase {
        self.state.phase(now)
    }

    /// The moment of the start, once it is set.
    pub fn started_at(&self) -> Option<GroupTime> {
        self.state.started_at()
    }

    /// The moment at which the ride was over, once it is: what counts for whoever looks only later.
    pub fn ended_at(&self, now: GroupTime) -> Option<GroupTime> {
        self.state.ended_at(now)
    }

    /// The pauses so far in the order of time, from and to; the last may still go on.
    pub fn pauses(&self) -> impl Iterator<Item = (GroupTime, Option<GroupTime>)> {
        self.state.pauses()
    }

    /// Adds a change as the host of an epoch, and gives the event to pass on.
    ///
    /// # Errors
    /// Why the change makes no sense now; the timeline stays as it is.
    pub fn append(
        &mut self,
        change: Change,
        epoch: u32,
        host: &str,
        key: &SigningKey,
    ) -> Result<SignedEvent, Refused> {
        let event = Event::following(self.head(), epoch, host, change).ok_or(Refused::OldEpoch)?;
        let signed = event.sign(key);
        let mut state = self.state.clone();
        state.apply(event.change.as_ref())?;
        if self.log.len() >= MAX_EVENTS || bytes(&self.log) + signed.bytes.len() > MAX_BYTES {
            return Err(Refused::Full);
        }
        self.state = state;
        self.log.push(Entry {
            event,
            signed: signed.clone(),
        });
        Ok(signed)
    }

    /// Adds an event that somebody passed on. `key_of` gives the public key of the host of an
    /// epoch, if that peer was the host then.
    pub fn apply(
        &mut self,
        signed: SignedEvent,
        key_of: impl Fn(u32, &str) -> Option<[u8; 32]>,
    ) -> Applied {
        let event = match signed.verify(key_of) {
            Ok(event) => event,
            Err(reason) => return Applied::Refused(reason),
        };
        let head = event.head();
        if let Some(held) = self.held(head) {
            let same = held.signed.bytes == signed.bytes;
            return if same {
                Applied::Known
            } else {
                Applied::Refused(Refused::Conflict)
            };
        }
        self.waiting.insert(head, Entry { event, signed });
        let refused = self.advance();
        self.forget_surplus();
        match refused {
            _ if self.held(head).is_some() => Applied::New,
            Some((refused, reason)) if refused == head => Applied::Refused(reason),
            _ if head < self.head() => Applied::Known,
            _ => Applied::Gap,
        }
    }

    fn held(&self, head: Head) -> Option<&Entry> {
        let at = self
            .log
            .binary_search_by_key(&head, |entry| entry.event.head())
            .ok()?;
        self.log.get(at)
    }

    /// Moves on to the highest waiting event that links to the log. Gives the last event found to
    /// make no sense.
    fn advance(&mut self) -> Option<(Head, Refused)> {
        let mut refused = None;
        while let Some((kept, chain)) = self.best_chain() {
            match self.fold(kept, &chain) {
                Ok(state) => {
                    self.adopt(kept, &chain, state);
                    break;
                }
                Err((head, reason)) => {
                    self.waiting.remove(&head);
                    refused = Some((head, reason));
                }
            }
        }
        refused
    }

    /// The highest waiting event above the log's head that links to the log: how much of the log it
    /// builds on, and the events from there to it.
    fn best_chain(&self) -> Option<(usize, Vec<Head>)> {
        let above = self.waiting.range(self.head()..).rev();
        above.into_iter().find_map(|(head, _)| self.chain_to(*head))
    }

    fn chain_to(&self, head: Head) -> Option<(usize, Vec<Head>)> {
        let mut chain = vec![];
        let mut at = head;
        loop {
            if at == Head::NONE {
                break;
            }
            if self.held(at).is_some() {
                break;
            }
            let entry = self.waiting.get(&at)?;
            chain.push(at);
            // Strictly falls, see `SignedEvent::verify`.
            at = entry.event.base;
        }
        chain.reverse();
        let kept = self.log.partition_point(|entry| entry.event.head() <= at);
        Some((kept, chain))
    }

    /// What the kept part of the log and the chain after it come to.
    fn fold(&self, kept: usize, chain: &[Head]) -> Result<State, (Head, Refused)> {
        let chained = chain.iter().filter_map(|head| self.waiting.get(head));
        let mut state = State::default();
        let mut size = 0;
        for (count, entry) in self.log[..kept].iter().chain(chained).enumerate() {
            let head = entry.event.head();
            size += entry.signed.bytes.len();
            if count >= MAX_EVENTS || size > MAX_BYTES {
                return Err((head, Refused::Full));
            }
            state
                .apply(entry.event.change.as_ref())
                .map_err(|reason| (head, reason))?;
        }
        Ok(state)
    }

    fn adopt(&mut self, kept: usize, chain: &[Head], state: State) {
        self.log.truncate(kept);
        self.log
            .extend(chain.iter().filter_map(|head| self.waiting.remove(head)));
        self.state = state;
    }

    /// Bounds what waits, in number and in bytes; the lowest go first.
    fn forget_surplus(&mut self) {
        let mut size: usize = self
            .waiting
            .values()
            .map(|entry| entry.signed.bytes.len())
            .sum();
        while self.waiting.len() > MAX_WAITING || size > MAX_BYTES {
            let Some((_, entry)) = self.waiting.pop_first() else {
                return;
            };
            size -= entry.signed.bytes.len();
        }
    }
}

fn bytes(log: &[Entry]) -> usize {
    log.iter().map(|entry| entry.signed.bytes.len()).sum()
}

#[cfg(test)]
mod tests;
