//! Messages of file transfers between riders, and the record that a browser keeps of a transfer.
//!
//! The messages have the form of those between riders ([`crate::message`]), with kinds of their own.
//! A transfer has one sender and one receiver, and an id that the sender chooses. The bulk class
//! carries [`Chunk`] and [`End`], in order; all others are of the control class.
//!
//! Decoded texts and bytes borrow from the message, so that decoding allocates nothing.

mod file_name;

use clock::WallTime;
use minicbor::{Decode, Encode};
use protocol::{frame::MAX_LINK_FRAME, peer::PeerId};

use crate::{
    message::{self, Envelope, MessageError},
    wire,
};

pub use file_name::{MAX_FILE_NAME_BYTES, MAX_FILE_NAME_CHARS, clean_file_name};

/// Largest number of bytes of a chunk's message beyond its content: envelope (3), array (1), id (9),
/// offset (9), length (3).
pub const CHUNK_OVERHEAD: usize = 25;
/// Largest length of a name in a message, in bytes. A cleaned name is shorter.
pub const MAX_SENT_NAME_BYTES: usize = 1024;
/// Largest size of a [`TransferRecord`], in bytes.
const MAX_RECORD_BYTES: usize = 4096;

mod kind {
    pub(super) const OFFER: u8 = 16;
    pub(super) const ACCEPT: u8 = 17;
    pub(super) const PAUSE: u8 = 18;
    pub(super) const CHUNK: u8 = 19;
    pub(super) const PROGRESS: u8 = 20;
    pub(super) const END: u8 = 21;
    pub(super) const COMPLETE: u8 = 22;
    pub(super) const CANCEL: u8 = 23;
}

/// Offer of a file, from its sender. Repeated after each change of the link until the transfer has
/// ended, so that both sides agree on its state again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Offer<'a> {
    /// Id of the transfer.
    #[n(0)]
    pub id: u64,
    /// Name, which the receiver cleans ([`clean_file_name`]), of at most [`MAX_SENT_NAME_BYTES`].
    #[b(1)]
    pub name: &'a str,
    /// Size in bytes.
    #[n(2)]
    pub size: u64,
    /// True while the sender pauses.
    #[n(3)]
    pub paused: bool,
}

/// Request for the bytes from an offset on, from the receiver: at first, and after a change of the
/// link, a reload or a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Accept {
    /// Id of the transfer.
    #[n(0)]
    pub id: u64,
    /// Number of bytes that the receiver has.
    #[n(1)]
    pub from: u64,
    /// True while the receiver pauses, or waits for other transfers to end.
    #[n(2)]
    pub paused: bool,
}

/// Pause of a transfer, or its end, from either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Pause {
    /// Id of the transfer.
    #[n(0)]
    pub id: u64,
    /// True if the sender of the file sends this.
    #[n(1)]
    pub by_sender: bool,
    /// True for a pause, false for its end.
    #[n(2)]
    pub paused: bool,
}

/// Part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Chunk<'a> {
    /// Id of the transfer.
    #[n(0)]
    pub id: u64,
    /// Position of the first byte.
    #[n(1)]
    pub offset: u64,
    /// At least one byte.
    #[cbor(b(2), with = "minicbor::bytes")]
    pub bytes: &'a [u8],
}

/// Cumulative acknowledgement, from the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Progress {
    /// Id of the transfer.
    #[n(0)]
    pub id: u64,
    /// Number of bytes that the receiver keeps.
    #[n(1)]
    pub kept: u64,
}

/// End of a file, from its sender, after the last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct End {
    /// Id of the transfer.
    #[n(0)]
    pub id: u64,
    /// SHA-256 (FIPS 180-4) of the file.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sha256: [u8; 32],
}

/// Result of the comparison of the hashes, from the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Complete {
    /// Id of the transfer.
    #[n(0)]
    pub id: u64,
    /// True if the receiver keeps the whole file, false if its hash is another one.
    #[n(1)]
    pub is_right: bool,
}

/// End of a transfer without the file, from either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Cancel {
    /// Id of the transfer.
    #[n(0)]
    pub id: u64,
    /// True if the sender of the file sends this.
    #[n(1)]
    pub by_sender: bool,
    /// Reason.
    #[n(2)]
    pub reason: CancelReason,
}

/// Reason of a [`Cancel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CancelReason {
    /// The rider has cancelled; also any reason that a newer version adds.
    Cancelled = 0,
    /// The receiver has declined.
    Declined = 1,
    /// The receiver has too many offers that wait for an answer.
    Busy = 2,
    /// The receiver has no place for the file.
    NoSpace = 3,
    /// The sender cannot read the file.
    Unreadable = 4,
    /// The page does not know the transfer, for example after a reload.
    Unknown = 5,
    /// The receiver has not answered in time.
    NotAnswered = 6,
    /// The other side was away for too long.
    PeerLeft = 7,
}

impl CancelReason {
    const ALL: [Self; 8] = [
        Self::Cancelled,
        Self::Declined,
        Self::Busy,
        Self::NoSpace,
        Self::Unreadable,
        Self::Unknown,
        Self::NotAnswered,
        Self::PeerLeft,
    ];
}

impl<C> Encode<C> for CancelReason {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.u8(*self as u8)?.ok()
    }
}

impl<C> Decode<'_, C> for CancelReason {
    fn decode(
        decoder: &mut minicbor::Decoder<'_>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let reason = Self::ALL.get(usize::from(decoder.u8()?));
        Ok(reason.copied().unwrap_or(Self::Cancelled))
    }
}

/// Message of a file transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferMessage<'a> {
    /// Kind 16.
    Offer(Offer<'a>),
    /// Kind 17.
    Accept(Accept),
    /// Kind 18.
    Pause(Pause),
    /// Kind 19.
    Chunk(Chunk<'a>),
    /// Kind 20.
    Progress(Progress),
    /// Kind 21.
    End(End),
    /// Kind 22.
    Complete(Complete),
    /// Kind 23.
    Cancel(Cancel),
}

impl<'a> TransferMessage<'a> {
    /// Encodes the message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Offer(body) => wire::to_vec(&Envelope(kind::OFFER, body)),
            Self::Accept(body) => wire::to_vec(&Envelope(kind::ACCEPT, body)),
            Self::Pause(body) => wire::to_vec(&Envelope(kind::PAUSE, body)),
            Self::Chunk(body) => wire::to_vec(&Envelope(kind::CHUNK, body)),
            Self::Progress(body) => wire::to_vec(&Envelope(kind::PROGRESS, body)),
            Self::End(body) => wire::to_vec(&Envelope(kind::END, body)),
            Self::Complete(body) => wire::to_vec(&Envelope(kind::COMPLETE, body)),
            Self::Cancel(body) => wire::to_vec(&Envelope(kind::CANCEL, body)),
        }
    }

    /// Decodes a message. It never panics and allocates nothing.
    ///
    /// # Errors
    /// [`MessageError`] for bytes that are no message of a transfer, a name of more than
    /// [`MAX_SENT_NAME_BYTES`], and a chunk without content or larger than a link frame.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, MessageError> {
        // Array, version, kind. All kinds of transfers are encoded in one byte.
        let kind = *bytes.get(2).ok_or(MessageError::Malformed)?;
        match kind {
            kind::OFFER => match body::<Offer<'_>>(bytes, kind)? {
                offer if offer.name.len() <= MAX_SENT_NAME_BYTES => Ok(Self::Offer(offer)),
                _ => Err(MessageError::Malformed),
            },
            kind::ACCEPT => body(bytes, kind).map(Self::Accept),
            kind::PAUSE => body(bytes, kind).map(Self::Pause),
            kind::CHUNK => match body::<Chunk<'_>>(bytes, kind)? {
                chunk if (1..=MAX_LINK_FRAME).contains(&chunk.bytes.len()) => {
                    Ok(Self::Chunk(chunk))
                }
                _ => Err(MessageError::Malformed),
            },
            kind::PROGRESS => body(bytes, kind).map(Self::Progress),
            kind::END => body(bytes, kind).map(Self::End),
            kind::COMPLETE => body(bytes, kind).map(Self::Complete),
            kind::CANCEL => body(bytes, kind).map(Self::Cancel),
            unknown => Err(MessageError::Unknown(unknown)),
        }
    }
}

/// Body of a message of this kind, which takes up the rest of the bytes.
fn body<'a, T: Decode<'a, ()>>(bytes: &'a [u8], kind: u8) -> Result<T, MessageError> {
    // `decode_kind` lends the decoder for a shorter time than the bytes live, so it checks the
    // envelope only, and the body is decoded from the bytes themselves.
    message::decode_kind(bytes, kind, |decoder| Ok(decoder.skip()?))?;
    wire::from_slice(&bytes[3..]).ok_or(MessageError::Malformed)
}

/// Record of a transfer with which its receiver goes on after a reload.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TransferRecord {
    /// Receiver.
    #[cbor(n(0), with = "wire::peer_id")]
    pub receiver: PeerId,
    /// Sender.
    #[cbor(n(1), with = "wire::peer_id")]
    pub sender: PeerId,
    /// Name of the sender.
    #[n(2)]
    pub sender_name: String,
    /// Id of the transfer.
    #[n(3)]
    pub id: u64,
    /// Cleaned name of the file.
    #[n(4)]
    pub name: String,
    /// Size in bytes.
    #[n(5)]
    pub size: u64,
    /// Time at which the transfer was accepted.
    #[cbor(n(6), with = "wire::unix_ms")]
    pub accepted_at: WallTime,
    /// True if the hash of all bytes was right.
    #[n(7)]
    pub is_complete: bool,
}

impl TransferRecord {
    /// Encodes the record.
    pub fn encode(&self) -> Vec<u8> {
        wire::to_vec(self)
    }

    /// Decodes a record; `None` for bytes that are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let is_small = bytes.len() <= MAX_RECORD_BYTES;
        is_small.then(|| wire::from_slice(bytes)).flatten()
    }
}

#[cfg(test)]
mod tests;
