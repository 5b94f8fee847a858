//! Valid events that are not part of the log: their predecessors are missing, or the log has a
//! higher head.

use litemap::LiteMap;

use super::{EventHash, Head, MAX_TIMELINE_BYTES, SignedEvent, TimelineError, TimelineEvent};

/// Largest number of pending events.
const MAX_PENDING: usize = 256;

/// Number and hash of an event.
pub(super) type EventKey = (Head, EventHash);

/// Decoded event, with the signed bytes it was decoded from.
#[derive(Clone, Debug)]
pub(super) struct LogEntry {
    pub(super) event: TimelineEvent,
    pub(super) signed: SignedEvent,
    pub(super) hash: EventHash,
}

impl LogEntry {
    pub(super) fn read(signed: SignedEvent) -> Result<Self, TimelineError> {
        let event = signed.read()?;
        let hash = signed.hash();
        Ok(Self {
            event,
            signed,
            hash,
        })
    }

    pub(super) fn key(&self) -> EventKey {
        (self.event.head(), self.hash)
    }

    fn predecessor(&self) -> EventKey {
        (self.event.base, self.event.base_hash)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct PendingEvents(LiteMap<EventKey, LogEntry>);

impl PendingEvents {
    pub(super) fn insert(&mut self, entry: LogEntry) {
        self.0.insert(entry.key(), entry);
    }

    pub(super) fn contains(&self, key: EventKey) -> bool {
        self.0.contains_key(&key)
    }

    pub(super) fn get(&self, key: EventKey) -> Option<&LogEntry> {
        self.0.get(&key)
    }

    pub(super) fn remove(&mut self, key: EventKey) -> Option<LogEntry> {
        self.0.remove(&key)
    }

    /// Moves the predecessors of pending events out of `unverified`: a signed event proves all
    /// events before it.
    pub(super) fn accept_predecessors(&mut self, unverified: &mut LiteMap<EventKey, LogEntry>) {
        let mut proven: Vec<EventKey> = self.0.values().map(LogEntry::predecessor).collect();
        while let Some(key) = proven.pop() {
            if let Some(entry) = unverified.remove(&key) {
                proven.push(entry.predecessor());
                self.insert(entry);
            }
        }
    }

    /// Chain of events up to the highest one above `head` that connects to the log, and the log
    /// event that the chain follows.
    pub(super) fn best_chain(
        &self,
        head: Head,
        is_in_log: impl Fn(EventKey) -> bool,
    ) -> Option<(EventKey, Vec<EventKey>)> {
        let mut unconnected = Vec::new();
        let lowest = (head, EventHash::LAST);
        let keys = self.0.iter().rev().map(|(key, _)| *key);
        let mut above = keys.take_while(|key| *key >= lowest);
        above.find_map(|key| self.chain_to(key, &is_in_log, &mut unconnected))
    }

    /// Chain of events from the log up to `key`. If a predecessor is missing, the events found so
    /// far are added to `unconnected`, so that no event is followed twice.
    fn chain_to(
        &self,
        key: EventKey,
        is_in_log: impl Fn(EventKey) -> bool,
        unconnected: &mut Vec<EventKey>,
    ) -> Option<(EventKey, Vec<EventKey>)> {
        let mut chain = vec![];
        let mut at = key;
        while at.0 != Head::NONE && !is_in_log(at) {
            let entry = self.get(at).filter(|_| !unconnected.contains(&at));
            let Some(entry) = entry else {
                unconnected.extend(chain);
                return None;
            };
            chain.push(at);
            // Strictly lower, as `SignedEvent::read` checks, so the loop ends.
            at = entry.predecessor();
        }
        chain.reverse();
        Some((at, chain))
    }

    /// Removes the lowest events above the limits of number and size.
    pub(super) fn evict_excess(&mut self) {
        let size = |entry: &LogEntry| entry.signed.bytes.len();
        let mut total: usize = self.0.values().map(size).sum();
        let mut excess = self.0.len().saturating_sub(MAX_PENDING);
        // From the lowest on.
        self.0.retain(|_, entry| {
            let is_kept = excess == 0 && total <= MAX_TIMELINE_BYTES;
            if !is_kept {
                excess = excess.saturating_sub(1);
                total -= size(entry);
            }
            is_kept
        });
    }
}
