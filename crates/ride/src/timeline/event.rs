//! The format of the timeline: events, their numbers, and how they are signed.

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::keys::{self, SigningKey};
use super::{GroupTime, Refused};
use crate::wire;
use crate::workout::Workout;

/// The most bytes of an event: a workout at its limits is well under it.
pub const MAX_EVENT_BYTES: usize = 512 * 1024;
/// The most bytes of a peer id.
const MAX_HOST_BYTES: usize = 64;
/// Changes of this kind and above come from a later version.
const FIRST_UNKNOWN: u32 = 10;

/// The number of an event: ordered by epoch, then by sequence. As the head of a timeline it stands
/// for everything up to that event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct Head {
    /// The term of the host, named by the server, from 1.
    #[n(0)]
    pub epoch: u32,
    /// The number within the epoch, from 1.
    #[n(1)]
    pub sequence: u32,
}

impl Head {
    /// The head of an empty timeline.
    pub const NONE: Self = Self {
        epoch: 0,
        sequence: 0,
    };

    /// As eight bytes to gossip: epoch, then sequence, big-endian.
    pub fn to_bytes(self) -> [u8; 8] {
        let both = u64::from(self.epoch) << 32 | u64::from(self.sequence);
        both.to_be_bytes()
    }

    /// From the bytes of [`Head::to_bytes`]; none if there are not exactly eight.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let both = u64::from_be_bytes(bytes.try_into().ok()?);
        Some(Self {
            epoch: (both >> 32) as u32,
            sequence: both as u32,
        })
    }

    /// Whether an event of this number may follow one of number `base`.
    fn follows(self, base: Self) -> bool {
        let within =
            self.epoch == base.epoch && base.sequence.checked_add(1) == Some(self.sequence);
        let anew = self.epoch > base.epoch && self.sequence == 1;
        (within && base.sequence > 0) || anew
    }
}

/// What an event is known by beside its number: the SHA-256 digest (FIPS 180-4) of its bytes and
/// their signature. Hosts who did not know of each other may have given one number twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Link(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl Link {
    /// What the first event of a timeline follows.
    pub const NONE: Self = Self([0; 32]);
    pub(super) const LAST: Self = Self([0xff; 32]);
}

/// What a host decides.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
#[cbor(flat)]
pub enum Change {
    /// This is what we ride. Before the start only; replaces what was shared before.
    #[n(0)]
    Share(#[n(0)] Workout),
    /// The ride starts at this moment; until then everybody counts down.
    #[n(1)]
    Start {
        /// When.
        #[n(0)]
        at: GroupTime,
    },
    /// The ride stands still from this moment on.
    #[n(2)]
    Pause {
        /// When.
        #[n(0)]
        at: GroupTime,
    },
    /// The ride goes on at this moment.
    #[n(3)]
    Resume {
        /// When.
        #[n(0)]
        at: GroupTime,
    },
    /// The ride is over at this moment.
    #[n(4)]
    End {
        /// When.
        #[n(0)]
        at: GroupTime,
    },
    /// On to the next interval.
    #[n(5)]
    Skip {
        /// When.
        #[n(0)]
        at: GroupTime,
        /// The interval that is left, counted from 0.
        #[n(1)]
        from: u32,
    },
    /// Back to the start of the interval, or of the one before.
    #[n(6)]
    Back {
        /// When.
        #[n(0)]
        at: GroupTime,
        /// The interval being ridden, counted from 0.
        #[n(1)]
        from: u32,
    },
    /// The interval becomes longer by [`EXTENSION`](super::EXTENSION).
    #[n(7)]
    Extend {
        /// When.
        #[n(0)]
        at: GroupTime,
        /// The interval being ridden, counted from 0.
        #[n(1)]
        interval: u32,
    },
    /// The start is called off: back to the lobby. Before it only.
    #[n(8)]
    Cancel {
        /// When.
        #[n(0)]
        at: GroupTime,
    },
    /// A new host has decided nothing yet, but goes on from what it holds: that is the ride.
    #[n(9)]
    Settle,
}

/// The change, or none where it is of a kind that only later versions know.
fn known_change<C>(
    decoder: &mut Decoder<'_>,
    context: &mut C,
) -> Result<Option<Change>, DecodeError> {
    let mut ahead = decoder.probe();
    ahead.array()?;
    if ahead.u32()? >= FIRST_UNKNOWN {
        decoder.skip()?;
        return Ok(None);
    }
    decoder.decode_with(context).map(Some)
}

/// A change, numbered, by a host.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Event {
    /// The term of the host who made it, from 1.
    #[n(0)]
    pub epoch: u32,
    /// Its number within the epoch, from 1.
    #[n(1)]
    pub sequence: u32,
    /// The event it follows.
    #[n(2)]
    pub base: Head,
    /// The host's peer id, 1 to 64 bytes.
    #[n(3)]
    pub host: String,
    /// What is decided; none if it is of a kind that this version does not know. Such an event
    /// keeps its place in the timeline and changes nothing.
    #[cbor(n(4), decode_with = "known_change")]
    pub change: Option<Change>,
    /// The very event it follows. So whoever signs an event vouches for all before it, which
    /// counts wherever the key of an earlier host is not known.
    #[n(5)]
    pub base_link: Link,
}

impl Event {
    /// The event's number.
    pub const fn head(&self) -> Head {
        Head {
            epoch: self.epoch,
            sequence: self.sequence,
        }
    }

    /// The event after another in an epoch; none if the epoch is over or has no number left.
    pub(super) fn following(
        (base, base_link): (Head, Link),
        epoch: u32,
        host: &str,
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
            host: host.to_owned(),
            change: Some(change),
            base_link,
        };
        event.head().follows(base).then_some(event)
    }

    pub(super) fn sign(&self, key: &SigningKey) -> SignedEvent {
        let bytes = wire::to_vec(self);
        let signature = key.sign(&bytes);
        SignedEvent { bytes, signature }
    }
}

/// An event as it travels and is stored: exactly the bytes that the host signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedEvent {
    /// The [`Event`] in CBOR.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// The host's Ed25519 signature (RFC 8032) over [`keys::CONTEXT`] and `bytes`.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl SignedEvent {
    pub(super) fn link(&self) -> Link {
        let digest = Sha256::new().chain_update(&self.bytes);
        Link(digest.chain_update(self.signature).finalize().into())
    }

    /// The event, whoever has made it.
    pub(super) fn read(&self) -> Result<Event, Refused> {
        if self.bytes.len() > MAX_EVENT_BYTES {
            return Err(Refused::Malformed);
        }
        let event: Event = wire::from_slice(&self.bytes).ok_or(Refused::Malformed)?;
        let good = event.head().follows(event.base) && event.host.len() <= MAX_HOST_BYTES;
        good.then_some(event).ok_or(Refused::Malformed)
    }

    /// Whether the host of the event's epoch has signed it.
    pub(super) fn verify(
        &self,
        event: &Event,
        key_of: impl Fn(u32, &str) -> Option<[u8; 32]>,
    ) -> Result<(), Refused> {
        let key = key_of(event.epoch, &event.host).ok_or(Refused::NotTheHost)?;
        keys::verify(&key, &self.bytes, &self.signature)
            .then_some(())
            .ok_or(Refused::Forged)
    }
}
