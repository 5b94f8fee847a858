//! The rider's own workouts: the collection of this page, and its storage in the browser.

pub mod link;

use core::time::Duration;

use leptos::{prelude::*, task::spawn_local, web_sys::File};
use ride::{
    collection::{Collection, CollectionFull},
    formats::{self, FileError, Format, Remark, library_file},
    rider::Ftp,
    workout::Workout,
};

use crate::browser::{clock, files, storage, workouts};

/// Longest time for which the page waits for the stored workouts.
const MAX_WAIT: Duration = Duration::from_secs(3);

/// Result of importing one file.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportResult {
    /// Number of the result on this page.
    pub number: usize,
    /// Name of the file.
    pub file: String,
    /// What became of it.
    pub outcome: ImportOutcome,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportOutcome {
    /// A workout with this name was added.
    Added(String, Vec<Remark>),
    /// A library was added: number of workouts that could be read, and of all.
    Library(usize, usize),
    /// The browser could not read the file.
    Unreadable,
    /// It holds no workout.
    Invalid(FileError),
    /// There is no room for more workouts.
    Full,
}

/// The own workouts, as signals. A copy refers to the same.
#[derive(Clone, Copy)]
pub struct OwnWorkouts {
    /// The collection; empty until it is loaded.
    pub collection: RwSignal<Collection>,
    /// True once the browser has answered.
    pub is_loaded: RwSignal<bool>,
    /// True while the browser does not store changes, or could not read what it stored.
    pub is_failing: RwSignal<bool>,
    /// True once there was no room for a workout, until one is deleted.
    pub is_full: RwSignal<bool>,
    /// Results of the newest import, in the order of the files.
    pub results: RwSignal<Vec<ImportResult>>,
}

impl OwnWorkouts {
    /// Reads the own workouts.
    pub fn load() -> Self {
        let own = Self {
            collection: RwSignal::new(Collection::default()),
            is_loaded: RwSignal::new(false),
            is_failing: RwSignal::new(false),
            is_full: RwSignal::new(false),
            results: RwSignal::new(Vec::new()),
        };
        Effect::new(move || {
            spawn_local(async move {
                let stored = workouts::load().await;
                let _ = own.is_failing.try_set(stored.is_err());
                let stored = stored.unwrap_or_default();
                let loaded = Collection::from_stored(stored.iter().map(Vec::as_slice));
                let _ = own
                    .collection
                    .try_update(|collection| collection.merge(loaded));
                let _ = own.is_loaded.try_set(true);
            });
            // A database may never answer. What it answers later is added.
            spawn_local(async move {
                clock::sleep(MAX_WAIT).await;
                if own.is_loaded.try_get_untracked() == Some(false) {
                    let _ = own.is_failing.try_set(true);
                    let _ = own.is_loaded.try_set(true);
                }
            });
        });
        own
    }

    /// Adds a workout and returns its number.
    ///
    /// # Errors
    /// [`CollectionFull`] if there is no room.
    pub fn keep(self, workout: Workout) -> Result<u64, CollectionFull> {
        let now = clock::wall_time().unix_ms();
        let added = self
            .collection
            .try_update(|collection| collection.add(workout, now));
        let id = self.note_room(added)?;
        self.store(vec![id]);
        Ok(id)
    }

    /// Adds a workout that is about to be changed, also one that is there already, and returns its
    /// number.
    ///
    /// # Errors
    /// [`CollectionFull`] if there is no room.
    pub fn keep_new(self, workout: Workout) -> Result<u64, CollectionFull> {
        let now = clock::wall_time().unix_ms();
        let added = self
            .collection
            .try_update(|collection| collection.add_new(workout, now));
        let id = self.note_room(added)?;
        self.store(vec![id]);
        Ok(id)
    }

    /// Notes whether there was room. A page that is gone has none.
    fn note_room(self, added: Option<Result<u64, CollectionFull>>) -> Result<u64, CollectionFull> {
        let added = added.unwrap_or(Err(CollectionFull));
        let _ = self.is_full.try_set(added.is_err());
        added
    }

    /// Replaces a workout.
    pub fn replace(self, id: u64, workout: Workout) {
        self.change(|collection| collection.replace(id, workout));
    }

    /// Marks a workout as a favourite, or takes the mark away.
    pub fn set_favourite(self, id: u64, is_favourite: bool) {
        self.change(|collection| collection.set_favourite(id, is_favourite));
    }

    /// Sets the tags of a workout, from a text with commas between them.
    pub fn set_tags(self, id: u64, tags: &str) {
        self.change(|collection| collection.set_tags(id, tags.split(',')));
    }

    /// Deletes a workout.
    pub fn delete(self, id: u64) {
        self.is_full.set(false);
        if self
            .collection
            .try_update(|all| all.delete(id))
            .flatten()
            .is_some()
        {
            self.watch(async move { workouts::delete(id).await });
        }
    }

    /// Restores the workout that was deleted last.
    pub fn restore(self) {
        self.change(Collection::restore);
    }

    /// Saves a workout as a file.
    pub fn export(workout: &Workout, format: Format) {
        let text = formats::write(workout, format, own_ftp());
        let name = file_name(workout.name(), format.extension());
        // A browser that refuses a download says so itself.
        let _ = files::save(&name, "application/octet-stream", text.as_bytes());
    }

    /// Saves the whole library as a file.
    pub fn export_library(self) {
        let text = self.collection.with_untracked(library_file::write);
        let _ = files::save(
            "gruppetto-library.json",
            "application/json",
            text.as_bytes(),
        );
    }

    /// Imports files, one after the other.
    pub fn import(self, chosen: Vec<File>) {
        self.results.set(Vec::new());
        spawn_local(async move {
            for (number, file) in chosen.into_iter().enumerate() {
                let outcome = self.import_one(&file).await;
                let (file, results) = (file.name(), self.results);
                let result = ImportResult {
                    number,
                    file,
                    outcome,
                };
                if results.try_update(|results| results.push(result)).is_none() {
                    return;
                }
            }
        });
    }

    async fn import_one(self, file: &File) -> ImportOutcome {
        if file.size() > library_file::MAX_LIBRARY_BYTES as f64 {
            let bytes = file.size() as usize;
            return ImportOutcome::Invalid(FileError::TooLarge { bytes });
        }
        let Some(bytes) = files::read(file).await else {
            return ImportOutcome::Unreadable;
        };
        let ftp = own_ftp();
        if let Some(items) = library_file::parse(&bytes, ftp) {
            return self.import_library(items);
        }
        match formats::read(&bytes, &file.name(), ftp) {
            Ok(imported) => {
                let name = imported.workout.name().to_owned();
                match self.keep(imported.workout) {
                    Ok(_) => ImportOutcome::Added(name, imported.remarks),
                    Err(CollectionFull) => ImportOutcome::Full,
                }
            }
            Err(error) => ImportOutcome::Invalid(error),
        }
    }

    fn import_library(self, items: Vec<library_file::LibraryItem>) -> ImportOutcome {
        let count = items.len();
        let now = clock::wall_time().unix_ms();
        let added = self.collection.try_update(|collection| {
            let mut added = Vec::new();
            // The newest comes first in the file, and last into the collection.
            for item in items.into_iter().rev() {
                let Ok(imported) = item.workout else { continue };
                let Ok(id) = collection.add(imported.workout, now) else {
                    break;
                };
                collection.set_favourite(id, item.is_favourite);
                collection.set_tags(id, item.tags.iter().map(String::as_str));
                added.push(id);
            }
            added
        });
        let added = added.unwrap_or_default();
        let readable = added.len();
        self.store(added);
        ImportOutcome::Library(readable, count)
    }

    fn change(self, change: impl FnOnce(&mut Collection) -> Option<u64>) {
        if let Some(id) = self.collection.try_update(change).flatten() {
            self.store(vec![id]);
        }
    }

    fn store(self, ids: Vec<u64>) {
        let encoded = self.collection.with_untracked(|collection| {
            let entry = |id: u64| Some((id, collection.encode(id)?));
            ids.into_iter().filter_map(entry).collect::<Vec<_>>()
        });
        self.watch(async move { workouts::put(&encoded).await });
    }

    /// Notes whether a change was stored.
    fn watch<E>(self, write: impl Future<Output = Result<(), E>> + 'static) {
        spawn_local(async move {
            let is_failing = write.await.is_err();
            let _ = self.is_failing.try_set(is_failing);
        });
    }
}

/// FTP of the rider as last entered.
fn own_ftp() -> Ftp {
    let profile = storage::profile();
    let ftp = profile.and_then(|profile| Ftp::new(profile.ftp).ok());
    ftp.unwrap_or_default()
}

/// Name of a file for a workout: letters, digits and hyphens.
fn file_name(workout: &str, extension: &str) -> String {
    let words = workout.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let name = words.join("-");
    let name = if name.is_empty() { "workout" } else { &name };
    format!("{name}.{extension}")
}
