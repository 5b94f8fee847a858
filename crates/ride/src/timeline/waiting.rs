//! Events that count but do not link to the log, or not yet, or are not as new.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, Head, Link, MAX_BYTES, Refused, SignedEvent};

/// The most events that wait for one that has not come yet.
const MAX_WAITING: usize = 256;

/// An event's number and link.
pub(super) type Key = (Head, Link);

/// An event that was read, and what it was read from.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) event: Event,
    pub(super) signed: SignedEvent,
    pub(super) link: Link,
}

impl Entry {
    pub(super) fn of(signed: SignedEvent) -> Result<Self, Refused> {
        let event = signed.read()?;
        let link = signed.link();
        Ok(Self {
            event,
            signed,
            link,
        })
    }

    pub(super) fn key(&self) -> Key {
        (self.event.head(), self.link)
    }

    /// The event that it follows.
    fn base(&self) -> Key {
        (self.event.base, self.event.base_link)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(BTreeMap<Key, Entry>);

impl Waiting {
    pub(super) fn hold(&mut self, entry: Entry) {
        self.0.insert(entry.key(), entry);
    }

    pub(super) fn holds(&self, key: Key) -> bool {
        self.0.contains_key(&key)
    }

    pub(super) fn get(&self, key: Key) -> Option<&Entry> {
        self.0.get(&key)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Entry> {
        self.0.remove(&key)
    }

    /// Takes over what the events that wait follow.
    pub(super) fn vouch<T>(&mut self, unproved: &mut BTreeMap<Key, (Entry, T)>) {
        let mut named: Vec<Key> = self.0.values().map(Entry::base).collect();
        while let Some(key) = named.pop() {
            if let Some((entry, _)) = unproved.remove(&key) {
                named.push(entry.base());
                self.hold(entry);
            }
        }
    }

    /// The chain up to the highest event above a head that links to the log, and what it follows
    /// there.
    pub(super) fn best_chain(
        &self,
        head: Head,
        is_held: impl Fn(Key) -> bool,
    ) -> Option<(Key, Vec<Key>)> {
        let mut loose = BTreeSet::new();
        let mut above = self.0.range((head, Link::LAST)..).rev();
        above.find_map(|(key, _)| self.chain_to(*key, &is_held, &mut loose))
    }

    /// The chain up to an event; without one, all of what there is of it is put to what is `loose`.
    fn chain_to(
        &self,
        key: Key,
        is_held: impl Fn(Key) -> bool,
        loose: &mut BTreeSet<Key>,
    ) -> Option<(Key, Vec<Key>)> {
        let mut chain = vec![];
        let mut at = key;
        while at.0 != Head::NONE && !is_held(at) {
            let entry = self.get(at).filter(|_| !loose.contains(&at));
            let Some(entry) = entry else {
                loose.extend(chain);
                return None;
            };
            chain.push(at);
            // Strictly falls, see `SignedEvent::read`.
            at = entry.base();
        }
        chain.reverse();
        Some((at, chain))
    }

    /// Bounds what waits, in number and in bytes; the lowest go first.
    pub(super) fn forget_surplus(&mut self) {
        let size = |entry: &Entry| entry.signed.bytes.len();
        let mut total: usize = self.0.values().map(size).sum();
        while self.0.len() > MAX_WAITING || total > MAX_BYTES {
            let Some((_, entry)) = self.0.pop_first() else {
                return;
            };
            total -= size(&entry);
        }
    }
}
