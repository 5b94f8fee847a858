//! What the host has decided about the ride: a workout shared, started (or called off again),
//! paused, resumed, an interval skipped, ridden again or made longer, the ride ended.
//!
//! Layout: [`Event`] and [`SignedEvent`] are the format, [`keys`] signs it, `state` folds events
//! into what they mean, `course` is the group's way through the workout, [`Timeline`] is the log
//! that every rider holds the whole of, `waiting` holds what does not link to it yet, [`Exchange`] says whom to ask for what is missing of it, and
//! [`RideClock`] shows its time to a rider.
//!
//! The law:
//! - Events are numbered by their [`Head`]: the epoch of the host who made them, and their number
//!   within it. Each names the one it follows, by number and by [`Link`].
//! - An event counts when it is signed by the key of the host of its epoch, or when one that counts
//!   follows it: a host elected while there was no server may be unknown to who was not there. Who
//!   passed it on does not matter.
//! - The log with the highest head wins. A new host carries on what it holds; what the old host
//!   said beyond that is dropped everywhere.
//! - What is refused changes nothing. Applied twice, an event counts once.
//! - Everything is reckoned from group time: the same events give the same phase to everybody at
//!   the same moment. The time ridden never runs backwards; the position in the workout may.
//! - An event of a kind that this version does not know is held and passed on, and changes nothing.

mod course;
mod event;
mod exchange;
pub mod keys;
mod refused;
mod ride_clock;
mod state;
mod waiting;

use std::collections::BTreeMap;

use core::time::Duration;

pub use course::{BACK_FURTHER_WITHIN, EXTENSION, MAX_EXTENSION};
pub use event::{Change, Event, Head, Link, SignedEvent};
pub use exchange::{ANSWERED_WITHIN, COMES_WITHIN, DISREGARDED_AFTER, Exchange, SETTLED_AFTER};
pub use keys::{SeedError, SigningKey};
pub use refused::Refused;
pub use ride_clock::RideClock;
pub use state::SETTLES_WITHIN;

use crate::workout::Workout;
use state::State;
use waiting::{Entry, Key, Waiting};

/// The most events that a timeline holds.
pub const MAX_EVENTS: usize = 2_000;
/// The most bytes that all events of a timeline take, so that the whole of it fits into one
/// message.
pub const MAX_BYTES: usize = 1024 * 1024;
/// After so many forged events in one message the rest of it is not read.
const MAX_FORGED: usize = 8;

pub use clock::GroupTime;

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

/// What became of the events of a message. What was held already, or is of a host whom a later one
/// has overtaken, changes nothing and is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The timeline has a new head.
    pub grew: bool,
    /// What some of them follow is missing: ask who sent them for the timeline from
    /// [`Head::NONE`].
    pub gap: bool,
    /// Why events did not count, for each that did not.
    pub refused: Vec<Refused>,
}

/// The log of what hosts have decided, and what it comes to.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    log: Vec<Entry>,
    state: State,
    waiting: Waiting,
}

impl Timeline {
    /// An empty timeline: the lobby, no workout.
    pub fn new() -> Self {
        Self::default()
    }

    /// The newest event; [`Head::NONE`] when there is none.
    pub fn head(&self) -> Head {
        self.tip().0
    }

    fn tip(&self) -> Key {
        self.log.last().map_or((Head::NONE, Link::NONE), Entry::key)
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
        let event = Event::following(self.tip(), epoch, host, change).ok_or(Refused::OldEpoch)?;
        let signed = event.sign(key);
        let mut state = self.state.clone();
        state.apply(event.change.as_ref())?;
        if self.log.len() >= MAX_EVENTS || bytes(&self.log) + signed.bytes.len() > MAX_BYTES {
            return Err(Refused::Full);
        }
        self.state = state;
        self.log.push(Entry {
            event,
            link: signed.link(),
            signed: signed.clone(),
        });
        Ok(signed)
    }

    /// Adds events that somebody passed on, and those of them for which others vouch. `key_of` gives
    /// the public key of the host of an epoch, if that peer was the host then.
    pub fn take(
        &mut self,
        events: impl IntoIterator<Item = SignedEvent>,
        key_of: impl Fn(u32, &str) -> Option<[u8; 32]>,
    ) -> Taken {
        let before = self.tip();
        let (mut fresh, mut named, mut refused) = (vec![], vec![], vec![]);
        let (mut unproved, mut forged) = (BTreeMap::new(), 0);
        for event in events.into_iter().take(MAX_EVENTS) {
            let entry = match Entry::of(event) {
                Ok(entry) => entry,
                Err(reason) => {
                    refused.push(reason);
                    continue;
                }
            };
            let key = entry.key();
            if self.held(key).is_some() {
                continue;
            }
            if self.waiting.holds(key) {
                named.push(key);
                continue;
            }
            match entry.signed.verify(&entry.event, &key_of) {
                Ok(()) => {
                    fresh.push(key);
                    self.waiting.hold(entry);
                }
                Err(reason) => {
                    forged += usize::from(reason == Refused::Forged);
                    unproved.insert(key, (entry, reason));
                }
            }
            if forged > MAX_FORGED {
                break;
            }
        }
        self.waiting.vouch(&mut unproved);
        refused.extend(unproved.into_values().map(|(_, reason)| reason));
        refused.extend(self.advance());
        let conflicts = fresh.iter().filter(|key| self.conflicts(**key));
        refused.extend(conflicts.map(|_| Refused::Conflict));
        let missing = |key: &Key| key.0 > self.head() && self.waiting.holds(*key);
        let gap = named.iter().chain(&fresh).any(missing);
        self.waiting.forget_surplus();
        Taken {
            grew: self.tip() != before,
            gap,
            refused,
        }
    }

    /// Takes up what [`Timeline::since`] once gave here, and this browser has kept: it was verified
    /// then, and whose host's key is not known again may count all the same.
    pub fn restore(&mut self, kept: impl IntoIterator<Item = SignedEvent>) {
        let kept = kept.into_iter().take(MAX_EVENTS);
        for entry in kept.filter_map(|event| Entry::of(event).ok()) {
            self.waiting.hold(entry);
        }
        self.advance();
        self.waiting.forget_surplus();
    }

    /// The event of a number.
    fn at(&self, head: Head) -> Option<&Entry> {
        let by_head = |entry: &Entry| entry.event.head();
        let at = self.log.binary_search_by_key(&head, by_head).ok()?;
        self.log.get(at)
    }

    fn held(&self, (head, link): Key) -> Option<&Entry> {
        self.at(head).filter(|entry| entry.link == link)
    }

    /// Whether another event has the number of this one.
    fn conflicts(&self, (head, link): Key) -> bool {
        self.at(head).is_some_and(|entry| entry.link != link)
    }

    /// Moves on to the highest waiting event that links to the log. Gives why events on the way
    /// there make no sense.
    fn advance(&mut self) -> Vec<Refused> {
        let mut refused = vec![];
        loop {
            let is_held = |key| self.held(key).is_some();
            let Some((base, chain)) = self.waiting.best_chain(self.head(), is_held) else {
                return refused;
            };
            let kept = self
                .log
                .partition_point(|entry| entry.event.head() <= base.0);
            match self.fold(kept, &chain) {
                Ok(state) => {
                    self.adopt(kept, &chain, state);
                    return refused;
                }
                Err((key, reason)) => {
                    // What follows it leads nowhere either.
                    for key in chain.iter().skip_while(|one| **one != key) {
                        self.waiting.remove(*key);
                    }
                    refused.push(reason);
                }
            }
        }
    }

    /// What the kept part of the log and the chain after it come to.
    fn fold(&self, kept: usize, chain: &[Key]) -> Result<State, (Key, Refused)> {
        let chained = chain.iter().filter_map(|key| self.waiting.get(*key));
        let mut state = State::default();
        let mut size = 0;
        for (count, entry) in self.log[..kept].iter().chain(chained).enumerate() {
            size += entry.signed.bytes.len();
            if count >= MAX_EVENTS || size > MAX_BYTES {
                return Err((entry.key(), Refused::Full));
            }
            state
                .apply(entry.event.change.as_ref())
                .map_err(|reason| (entry.key(), reason))?;
        }
        Ok(state)
    }

    fn adopt(&mut self, kept: usize, chain: &[Key], state: State) {
        self.log.truncate(kept);
        self.log
            .extend(chain.iter().filter_map(|key| self.waiting.remove(*key)));
        self.state = state;
    }
}

fn bytes(log: &[Entry]) -> usize {
    log.iter().map(|entry| entry.signed.bytes.len()).sum()
}

#[cfg(test)]
mod tests;
