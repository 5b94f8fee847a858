//! Recording of a ride: one sample per second.
//!
//! Layout: this file holds the [`Recording`] and its stored format, [`Recorder`] makes a recording
//! during the ride, [`stored`] is what is stored beside it, [`archive`] is the file with all rides,
//! [`fit`] and [`tcx`] write one ride as a file, from what `activity` prepares for both. Only callers
//! that write files use [`fit`] and [`tcx`].
//!
//! Seconds are counted from the start of the recording, so a ride of 30 s gives 30 samples for any
//! fraction of a second at its start. Storage appends the chunks of [`Recorder::unsaved`], and
//! [`Recording::from_chunks`] joins them again.
//!
//! Seconds in which nothing could be recorded are no samples: pauses, and the times in which the
//! computer slept or the page was closed.

mod activity;
pub mod archive;
pub mod fit;
mod recorder;
pub mod stored;
pub mod tcx;
mod virtual_speed;

use core::time::Duration;

use clock::WallTime;
use minicbor::{Decode, Encode};
use thiserror::Error;

pub use activity::{Activity, ActivityError, ActivityFile, SubSport};
pub use recorder::{Recorder, SavePoint};

use crate::rider::Ftp;
use crate::wire;

/// Largest number of samples of a recording: 24 hours.
pub const MAX_SAMPLES: usize = 24 * 3600;
/// Largest size of a stored chunk in bytes. A whole recording fits.
pub const MAX_CHUNK_BYTES: usize = 4 * 1024 * 1024;
/// Name of the simulated trainer as a sensor.
pub const SIMULATOR: &str = "Simulated trainer";
/// Largest number of sensors of a recording.
pub const MAX_SENSORS: usize = 16;
/// Version of the stored format.
const STORED_VERSION: u8 = 1;
const SECOND: Duration = Duration::from_secs(1);

/// Averages of one second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Sample {
    /// Beginning of the second, in whole seconds.
    #[cbor(n(0), with = "wire::unix_seconds")]
    pub at: WallTime,
    /// Power in W.
    #[n(1)]
    pub power: Option<u16>,
    /// Cadence in rpm.
    #[n(2)]
    pub cadence: Option<u8>,
    /// Heart rate in beats per minute.
    #[n(3)]
    pub heart_rate: Option<u8>,
    /// Target of the rider in W.
    #[n(4)]
    pub target: Option<u16>,
    /// Speed of the trainer's wheel in mm/s; `None` in recordings from before it was stored.
    #[n(5)]
    pub speed: Option<u16>,
}

/// Start of a lap. A lap ends at the start of the next one, the last lap with the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Lap {
    /// Time of the start, in whole seconds.
    #[cbor(n(0), with = "wire::unix_seconds")]
    pub at: WallTime,
    /// Interval of the workout, counted from 0; `None` outside of a workout.
    #[n(1)]
    pub interval: Option<u32>,
    /// The ride has jumped here with a skip or a back, before the interval before was over.
    #[cbor(n(2), with = "wire::flag", has_nil)]
    pub after_jump: bool,
}

/// Time span without samples, during which the ride was paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Pause {
    /// First second without a sample.
    #[cbor(n(0), with = "wire::unix_seconds")]
    pub from: WallTime,
    /// First second with a sample again; `None` while paused.
    #[cbor(n(1), with = "wire::optional_unix_seconds", has_nil)]
    pub to: Option<WallTime>,
}

/// Recorded ride.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Recording {
    /// Time of the start.
    #[cbor(n(0), with = "wire::unix_ms")]
    pub started_at: WallTime,
    /// Name of the workout; empty if none was shared.
    #[n(1)]
    pub workout: String,
    /// FTP of the rider on that day.
    #[n(2)]
    pub ftp: Ftp,
    /// One sample per second, in order of time, none while paused.
    #[n(3)]
    pub samples: Vec<Sample>,
    /// Laps in order of time.
    #[n(4)]
    pub laps: Vec<Lap>,
    /// Pauses in order of time.
    #[n(5)]
    pub pauses: Vec<Pause>,
    /// First second after the end; `None` while the recording goes on.
    #[cbor(n(6), with = "wire::optional_unix_seconds", has_nil)]
    pub finished_at: Option<WallTime>,
    /// Names of the sensors that the readings come from, at most [`MAX_SENSORS`].
    #[cbor(n(7), with = "wire::texts", has_nil)]
    pub sensors: Vec<String>,
    /// Offset of local time from UTC at the start in seconds, for example 3600 in Berlin in winter;
    /// `None` if an older version recorded it.
    #[n(8)]
    pub utc_offset: Option<i32>,
}

/// Reason why stored bytes of a ride cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// No chunks.
    #[error("There is no recording of this ride in this browser.")]
    Missing,
    /// Unknown version of the format.
    #[error(
        "This recording was stored by another version of the app. Reload the page to get the newest version."
    )]
    Version,
    /// Bytes that do not follow the format.
    #[error("This recording is damaged and cannot be read.")]
    Damaged,
}

impl Recording {
    /// Empty recording.
    pub const fn new(started_at: WallTime, workout: String, ftp: Ftp) -> Self {
        Self {
            started_at,
            workout,
            ftp,
            samples: vec![],
            laps: vec![],
            pauses: vec![],
            finished_at: None,
            sensors: vec![],
            utc_offset: None,
        }
    }

    /// Encodes the whole recording, as a single chunk.
    pub fn encode(&self) -> Vec<u8> {
        wire::to_vec(&(STORED_VERSION, self))
    }

    /// Decodes a chunk.
    ///
    /// # Errors
    /// [`StoreError::Version`] or [`StoreError::Damaged`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let recording: Self = stored::decode(bytes, STORED_VERSION)?;
        if recording.samples.len() > MAX_SAMPLES || recording.sensors.len() > MAX_SENSORS {
            return Err(StoreError::Damaged);
        }
        Ok(recording)
    }

    /// Joins the chunks of [`Recorder::unsaved`], in their original order. Samples that several chunks
    /// contain count once.
    ///
    /// # Errors
    /// [`StoreError`] if there is no chunk or one of them cannot be decoded.
    pub fn from_chunks<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, StoreError> {
        let mut chunks = chunks.into_iter();
        let mut whole = Self::decode(chunks.next().ok_or(StoreError::Missing)?)?;
        for chunk in chunks {
            whole.append(Self::decode(chunk)?);
        }
        Ok(whole)
    }

    /// Joins those chunks that can be read, as [`Recording::from_chunks`]; `None` if there is none. A
    /// damaged chunk costs its own seconds only.
    pub fn from_readable_chunks(chunks: &[Vec<u8>]) -> Option<Self> {
        let chunks = chunks.iter().map(Vec::as_slice);
        let readable = chunks.filter(|chunk| Self::decode(chunk).is_ok());
        Self::from_chunks(readable).ok()
    }

    /// Appends a later chunk. It holds new samples and laps only, but all pauses and the end.
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
        self.sensors = chunk.sensors;
    }

    /// Ends the recording with its last second, unless it has ended. A pause at the end goes on until
    /// then.
    pub fn finish(&mut self) {
        let end = self.end();
        self.finished_at = Some(end);
        for pause in &mut self.pauses {
            pause.to = pause.to.or(Some(end.max(pause.from)));
        }
    }

    /// First second after the recording: its end, or the second after the last sample while it goes
    /// on.
    pub fn end(&self) -> WallTime {
        let after_last = self.after_last_sample();
        self.finished_at.unwrap_or(after_last).max(after_last)
    }

    fn after_last_sample(&self) -> WallTime {
        let last = self.samples.last();
        last.map_or_else(|| self.first_second(), |sample| sample.at.after(SECOND))
    }

    /// Start in whole seconds: the time of the first sample.
    fn first_second(&self) -> WallTime {
        WallTime::from_unix_ms(self.started_at.unix_seconds() * 1_000)
    }
}

#[cfg(test)]
mod test_rides;
#[cfg(test)]
mod tests;
