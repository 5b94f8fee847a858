//! Format of the timeline: events, their numbers, hashes and signatures.

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use clock::GroupTime;
use protocol::peer::PeerId;

use super::keys::{self, SigningKey};
use super::{MAX_CHANGE_AHEAD, MAX_START_AHEAD, TimelineError};
use crate::wire;
use crate::workout::Workout;

/// Largest size of an event in bytes, well above a workout at its limits.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;
/// Lowest kind of change that only later versions know.
const FIRST_UNKNOWN: u32 = 10;

/// Number of an event, ordered by epoch, then by sequence. As the head of a timeline it stands for
/// all events up to that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Head {
    /// Epoch of the host, counted from 1.
    #[n(0)]
    pub epoch: u32,
    /// Number within the epoch, counted from 1.
    #[n(1)]
    pub sequence: u32,
}

impl Head {
    /// Head of an empty timeline.
    pub const NONE: Self = Self {
        epoch: 0,
        sequence: 0,
    };

    /// Eight bytes to announce: epoch, then sequence, big-endian.
    pub fn to_bytes(self) -> [u8; 8] {
        let both = u64::from(self.epoch) << 32 | u64::from(self.sequence);
        both.to_be_bytes()
    }

    /// Head from the bytes of [`Head::to_bytes`]; `None` unless there are exactly eight.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let both = u64::from_be_bytes(bytes.try_into().ok()?);
        Some(Self {
            epoch: (both >> 32) as u32,
            sequence: both as u32,
        })
    }

    /// Reports whether an event of this number may follow an event of number `base`.
    fn follows(self, base: Self) -> bool {
        let is_next =
            self.epoch == base.epoch && base.sequence.checked_add(1) == Some(self.sequence);
        let is_first_of_epoch = self.epoch > base.epoch && self.sequence == 1;
        (is_next && base.sequence > 0) || is_first_of_epoch
    }
}

/// SHA-256 digest (FIPS 180-4) of an event's bytes and signature. It identifies an event together
/// with its number, since hosts that do not know of each other can use the same number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct EventHash(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl EventHash {
    /// Predecessor of the first event of a timeline.
    pub const NONE: Self = Self([0; 32]);
    pub(super) const LAST: Self = Self([0xff; 32]);
}

/// Change of the ride, made by the host.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(flat)]
pub enum Change {
    /// Shares a workout, which replaces an earlier one. Before the start only.
    #[n(0)]
    Share(#[n(0)] Workout),
    /// Sets the start; the countdown runs until then.
    #[n(1)]
    Start {
        /// Time of the start.
        #[n(0)]
        at: GroupTime,
    },
    /// Pauses the ride.
    #[n(2)]
    Pause {
        /// Time from which the ride is paused.
        #[n(0)]
        at: GroupTime,
    },
    /// Resumes the ride after a pause.
    #[n(3)]
    Resume {
        /// Time from which the ride goes on.
        #[n(0)]
        at: GroupTime,
    },
    /// Ends the ride.
    #[n(4)]
    End {
        /// Time of the end.
        #[n(0)]
        at: GroupTime,
    },
    /// Moves on to the next interval.
    #[n(5)]
    Skip {
        /// Time of the skip.
        #[n(0)]
        at: GroupTime,
        /// Interval to leave, counted from 0.
        #[n(1)]
        from: u32,
    },
    /// Moves back to the start of the current interval, or of the previous one.
    #[n(6)]
    Back {
        /// Time of the move.
        #[n(0)]
        at: GroupTime,
        /// Current interval, counted from 0.
        #[n(1)]
        from: u32,
    },
    /// Extends the current interval by [`EXTENSION`](super::EXTENSION).
    #[n(7)]
    Extend {
        /// Time of the extension.
        #[n(0)]
        at: GroupTime,
        /// Current interval, counted from 0.
        #[n(1)]
        interval: u32,
    },
    /// Cancels the start and returns to the lobby. Before the start only.
    #[n(8)]
    Cancel {
        /// Time of the cancellation.
        #[n(0)]
        at: GroupTime,
    },
    /// Changes nothing. A new host appends it to commit the log that it holds, like a new leader in
    /// Raft (Ongaro, Ousterhout: In search of an understandable consensus algorithm, section 8).
    #[n(9)]
    NoOp,
}

/// Decodes a change; `None` for a kind that only later versions know.
fn known_change<C>(
    decoder: &mut Decoder<'_>,
    context: &mut C,
) -> Result<Option<Change>, DecodeError> {
    wire::known_variant(decoder, context, FIRST_UNKNOWN)
}

/// Change with its number, predecessor and host.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct TimelineEvent {
    /// Epoch of the host, counted from 1.
    #[n(0)]
    pub epoch: u32,
    /// Number within the epoch, counted from 1.
    #[n(1)]
    pub sequence: u32,
    /// Number of the predecessor.
    #[n(2)]
    pub base: Head,
    /// Peer id of the host.
    #[cbor(n(3), with = "wire::peer_id")]
    pub host: PeerId,
    /// The change; `None` for a kind that this version does not know. Such an event keeps its place
    /// in the timeline and changes nothing.
    #[cbor(n(4), decode_with = "known_change")]
    pub change: Option<Change>,
    /// Hash of the predecessor. The signature of an event thereby covers all events before it, which
    /// makes them valid where the key of an earlier host is unknown.
    #[n(5)]
    pub base_hash: EventHash,
}

impl TimelineEvent {
    /// Number of the event.
    pub const fn head(&self) -> Head {
        Head {
            epoch: self.epoch,
            sequence: self.sequence,
        }
    }

    /// Event that follows `base` in an epoch; `None` if a later epoch has begun or the epoch has no
    /// number left.
    pub(super) fn following(
        (base, base_hash): (Head, EventHash),
        epoch: u32,
        host: &PeerId,
        change: Change,
    ) -> Option<Self> {
        let sequence = if epoch == base.epoch {
            base.sequence.checked_add(1)?
        } else {
            1
        };
        let event = Self {
            epoch,
            sequence,
            base,
            host: host.clone(),
            change: Some(change),
            base_hash,
        };
        event.head().follows(base).then_some(event)
    }

    /// Reports whether the time of the change lies further ahead than any host sets it.
    pub(super) fn is_too_far_ahead(&self, now: GroupTime) -> bool {
        let (at, limit) = match &self.change {
            Some(Change::Start { at }) => (at, MAX_START_AHEAD),
            Some(
                Change::Pause { at }
                | Change::Resume { at }
                | Change::End { at }
                | Change::Skip { at, .. }
                | Change::Back { at, .. }
                | Change::Extend { at, .. }
                | Change::Cancel { at },
            ) => (at, MAX_CHANGE_AHEAD),
            Some(Change::Share(_) | Change::NoOp) | None => return false,
        };
        at.since(now) > limit
    }

    pub(super) fn sign(&self, key: &SigningKey) -> SignedEvent {
        let bytes = wire::to_vec(self);
        let signature = key.sign(&bytes);
        SignedEvent { bytes, signature }
    }
}

/// Event as it is sent and stored: exactly the bytes that the host signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedEvent {
    /// [`TimelineEvent`] in CBOR.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Ed25519 signature of the host (RFC 8032) over [`keys::CONTEXT`] and `bytes`.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl SignedEvent {
    pub(super) fn hash(&self) -> EventHash {
        let digest = Sha256::new().chain_update(&self.bytes);
        EventHash(digest.chain_update(self.signature).finalize().into())
    }

    /// Decodes the event without checking its signature.
    pub(super) fn read(&self) -> Result<TimelineEvent, TimelineError> {
        if self.bytes.len() > MAX_EVENT_BYTES {
            return Err(TimelineError::Malformed);
        }
        let event: TimelineEvent = wire::from_slice(&self.bytes).ok_or(TimelineError::Malformed)?;
        let is_numbered = event.head().follows(event.base);
        is_numbered.then_some(event).ok_or(TimelineError::Malformed)
    }

    /// Checks that the host of the event's epoch has signed it.
    pub(super) fn verify(
        &self,
        event: &TimelineEvent,
        key_of: impl Fn(u32, &PeerId) -> Option<[u8; 32]>,
    ) -> Result<(), TimelineError> {
        let key = key_of(event.epoch, &event.host).ok_or(TimelineError::NotHost)?;
        keys::verify(&key, &self.bytes, &self.signature)
            .then_some(())
            .ok_or(TimelineError::Forged)
    }
}
