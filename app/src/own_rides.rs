//! The rider's rides, kept in this browser.
//!
//! [`OwnRides`] is the list, with the signals of its page; [`OwnRide`] one of them. `archive` is the
//! file with all rides.

mod archive;

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local, web_sys::File};
use ride::{
    recording::{
        Activity, ActivityError, ActivityFile, Recording, SubSport,
        archive::{ArchiveError, SOLO, is_name},
        fit,
        stored::{RideHead, RideState},
        tcx,
    },
    workout::Workout,
};
use session::{FinishedRide, UnfinishedSolo};

use crate::browser::{
    api, clock, database, kept_files, kept_rides::KeptRides, recordings::Recordings, storage,
    tab_lock,
};

/// Name of a recording in an address: session codes and ids contain no dots.
pub fn id_of(name: &str) -> String {
    name.replacen('/', ".", 1)
}

/// Name of the recording with this id; `None` for a text that is no id.
pub fn name_of(id: &str) -> Option<String> {
    Some(id.replacen('.', "/", 1)).filter(|name| is_name(name))
}

/// Finished ride in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRide {
    /// Name of its recording.
    pub name: String,
    /// What the list shows.
    pub head: RideHead,
}

/// Ride that is not finished.
#[derive(Clone, Debug, PartialEq)]
pub struct UnfinishedRide {
    /// Name of its recording.
    pub name: String,
    /// What the list shows.
    pub head: RideHead,
    /// Address at which it can be resumed; `None` if its session is over.
    pub resume: Option<String>,
}

/// Result of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    /// Number of rides that were added, that were here already, and that could not be read.
    Imported {
        /// Added.
        added: usize,
        /// Here already.
        known: usize,
        /// Not readable.
        damaged: usize,
    },
    /// The file ends within a ride, after this number of rides that were added.
    Incomplete {
        /// Added.
        added: usize,
    },
    /// The file has no rides.
    Invalid(ArchiveError),
    /// The browser could not read the file.
    Unreadable,
    /// The browser stored only this many rides.
    NotStored(usize),
}

/// The list.
#[derive(Clone, Copy)]
pub struct OwnRides {
    /// Finished rides, newest first.
    pub rides: RwSignal<Vec<ListedRide>>,
    /// Rides that are not finished, newest first.
    pub unfinished: RwSignal<Vec<UnfinishedRide>>,
    /// True once the list has been read.
    pub is_loaded: RwSignal<bool>,
    /// True if the browser does not read or change its storage.
    pub is_failing: RwSignal<bool>,
    /// Result of the last import.
    pub imported: RwSignal<Option<ImportOutcome>>,
    /// True while a file is written or read.
    pub is_busy: RwSignal<bool>,
}

impl OwnRides {
    /// An empty list, which is being read.
    pub fn load() -> Self {
        let own = Self {
            rides: RwSignal::new(Vec::new()),
            unfinished: RwSignal::new(Vec::new()),
            is_loaded: RwSignal::new(false),
            is_failing: RwSignal::new(false),
            imported: RwSignal::new(None),
            is_busy: RwSignal::new(false),
        };
        Effect::new(move || spawn_local(own.read()));
        own
    }

    /// Reads the list again.
    async fn read(self) {
        let is_read = match KeptRides::open().await {
            Ok(kept) => self.read_from(&kept).await.is_ok(),
            Err(_) => false,
        };
        let _ = self.is_failing.try_set(!is_read);
        let _ = self.is_loaded.try_set(true);
    }

    async fn read_from(self, kept: &KeptRides) -> Result<(), idb::Error> {
        self.rides.try_set(listed(kept).await?);
        let _ = self.is_loaded.try_set(true);
        let mut unfinished = Vec::new();
        for name in kept.unfinished(None).await? {
            if is_under_way(&name).await {
                continue;
            }
            let Ok(ride) = OwnRide::read(kept, name.clone()).await else {
                continue;
            };
            // Stored by a version that did not keep finished rides whole, or while there was no room.
            if ride.recording.finished_at.is_some() {
                if ride.keep(kept).await.is_ok() {
                    storage::forget_unfinished(&name);
                    self.rides.try_set(listed(kept).await?);
                }
                continue;
            }
            unfinished.push(UnfinishedRide {
                head: RideHead::of(&ride.recording),
                resume: None,
                name,
            });
        }
        unfinished.sort_by_key(|ride| core::cmp::Reverse(ride.head.started_at));
        // The page of solo rides resumes the newest.
        let newest = unfinished.iter_mut().find(|ride| is_solo(&ride.name));
        if let Some(ride) = newest {
            ride.resume = Some("/solo".to_owned());
        }
        self.unfinished.try_set(unfinished.clone());
        // The server may be slow, or out of reach.
        for ride in unfinished.iter().filter(|ride| !is_solo(&ride.name)) {
            let place = ride.name.split('/').next().unwrap_or_default();
            let is_over = match place.parse() {
                Ok(code) => api::is_unknown(&code).await,
                Err(_) => true,
            };
            if !is_over {
                self.unfinished.try_update(|listed| {
                    let listed = listed.iter_mut().find(|listed| listed.name == ride.name);
                    if let Some(listed) = listed {
                        listed.resume = Some(format!("/ride/{place}"));
                    }
                });
            }
        }
        Ok(())
    }

    /// Finishes a ride.
    pub fn finish(self, name: String) {
        spawn_local(async move {
            let is_finished = finish(&name).await.is_ok();
            let _ = self.is_failing.try_set(!is_finished);
            self.read().await;
        });
    }

    /// Saves all rides as one file.
    pub fn export(self) {
        self.is_busy.set(true);
        spawn_local(async move {
            let is_saved = archive::export().await;
            let _ = self.is_failing.try_set(!is_saved);
            let _ = self.is_busy.try_set(false);
        });
    }

    /// Imports rides from a file.
    pub fn import(self, file: File) {
        self.is_busy.set(true);
        self.imported.set(None);
        spawn_local(async move {
            let outcome = archive::import(&file).await;
            let _ = self.imported.try_set(Some(outcome));
            let _ = self.is_busy.try_set(false);
            self.read().await;
        });
    }
}

async fn listed(kept: &KeptRides) -> Result<Vec<ListedRide>, idb::Error> {
    let heads = kept.heads().await?.into_iter();
    let mut rides: Vec<ListedRide> = heads
        .filter_map(|(name, head)| {
            let head = RideHead::decode(&head).ok()?;
            Some(ListedRide { name, head })
        })
        .collect();
    rides.sort_by_key(|ride| core::cmp::Reverse(ride.head.started_at));
    Ok(rides)
}

fn is_solo(name: &str) -> bool {
    name.split('/').next() == Some(SOLO)
}

/// Tells whether a page of this browser rides it.
async fn is_under_way(name: &str) -> bool {
    tab_lock::is_held(&tab_lock::recording_lock(name)).await == Some(true)
}

/// Finds the newest solo ride that was not finished and is not under way in another tab.
pub async fn unfinished_solo() -> Option<UnfinishedSolo> {
    let kept = KeptRides::open().await.ok()?;
    let mut newest: Option<UnfinishedSolo> = None;
    for name in kept.unfinished(Some(SOLO)).await.ok()? {
        if is_under_way(&name).await {
            continue;
        }
        let Ok((chunks, Some(state))) = read_parts(&kept.ride(name.clone())).await else {
            continue;
        };
        let Some(found) = UnfinishedSolo::read(name, &state, &chunks) else {
            continue;
        };
        let is_newer = |newest: &UnfinishedSolo| found.ride.started_at > newest.ride.started_at;
        if newest.as_ref().is_none_or(is_newer) {
            newest = Some(found);
        }
    }
    newest
}

/// Finishes the ride of this name, and returns it.
///
/// # Errors
/// [`RideError`].
pub async fn finish(name: &str) -> Result<OwnRide, RideError> {
    if is_under_way(name).await {
        return Err(RideError::UnderWay);
    }
    let finished = read_and_keep(name).await;
    if !matches!(finished, Err(RideError::Storage)) {
        // Nothing is left that the home page could lead to.
        storage::forget_unfinished(name);
    }
    finished
}

async fn read_and_keep(name: &str) -> Result<OwnRide, RideError> {
    let kept = KeptRides::open().await.map_err(|_| RideError::Storage)?;
    let mut ride = OwnRide::read(&kept, name.to_owned()).await?;
    ride.recording.finish();
    ride.keep(&kept).await.map_err(|_| RideError::Storage)?;
    Ok(ride)
}

/// A ride.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnRide {
    /// Name of its recording.
    pub name: String,
    /// The recording.
    pub recording: Recording,
    /// Its workout, with the extensions of its intervals.
    pub workout: Option<Workout>,
    /// Number of the rider in files.
    pub serial_number: u32,
}

/// Format of a file with one ride.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Garmin FIT.
    Fit,
    /// Garmin Training Center XML.
    Tcx,
}

impl FileFormat {
    /// Media type of such files.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Fit => "application/vnd.ant.fit",
            Self::Tcx => "application/vnd.garmin.tcx+xml",
        }
    }
}

/// Reason why a ride cannot be shown or finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RideError {
    /// There is no such ride in this browser.
    Missing,
    /// It cannot be read.
    Damaged,
    /// The browser does not read or write its storage.
    Storage,
    /// Another tab rides it, so that it cannot be finished.
    UnderWay,
}

impl OwnRide {
    /// Opens the ride of this name.
    ///
    /// # Errors
    /// [`RideError`].
    pub async fn open(name: String) -> Result<Self, RideError> {
        let kept = KeptRides::open().await.map_err(|_| RideError::Storage)?;
        Self::read(&kept, name).await
    }

    async fn read(kept: &KeptRides, name: String) -> Result<Self, RideError> {
        let ride = kept.ride(name.clone());
        let (chunks, state) = read_parts(&ride).await.map_err(|_| RideError::Storage)?;
        if chunks.is_empty() {
            return Err(RideError::Missing);
        }
        let recording = Recording::from_readable_chunks(&chunks).ok_or(RideError::Damaged)?;
        let state = state.and_then(|state| RideState::decode(&state).ok());
        Ok(Self {
            name,
            recording,
            workout: state.as_ref().and_then(RideState::workout),
            serial_number: state.map_or(0, |state| state.serial_number),
        })
    }

    /// The ride as a file.
    ///
    /// # Errors
    /// [`ActivityError`].
    pub fn file(
        &self,
        format: FileFormat,
        sub_sport: SubSport,
    ) -> Result<ActivityFile, ActivityError> {
        let activity = Activity {
            recording: self.recording.clone(),
            workout: self.workout.clone().map(Arc::new),
            serial_number: self.serial_number,
            sub_sport,
        };
        let utc_offset = clock::utc_offset(activity.recording.started_at);
        match format {
            FileFormat::Fit => fit::encode(&activity, utc_offset),
            FileFormat::Tcx => tcx::encode(&activity, utc_offset),
        }
    }

    /// Stores it as a finished ride.
    async fn keep(&self, kept: &KeptRides) -> Result<(), idb::Error> {
        let state = RideState::finished(self.serial_number, self.workout.clone());
        let stored = FinishedRide::new(&self.recording, &state);
        let ride = kept.ride(self.name.clone());
        ride.keep(&stored.recording, &stored.state, &stored.head)
            .await
    }
}

async fn read_parts(ride: &Recordings) -> Result<(Vec<Vec<u8>>, Option<Vec<u8>>), idb::Error> {
    Ok((ride.read().await?.chunks, ride.state().await?))
}

/// Deletes the ride of this name. Returns whether it was possible.
pub async fn delete(name: &str) -> bool {
    if is_under_way(name).await {
        return false;
    }
    let is_deleted = match KeptRides::open().await {
        Ok(kept) => kept.ride(name.to_owned()).clear().await.is_ok(),
        Err(_) => false,
    };
    if is_deleted {
        storage::forget_unfinished(name);
    }
    is_deleted
}

/// Deletes everything that this browser has stored for the app. Returns whether it was possible. It is
/// not while another tab rides, which would store its ride again.
pub async fn delete_everything() -> bool {
    if tab_lock::is_any_rider_held().await || database::clear_all().await.is_err() {
        return false;
    }
    if !kept_files::delete_all().await {
        return false;
    }
    storage::clear();
    true
}
