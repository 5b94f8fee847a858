//! The file with all rides of a browser.
//!
//! It begins with [`HEADER`]. Then comes for each ride its length in bytes (four bytes, the lowest
//! first) and a CBOR array of the name of its recording, the recording, and the state, the latter two
//! as a browser stores them. So rides can be read one by one.

use minicbor::{Decode, Encode, bytes::ByteVec};
use protocol::{code::SessionCode, peer::PeerId};
use thiserror::Error;

use super::{Recording, StoreError, stored::RideState};
use crate::wire;

/// First bytes of the file.
pub const HEADER: &[u8] = b"gruppetto rides 1\n";
/// Number of bytes of a ride's length.
pub const LENGTH_BYTES: usize = 4;
/// Largest size of a ride in the file in bytes.
pub const MAX_RIDE_BYTES: usize = 8 * 1024 * 1024;
/// First part of the names of recordings of solo rides.
pub const SOLO: &str = "solo";

/// Reason why a file, or a ride in it, cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ArchiveError {
    /// The file does not begin with [`HEADER`].
    #[error("This is not a file with rides from Gruppetto.")]
    NotRides,
    /// The file ends within a ride, or the length of a ride is impossible.
    #[error("This file is damaged or incomplete.")]
    Damaged,
    /// A ride that cannot be read. Those after it can.
    #[error("A ride in this file cannot be read: {0}")]
    Ride(#[from] StoreError),
}

#[derive(Encode, Decode)]
struct Entry(#[n(0)] String, #[n(1)] ByteVec, #[n(2)] ByteVec);

/// Finished ride of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedRide {
    /// Name of its recording: a session code and the id of the rider, or `solo` and a number.
    pub name: String,
    /// The recording.
    pub recording: Recording,
    /// What is known beside it.
    pub state: RideState,
}

impl ArchivedRide {
    /// Appends the ride to a file.
    pub fn write(&self, file: &mut Vec<u8>) {
        let recording = self.recording.encode().into();
        let state = self.state.finish().encode().into();
        let entry = wire::to_vec(&Entry(self.name.clone(), recording, state));
        let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
        file.extend(length.to_le_bytes());
        file.extend(entry);
    }

    /// Reads a ride, without its length. An unfinished one is finished with its last second.
    ///
    /// # Errors
    /// [`ArchiveError::Ride`].
    pub fn read(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let entry: Option<Entry> = wire::from_slice(bytes);
        let Entry(name, recording, state) = entry.ok_or(StoreError::Damaged)?;
        if !is_name(&name) {
            return Err(StoreError::Damaged.into());
        }
        let mut recording = Recording::decode(&recording)?;
        recording.finish();
        let state = RideState::decode(&state)?.finish();
        Ok(Self {
            name,
            recording,
            state,
        })
    }
}

/// Length in bytes of a ride that follows.
///
/// # Errors
/// [`ArchiveError::Damaged`] for a length that no ride has.
pub fn ride_length(bytes: [u8; LENGTH_BYTES]) -> Result<usize, ArchiveError> {
    let length = u32::from_le_bytes(bytes) as usize;
    match length {
        1..=MAX_RIDE_BYTES => Ok(length),
        _ => Err(ArchiveError::Damaged),
    }
}

/// Tells whether a text can be the name of a recording.
pub fn is_name(name: &str) -> bool {
    name.split_once('/').is_some_and(|(place, rider)| {
        let is_place = place == SOLO || place.parse::<SessionCode>().is_ok();
        is_place && rider.parse::<PeerId>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use clock::WallTime;

    use super::*;
    use crate::{recording::Sample, rider::Ftp};

    fn ride(name: &str) -> ArchivedRide {
        let at = WallTime::from_unix_ms(1_790_000_000_000);
        let mut recording = Recording::new(at, "Sweet Spot".to_owned(), Ftp::default());
        recording.samples.push(Sample {
            at,
            power: Some(200),
            ..Sample::default()
        });
        recording.finish();
        ArchivedRide {
            name: name.to_owned(),
            recording,
            state: RideState::finished(7, None),
        }
    }

    /// All rides of a file.
    fn read(file: &[u8]) -> Result<Vec<ArchivedRide>, ArchiveError> {
        let mut rest = file.strip_prefix(HEADER).ok_or(ArchiveError::NotRides)?;
        let mut rides = vec![];
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk().ok_or(ArchiveError::Damaged)?;
            let length = ride_length(*length)?;
            let (ride, after) = after
                .split_at_checked(length)
                .ok_or(ArchiveError::Damaged)?;
            rides.push(ArchivedRide::read(ride)?);
            rest = after;
        }
        Ok(rides)
    }

    #[test]
    fn rides_come_back_as_they_were_written() {
        let rides = [
            ride("solo/0123456789abcdef"),
            ride("brave-otter-4821/8e61d223"),
        ];
        let mut file = HEADER.to_vec();
        rides.iter().for_each(|ride| ride.write(&mut file));
        assert_eq!(read(&file), Ok(rides.to_vec()));
        assert_eq!(read(&file[..file.len() - 1]), Err(ArchiveError::Damaged));
        assert_eq!(read(b"PK\x03\x04"), Err(ArchiveError::NotRides));
    }

    #[test]
    fn a_ride_with_an_impossible_name_or_length_is_refused() {
        for name in [
            "",
            "solo",
            "index/solo",
            "state/x",
            "solo/a/b",
            "../x",
            "solo/<b>",
        ] {
            let mut file = vec![];
            ride(name).write(&mut file);
            let read = ArchivedRide::read(&file[LENGTH_BYTES..]);
            assert_eq!(read, Err(StoreError::Damaged.into()), "{name}");
        }
        assert_eq!(ride_length([0; 4]), Err(ArchiveError::Damaged));
        assert_eq!(ride_length([0, 0, 0, 1]), Err(ArchiveError::Damaged));
        assert_eq!(ride_length([1, 1, 0, 0]), Ok(257));
    }

    #[test]
    fn an_unfinished_ride_ends_with_its_last_second() {
        let mut unfinished = ride("solo/1");
        unfinished.recording.finished_at = None;
        let mut file = vec![];
        unfinished.write(&mut file);
        let read = ArchivedRide::read(&file[LENGTH_BYTES..]).unwrap();
        assert_eq!(read.recording.finished_at, Some(read.recording.end()));
    }
}
