//! The chats of rides in IndexedDB, each under its name, with the time of its last change.
//!
//! In the browser only; elsewhere every function fails.

use idb::{ObjectStore, Query, TransactionMode};
use wasm_bindgen::{JsCast, JsValue};

use super::database::{self, completed};

pub(super) const DATABASE: &str = "gruppetto-chats";
pub(super) const CHATS: &str = "chats";

/// Bytes of the time of the last change (Unix time in ms, big endian) at the beginning of a value.
const TIME_BYTES: usize = 8;

/// The chat with this name.
///
/// # Errors
/// Any reason for which the browser does not read it.
pub async fn load(name: &str) -> Result<Option<Vec<u8>>, idb::Error> {
    let database = database::open(DATABASE, CHATS).await?;
    let transaction = database
        .0
        .transaction(&[CHATS], TransactionMode::ReadOnly)?;
    let store = transaction.object_store(CHATS)?;
    let value = store.get(Query::Key(JsValue::from(name)))?.await?;
    Ok(value
        .and_then(bytes)
        .map(|mut bytes| bytes.split_off(TIME_BYTES)))
}

/// Stores a chat that was changed at this Unix time in ms.
///
/// # Errors
/// Any reason for which the browser does not store it.
pub async fn put(name: &str, changed_at: u64, chat: &[u8]) -> Result<(), idb::Error> {
    let value = [&changed_at.to_be_bytes(), chat].concat();
    write(|store| {
        store.put(
            &js_sys::Uint8Array::from(value.as_slice()),
            Some(&JsValue::from(name)),
        )?;
        Ok(())
    })
    .await
}

/// Deletes all chats whose last change was before this Unix time in ms.
///
/// # Errors
/// Any reason for which the browser does not delete them.
pub async fn delete_before(time: u64) -> Result<(), idb::Error> {
    let database = database::open(DATABASE, CHATS).await?;
    let transaction = database
        .0
        .transaction(&[CHATS], TransactionMode::ReadOnly)?;
    let store = transaction.object_store(CHATS)?;
    let keys = store.get_all_keys(None, None)?.await?;
    let values = store.get_all(None, None)?.await?;
    let is_old = |value: JsValue| {
        let changed_at = bytes(value)?.first_chunk().copied().map(u64::from_be_bytes);
        Some(changed_at? < time)
    };
    // A value of another form is of no use.
    let old = keys.into_iter().zip(values);
    let old: Vec<_> = old
        .filter(|(_, value)| is_old(value.clone()).unwrap_or(true))
        .map(|(key, _)| key)
        .collect();
    drop(database);
    if old.is_empty() {
        return Ok(());
    }
    write(|store| {
        for key in old {
            store.delete(Query::Key(key))?;
        }
        Ok(())
    })
    .await
}

fn bytes(value: JsValue) -> Option<Vec<u8>> {
    let bytes = value.dyn_into::<js_sys::Uint8Array>().ok()?.to_vec();
    (bytes.len() >= TIME_BYTES).then_some(bytes)
}

async fn write(
    change: impl FnOnce(&ObjectStore) -> Result<(), idb::Error>,
) -> Result<(), idb::Error> {
    let database = database::open(DATABASE, CHATS).await?;
    let transaction = database
        .0
        .transaction(&[CHATS], TransactionMode::ReadWrite)?;
    change(&transaction.object_store(CHATS)?)?;
    completed(transaction).await
}
