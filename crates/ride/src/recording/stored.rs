//! Stored rides: what a browser keeps beside the recording.
//!
//! A ride under way is stored as the chunks of its recording and its [`RideState`], a finished ride as
//! one chunk, the state, and a [`RideHead`] for the list of rides.

use clock::{GroupTime, WallTime};
use minicbor::{Decode, Encode, bytes::ByteVec};

use super::{MAX_CHUNK_BYTES, Recording, StoreError};
use crate::analysis::Summary;
use crate::message::PeerMessage;
use crate::rider::{Ftp, RiderName};
use crate::timeline::{Head, SignedEvent, Timeline};
use crate::wire;
use crate::workout::Workout;

/// Version of the format of [`RideState`] and [`RideHead`].
const VERSION: u8 = 1;

/// Serial number, timeline or workout, and rider of a stored ride.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct RideState {
    /// Number of the rider in files, see [`Activity::serial_number`](super::fit::Activity).
    #[n(0)]
    pub serial_number: u32,
    /// Timeline of a ride under way, as a message.
    #[n(1)]
    timeline: ByteVec,
    /// Workout of a finished ride, with the extensions of its intervals.
    #[n(2)]
    workout: Option<Workout>,
    /// Rider of a solo ride under way.
    #[n(3)]
    pub solo: Option<SoloRider>,
}

/// Rider of a solo ride, who can resume it on a page that is opened later.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct SoloRider {
    /// Seed of the rider's keys: 32 bytes.
    #[n(0)]
    pub seed: ByteVec,
    /// Name.
    #[n(1)]
    pub name: RiderName,
    /// FTP.
    #[n(2)]
    pub ftp: Ftp,
    /// Share in percent of the workout's targets at which the rider rides.
    #[n(3)]
    pub bias: u8,
    /// Group time when this was stored. The ride waits from then on.
    #[n(4)]
    pub time: GroupTime,
}

impl RideState {
    /// State of a ride under way.
    pub fn under_way(serial_number: u32, timeline: &Timeline, solo: Option<SoloRider>) -> Self {
        Self {
            serial_number,
            timeline: PeerMessage::Timeline(timeline.since(Head::NONE))
                .encode()
                .into(),
            workout: None,
            solo,
        }
    }

    /// State of a finished ride.
    pub fn finished(serial_number: u32, workout: Option<Workout>) -> Self {
        Self {
            serial_number,
            timeline: ByteVec::from(vec![]),
            workout,
            solo: None,
        }
    }

    /// The same ride once it is finished.
    #[must_use]
    pub fn finish(&self) -> Self {
        Self::finished(self.serial_number, self.workout())
    }

    /// Events of the timeline of a ride under way.
    pub fn events(&self) -> Vec<SignedEvent> {
        match PeerMessage::decode(&self.timeline) {
            Ok(PeerMessage::Timeline(events)) => events,
            _ => vec![],
        }
    }

    /// Workout of the ride.
    pub fn workout(&self) -> Option<Workout> {
        self.workout.clone().or_else(|| {
            let mut timeline = Timeline::default();
            timeline.restore(self.events());
            timeline.workout().cloned()
        })
    }

    /// Encodes the state.
    pub fn encode(&self) -> Vec<u8> {
        wire::to_vec(&(VERSION, self))
    }

    /// Decodes what [`RideState::encode`] has written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        decode(bytes, VERSION)
    }
}

/// Entry of the list of rides.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct RideHead {
    /// Time of the start.
    #[cbor(n(0), with = "wire::unix_ms")]
    pub started_at: WallTime,
    /// Name of the workout; empty if there was none.
    #[n(1)]
    pub workout: String,
    /// Recorded seconds, without pauses.
    #[n(2)]
    pub seconds: u32,
    /// Mean power in W.
    #[n(3)]
    pub power: Option<f32>,
    /// Mean cadence in rpm.
    #[n(4)]
    pub cadence: Option<f32>,
    /// Mean heart rate in beats per minute.
    #[n(5)]
    pub heart_rate: Option<f32>,
    /// Work in kJ.
    #[n(6)]
    pub work_kj: f32,
    /// Stress score.
    #[n(7)]
    pub stress_score: Option<f32>,
}

impl RideHead {
    /// Entry for a recording.
    pub fn of(recording: &Recording) -> Self {
        let figures = Summary::of(recording);
        Self {
            started_at: recording.started_at,
            workout: recording.workout.clone(),
            seconds: u32::try_from(recording.samples.len()).unwrap_or(u32::MAX),
            power: figures.average_power,
            cadence: figures.average_cadence,
            heart_rate: figures.average_heart_rate,
            work_kj: figures.work_kj,
            stress_score: figures.stress_score,
        }
    }

    /// Encodes the entry.
    pub fn encode(&self) -> Vec<u8> {
        wire::to_vec(&(VERSION, self))
    }

    /// Decodes what [`RideHead::encode`] has written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        decode(bytes, VERSION)
    }
}

/// Decodes an array of a version and a value.
pub(super) fn decode<T: for<'b> Decode<'b, ()>>(
    bytes: &[u8],
    version: u8,
) -> Result<T, StoreError> {
    if bytes.len() > MAX_CHUNK_BYTES {
        return Err(StoreError::Damaged);
    }
    let mut decoder = minicbor::Decoder::new(bytes);
    let (_, found) = (decoder.array(), decoder.u8());
    if found.map_err(|_| StoreError::Damaged)? != version {
        return Err(StoreError::Version);
    }
    let (_, value): (u8, T) = wire::from_slice(bytes).ok_or(StoreError::Damaged)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Sample;
    use crate::timeline::{Change, SigningKey};

    fn recording() -> Recording {
        let start = WallTime::from_unix_ms(1_790_000_000_000);
        let mut recording = Recording::new(start, "Sweet Spot".to_owned(), Ftp::default());
        recording.samples = (0..60)
            .map(|second| Sample {
                at: WallTime::from_unix_ms(1_790_000_000_000 + second * 1_000),
                power: Some(200),
                cadence: Some(90),
                target: Some(200),
                ..Sample::default()
            })
            .collect();
        recording
    }

    #[test]
    fn a_head_has_the_figures_of_its_recording_and_comes_back_as_it_was() {
        let head = RideHead::of(&recording());
        assert_eq!((head.seconds, head.power), (60, Some(200.0)));
        assert_eq!((head.heart_rate, head.work_kj), (None, 12.0));
        assert_eq!(RideHead::decode(&head.encode()), Ok(head.clone()));
        assert_eq!(
            RideHead::decode(&[0x82, VERSION, 2]),
            Err(StoreError::Damaged)
        );
        let mut newer = head.encode();
        newer[1] = 9;
        assert_eq!(RideHead::decode(&newer), Err(StoreError::Version));
    }

    #[test]
    fn the_state_of_a_ride_keeps_its_timeline_until_it_is_finished_and_its_workout_after() {
        let workout = crate::library::all().into_iter().next().unwrap().workout;
        let key = SigningKey::from_seed([7; 32]).unwrap();
        let host = "alone".parse().unwrap();
        let mut timeline = Timeline::default();
        let share = Change::Share(workout.clone());
        timeline.append(share, 1, &host, &key).unwrap();
        let solo = SoloRider {
            seed: vec![7; 32].into(),
            name: "Ana".parse().unwrap(),
            ftp: Ftp::default(),
            bias: 95,
            time: GroupTime(5_000_000),
        };
        let state = RideState::under_way(7, &timeline, Some(solo));
        assert_eq!(RideState::decode(&state.encode()), Ok(state.clone()));
        assert_eq!(state.events().len(), 1);
        assert_eq!(state.workout(), Some(workout.clone()));
        let finished = state.finish();
        assert_eq!((finished.solo.as_ref(), finished.events().len()), (None, 0));
        assert_eq!(finished.workout(), Some(workout));
        assert_eq!(RideState::decode(&finished.encode()), Ok(finished));
    }
}
