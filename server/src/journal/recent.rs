use std::collections::{BTreeMap, HashMap};

use super::Tag;

/// The newest records of one kind, with their expiry in Unix seconds.
#[derive(Debug)]
pub(super) struct Recent {
    limit: usize,
    by_tag: HashMap<Tag, Record>,
    /// Tags by the sequence numbers of their records.
    by_age: BTreeMap<u64, Tag>,
    next: u64,
}

#[derive(Debug)]
struct Record {
    sequence: u64,
    expires: u64,
}

impl Recent {
    /// No records, and a maximum number of them.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            by_tag: HashMap::new(),
            by_age: BTreeMap::new(),
            next: 0,
        }
    }

    pub(super) fn contains(&self, tag: &Tag) -> bool {
        self.by_tag.contains_key(tag)
    }

    /// Adds a record as the newest one. At the maximum, the oldest one is dropped.
    pub(super) fn insert(&mut self, tag: Tag, expires: u64) {
        self.remove(&tag);
        let sequence = self.next;
        self.next += 1;
        self.by_tag.insert(tag, Record { sequence, expires });
        self.by_age.insert(sequence, tag);
        if self.by_age.len() > self.limit
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.by_tag.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, tag: &Tag) {
        if let Some(record) = self.by_tag.remove(tag) {
            self.by_age.remove(&record.sequence);
        }
    }

    /// Postpones the expiry of all records that would expire earlier.
    pub(super) fn keep_until(&mut self, expires: u64) {
        for record in self.by_tag.values_mut() {
            record.expires = record.expires.max(expires);
        }
    }

    pub(super) fn oldest_first(&self) -> impl Iterator<Item = (Tag, u64)> {
        let tags = self.by_age.values();
        tags.filter_map(|tag| Some((*tag, self.by_tag.get(tag)?.expires)))
    }
}
