//! The rider's recording in IndexedDB, in pieces, so that a reload or a crash
//! loses no more than the seconds that were not saved yet.

use std::rc::Rc;

use idb::{Database, DatabaseEvent, Factory, KeyRange, ObjectStoreParams, Query, TransactionMode};
use protocol::code::SessionCode;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;

const DATABASE: &str = "gruppetto";
const PIECES: &str = "pieces";

/// The pieces of one rider's recording of a ride, under keys
/// `{code}/{peer}/{number}`.
pub struct Recordings {
    database: Rc<Database>,
    ride: String,
    next: u32,
}

impl Recordings {
    /// Opens the pieces of a ride; `None` where the browser has no IndexedDB or
    /// forbids it, as some do in private windows.
    pub async fn open(ride: String) -> Option<Self> {
        let database = open_database().await.ok()?;
        Some(Self {
            database: Rc::new(database),
            ride,
            next: 0,
        })
    }

    /// All pieces, oldest first; what is appended later comes after them.
    /// `None` where they cannot be read, and then nothing may be appended.
    pub async fn load(&mut self) -> Option<Vec<Vec<u8>>> {
        let (last, pieces) = self.read().await.ok()?;
        self.next = last.map_or(0, |last| last + 1);
        Some(pieces)
    }

    async fn read(&self) -> Result<(Option<u32>, Vec<Vec<u8>>), idb::Error> {
        let transaction = self
            .database
            .transaction(&[PIECES], TransactionMode::ReadOnly)?;
        let store = transaction.object_store(PIECES)?;
        let keys = store.get_all_keys(Some(self.range()?), None)?.await?;
        let values = store.get_all(Some(self.range()?), None)?.await?;
        transaction.await?;
        let pieces = values
            .into_iter()
            .filter_map(|value| value.dyn_into::<js_sys::Uint8Array>().ok())
            .map(|bytes| bytes.to_vec())
            .collect();
        Ok((keys.last().and_then(number), pieces))
    }

    /// Appends a piece, in the background and in order. One that the browser
    /// cannot keep is lost to a reload, and to nothing else.
    pub fn append(&mut self, piece: Vec<u8>) {
        let key = JsValue::from(format!("{}/{:08}", self.ride, self.next));
        self.next += 1;
        let database = self.database.clone();
        spawn_local(async move {
            let _ = put(&database, &key, &piece).await;
        });
    }

    /// Removes all pieces, in the background; what is appended later stays.
    pub fn clear(&self) {
        let (database, range) = (self.database.clone(), self.range());
        spawn_local(async move {
            if let Ok(range) = range {
                let _ = remove(&database, range).await;
            }
        });
    }

    fn range(&self) -> Result<Query, idb::Error> {
        range(&self.ride)
    }
}

/// Removes what all riders of this browser have recorded of a ride, in the
/// background.
pub fn forget(code: &SessionCode) {
    let range = range(code.as_str());
    spawn_local(async move {
        if let (Ok(database), Ok(range)) = (open_database().await, range) {
            let _ = remove(&database, range).await;
            database.close();
        }
    });
}

/// Every key that starts with `{folder}/`.
fn range(folder: &str) -> Result<Query, idb::Error> {
    // '0' follows '/'.
    let from = JsValue::from(format!("{folder}/"));
    let to = JsValue::from(format!("{folder}0"));
    Ok(KeyRange::bound(&from, &to, None, Some(true))?.into())
}

/// The number at the end of a key.
fn number(key: &JsValue) -> Option<u32> {
    key.as_string()?.rsplit('/').next()?.parse().ok()
}

async fn put(database: &Database, key: &JsValue, piece: &[u8]) -> Result<(), idb::Error> {
    let transaction = database.transaction(&[PIECES], TransactionMode::ReadWrite)?;
    let store = transaction.object_store(PIECES)?;
    store.put(&js_sys::Uint8Array::from(piece).into(), Some(key))?;
    transaction.commit()?.await?;
    Ok(())
}

async fn remove(database: &Database, range: Query) -> Result<(), idb::Error> {
    let transaction = database.transaction(&[PIECES], TransactionMode::ReadWrite)?;
    let store = transaction.object_store(PIECES)?;
    store.delete(range)?.await?;
    transaction.commit()?.await?;
    Ok(())
}

async fn open_database() -> Result<Database, idb::Error> {
    let mut request = Factory::new()?.open(DATABASE, Some(1))?;
    request.on_upgrade_needed(|event| {
        // A failure here fails the opening itself.
        if let Ok(database) = event.database() {
            let _ = database.create_object_store(PIECES, ObjectStoreParams::new());
        }
    });
    request.await
}
