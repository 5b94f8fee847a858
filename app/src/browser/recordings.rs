//! The rider's recording in IndexedDB, stored in chunks, so that a reload or a
//! crash loses only the seconds that were not saved yet.
//!
//! In the browser only: [`Recordings::open`] returns `None` where there is no
//! IndexedDB, as during server rendering. The database connection is closed when
//! its last user is dropped.

use std::rc::Rc;

use idb::{Database, DatabaseEvent, Factory, KeyRange, ObjectStoreParams, Query, TransactionMode};
use protocol::code::SessionCode;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;

const DATABASE: &str = "gruppetto";
/// Object store of the chunks.
const CHUNKS: &str = "pieces";

/// The chunks of one rider's recording of a ride, with the keys
/// `{code}/{peer}/{number}`.
pub struct Recordings {
    database: Rc<OpenDatabase>,
    ride: String,
    next: u32,
}

/// A database connection that is closed when its last user is dropped, so that
/// writes in the background are finished before.
struct OpenDatabase(Database);

impl Drop for OpenDatabase {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Recordings {
    /// Opens the recording with the key prefix `ride`; `None` if the browser has no
    /// IndexedDB or denies access, as some do in private windows.
    pub async fn open(ride: String) -> Option<Self> {
        let database = open_database().await.ok()?;
        Some(Self {
            database: Rc::new(database),
            ride,
            next: 0,
        })
    }

    /// Loads all chunks, oldest first; chunks appended later follow them. `None`
    /// if they cannot be read; then nothing may be appended, since it would
    /// overwrite them.
    pub async fn load(&mut self) -> Option<Vec<Vec<u8>>> {
        let (last, chunks) = self.read().await.ok()?;
        self.next = last.map_or(0, |last| last + 1);
        Some(chunks)
    }

    async fn read(&self) -> Result<(Option<u32>, Vec<Vec<u8>>), idb::Error> {
        let transaction = self
            .database
            .0
            .transaction(&[CHUNKS], TransactionMode::ReadOnly)?;
        let store = transaction.object_store(CHUNKS)?;
        let keys = store.get_all_keys(Some(self.range()?), None)?.await?;
        let values = store.get_all(Some(self.range()?), None)?.await?;
        transaction.await?;
        let chunks = values
            .into_iter()
            .filter_map(|value| value.dyn_into::<js_sys::Uint8Array>().ok())
            .map(|bytes| bytes.to_vec())
            .collect();
        Ok((keys.last().and_then(number), chunks))
    }

    /// Appends a chunk, in the background and in order. If the browser cannot store
    /// it, these seconds are missing after a reload.
    pub fn append(&mut self, chunk: Vec<u8>) {
        let key = JsValue::from(format!("{}/{:08}", self.ride, self.next));
        self.next += 1;
        let database = self.database.clone();
        spawn_local(async move {
            let _ = put_chunk(&database.0, &key, &chunk).await;
        });
    }

    /// Removes all chunks stored so far, in the background.
    pub fn clear(&self) {
        let (database, range) = (self.database.clone(), self.range());
        spawn_local(async move {
            if let Ok(range) = range {
                let _ = remove(&database.0, range).await;
            }
        });
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

async fn put_chunk(database: &Database, key: &JsValue, chunk: &[u8]) -> Result<(), idb::Error> {
    let transaction = database.transaction(&[CHUNKS], TransactionMode::ReadWrite)?;
    let store = transaction.object_store(CHUNKS)?;
    store.put(&js_sys::Uint8Array::from(chunk).into(), Some(key))?;
    transaction.commit()?.await?;
    Ok(())
}

async fn remove(database: &Database, range: Query) -> Result<(), idb::Error> {
    let transaction = database.transaction(&[CHUNKS], TransactionMode::ReadWrite)?;
    let store = transaction.object_store(CHUNKS)?;
    store.delete(range)?.await?;
    transaction.commit()?.await?;
    Ok(())
}

async fn open_database() -> Result<OpenDatabase, idb::Error> {
    let mut request = Factory::new()?.open(DATABASE, Some(1))?;
    request.on_upgrade_needed(|event| {
        // If this fails, so does opening the database.
        if let Ok(database) = event.database() {
            let _ = database.create_object_store(CHUNKS, ObjectStoreParams::new());
        }
    });
    request.await.map(OpenDatabase)
}
