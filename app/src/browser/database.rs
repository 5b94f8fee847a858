//! Databases of the browser (IndexedDB) with one object store each.
//!
//! In the browser only: opening fails where there is no IndexedDB, as during server rendering.

use idb::{Database, DatabaseEvent, Factory, ObjectStoreParams, Transaction, TransactionMode};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::IdbTransaction;

use super::{chats, listener::Listener, recordings, workouts};

/// A database connection that is closed when its last user is dropped, so that
/// writes in the background are finished before.
pub struct OpenDatabase(pub Database);

impl Drop for OpenDatabase {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Opens a database with this name and object store.
///
/// # Errors
/// Any reason for which the browser does not open it.
pub async fn open(name: &str, store: &'static str) -> Result<OpenDatabase, idb::Error> {
    let mut request = Factory::new()?.open(name, Some(1))?;
    request.on_upgrade_needed(move |event| {
        // If this fails, so does opening the database.
        if let Ok(database) = event.database() {
            let _ = database.create_object_store(store, ObjectStoreParams::new());
        }
    });
    request.await.map(OpenDatabase)
}

/// Empties all databases of the app. They are not deleted: a browser would wait with that until no other
/// tab has them open.
///
/// # Errors
/// Any reason for which the browser does not empty one of them.
pub async fn clear_all() -> Result<(), idb::Error> {
    let all = [
        (recordings::DATABASE, recordings::STORE),
        (workouts::DATABASE, workouts::WORKOUTS),
        (chats::DATABASE, chats::CHATS),
    ];
    for (name, store) in all {
        let database = open(name, store).await?;
        let transaction = database
            .0
            .transaction(&[store], TransactionMode::ReadWrite)?;
        transaction.object_store(store)?.clear()?;
        completed(transaction).await?;
    }
    Ok(())
}

/// Waits until a transaction is complete: only then is its change stored. A full
/// disk aborts a transaction whose requests have all succeeded.
///
/// # Errors
/// Any reason for which it was aborted.
pub async fn completed(transaction: Transaction) -> Result<(), idb::Error> {
    // The future of `idb` ends with the first failed request, and its closures
    // with it, before the browser calls the one for the abort.
    let transaction = IdbTransaction::from(transaction);
    let mut listeners = Vec::new();
    let end = Promise::new(&mut |resolve, reject| {
        let ends = [("complete", resolve), ("abort", reject)];
        listeners.extend(ends.map(|(event, settle)| {
            Listener::new(&transaction, event, move |_| {
                // Fails for no function of a promise.
                let _ = settle.call0(&JsValue::UNDEFINED);
            })
        }));
    });
    // A page that is being closed does not live to see the transaction commit by
    // itself. Fails if it was aborted, which the event says, too.
    #[expect(
        deprecated,
        reason = "not in version 2 of the specification, but in version 3"
    )]
    let _ = transaction.commit();
    let result = JsFuture::from(end).await;
    result.map(drop).map_err(idb::Error::TransactionAbortError)
}
