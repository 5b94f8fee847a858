//! What a rider has ridden: one sample a second.
//!
//! Layout: this file holds the [`Recording`] and how it is stored, `recorder` makes one while
//! riding, [`fit`] writes it as a FIT file.
//!
//! Seconds are counted from the start of the recording, so a ride of thirty seconds gives thirty
//! samples whatever fraction of a second it began at. Storage appends chunks
//! ([`Recorder::take_unsaved`]) and gives them all back to [`Recording::from_chunks`].

pub mod fit;
mod recorder;

use minicbor::{Decode, Encode};
use thiserror::Error;

pub use recorder::Recorder;

use crate::rider::Ftp;
use crate::wire;

/// The most samples of a recording: 24 hours.
pub const MAX_SAMPLES: usize = 24 * 3600;
/// The most bytes of a stored chunk: a whole recording fits.
pub const MAX_CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// The version of the stored format.
const VERSION: u8 = 1;

/// One second of a ride, averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sample {
    /// Unix time in seconds at which the second begins.
    #[n(0)]
    pub at: u64,
    /// In watts.
    #[n(1)]
    pub power: Option<u16>,
    /// In rpm.
    #[n(2)]
    pub cadence: Option<u8>,
    /// In beats a minute.
    #[n(3)]
    pub heart_rate: Option<u8>,
    /// What the rider was asked for, in watts.
    #[n(4)]
    pub target: Option<u16>,
}

/// The start of a lap. It ends where the next one starts, the last one with the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Lap {
    /// Unix time in seconds.
    #[n(0)]
    pub at: u64,
    /// The interval of the workout that it was, counted from 0; none outside of a workout.
    #[n(1)]
    pub interval: Option<u32>,
}

/// A time in which nothing was recorded because the ride was paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Pause {
    /// Unix time in seconds of the first second that is missing.
    #[n(0)]
    pub from: u64,
    /// Unix time in seconds of the first second that is there again; none while paused.
    #[n(1)]
    pub to: Option<u64>,
}

/// A ride as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Recording {
    /// Unix time in milliseconds.
    #[n(0)]
    pub started_at: u64,
    /// The name of the workout; empty when none was shared.
    #[n(1)]
    pub workout: String,
    /// The rider's FTP on that day.
    #[n(2)]
    pub ftp: Ftp,
    /// One a second, in the order of time, none while paused.
    #[n(3)]
    pub samples: Vec<Sample>,
    /// In the order of time.
    #[n(4)]
    pub laps: Vec<Lap>,
    /// In the order of time.
    #[n(5)]
    pub pauses: Vec<Pause>,
    /// Unix time in seconds of the first second after it; none while it goes on.
    #[n(6)]
    pub finished_at: Option<u64>,
}

/// Why stored bytes are not a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// No chunks at all.
    #[error("There is no recording of this ride in this browser.")]
    Missing,
    /// Stored by a version of the app that this one does not know.
    #[error(
        "This recording was stored by another version of the app. Reload the page to get the newest one."
    )]
    Version,
    /// Damaged, or not a recording.
    #[error("This recording is damaged and cannot be read.")]
    Damaged,
}

impl Recording {
    /// A recording that begins now, Unix time in milliseconds.
    pub const fn new(started_at: u64, workout: String, ftp: Ftp) -> Self {
        Self {
            started_at,
            workout,
            ftp,
            samples: vec![],
            laps: vec![],
            pauses: vec![],
            finished_at: None,
        }
    }

    /// The whole recording as bytes, which are a chunk too.
    pub fn encode(&self) -> Vec<u8> {
        wire::to_vec(&(VERSION, self))
    }

    /// Reads the bytes of [`Recording::encode`].
    ///
    /// # Errors
    /// [`StoreError::Version`] or [`StoreError::Damaged`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        if bytes.len() > MAX_CHUNK_BYTES {
            return Err(StoreError::Damaged);
        }
        let mut decoder = minicbor::Decoder::new(bytes);
        let (_, version) = (decoder.array(), decoder.u8());
        if version.map_err(|_| StoreError::Damaged)? != VERSION {
            return Err(StoreError::Version);
        }
        let (_, recording): (u8, Self) = wire::from_slice(bytes).ok_or(StoreError::Damaged)?;
        if recording.samples.len() > MAX_SAMPLES {
            return Err(StoreError::Damaged);
        }
        Ok(recording)
    }

    /// Puts a recording together from the chunks of [`Recorder::take_unsaved`], in the order in
    /// which they were taken. A chunk stored twice counts once.
    ///
    /// # Errors
    /// [`StoreError`] if there are none or one of them cannot be read.
    pub fn from_chunks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, StoreError> {
        let mut chunks = chunks.into_iter();
        let mut whole = Self::decode(chunks.next().ok_or(StoreError::Missing)?)?;
        for chunk in chunks {
            whole.append(Self::decode(chunk)?);
        }
        Ok(whole)
    }

    /// Adds a later chunk: its samples and laps are those that are new, its pauses and end are all
    /// there are.
    fn append(&mut self, chunk: Self) {
        let last = self.samples.last().map(|sample| sample.at);
        let newer = chunk
            .samples
            .into_iter()
            .filter(|sample| last.is_none_or(|last| sample.at > last));
        self.samples.extend(newer);
        self.samples.truncate(MAX_SAMPLES);
        let last = self.laps.last().map(|lap| lap.at);
        self.laps.extend(
            chunk
                .laps
                .into_iter()
                .filter(|lap| last.is_none_or(|last| lap.at > last)),
        );
        self.pauses = chunk.pauses;
        self.finished_at = chunk.finished_at;
    }

    /// The first second after the recording, Unix time: its end, or the second after its last
    /// sample while it goes on.
    pub fn end(&self) -> u64 {
        let after_last = self
            .samples
            .last()
            .map_or(self.started_at / 1_000, |sample| sample.at + 1);
        self.finished_at.unwrap_or(after_last).max(after_last)
    }
}

#[cfg(test)]
mod tests;
