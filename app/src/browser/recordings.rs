//! The rider's recordings in IndexedDB.
//!
//! A ride has the name `{code}/{rider}`, or `solo/{number}`. While it is under way it is stored in
//! chunks, so that a reload or a crash loses only the seconds that were not saved yet; a finished ride
//! is stored whole. Keys of the object store, none of which can be the name of another ride:
//!
//! - `{name}/{number}`: chunks;
//! - `state/{name}`: state of the ride;
//! - `kept/{name}`: recording of a finished ride;
//! - `index/{name}`: its entry in the list of rides.
//!
//! Any operation may fail at any time: a phone closes the database of a page
//! that it suspends (`InvalidStateError`), a disk is full, a private window has
//! no database. Each operation reports its result; deciding what follows is the
//! task of the caller.
//!
//! In the browser only: [`open_database`] fails where there is no IndexedDB,
//! as during server rendering. The database connection is closed when its last
//! user is dropped.

use std::rc::Rc;

use idb::{KeyRange, ObjectStore, Query, TransactionMode};
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

use super::{
    database::{self, OpenDatabase, completed},
    js,
};

pub(super) const DATABASE: &str = "gruppetto";
/// The object store.
pub(super) const STORE: &str = "pieces";
/// Size in bytes of what [`Recordings::open`] writes to try it: more than two
/// seconds of a recording.
const TRIAL_BYTES: u32 = 4_096;
/// Prefixes of keys that are not the name of a ride.
pub(super) const PREFIXES: [&str; 3] = ["state", "kept", "index"];

/// The recording of one rider of a ride. A copy uses the same connection.
#[derive(Clone)]
pub struct Recordings {
    database: Rc<OpenDatabase>,
    name: String,
}

/// Stored chunks of a recording.
#[derive(Default)]
pub struct StoredChunks {
    /// All chunks, oldest first; that of a finished ride is the first.
    pub chunks: Vec<Vec<u8>>,
    /// Number of the next chunk.
    pub next: u32,
}

impl Recordings {
    /// Opens the recording of the ride with this name, reads it if it is needed, and
    /// tries to write. `None` if any of it fails.
    pub async fn open(name: String, reads: bool) -> Option<(Self, StoredChunks)> {
        let database = Rc::new(open_database().await.ok()?);
        let recordings = Self { database, name };
        let stored = match reads {
            true => recordings.read().await.ok()?,
            false => StoredChunks::default(),
        };
        recordings.try_writing().await.ok()?;
        Some((recordings, stored))
    }

    /// The recording of the ride with this name, in an open database.
    pub fn in_database(database: Rc<OpenDatabase>, name: String) -> Self {
        Self { database, name }
    }

    /// Name of the ride.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads all chunks.
    ///
    /// # Errors
    /// Any reason for which the browser does not read them.
    pub async fn read(&self) -> Result<StoredChunks, idb::Error> {
        let database = &self.database.0;
        let transaction = database.transaction(&[STORE], TransactionMode::ReadOnly)?;
        let store = transaction.object_store(STORE)?;
        let kept = store.get(self.key("kept"))?.await?;
        let keys = store.get_all_keys(Some(self.range()?), None)?.await?;
        let values = store.get_all(Some(self.range()?), None)?.await?;
        completed(transaction).await?;
        let last = keys.last().and_then(number);
        Ok(StoredChunks {
            chunks: kept.into_iter().chain(values).filter_map(bytes).collect(),
            next: last.map_or(0, |last| last + 1),
        })
    }

    /// Reads the state of the ride.
    ///
    /// # Errors
    /// Any reason for which the browser does not read it.
    pub async fn state(&self) -> Result<Option<Vec<u8>>, idb::Error> {
        let database = &self.database.0;
        let transaction = database.transaction(&[STORE], TransactionMode::ReadOnly)?;
        let state = transaction
            .object_store(STORE)?
            .get(self.key("state"))?
            .await?;
        Ok(state.and_then(bytes))
    }

    /// Writes something and deletes it again.
    async fn try_writing(&self) -> Result<(), idb::Error> {
        // Behind all chunks of this recording, and in its range.
        let key = JsValue::from(format!("{}/trial", self.name));
        self.write(|store| {
            store.put(&Uint8Array::new_with_length(TRIAL_BYTES), Some(&key))?;
            store.delete(Query::Key(key))?;
            Ok(())
        })
        .await
    }

    /// Stores the chunk with this number, and the state of the ride if it has changed.
    ///
    /// # Errors
    /// Any reason for which the transaction was not completed.
    pub async fn put(
        &self,
        number: u32,
        chunk: &[u8],
        state: Option<&[u8]>,
    ) -> Result<(), idb::Error> {
        let key = JsValue::from(format!("{}/{number:08}", self.name));
        self.write(|store| {
            store.put(&Uint8Array::from(chunk), Some(&key))?;
            match state {
                Some(state) => self.put_as(store, "state", state),
                None => Ok(()),
            }
        })
        .await
    }

    /// Stores the finished ride, with its state and its entry in the list of rides, in place of its
    /// chunks.
    ///
    /// # Errors
    /// Any reason for which the transaction was not completed.
    pub async fn keep(
        &self,
        recording: &[u8],
        state: &[u8],
        head: &[u8],
    ) -> Result<(), idb::Error> {
        request_persistence();
        let range = self.range()?;
        self.write(|store| {
            self.put_as(store, "kept", recording)?;
            self.put_as(store, "state", state)?;
            self.put_as(store, "index", head)?;
            store.delete(range).map(drop)
        })
        .await
    }

    /// Removes everything of the ride.
    ///
    /// # Errors
    /// Any reason for which the transaction was not completed.
    pub async fn clear(&self) -> Result<(), idb::Error> {
        let range = self.range()?;
        self.write(|store| {
            for prefix in PREFIXES {
                store.delete(self.key(prefix))?;
            }
            store.delete(range).map(drop)
        })
        .await
    }

    fn put_as(&self, store: &ObjectStore, prefix: &str, value: &[u8]) -> Result<(), idb::Error> {
        let key = JsValue::from(format!("{prefix}/{}", self.name));
        store.put(&Uint8Array::from(value), Some(&key)).map(drop)
    }

    async fn write(
        &self,
        change: impl FnOnce(&ObjectStore) -> Result<(), idb::Error>,
    ) -> Result<(), idb::Error> {
        let transaction = self
            .database
            .0
            .transaction(&[STORE], TransactionMode::ReadWrite)?;
        change(&transaction.object_store(STORE)?)?;
        completed(transaction).await
    }

    fn key(&self, prefix: &str) -> Query {
        Query::Key(JsValue::from(format!("{prefix}/{}", self.name)))
    }

    fn range(&self) -> Result<Query, idb::Error> {
        range(&self.name)
    }
}

/// Asks the browser not to delete the rides when it needs room (Storage Standard, "persist"). It may
/// refuse, or ask the rider.
fn request_persistence() {
    let Some(window) = web_sys::window() else {
        return;
    };
    // There is none outside of secure contexts.
    if let Some(storage) = js::get(&window.navigator(), "storage") {
        js::call(&storage, "persist", &[]);
    }
}

/// Range of all keys that start with `{prefix}/`.
pub(super) fn range(prefix: &str) -> Result<Query, idb::Error> {
    // '0' is the character after '/'.
    let from = JsValue::from(format!("{prefix}/"));
    let to = JsValue::from(format!("{prefix}0"));
    Ok(KeyRange::bound(&from, &to, None, Some(true))?.into())
}

/// Number of a chunk, from the end of its key.
fn number(key: &JsValue) -> Option<u32> {
    key.as_string()?.rsplit('/').next()?.parse().ok()
}

/// Bytes of a stored value.
pub(super) fn bytes(value: JsValue) -> Option<Vec<u8>> {
    let bytes = value.dyn_into::<Uint8Array>().ok()?;
    Some(bytes.to_vec())
}

/// Opens the database.
///
/// # Errors
/// Any reason for which the browser does not open it.
pub async fn open_database() -> Result<OpenDatabase, idb::Error> {
    database::open(DATABASE, STORE).await
}
