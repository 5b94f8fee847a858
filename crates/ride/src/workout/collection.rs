//! The rider's own workouts: kept, marked, deleted and restored.

use minicbor::{Decode, Encode};

use super::Workout;
use crate::text::clean;

/// Largest number of workouts.
pub const MAX_ENTRIES: usize = 2_000;
/// Largest number of tags of a workout.
pub const MAX_TAGS: usize = 10;
/// Largest length of a tag in characters.
const MAX_TAG_CHARS: usize = 30;

/// Workout that the rider has kept.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Entry {
    /// Number of the entry: the time at which it was added, so that two tabs give different ones.
    #[n(0)]
    pub id: u64,
    /// The workout.
    #[n(1)]
    pub workout: Workout,
    /// Tags, in the order in which the rider wrote them; at most [`MAX_TAGS`].
    #[n(2)]
    pub tags: Vec<String>,
    /// True if it is a favourite.
    #[n(3)]
    pub is_favourite: bool,
}

/// All own workouts, the newest first. Each method that changes an entry returns its number, so that
/// the caller stores it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collection {
    entries: Vec<Entry>,
    /// Workout that was deleted last, with its place.
    deleted: Option<(usize, Entry)>,
    next_id: u64,
}

/// The collection has [`MAX_ENTRIES`] workouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Your library has 2,000 workouts, the maximum. Delete some of them.")]
pub struct CollectionFull;

impl Collection {
    /// Collection of stored entries. Those that cannot be read are left out.
    pub fn from_stored<'a>(stored: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut entries: Vec<Entry> = stored
            .filter_map(|bytes| minicbor::decode(bytes).ok())
            .collect();
        entries.sort_by_key(|entry| core::cmp::Reverse(entry.id));
        entries.dedup_by_key(|entry| entry.id);
        entries.truncate(MAX_ENTRIES);
        let next_id = entries
            .first()
            .map_or(0, |newest| newest.id.saturating_add(1));
        Self {
            entries,
            deleted: None,
            next_id,
        }
    }

    /// Adds the entries of a collection that was stored before, keeping those that were added
    /// meanwhile.
    pub fn merge(&mut self, stored: Self) {
        let known = core::mem::take(&mut self.entries);
        let is_new = |entry: &Entry| stored.get(entry.id).is_none();
        self.entries = known.into_iter().filter(is_new).collect();
        self.next_id = self.next_id.max(stored.next_id);
        self.entries.extend(stored.entries);
        self.entries
            .sort_by_key(|entry| core::cmp::Reverse(entry.id));
    }

    /// Entries, the newest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Entry with this number.
    pub fn get(&self, id: u64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Entry as it is stored.
    pub fn encode(&self, id: u64) -> Option<Vec<u8>> {
        // Writing into a vector cannot fail.
        minicbor::to_vec(self.get(id)?).ok()
    }

    /// Adds a workout at a time in milliseconds. One that is there already is not added again.
    ///
    /// # Errors
    /// [`CollectionFull`] if there is no room.
    pub fn add(&mut self, workout: Workout, unix_ms: u64) -> Result<u64, CollectionFull> {
        match self.entries.iter().find(|entry| entry.workout == workout) {
            Some(same) => Ok(same.id),
            None => self.add_new(workout, unix_ms),
        }
    }

    /// Adds a workout, also one that is there already: it is about to be changed.
    ///
    /// # Errors
    /// [`CollectionFull`] if there is no room.
    pub fn add_new(&mut self, workout: Workout, unix_ms: u64) -> Result<u64, CollectionFull> {
        if self.entries.len() >= MAX_ENTRIES {
            return Err(CollectionFull);
        }
        let id = self.next_id.max(unix_ms);
        self.next_id = id.saturating_add(1);
        let entry = Entry {
            id,
            workout,
            tags: Vec::new(),
            is_favourite: false,
        };
        self.entries.insert(0, entry);
        Ok(id)
    }

    /// Replaces a workout, keeping its tags.
    pub fn replace(&mut self, id: u64, workout: Workout) -> Option<u64> {
        self.change(id, |entry| entry.workout = workout)
    }

    /// Marks a workout as a favourite, or takes the mark away.
    pub fn set_favourite(&mut self, id: u64, is_favourite: bool) -> Option<u64> {
        self.change(id, |entry| entry.is_favourite = is_favourite)
    }

    /// Sets the tags of a workout. Empty and repeated ones are left out, long ones are cut.
    pub fn set_tags<'a>(&mut self, id: u64, tags: impl Iterator<Item = &'a str>) -> Option<u64> {
        let mut clean_tags: Vec<String> = Vec::new();
        for tag in tags {
            let tag: String = clean(tag, false).chars().take(MAX_TAG_CHARS).collect();
            let is_new = !clean_tags
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&tag));
            if !tag.is_empty() && is_new && clean_tags.len() < MAX_TAGS {
                clean_tags.push(tag);
            }
        }
        self.change(id, |entry| entry.tags = clean_tags)
    }

    /// All tags, in alphabetical order.
    pub fn tags(&self) -> Vec<&str> {
        let tags = self.entries.iter().flat_map(|entry| &entry.tags);
        let mut tags: Vec<&str> = tags.map(String::as_str).collect();
        tags.sort_unstable();
        tags.dedup();
        tags
    }

    /// Deletes a workout, which can be restored until another one is deleted.
    pub fn delete(&mut self, id: u64) -> Option<u64> {
        let at = self.entries.iter().position(|entry| entry.id == id)?;
        self.deleted = Some((at, self.entries.remove(at)));
        Some(id)
    }

    /// Workout that was deleted last.
    pub fn deleted(&self) -> Option<&Workout> {
        self.deleted.as_ref().map(|(_, entry)| &entry.workout)
    }

    /// Restores the workout that was deleted last.
    pub fn restore(&mut self) -> Option<u64> {
        let (at, entry) = self.deleted.take()?;
        let id = entry.id;
        self.entries.insert(at.min(self.entries.len()), entry);
        Some(id)
    }

    fn change(&mut self, id: u64, change: impl FnOnce(&mut Entry)) -> Option<u64> {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id)?;
        change(entry);
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::library_file;
    use crate::library;
    use crate::rider::Ftp;

    fn collection() -> Collection {
        let mut collection = Collection::default();
        for built_in in library::all().into_iter().take(3) {
            collection.add(built_in.workout, 0).unwrap();
        }
        collection
    }

    fn names(collection: &Collection) -> Vec<&str> {
        let entries = collection.entries().iter();
        entries.map(|entry| entry.workout.name()).collect()
    }

    #[test]
    fn the_newest_workout_comes_first_and_the_same_is_kept_once() {
        let mut collection = collection();
        let before: Vec<String> = names(&collection)
            .iter()
            .map(|&name| name.to_owned())
            .collect();
        assert_eq!(before, ["Easy spin", "Opener", "Five-minute taster"]);
        let again = library::all().remove(1).workout;
        assert_eq!(collection.add(again, 50), Ok(1));
        assert_eq!(names(&collection), before);
    }

    #[test]
    fn a_deleted_workout_is_restored_to_its_place_with_its_marks() {
        let mut collection = collection();
        collection.set_favourite(1, true);
        let before = collection.clone();
        assert_eq!(collection.delete(1), Some(1));
        assert_eq!(names(&collection), ["Easy spin", "Five-minute taster"]);
        assert_eq!(collection.deleted().map(Workout::name), Some("Opener"));
        assert_eq!(collection.restore(), Some(1));
        assert_eq!(collection.entries(), before.entries());
        assert_eq!(collection.restore(), None);
    }

    #[test]
    fn tags_are_cleaned_and_listed_in_alphabetical_order() {
        let mut collection = collection();
        let long = "x".repeat(100);
        let many: Vec<String> = (0..20).map(|n| format!("tag {n}")).collect();
        collection.set_tags(
            0,
            [" base ", "", "Base", "winter", long.as_str()].into_iter(),
        );
        assert_eq!(
            collection.get(0).unwrap().tags,
            ["base", "winter", &"x".repeat(30)]
        );
        collection.set_tags(1, many.iter().map(String::as_str));
        assert_eq!(collection.get(1).unwrap().tags.len(), MAX_TAGS);
        assert!(collection.tags().is_sorted());
        assert_eq!(collection.set_tags(99, ["a"].into_iter()), None);
    }

    #[test]
    fn stored_entries_come_back_and_damaged_ones_are_left_out() {
        let mut collection = collection();
        collection.set_tags(2, ["legs"].into_iter());
        let mut stored: Vec<Vec<u8>> = (0..3).filter_map(|id| collection.encode(id)).collect();
        let loaded = Collection::from_stored(stored.iter().map(Vec::as_slice));
        assert_eq!(loaded, collection);
        stored[1].truncate(10);
        let loaded = Collection::from_stored(stored.iter().map(Vec::as_slice));
        assert_eq!(names(&loaded), ["Easy spin", "Five-minute taster"]);
    }

    #[test]
    fn what_is_added_while_the_stored_ones_are_read_is_kept() {
        let stored = collection();
        let mut current = Collection::default();
        let new = library::all().remove(7).workout;
        current.add(new.clone(), 1_000).unwrap();
        current.merge(stored);
        assert_eq!(current.entries().len(), 4);
        assert_eq!(current.entries()[0].workout, new);
        assert_eq!(current.add(library::all().remove(8).workout, 0), Ok(1_001));
    }

    #[test]
    fn a_workout_that_is_replaced_keeps_its_tags() {
        let mut collection = collection();
        collection.set_tags(1, ["mine"].into_iter());
        let other = library::all().remove(9).workout;
        assert_eq!(collection.replace(1, other.clone()), Some(1));
        let entry = collection.get(1).unwrap();
        assert_eq!(
            (&entry.workout, &*entry.tags),
            (&other, &["mine".to_owned()][..])
        );
        assert_eq!(collection.replace(99, other), None);
    }

    #[test]
    fn a_number_is_never_used_twice() {
        let mut collection = collection();
        collection.delete(2);
        let id = collection.add(library::all().remove(5).workout, 0);
        assert_eq!(id, Ok(3));
        let id = collection.add(library::all().remove(6).workout, 1_000);
        assert_eq!(id, Ok(1_000), "the time at which it was added");
    }

    #[test]
    fn the_whole_library_goes_out_and_in_again_as_one_file() {
        let mut collection = collection();
        collection.set_favourite(0, true);
        collection.set_tags(1, ["before races", "short"].into_iter());
        let file = library_file::write(&collection);
        let items = library_file::parse(file.as_bytes(), Ftp::default()).unwrap();
        let read: Vec<_> = items
            .into_iter()
            .map(|item| (item.workout.unwrap().workout, item.tags, item.is_favourite))
            .collect();
        let expected: Vec<_> = collection
            .entries()
            .iter()
            .map(|entry| {
                (
                    entry.workout.clone(),
                    entry.tags.clone(),
                    entry.is_favourite,
                )
            })
            .collect();
        assert_eq!(read, expected);
        assert_eq!(
            library_file::parse(b"{\"intervals\": []}", Ftp::default()),
            None
        );
    }

    #[test]
    fn a_library_of_millions_of_values_is_cut_at_the_limit() {
        let values = vec!["0"; 1_000_000].join(",");
        let file = format!("{{\"library\": [{values}]}}");
        let items = library_file::parse(file.as_bytes(), Ftp::default()).unwrap();
        assert_eq!(items.len(), MAX_ENTRIES);
    }

    #[test]
    fn the_newest_of_too_many_stored_workouts_are_kept() {
        let workout = library::all().remove(0).workout;
        let entry = |id| Entry {
            id,
            workout: workout.clone(),
            tags: Vec::new(),
            is_favourite: false,
        };
        let stored = (0..MAX_ENTRIES as u64 + 3).map(|id| minicbor::to_vec(entry(id)).unwrap());
        let stored: Vec<_> = stored.collect();
        let loaded = Collection::from_stored(stored.iter().map(Vec::as_slice));
        assert_eq!(loaded.entries().len(), MAX_ENTRIES);
        assert_eq!(loaded.entries()[0].id, MAX_ENTRIES as u64 + 2);
    }

    #[test]
    fn a_damaged_workout_of_a_library_costs_itself_alone() {
        let file = r#"{"library": [7, {"intervals": []}, {"name": "Good", "intervals": [{"duration": 9, "percentage": 50}]}]}"#;
        let items = library_file::parse(file.as_bytes(), Ftp::default()).unwrap();
        let are_good: Vec<bool> = items.iter().map(|item| item.workout.is_ok()).collect();
        assert_eq!(are_good, [false, false, true]);
    }
}
