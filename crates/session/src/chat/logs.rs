//! Logs of signed entries, of this rider and of others.
//!
//! A log is a set of numbered entries. New entries are delivered in the order of their numbers; one
//! that arrives before its predecessor waits for it for a while. Older entries, from the history of
//! another rider, are inserted where they are missing.

use clock::{Duration, GroupTime, Moment};
use litemap::LiteMap;
use protocol::peer::PeerId;
use ride::chat::{Content, Entry, EntryId, LogRanges, MAX_LOGS, MAX_RANGES, SignedEntry};

use super::MAX_MESSAGES;

/// Largest number of logs of one author: page loads in which it wrote to the group or to this rider.
const MAX_LOGS_OF_AUTHOR: usize = 64;
/// Largest number of logs whose authors' keys are not known from the server.
const MAX_UNVERIFIED_LOGS: usize = 16;
/// Largest number of entries of one author that wait for their predecessors.
const MAX_WAITING: usize = 64;
/// Time for which an entry waits for its predecessor, and for which it does in a log of which nothing
/// is known.
const MAX_WAIT: Duration = Duration::from_secs(20);
const MAX_FIRST_WAIT: Duration = Duration::from_secs(4);
/// Largest number of entries of a log in [`RATE_WINDOW`], by their signed times. Senders stay below it.
pub(super) const MAX_RATE: u32 = 40;
/// Window of [`MAX_RATE`].
pub(super) const RATE_WINDOW: Duration = Duration::from_secs(2);
/// Largest number of messages of riders whose keys are not known from the server.
const MAX_UNVERIFIED_MESSAGES: usize = 100;
/// Largest numbers of entries, and of their bytes: of the group, of the group without a verified
/// author, and of private tabs (entries of one tab, bytes of all).
const MAX_ENTRIES: usize = 2_000;
const MAX_BYTES: usize = 560 * 1024;
const MAX_UNVERIFIED_ENTRIES: usize = 300;
const MAX_UNVERIFIED_BYTES: usize = 128 * 1024;
const MAX_PRIVATE_ENTRIES: usize = 1_000;
const MAX_PRIVATE_BYTES: usize = 256 * 1024;

/// Author and number of a log.
pub(super) type LogKey = (PeerId, u32);

/// Reason why an entry has no effect here, and is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Withheld {
    /// It arrived while the chat was off. It counts when the chat is on again.
    WhileOff,
    /// It arrived so late that its time cannot be right.
    Late,
}

/// Entry that is held.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) at: GroupTime,
    pub(super) content: Option<Content>,
    pub(super) signed: SignedEntry,
    pub(super) withheld: Option<Withheld>,
}

impl Held {
    fn is_message(&self) -> bool {
        matches!(self.content, Some(Content::Text(_)))
    }

    /// True for what a former host has decided, by a message that came late from itself: other riders
    /// may know that it was in time.
    fn is_doubted(&self) -> bool {
        let is_hosts = matches!(
            self.content,
            Some(Content::Remove(..) | Content::Switch(..))
        );
        is_hosts && self.withheld == Some(Withheld::Late)
    }

    /// Bytes in memory, about.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        let text = match &self.content {
            Some(Content::Text(text) | Content::Edit(_, text)) => text.len(),
            _ => 0,
        };
        size_of::<Self>() + self.signed.bytes.capacity() + text
    }
}

/// One log.
#[derive(Clone, Debug)]
pub(super) struct Log {
    /// Receiver of a private log.
    pub(super) to: Option<PeerId>,
    /// True if the author's key is from the server.
    pub(super) is_verified: bool,
    entries: LiteMap<u32, Held>,
    /// Number that is delivered next; all below have been, or are not expected any more.
    next: u32,
    /// Entries below this number were dropped because there are newer ones.
    floor: u32,
    waiting: LiteMap<u32, Held>,
    wait_ends: Option<Moment>,
    /// Number up to which messages were shown.
    pub(super) read: u32,
    /// True if the author is to be sent a receipt.
    pub(super) owes_receipt: bool,
    messages: usize,
    bytes: usize,
}

impl Log {
    fn new(to: Option<PeerId>, is_verified: bool) -> Self {
        Self {
            to,
            is_verified,
            entries: LiteMap::new(),
            next: 1,
            floor: 1,
            waiting: LiteMap::new(),
            wait_ends: None,
            read: 0,
            owes_receipt: false,
            messages: 0,
            bytes: 0,
        }
    }

    pub(super) fn entry(&self, number: u32) -> Option<&Held> {
        self.entries.get(&number)
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = (u32, &Held)> {
        self.entries.iter().map(|(number, held)| (*number, held))
    }

    /// Highest number; 0 for none.
    pub(super) fn last(&self) -> u32 {
        self.entries.last().map_or(0, |(number, _)| *number)
    }

    pub(super) fn last_at(&self) -> Option<GroupTime> {
        self.entries.last().map(|(_, held)| held.at)
    }

    /// Number for the next own entry.
    pub(super) const fn next(&self) -> u32 {
        self.next
    }

    /// Highest number of an entry that is not withheld; 0 for none.
    pub(super) fn last_shown(&self) -> u32 {
        let mut newest = self.entries.iter().rev();
        let shown = newest.find(|(_, held)| held.withheld.is_none());
        shown.map_or(0, |(number, _)| *number)
    }

    /// First and last number of the newest entries without a gap.
    pub(super) fn newest_range(&self) -> Option<(u32, u32)> {
        let last = self.entries.last().map(|(number, _)| *number)?;
        let mut first = last;
        for (number, _) in self.entries.iter().rev().skip(1) {
            if *number + 1 != first {
                break;
            }
            first = *number;
        }
        Some((if first == self.floor { 1 } else { first }, last))
    }

    fn holds(&self, number: u32) -> bool {
        number < self.floor
            || self.entries.contains_key(&number)
            || self.waiting.contains_key(&number)
    }

    /// Ranges of the numbers that are not wanted from others: the newest, at most [`MAX_RANGES`].
    fn ranges(&self) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        if self.floor > 1 {
            ranges.push((1, self.floor - 1));
        }
        let held = self.entries.iter().filter(|(_, held)| !held.is_doubted());
        for (number, _) in held.chain(self.waiting.iter()) {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
                _ => ranges.push((*number, *number)),
            }
        }
        if ranges.len() > MAX_RANGES {
            ranges.drain(..ranges.len() - MAX_RANGES);
            ranges[0].0 = 1;
        }
        ranges
    }

    /// Tells whether the times of a log stay in order, and its entries below [`MAX_RATE`], with an
    /// entry of a number.
    fn is_in_time(&self, number: u32, at: GroupTime) -> bool {
        let place = match self.entries.find_index(&number) {
            Ok(place) | Err(place) => place,
        };
        let before = place
            .checked_sub(1)
            .and_then(|place| self.entries.get_indexed(place));
        let after = self.entries.get_indexed(place);
        let window = |from: GroupTime, to: GroupTime| to >= from.after(RATE_WINDOW);
        let far = MAX_RATE as usize;
        let earlier = place
            .checked_sub(far)
            .and_then(|place| self.entries.get_indexed(place));
        let later = self.entries.get_indexed(place + far - 1);
        before.is_none_or(|(_, held)| held.at <= at)
            && after.is_none_or(|(_, held)| at <= held.at)
            && earlier.is_none_or(|(_, held)| window(held.at, at))
            && later.is_none_or(|(_, held)| window(at, held.at))
    }

    /// Earliest time that the next own entry may have.
    pub(super) fn earliest_next(&self) -> Option<GroupTime> {
        let place = self.entries.len().checked_sub(MAX_RATE as usize);
        let limited = place.and_then(|place| self.entries.get_indexed(place));
        let limited = limited.map(|(_, held)| held.at.after(RATE_WINDOW));
        self.last_at().max(limited)
    }

    fn put(&mut self, number: u32, held: Held) {
        self.messages += usize::from(held.is_message());
        self.bytes += held.signed.size();
        self.entries.insert(number, held);
        self.next = self.next.max(number.saturating_add(1));
    }

    fn drop_first(&mut self) -> Option<u32> {
        let (number, _) = self.entries.first()?;
        let number = *number;
        let held = self.entries.remove(&number)?;
        self.messages -= usize::from(held.is_message());
        self.bytes -= held.signed.size();
        self.floor = number.saturating_add(1);
        Some(number)
    }

    /// Delivers those waiting entries whose predecessors are there, and all up to number `upto`.
    fn release(&mut self, upto: u32, delivered: &mut Vec<u32>) {
        while let Some((number, _)) = self.waiting.first() {
            let number = *number;
            if number > self.next.max(upto) {
                break;
            }
            if let Some(held) = self.waiting.remove(&number)
                && self.is_in_time(number, held.at)
            {
                self.put(number, held);
                delivered.push(number);
            }
        }
        if self.waiting.is_empty() {
            self.wait_ends = None;
        }
    }
}

/// Result of inserting an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is inserted, with others that waited for it.
    Delivered(Vec<EntryId>),
    /// It waits for its predecessor.
    Waits,
    /// Too many entries wait. It will be sent again.
    Full,
    /// It contradicts other entries, or there is no room for it.
    Refused,
}

/// All logs of a chat.
#[derive(Clone, Debug, Default)]
pub(super) struct Logs {
    logs: LiteMap<LogKey, Log>,
}

impl Logs {
    pub(super) fn log(&self, author: &PeerId, log: u32) -> Option<&Log> {
        self.logs.get(&(author.clone(), log))
    }

    pub(super) fn log_mut(&mut self, author: &PeerId, log: u32) -> Option<&mut Log> {
        self.logs.get_mut(&(author.clone(), log))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&LogKey, &Log)> {
        self.logs.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&LogKey, &mut Log)> {
        self.logs.iter_mut()
    }

    pub(super) fn entry(&self, id: &EntryId) -> Option<&Held> {
        self.log(&id.author, id.log)?.entry(id.number)
    }

    /// Receiver of a private entry.
    pub(super) fn receiver(&self, id: &EntryId) -> Option<&PeerId> {
        self.log(&id.author, id.log)?.to.as_ref()
    }

    /// Tells whether an entry is held, or was dropped.
    pub(super) fn holds(&self, id: &EntryId) -> bool {
        let log = self.log(&id.author, id.log);
        log.is_some_and(|log| log.holds(id.number))
    }

    /// Tells whether nothing of a log is known.
    pub(super) fn is_new(&self, id: &EntryId) -> bool {
        let log = self.log(&id.author, id.log);
        log.is_none_or(|log| log.next == 1)
    }

    /// Tells whether an entry contradicts those of earlier page loads of its author: they are older.
    pub(super) fn is_before_earlier_load(
        &self,
        id: &EntryId,
        at: GroupTime,
        tolerance: Duration,
    ) -> bool {
        let is_earlier =
            |(author, log): &LogKey| *author == id.author && log >> 8 < id.incarnation();
        let mut earlier = self.logs.iter().filter(|(key, _)| is_earlier(key));
        earlier.any(|(_, log)| log.last_at().is_some_and(|last| last > at.after(tolerance)))
    }

    /// Lets a decision of a former host count that another rider vouches for. Returns its content if it
    /// was withheld.
    pub(super) fn vouch(&mut self, id: &EntryId, signed: &SignedEntry) -> Option<Content> {
        let log = self.log_mut(&id.author, id.log)?;
        let held = log.entries.get_mut(&id.number);
        let held = held.filter(|held| held.is_doubted() && held.signed == *signed)?;
        held.withheld = None;
        held.content.clone()
    }

    /// Lets the entries count that have arrived while the chat was off.
    pub(super) fn end_off(&mut self) {
        for (_, log) in self.logs.iter_mut() {
            for (_, held) in log.entries.iter_mut().chain(log.waiting.iter_mut()) {
                held.withheld = held.withheld.filter(|why| *why != Withheld::WhileOff);
            }
        }
    }

    /// Inserts an entry whose signature is right. With `in_order` it waits for its predecessor.
    pub(super) fn insert(
        &mut self,
        now: Moment,
        entry: Entry,
        signed: SignedEntry,
        is_verified: bool,
        in_order: bool,
        withheld: Option<Withheld>,
    ) -> Outcome {
        let Entry {
            id,
            at,
            content,
            to,
        } = entry;
        let key = (id.author.clone(), id.log);
        if !self.logs.contains_key(&key) && !self.make_room(&id, to.as_ref(), is_verified) {
            return Outcome::Refused;
        }
        let of_author = self
            .logs
            .iter()
            .filter(|((author, _), _)| *author == id.author);
        let waiting: usize = of_author.map(|(_, log)| log.waiting.len()).sum();
        let log = self.logs.entry(key);
        let log = log.or_insert_with(|| Log::new(to.clone(), is_verified));
        if log.to != to || log.holds(id.number) || !log.is_in_time(id.number, at) {
            return Outcome::Refused;
        }
        let held = Held {
            at,
            content,
            signed,
            withheld,
        };
        if in_order && id.number > log.next {
            if waiting >= MAX_WAITING {
                return Outcome::Full;
            }
            let wait = if log.next == 1 {
                MAX_FIRST_WAIT
            } else {
                MAX_WAIT
            };
            log.wait_ends.get_or_insert(now + wait);
            log.waiting.insert(id.number, held);
            return Outcome::Waits;
        }
        let mut delivered = Vec::new();
        log.release(id.number, &mut delivered);
        log.put(id.number, held);
        delivered.push(id.number);
        log.release(0, &mut delivered);
        Outcome::Delivered(with_ids(&id, delivered))
    }

    /// Makes room for a new log. Returns false if there is none for it.
    fn make_room(&mut self, id: &EntryId, to: Option<&PeerId>, is_verified: bool) -> bool {
        let of_author = |logs: &LiteMap<LogKey, Log>| {
            let mut keys = logs.keys().filter(|(author, _)| *author == id.author);
            (keys.clone().count(), keys.next().cloned())
        };
        // One private log in each page load for each receiver.
        let is_double = |((author, log), one): (&LogKey, &Log)| {
            *author == id.author && log >> 8 == id.incarnation() && one.to.as_ref() == to
        };
        if to.is_some() && self.logs.iter().any(is_double) {
            return false;
        }
        let unverified = self.logs.values().filter(|log| !log.is_verified).count();
        if !is_verified && unverified >= MAX_UNVERIFIED_LOGS {
            return false;
        }
        if let (MAX_LOGS_OF_AUTHOR.., Some(oldest)) = of_author(&self.logs) {
            // Its entries stay out: a log that is older than all is not made again.
            let is_empty = self
                .logs
                .get(&oldest)
                .is_some_and(|log| log.entries.is_empty());
            if oldest.1 >= id.log || !is_empty {
                return false;
            }
            self.logs.remove(&oldest);
        }
        if self.logs.len() >= MAX_LOGS {
            let empty = self.logs.iter().find(|(_, log)| log.entries.is_empty());
            let Some(key) = empty.map(|(key, _)| key.clone()) else {
                return false;
            };
            self.logs.remove(&key);
        }
        true
    }

    /// Delivers entries that have waited long enough for their predecessors, and all of an author who
    /// has no others.
    pub(super) fn release(&mut self, now: Moment, complete: Option<&PeerId>) -> Vec<EntryId> {
        let mut ids = Vec::new();
        for ((author, log), one) in self.logs.iter_mut() {
            let is_over = one.wait_ends.is_some_and(|end| end <= now);
            if is_over || complete == Some(author) {
                let mut delivered = Vec::new();
                one.release(u32::MAX, &mut delivered);
                let id = EntryId {
                    author: author.clone(),
                    log: *log,
                    number: 0,
                };
                ids.extend(with_ids(&id, delivered));
            }
        }
        ids
    }

    /// Moment at which the first waiting entry has waited long enough.
    pub(super) fn timeout(&self) -> Option<Moment> {
        self.logs.values().filter_map(|log| log.wait_ends).min()
    }

    /// Time of the oldest entry.
    pub(super) fn oldest(&self) -> Option<GroupTime> {
        let firsts = self.logs.values().filter_map(|log| log.entries.first());
        firsts.map(|(_, held)| held.at).min()
    }

    /// Drops entries that have reached an age, and returns their ids with their contents.
    pub(super) fn expire(&mut self, now: GroupTime, age: Duration) -> Vec<(EntryId, Held)> {
        let mut dropped = Vec::new();
        while self.oldest().is_some_and(|oldest| now.since(oldest) >= age)
            && let Some(one) = self.drop_oldest(|_, _| true)
        {
            dropped.push(one);
        }
        dropped
    }

    /// Drops entries beyond the bounds, and returns their ids with their contents: of the author who
    /// has the most the oldest, so that nobody can push out the messages of others.
    pub(super) fn trim(&mut self, me: &PeerId) -> Vec<(EntryId, Held)> {
        let mut dropped = Vec::new();
        loop {
            let [verified, unverified] = [true, false].map(|is_verified| {
                self.sum(|log| log.to.is_none() && log.is_verified == is_verified)
            });
            let is_verified = if verified.exceeds(MAX_MESSAGES, MAX_ENTRIES, MAX_BYTES) {
                true
            } else {
                let room = MAX_MESSAGES.saturating_sub(verified.messages);
                let room = room.min(MAX_UNVERIFIED_MESSAGES);
                if !unverified.exceeds(room, MAX_UNVERIFIED_ENTRIES, MAX_UNVERIFIED_BYTES) {
                    break;
                }
                false
            };
            let of_class =
                |_: &LogKey, log: &Log| log.to.is_none() && log.is_verified == is_verified;
            let messages = match is_verified {
                true => verified.messages > MAX_MESSAGES,
                false => unverified.messages > 0,
            };
            let Some(one) = self.drop_of_largest(of_class, messages) else {
                break;
            };
            dropped.push(one);
        }
        while let Some(peer) = self.private_tab_to_trim(me) {
            let of_tab = |key: &LogKey, log: &Log| partner(me, key, log) == Some(&peer);
            let Some(one) = self.drop_of_largest(of_tab, true) else {
                break;
            };
            dropped.push(one);
        }
        dropped
    }

    /// Rider in whose tab an entry is to be dropped, if any is.
    fn private_tab_to_trim(&self, me: &PeerId) -> Option<PeerId> {
        let mut tabs: LiteMap<&PeerId, Size> = LiteMap::new();
        for (key, log) in self.logs.iter().filter(|(_, log)| log.to.is_some()) {
            if let Some(peer) = partner(me, key, log) {
                let size = tabs.entry(peer).or_default();
                size.add(log);
            }
        }
        let beyond = |size: &Size| size.exceeds(MAX_MESSAGES, MAX_PRIVATE_ENTRIES, usize::MAX);
        let all: usize = tabs.values().map(|size| size.bytes).sum();
        let fullest = tabs.iter().max_by_key(|(_, size)| size.bytes);
        let fullest = fullest.filter(|_| all > MAX_PRIVATE_BYTES);
        let tab = tabs.iter().find(|(_, size)| beyond(size)).or(fullest);
        tab.map(|(peer, _)| (*peer).clone())
    }

    fn sum(&self, of_class: impl Fn(&Log) -> bool) -> Size {
        let mut size = Size::default();
        for log in self.logs.values().filter(|log| of_class(log)) {
            size.add(log);
        }
        size
    }

    /// Drops the oldest entry of the author who has the most: messages, or else bytes.
    fn drop_of_largest(
        &mut self,
        of_class: impl Fn(&LogKey, &Log) -> bool,
        by_messages: bool,
    ) -> Option<(EntryId, Held)> {
        let mut authors: LiteMap<PeerId, Size> = LiteMap::new();
        for (key, log) in self.logs.iter().filter(|(key, log)| of_class(key, log)) {
            authors.entry(key.0.clone()).or_default().add(log);
        }
        let share = |size: &Size| match by_messages {
            true => (size.messages, 0),
            false => (0, size.bytes),
        };
        let largest = authors.values().map(share).max()?;
        authors.retain(|_, size| share(size) == largest);
        self.drop_oldest(|key, log| of_class(key, log) && authors.contains_key(&key.0))
    }

    fn drop_oldest(&mut self, of_class: impl Fn(&LogKey, &Log) -> bool) -> Option<(EntryId, Held)> {
        let logs = self.logs.iter().filter(|(key, log)| of_class(key, log));
        let firsts = logs.filter_map(|(key, log)| Some((log.entries.first()?, key)));
        let oldest = firsts.min_by_key(|((number, held), key)| (held.at, *key, **number));
        let (key, held) = oldest.map(|((_, held), key)| (key.clone(), held.clone()))?;
        let number = self.logs.get_mut(&key)?.drop_first()?;
        let (author, log) = key;
        let id = EntryId {
            author,
            log,
            number,
        };
        Some((id, held))
    }

    /// Drops all logs of an author whose key was not the right one.
    pub(super) fn remove_author(&mut self, author: &PeerId) {
        self.logs.retain(|(one, _), _| one != author);
    }

    /// Numbers that are held of the logs that `is_shared` with another rider, for a question to that rider.
    pub(super) fn have(&self, is_shared: impl Fn(&LogKey, &Log) -> bool) -> Vec<LogRanges> {
        let shared = self.logs.iter().filter(|(key, log)| is_shared(key, log));
        let ranges = shared.map(|((author, log), one)| LogRanges {
            author: author.clone(),
            log: *log,
            ranges: one.ranges(),
        });
        ranges.filter(|log| !log.ranges.is_empty()).collect()
    }

    /// Number of entries, those that wait included, and bytes in memory, about.
    #[cfg(test)]
    pub(super) fn memory(&self) -> (usize, usize) {
        let all = || {
            let logs = self.logs.values();
            logs.flat_map(|log| log.entries.values().chain(log.waiting.values()))
        };
        let logs = self.logs.len() * size_of::<(LogKey, Log)>();
        (all().count(), logs + all().map(Held::bytes).sum::<usize>())
    }
}

/// Rider at the other end of a private log.
pub(super) fn partner<'a>(me: &PeerId, key: &'a LogKey, log: &'a Log) -> Option<&'a PeerId> {
    let to = log.to.as_ref()?;
    Some(if key.0 == *me { to } else { &key.0 })
}

fn with_ids(id: &EntryId, numbers: Vec<u32>) -> Vec<EntryId> {
    let id = |number| EntryId {
        author: id.author.clone(),
        log: id.log,
        number,
    };
    numbers.into_iter().map(id).collect()
}

#[derive(Clone, Copy, Debug, Default)]
struct Size {
    messages: usize,
    entries: usize,
    bytes: usize,
}

impl Size {
    fn add(&mut self, log: &Log) {
        self.messages += log.messages;
        self.entries += log.entries.len();
        self.bytes += log.bytes;
    }

    const fn exceeds(self, messages: usize, entries: usize, bytes: usize) -> bool {
        self.messages > messages || self.entries > entries || self.bytes > bytes
    }
}
