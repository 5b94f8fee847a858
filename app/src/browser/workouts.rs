//! The rider's own workouts in IndexedDB, each under its number.
//!
//! In the browser only; elsewhere every function fails.

use idb::{ObjectStore, Query, TransactionMode};
use wasm_bindgen::{JsCast, JsValue};

use super::database::{self, completed};

pub(super) const DATABASE: &str = "gruppetto-workouts";
pub(super) const WORKOUTS: &str = "workouts";

/// All stored workouts.
///
/// # Errors
/// Any reason for which the browser does not read them.
pub async fn load() -> Result<Vec<Vec<u8>>, idb::Error> {
    let database = database::open(DATABASE, WORKOUTS).await?;
    let transaction = database
        .0
        .transaction(&[WORKOUTS], TransactionMode::ReadOnly)?;
    let values = transaction
        .object_store(WORKOUTS)?
        .get_all(None, None)?
        .await?;
    completed(transaction).await?;
    let bytes = values
        .into_iter()
        .filter_map(|value| value.dyn_into::<js_sys::Uint8Array>().ok());
    Ok(bytes.map(|bytes| bytes.to_vec()).collect())
}

/// Stores workouts under their numbers.
///
/// # Errors
/// Any reason for which the browser does not store them.
pub async fn put(workouts: &[(u64, Vec<u8>)]) -> Result<(), idb::Error> {
    write(|store| {
        for (id, bytes) in workouts {
            store.put(&js_sys::Uint8Array::from(bytes.as_slice()), Some(&key(*id)))?;
        }
        Ok(())
    })
    .await
}

/// Deletes a workout.
///
/// # Errors
/// Any reason for which the browser does not delete it.
pub async fn delete(id: u64) -> Result<(), idb::Error> {
    write(|store| store.delete(Query::Key(key(id))).map(drop)).await
}

async fn write(
    change: impl FnOnce(&ObjectStore) -> Result<(), idb::Error>,
) -> Result<(), idb::Error> {
    let database = database::open(DATABASE, WORKOUTS).await?;
    let transaction = database
        .0
        .transaction(&[WORKOUTS], TransactionMode::ReadWrite)?;
    change(&transaction.object_store(WORKOUTS)?)?;
    completed(transaction).await
}

/// Key in the order of the numbers.
fn key(id: u64) -> JsValue {
    JsValue::from(format!("{id:020}"))
}
