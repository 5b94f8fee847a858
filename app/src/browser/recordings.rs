//! The rider's recording in IndexedDB, stored in chunks, so that a reload or a
//! crash loses only the seconds that were not saved yet.
//!
//! Any operation may fail at any time: a phone closes the database of a page
//! that it suspends (`InvalidStateError`), a disk is full, a private window has
//! no database. Each operation reports its result; deciding what follows is the
//! task of the caller.
//!
//! In the browser only: [`Recordings::open`] fails where there is no IndexedDB,
//! as during server rendering. The database connection is closed when its last
//! user is dropped.

use std::rc::Rc;

use idb::{Database, KeyRange, ObjectStore, Query, TransactionMode};
use protocol::code::SessionCode;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;

use super::database::{self, OpenDatabase, completed};

const DATABASE: &str = "gruppetto";
/// Object store of the chunks.
const CHUNKS: &str = "pieces";
/// Size in bytes of what [`Recordings::open`] writes to try it: more than two
/// seconds of a recording.
const TRIAL_BYTES: u32 = 4_096;

/// The chunks of one rider's recording of a ride, with the keys
/// `{code}/{peer}/{number}`. A copy uses the same connection.
#[derive(Clone)]
pub struct Recordings {
    database: Rc<OpenDatabase>,
    ride: String,
}

/// Stored chunks of a recording.
pub struct StoredChunks {
    /// All chunks, oldest first.
    pub chunks: Vec<Vec<u8>>,
    /// Number of the next chunk.
    pub next: u32,
}

impl Recordings {
    /// Opens the recording with the key prefix `ride`, reads it, and tries to
    /// write. `None` if any of it fails.
    pub async fn open(ride: String) -> Option<(Self, StoredChunks)> {
        let database = Rc::new(open_database().await.ok()?);
        let recordings = Self { database, ride };
        let stored = recordings.read().await.ok()?;
        recordings.try_writing().await.ok()?;
        Some((recordings, stored))
    }

    async fn read(&self) -> Result<StoredChunks, idb::Error> {
        let database = &self.database.0;
        let transaction = database.transaction(&[CHUNKS], TransactionMode::ReadOnly)?;
        let store = transaction.object_store(CHUNKS)?;
        let keys = store.get_all_keys(Some(self.range()?), None)?.await?;
        let values = store.get_all(Some(self.range()?), None)?.await?;
        completed(transaction).await?;
        let chunks = values
            .into_iter()
            .filter_map(|value| value.dyn_into::<js_sys::Uint8Array>().ok())
            .map(|bytes| bytes.to_vec())
            .collect();
        let last = keys.last().and_then(number);
        Ok(StoredChunks {
            chunks,
            next: last.map_or(0, |last| last + 1),
        })
    }

    /// Writes something and deletes it again.
    async fn try_writing(&self) -> Result<(), idb::Error> {
        // Behind all chunks of this recording, and in its range.
        let key = JsValue::from(format!("{}/trial", self.ride));
        self.write(|store| {
            store.put(
                &js_sys::Uint8Array::new_with_length(TRIAL_BYTES),
                Some(&key),
            )?;
            store.delete(Query::Key(key))?;
            Ok(())
        })
        .await
    }

    /// Stores the chunk with this number.
    ///
    /// # Errors
    /// Any reason for which the transaction was not completed.
    pub async fn put(&self, number: u32, chunk: &[u8]) -> Result<(), idb::Error> {
        let key = JsValue::from(format!("{}/{number:08}", self.ride));
        self.write(|store| {
            store.put(&js_sys::Uint8Array::from(chunk), Some(&key))?;
            Ok(())
        })
        .await
    }

    /// Removes all chunks.
    ///
    /// # Errors
    /// Any reason for which the transaction was not completed.
    pub async fn clear(&self) -> Result<(), idb::Error> {
        remove(&self.database.0, self.range()?).await
    }

    async fn write(
        &self,
        change: impl FnOnce(&ObjectStore) -> Result<(), idb::Error>,
    ) -> Result<(), idb::Error> {
        let transaction = self
            .database
            .0
            .transaction(&[CHUNKS], TransactionMode::ReadWrite)?;
        change(&transaction.object_store(CHUNKS)?)?;
        completed(transaction).await
    }

    fn range(&self) -> Result<Query, idb::Error> {
        range(&self.ride)
    }
}

/// Removes the recordings that all riders of this browser made of a ride, in the
/// background.
pub fn forget(code: &SessionCode) {
    let range = range(code.as_str());
    spawn_local(async move {
        if let (Ok(database), Ok(range)) = (open_database().await, range) {
            let _ = remove(&database.0, range).await;
        }
    });
}

/// Range of all keys that start with `{prefix}/`.
fn range(prefix: &str) -> Result<Query, idb::Error> {
    // '0' is the character after '/'.
    let from = JsValue::from(format!("{prefix}/"));
    let to = JsValue::from(format!("{prefix}0"));
    Ok(KeyRange::bound(&from, &to, None, Some(true))?.into())
}

/// Number of a chunk, from the end of its key.
fn number(key: &JsValue) -> Option<u32> {
    key.as_string()?.rsplit('/').next()?.parse().ok()
}

async fn remove(database: &Database, range: Query) -> Result<(), idb::Error> {
    let transaction = database.transaction(&[CHUNKS], TransactionMode::ReadWrite)?;
    transaction.object_store(CHUNKS)?.delete(range)?;
    completed(transaction).await
}

async fn open_database() -> Result<OpenDatabase, idb::Error> {
    database::open(DATABASE, CHUNKS).await
}
