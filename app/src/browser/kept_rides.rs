//! The rides that this browser keeps: listing, reading, changing all of them. For one ride under way
//! see [`recordings`].
//!
//! In the browser only; elsewhere every function fails.

use std::rc::Rc;

use idb::{KeyRange, TransactionMode};
use wasm_bindgen::JsValue;

use super::{
    database::OpenDatabase,
    recordings::{self, PREFIXES, Recordings, STORE, bytes, range},
};

/// The database of rides.
#[derive(Clone)]
pub struct KeptRides(Rc<OpenDatabase>);

impl KeptRides {
    /// Opens the database.
    ///
    /// # Errors
    /// Any reason for which the browser does not open it.
    pub async fn open() -> Result<Self, idb::Error> {
        recordings::open_database().await.map(Rc::new).map(Self)
    }

    /// Names of all finished rides, each with its entry in the list.
    ///
    /// # Errors
    /// Any reason for which the browser does not read them.
    pub async fn heads(&self) -> Result<Vec<(String, Vec<u8>)>, idb::Error> {
        let transaction = self.0.0.transaction(&[STORE], TransactionMode::ReadOnly)?;
        let store = transaction.object_store(STORE)?;
        let keys = store.get_all_keys(Some(range("index")?), None)?.await?;
        let values = store.get_all(Some(range("index")?), None)?.await?;
        let name = |key: JsValue| {
            let key = key.as_string()?;
            key.strip_prefix("index/").map(str::to_owned)
        };
        let heads = keys.into_iter().zip(values);
        let heads = heads.filter_map(|(key, value)| Some((name(key)?, bytes(value)?)));
        Ok(heads.collect())
    }

    /// Names of the rides that have chunks: those that are not finished. With a place, only those of
    /// this session code, or of `solo`.
    ///
    /// # Errors
    /// Any reason for which the browser does not read them.
    pub async fn unfinished(&self, place: Option<&str>) -> Result<Vec<String>, idb::Error> {
        let transaction = self.0.0.transaction(&[STORE], TransactionMode::ReadOnly)?;
        let store = transaction.object_store(STORE)?;
        let (mut from, to) = match place {
            Some(place) => (format!("{place}/"), format!("{place}0")),
            None => (String::new(), String::from("~")),
        };
        let mut names = Vec::new();
        loop {
            let (next, end) = (JsValue::from(&from), JsValue::from(&to));
            let range = KeyRange::bound(&next, &end, None, Some(true))?.into();
            let mut keys = store.get_all_keys(Some(range), Some(1))?.await?.into_iter();
            let Some(key) = keys.next().and_then(|key| key.as_string()) else {
                return Ok(names);
            };
            let mut parts = key.split('/');
            let place = parts.next().unwrap_or_default();
            // The next key that is not of this ride, or not of this prefix: '0' is the character after
            // '/'.
            from = match parts.next() {
                Some(rider) if !PREFIXES.contains(&place) => {
                    let name = format!("{place}/{rider}");
                    let next = format!("{name}0");
                    names.push(name);
                    next
                }
                _ => format!("{place}0"),
            };
        }
    }

    /// One ride.
    pub fn ride(&self, name: String) -> Recordings {
        Recordings::in_database(self.0.clone(), name)
    }
}
