//! Writing and reading the file with all rides, see [`ride::recording::archive`].

use leptos::web_sys::File;
use ride::recording::{
    archive::{ArchiveError, ArchivedRide, HEADER, LENGTH_BYTES, ride_length},
    stored::RideState,
};
use session::FinishedRide;

use super::{ImportOutcome, OwnRide};
use crate::browser::{
    files::{self, FileContent},
    kept_rides::KeptRides,
};

/// Saves all rides as a file, also those that are not finished. Returns whether it was possible.
pub async fn export() -> bool {
    let Ok(kept) = KeptRides::open().await else {
        return false;
    };
    let Ok(names) = names(&kept).await else {
        return false;
    };
    let content = FileContent::default();
    content.push(HEADER);
    for name in names {
        // A ride that cannot be read is shown as such on its page.
        let Ok(ride) = OwnRide::read(&kept, name).await else {
            continue;
        };
        let mut part = Vec::new();
        let archived = ArchivedRide {
            state: RideState::finished(ride.serial_number, ride.workout),
            recording: ride.recording,
            name: ride.name,
        };
        archived.write(&mut part);
        content.push(&part);
    }
    let name = "gruppetto-rides.gruppetto";
    files::save_content(name, "application/octet-stream", &content).is_some()
}

/// Imports the rides of a file that are not here yet.
pub async fn import(file: &File) -> ImportOutcome {
    let header = read(file, 0, HEADER.len()).await;
    if header.as_deref() != Some(HEADER) {
        return match header {
            Some(_) => ImportOutcome::Invalid(ArchiveError::NotRides),
            None => ImportOutcome::Unreadable,
        };
    }
    let Ok(kept) = KeptRides::open().await else {
        return ImportOutcome::NotStored(0);
    };
    let Ok(mut names) = names(&kept).await else {
        return ImportOutcome::NotStored(0);
    };
    let (mut added, mut known, mut damaged) = (0, 0, 0);
    let mut at = HEADER.len();
    while (at as f64) < file.size() {
        let length = match read(file, at, LENGTH_BYTES).await {
            Some(bytes) => bytes.try_into().map(ride_length),
            None => return ImportOutcome::Unreadable,
        };
        let Ok(Ok(length)) = length else {
            return ImportOutcome::Incomplete { added };
        };
        at += LENGTH_BYTES;
        let Some(bytes) = read(file, at, length).await else {
            return ImportOutcome::Unreadable;
        };
        if bytes.len() < length {
            return ImportOutcome::Incomplete { added };
        }
        at += length;
        let Ok(ride) = ArchivedRide::read(&bytes) else {
            damaged += 1;
            continue;
        };
        if names.contains(&ride.name) {
            known += 1;
            continue;
        }
        let stored = FinishedRide::new(&ride.recording, &ride.state);
        let write = kept.ride(ride.name.clone());
        let write = write.keep(&stored.recording, &stored.state, &stored.head);
        if write.await.is_err() {
            return ImportOutcome::NotStored(added);
        }
        names.push(ride.name);
        added += 1;
    }
    ImportOutcome::Imported {
        added,
        known,
        damaged,
    }
}

/// Names of all rides, each once, the finished ones first.
async fn names(kept: &KeptRides) -> Result<Vec<String>, idb::Error> {
    let heads = kept.heads().await?.into_iter();
    let mut names: Vec<String> = heads.map(|(name, _)| name).collect();
    for name in kept.unfinished(None).await? {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Part of a file, which is shorter at its end; `None` if it cannot be read.
async fn read(file: &File, from: usize, length: usize) -> Option<Vec<u8>> {
    files::read_part(file, from as f64, length as f64).await
}
