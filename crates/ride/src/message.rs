//! Messages between riders: a CBOR array of version, kind and body. Kinds 6 and 7 are those of
//! [`bridge`](crate::bridge), kinds 8 to 14 those of [`chat`](crate::chat), kinds 16 to 23 those of
//! [`transfer`](crate::transfer), kinds 24 to 28 those of [`media`](crate::media), kinds 32 and 33 those
//! of [`page`](crate::page).
//!
//! Decoders ignore unknown fields at the end of a body, so fields can be added. An unknown kind or
//! version is an error of its own, which callers count and ignore.

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder};
use thiserror::Error;

use clock::GroupTime;

use crate::history::HistorySnapshot;
use crate::rider::RiderProfile;
use crate::timeline::{Head, SignedEvent};
use crate::wire;

/// Version of the format.
pub const VERSION: u8 = 1;
/// Largest size of a message in bytes. A whole timeline fits, and the history of a full day.
pub const MAX_MESSAGE_BYTES: usize = 1536 * 1024;

/// Readings of a rider at some time, sent at least once a second. The newest replaces the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Telemetry {
    /// Power in W.
    #[n(0)]
    pub power: Option<u16>,
    /// Cadence in rpm.
    #[n(1)]
    pub cadence: Option<u8>,
    /// Heart rate in beats per minute.
    #[n(2)]
    pub heart_rate: Option<u8>,
    /// Target of the rider in W.
    #[n(3)]
    pub target: Option<u16>,
    /// Time ridden in ms.
    #[n(4)]
    pub elapsed_ms: u32,
    /// Time of the reading.
    #[n(5)]
    pub at: GroupTime,
    /// Position in the workout in ms, where it differs from `elapsed_ms` after a skip or a back.
    #[n(6)]
    pub position_ms: Option<u32>,
}

/// Message from one rider to another, or to all.
#[derive(Clone, Debug, PartialEq)]
pub enum PeerMessage {
    /// Profile of the sender, sent to each new rider and after each change.
    Profile(RiderProfile),
    /// Readings of the sender.
    Telemetry(Telemetry),
    /// Events of the timeline, in log order.
    Timeline(Vec<SignedEvent>),
    /// Request for newer events of the timeline.
    TimelineRequest {
        /// Head of the sender's timeline.
        head: Head,
    },
    /// Request for the history of all riders.
    HistoryRequest {
        /// Start of the ride, which identifies it.
        started: GroupTime,
    },
    /// History of all riders, as far as the sender knows it.
    History(HistorySnapshot),
}

/// Reason why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MessageError {
    /// More than [`MAX_MESSAGE_BYTES`].
    #[error("A message of {bytes} bytes is too large and was ignored.")]
    TooLarge {
        /// Size of the message.
        bytes: usize,
    },
    /// Unknown version of the format.
    #[error("A rider uses version {0} of the app. Reload the page to get the same version.")]
    Version(u8),
    /// Unknown kind of message.
    #[error("A message of the unknown kind {0} was ignored.")]
    Unknown(u8),
    /// Bytes that do not follow the format.
    #[error("A message could not be read and was ignored.")]
    Malformed,
}

impl From<minicbor::decode::Error> for MessageError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed
    }
}

mod kind {
    pub(super) const PROFILE: u8 = 0;
    pub(super) const TELEMETRY: u8 = 1;
    pub(super) const TIMELINE: u8 = 2;
    pub(super) const TIMELINE_REQUEST: u8 = 3;
    pub(super) const HISTORY_REQUEST: u8 = 4;
    pub(super) const HISTORY: u8 = 5;
}

pub(crate) struct Envelope<'a, T>(pub(crate) u8, pub(crate) &'a T);

impl<C, T: Encode<C>> Encode<C> for Envelope<'_, T> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.array(3)?.u8(VERSION)?.u8(self.0)?;
        self.1.encode(encoder, context)
    }
}

impl PeerMessage {
    /// Encodes the message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Profile(profile) => wire::to_vec(&Envelope(kind::PROFILE, profile)),
            Self::Telemetry(telemetry) => wire::to_vec(&Envelope(kind::TELEMETRY, telemetry)),
            Self::Timeline(events) => wire::to_vec(&Envelope(kind::TIMELINE, events)),
            Self::TimelineRequest { head } => wire::to_vec(&Envelope(kind::TIMELINE_REQUEST, head)),
            Self::HistoryRequest { started } => {
                wire::to_vec(&Envelope(kind::HISTORY_REQUEST, &(started,)))
            }
            Self::History(snapshot) => wire::to_vec(&Envelope(kind::HISTORY, snapshot)),
        }
    }

    /// Decodes a message. It never panics and uses no more memory than a few times the number of
    /// bytes.
    ///
    /// # Errors
    /// [`MessageError`] for bytes that are not a message of this version.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        decode_any(bytes, decode_body)
    }
}

/// Decodes a message of one kind, whose body `decode` reads.
pub(crate) fn decode_kind<T>(
    bytes: &[u8],
    kind: u8,
    decode: impl FnOnce(&mut Decoder<'_>) -> Result<T, MessageError>,
) -> Result<T, MessageError> {
    decode_any(bytes, |found, decoder| match found == kind {
        true => decode(decoder),
        false => Err(MessageError::Unknown(found)),
    })
}

/// Decodes a message whose body `decode` reads, given its kind.
pub(crate) fn decode_any<T>(
    bytes: &[u8],
    decode: impl FnOnce(u8, &mut Decoder<'_>) -> Result<T, MessageError>,
) -> Result<T, MessageError> {
    let mut decoder = Decoder::new(bytes);
    let kind = begin(&mut decoder)?;
    let message = decode(kind, &mut decoder)?;
    end(&decoder)?;
    Ok(message)
}

/// Reads version and kind, before the body.
fn begin(decoder: &mut Decoder<'_>) -> Result<u8, MessageError> {
    let bytes = decoder.input().len();
    if bytes > MAX_MESSAGE_BYTES {
        return Err(MessageError::TooLarge { bytes });
    }
    decode_envelope(decoder)
}

fn end(decoder: &Decoder<'_>) -> Result<(), MessageError> {
    match decoder.position() == decoder.input().len() {
        true => Ok(()),
        false => Err(MessageError::Malformed),
    }
}

fn decode_envelope(decoder: &mut Decoder<'_>) -> Result<u8, MessageError> {
    if decoder.datatype()? != Type::Array || decoder.array()? != Some(3) {
        return Err(MessageError::Malformed);
    }
    match decoder.u8()? {
        VERSION => Ok(decoder.u8()?),
        version => Err(MessageError::Version(version)),
    }
}

fn decode_body(kind: u8, decoder: &mut Decoder<'_>) -> Result<PeerMessage, MessageError> {
    Ok(match kind {
        kind::PROFILE => PeerMessage::Profile(decoder.decode()?),
        kind::TELEMETRY => PeerMessage::Telemetry(decoder.decode()?),
        kind::TIMELINE => PeerMessage::Timeline(decoder.decode()?),
        kind::TIMELINE_REQUEST => PeerMessage::TimelineRequest {
            head: decoder.decode()?,
        },
        kind::HISTORY_REQUEST => {
            let (started,) = decoder.decode()?;
            PeerMessage::HistoryRequest { started }
        }
        kind::HISTORY => PeerMessage::History(decoder.decode()?),
        unknown => return Err(MessageError::Unknown(unknown)),
    })
}

#[cfg(test)]
mod tests;
