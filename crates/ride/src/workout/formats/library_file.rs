//! File with all workouts of a rider: JSON with the workouts in the format of single files, each with
//! its tags and whether it is a favourite.

use core::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::json;
use serde_json::value::RawValue;

use super::{FileError, Imported, MAX_FILE_BYTES, Place, json, read};
use crate::rider::Ftp;
use crate::workout::collection::{Collection, MAX_ENTRIES};

/// Largest file in bytes: every workout with as much text as it may have would not fit, but
/// thousands of ordinary ones do.
pub const MAX_LIBRARY_BYTES: usize = 32 * MAX_FILE_BYTES;

/// Workout of a library.
#[derive(Clone, Debug, PartialEq)]
pub struct LibraryItem {
    /// The workout, or the reason why it cannot be read.
    pub workout: Result<Imported, FileError>,
    /// Tags of the rider.
    pub tags: Vec<String>,
    /// True if it is a favourite.
    pub is_favourite: bool,
}

#[derive(Deserialize)]
struct LibraryFile<'a> {
    #[serde(borrow)]
    library: Items<'a>,
}

/// The first [`MAX_ENTRIES`] values of a list. A file with millions of them costs no more memory.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of workouts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items<'de>, A::Error> {
        let mut items = Vec::new();
        while items.len() < MAX_ENTRIES {
            match list.next_element()? {
                Some(item) => items.push(item),
                None => return Ok(Items(items)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Items(items))
    }
}

#[derive(Deserialize)]
struct Marks {
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    favourite: bool,
}

/// Writes all workouts of a collection.
pub fn write(collection: &Collection) -> String {
    let items = collection.entries().iter().map(|entry| {
        let mut item = json::object(&entry.workout);
        item["tags"] = json!(entry.tags);
        item["favourite"] = entry.is_favourite.into();
        item
    });
    let file = json!({ "library": items.collect::<Vec<_>>() });
    format!("{file:#}\n")
}

/// Reads a library; `None` for a file that is not one. Workouts above the number that a collection
/// holds are left out.
pub fn parse(bytes: &[u8], ftp: Ftp) -> Option<Vec<LibraryItem>> {
    let text = core::str::from_utf8(bytes).ok()?;
    let file: LibraryFile<'_> = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let items = file.library.0.into_iter().map(|item| {
        let marks = serde_json::from_str(item.get());
        let marks = marks.unwrap_or(Marks {
            tags: Vec::new(),
            favourite: false,
        });
        let workout = match item.get().starts_with('{') {
            true => read(item.get().as_bytes(), "workout.json", ftp),
            false => Err(FileError::InvalidJson {
                place: Place::at(text, item.get().as_ptr() as usize - text.as_ptr() as usize),
            }),
        };
        LibraryItem {
            workout,
            tags: marks.tags,
            is_favourite: marks.favourite,
        }
    });
    Some(items.collect())
}
